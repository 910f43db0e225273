"""The exceptions of pika, with the same names and bases. Their texts say what to do here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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


class ConnectionClosed(AMQPConnectionError):
    """The connection has ended."""

    def __init__(self, reply_code: int, reply_text: str) -> None:
        super().__init__(int(reply_code), str(reply_text))
        self.reply_code = int(reply_code)  #: a number of AMQP, such as 404
        self.reply_text = str(reply_text)  #: what happened

    def __repr__(self) -> str:
        return f"{type(self).__name__}: ({self.reply_code}) {self.reply_text!r}"


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

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.args!r}"


class ChannelWrongStateError(AMQPChannelError):
    """The channel is closed."""


class ChannelClosed(AMQPChannelError):
    """The channel has ended."""

    def __init__(self, reply_code: int, reply_text: str) -> None:
        super().__init__(int(reply_code), str(reply_text))
        self.reply_code = int(reply_code)  #: a number of AMQP, such as 404
        self.reply_text = str(reply_text)  #: what happened

    def __repr__(self) -> str:
        return f"{type(self).__name__}: ({self.reply_code}) {self.reply_text!r}"


class ChannelClosedByBroker(ChannelClosed):
    """A call failed, and the channel was closed for it, as RabbitMQ does. The text says what to do."""


class ChannelClosedByClient(ChannelClosed):
    """The program has closed the channel."""


class DuplicateConsumerTag(AMQPChannelError):
    """A consumer of the channel has this tag already."""


class ConsumerCancelled(AMQPChannelError):
    """The queue of the consumer was deleted."""


class UnroutableError(AMQPChannelError):
    """A message with `mandatory` came to no queue. `messages` has it."""

    def __init__(self, messages: Sequence[Any]) -> None:
        super().__init__(f"{len(messages)} unroutable message(s) returned")
        self.messages = messages

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.args[0]}"


class NackError(AMQPChannelError):
    """Never raised here: a publish that returns has put its message into the queue."""

    def __init__(self, messages: Sequence[Any]) -> None:
        super().__init__(f"{len(messages)} message(s) NACKed")
        self.messages = messages

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.args[0]}"


class InvalidChannelNumber(AMQPError):
    """A channel number that is no number above 0, or that another open channel has."""


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
