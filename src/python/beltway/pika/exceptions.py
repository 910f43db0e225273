"""The exceptions of pika, with the same names and bases. Their texts say what to do here."""


class AMQPError(Exception):
    """Base class of nearly all errors of pika."""


class AMQPConnectionError(AMQPError):
    """The connection cannot be made, or does not work any more."""


class ConnectionOpenAborted(AMQPConnectionError):
    """Never raised here."""


class StreamLostError(AMQPConnectionError):
    """Never raised here: queues go on while the daemon is away."""


class IncompatibleProtocolError(AMQPConnectionError):
    """The daemon speaks another version of Beltway's protocol."""


class AuthenticationError(AMQPConnectionError):
    """Never raised here: users and groups of the machine decide about access."""


class ProbableAuthenticationError(AMQPConnectionError):
    """Never raised here."""


class ProbableAccessDeniedError(AMQPConnectionError):
    """Never raised here."""


class NoFreeChannels(AMQPConnectionError):
    """Never raised here: channels cost nothing."""


class ConnectionWrongStateError(AMQPConnectionError):
    """The connection is closed."""


class _Closed:
    """The code and the text of an end. Both are arguments of the exception, too."""

    def __init__(self, reply_code, reply_text):
        Exception.__init__(self, int(reply_code), str(reply_text))  # the classes below are no _Closed

    def __repr__(self):
        return f"{type(self).__name__}: ({self.reply_code}) {self.reply_text!r}"

    @property
    def reply_code(self):
        """A number of AMQP, such as 404."""
        return self.args[0]

    @property
    def reply_text(self):
        """What happened."""
        return self.args[1]


class ConnectionClosed(AMQPConnectionError):
    """The connection has ended."""

    __init__, __repr__ = _Closed.__init__, _Closed.__repr__
    reply_code, reply_text = _Closed.reply_code, _Closed.reply_text


class ConnectionClosedByBroker(ConnectionClosed):
    """Never raised here."""


class ConnectionClosedByClient(ConnectionClosed):
    """The program has closed the connection."""


class ConnectionBlockedTimeout(AMQPConnectionError):
    """A queue was full for too long. The connection is closed then."""


class AMQPHeartbeatTimeout(AMQPConnectionError):
    """Never raised here: there are no heartbeats."""


class AMQPChannelError(AMQPError):
    """A channel cannot do what was asked."""

    def __repr__(self):
        return f"{type(self).__name__}: {self.args!r}"


class ChannelWrongStateError(AMQPChannelError):
    """The channel is closed."""


class ChannelClosed(AMQPChannelError):
    """The channel has ended."""

    __init__, __repr__ = _Closed.__init__, _Closed.__repr__
    reply_code, reply_text = _Closed.reply_code, _Closed.reply_text


class ChannelClosedByBroker(ChannelClosed):
    """A call failed, and the channel was closed for it, as RabbitMQ does. The text says what to do."""


class ChannelClosedByClient(ChannelClosed):
    """The program has closed the channel."""


class DuplicateConsumerTag(AMQPChannelError):
    """A consumer of the channel has this tag already."""


class ConsumerCancelled(AMQPChannelError):
    """The queue of the consumer was deleted."""


class _Messages:
    """The messages that an error is about."""

    def __init__(self, messages):
        Exception.__init__(self, f"{len(messages)} {self._what}")
        self.messages = messages

    def __repr__(self):
        return f"{type(self).__name__}: {self.args[0]}"


class UnroutableError(AMQPChannelError):
    """A message with `mandatory` came to no queue. `messages` has it."""

    _what = "unroutable message(s) returned"
    __init__, __repr__ = _Messages.__init__, _Messages.__repr__


class NackError(AMQPChannelError):
    """Never raised here: a publish that returns has put its message into the queue."""

    _what = "message(s) NACKed"
    __init__, __repr__ = _Messages.__init__, _Messages.__repr__


class InvalidChannelNumber(AMQPError):
    """A channel number that is no number above 0."""


class ProtocolSyntaxError(AMQPError):
    """Base class of what is never raised here: there is no wire."""


class UnexpectedFrameError(ProtocolSyntaxError):
    """Never raised here."""


class ProtocolVersionMismatch(ProtocolSyntaxError):
    """Never raised here."""


class BodyTooLongError(ProtocolSyntaxError):
    """Never raised here."""


class InvalidFrameError(ProtocolSyntaxError):
    """Never raised here."""


class InvalidFieldTypeException(ProtocolSyntaxError):
    """Never raised here."""


class UnsupportedAMQPFieldException(ProtocolSyntaxError):
    """A header has a value of a type that no message can carry."""


class MethodNotImplemented(AMQPError):
    """Never raised here: what is not there raises NotImplementedError."""


class ChannelError(Exception):
    """Base class of DuplicateGetOkCallback."""


class ReentrancyError(Exception):
    """The call would dispatch callbacks from within a callback."""


class ShortStringTooLong(AMQPError):
    """A text of a message's properties is longer than 255 bytes."""


class DuplicateGetOkCallback(ChannelError):
    """Never raised here."""
