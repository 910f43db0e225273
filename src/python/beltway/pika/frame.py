"""What the calls of a channel return: a frame with the answer in it, as pika has it."""

from __future__ import annotations

from typing import Any

from .spec import AMQPObject


class Method(AMQPObject):
    """The answer to a call: `method` has its fields."""

    NAME = "METHOD"

    def __init__(self, channel_number: int, method: Any) -> None:
        self.frame_type = 1
        self.channel_number = channel_number
        self.method = method
