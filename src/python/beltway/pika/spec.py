"""The properties of messages, and what deliveries and answers of calls look like."""

from __future__ import annotations

from typing import Any

PROTOCOL_VERSION = (0, 9, 1)
PORT = 5672
REPLY_SUCCESS = 200
CONTENT_TOO_LARGE = 311
NO_ROUTE = 312
NO_CONSUMERS = 313
CONNECTION_FORCED = 320
INVALID_PATH = 402
ACCESS_REFUSED = 403
NOT_FOUND = 404
RESOURCE_LOCKED = 405
PRECONDITION_FAILED = 406
FRAME_ERROR = 501
SYNTAX_ERROR = 502
COMMAND_INVALID = 503
CHANNEL_ERROR = 504
UNEXPECTED_FRAME = 505
RESOURCE_ERROR = 506
NOT_ALLOWED = 530
NOT_IMPLEMENTED = 540
INTERNAL_ERROR = 541
TRANSIENT_DELIVERY_MODE = 1
PERSISTENT_DELIVERY_MODE = 2


class AMQPObject:
    """An object with fields, which compares and prints them."""

    NAME = "AMQPObject"

    def __repr__(self) -> str:
        fields = [f"{name}={value}" for name, value in vars(self).items() if getattr(type(self), name, None) != value]
        return f"<{self.NAME}({sorted(fields)})>" if fields else f"<{self.NAME}>"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


FIELDS = ("content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
          "expiration", "message_id", "timestamp", "type", "user_id", "app_id", "cluster_id")


class BasicProperties(AMQPObject):
    """What a message says beside its body. A field that is None is absent. examples/PIKA.md says where each is stored."""

    NAME = "BasicProperties"
    content_type: str | None = None
    content_encoding: str | None = None
    headers: dict[str, Any] | None = None  #: a dict; values as AMQP has them: str, int, bool, bytes, datetime, list, dict, None
    delivery_mode: Any = None
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    expiration: str | None = None  #: milliseconds as a str; an older message is not delivered
    message_id: str | None = None
    timestamp: int | None = None  #: seconds since 1970
    type: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    cluster_id: str | None = None

    def __init__(self, content_type: str | None = None, content_encoding: str | None = None,
                 headers: dict[str, Any] | None = None, delivery_mode: Any = None, priority: int | None = None,
                 correlation_id: str | None = None, reply_to: str | None = None, expiration: str | None = None,
                 message_id: str | None = None, timestamp: int | None = None, type: str | None = None,
                 user_id: str | None = None, app_id: str | None = None, cluster_id: str | None = None) -> None:
        given = locals()
        for field in FIELDS:
            if given[field] is not None:
                setattr(self, field, given[field])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BasicProperties):
            return False
        return all(getattr(self, field) == getattr(other, field) for field in FIELDS)


def _method(name: str, *fields: str, **defaults: Any) -> type[Any]:
    """A class of the answers of one kind, with these fields."""
    names = (*fields, *defaults)

    class Answer(AMQPObject):
        """An answer of the broker, or a delivery."""

        NAME = name

        def __init__(self, *values: Any, **given: Any) -> None:
            for field, value in zip(names, values):
                setattr(self, field, value)
            for field in names[len(values):]:
                setattr(self, field, given.pop(field) if field in given else defaults[field])
            if given:
                raise TypeError(f"{name} has no field {', '.join(given)}")

    Answer.__name__ = name.rpartition(".")[2]
    Answer.__qualname__ = name
    return Answer


class Basic:
    """Deliveries, and the answers of calls about messages."""

    class Deliver(AMQPObject):
        """A delivery to a consumer."""

        NAME = "Basic.Deliver"

        def __init__(self, consumer_tag: str | None = None, delivery_tag: int | None = None, redelivered: bool = False,
                     exchange: str | None = None, routing_key: str | None = None) -> None:
            self.consumer_tag = consumer_tag
            self.delivery_tag = delivery_tag
            self.redelivered = redelivered
            self.exchange = exchange
            self.routing_key = routing_key

    GetOk = _method("Basic.GetOk", delivery_tag=None, redelivered=False, exchange=None, routing_key=None, message_count=None)
    GetEmpty = _method("Basic.GetEmpty", cluster_id="")
    Return = _method("Basic.Return", reply_code=None, reply_text="", exchange=None, routing_key=None)
    Ack = _method("Basic.Ack", delivery_tag=0, multiple=False)
    Nack = _method("Basic.Nack", delivery_tag=0, multiple=False, requeue=True)
    Cancel = _method("Basic.Cancel", consumer_tag=None, nowait=False)
    CancelOk = _method("Basic.CancelOk", consumer_tag=None)
    ConsumeOk = _method("Basic.ConsumeOk", consumer_tag=None)
    QosOk = _method("Basic.QosOk")


class Queue:
    """The answers of calls about queues."""

    DeclareOk = _method("Queue.DeclareOk", "queue", "message_count", "consumer_count")
    BindOk = _method("Queue.BindOk")
    UnbindOk = _method("Queue.UnbindOk")
    PurgeOk = _method("Queue.PurgeOk", message_count=None)
    DeleteOk = _method("Queue.DeleteOk", message_count=None)


class Exchange:
    """The answers of calls about exchanges."""

    DeclareOk = _method("Exchange.DeclareOk")
    DeleteOk = _method("Exchange.DeleteOk")


class Confirm:
    """The answer of confirm_delivery()."""

    SelectOk = _method("Confirm.SelectOk")


class Connection:
    """What a connection tells its callbacks."""

    Blocked = _method("Connection.Blocked", reason="")
    Unblocked = _method("Connection.Unblocked")
