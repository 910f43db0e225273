"""What the calls of a channel return: a frame with the answer in it, as pika has it."""

from .spec import AMQPObject


class Method(AMQPObject):
    """The answer to a call: `method` has its fields."""

    NAME = "METHOD"

    def __init__(self, channel_number, method):
        self.frame_type = 1
        self.channel_number = channel_number
        self.method = method
