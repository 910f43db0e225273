"""BlockingChannel: publishes, consumes, acknowledges. Belongs to the thread of its connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

import beltway

from . import spec
from ._declarations import Declarations
from ._errors import on_open_channel, require_callback, require_number, require_string
from ._generator import Generator
from ._sources import Delivery, Source
from ._subscription import Subscription
from ._types import Body, MessageCallback, Received
from .exceptions import (AMQPChannelError, ChannelClosedByBroker, ChannelWrongStateError, DuplicateConsumerTag, ReentrancyError,
                         UnroutableError)
from .frame import Method
from .spec import BasicProperties

if TYPE_CHECKING:
    from typing_extensions import Self

    from .adapters.blocking_connection import BlockingConnection

LOGGER = logging.getLogger(__name__)


class ReturnedMessage:
    """A message with `mandatory` that came to no queue."""

    def __init__(self, method: Any, properties: BasicProperties, body: bytes) -> None:
        self.method = method
        self.properties = properties
        self.body = body


def _bytes_of(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    raise TypeError(f"body must be bytes or str, but got {body!r}")


class BlockingChannel(Generator, Declarations):
    """A channel of a connection, made by BlockingConnection.channel()."""

    def __init__(self, connection: BlockingConnection, channel_number: int) -> None:
        self.connection = connection
        self.channel_number = channel_number
        self._is_open = True
        self._failure: ChannelClosedByBroker | None = None  # what the next call raises, and closes the channel
        self._subscriptions: dict[str, Subscription] = {}  # by consumer tag
        self._unacknowledged: dict[int, Delivery] = {}  # deliveries by delivery tag
        self._last_tag = 0
        self._last_consumer = 0
        self._last_queue = ""
        self._prefetch = 0  # of consumers to come
        self._channel_prefetch = 0  # of all together
        self._getters: dict[str, dict[str, Source]] = {}  # of basic_get, by queue
        self._confirms = False
        self._generator = None
        self._return_callbacks: list[Callable[..., object]] = []
        self._cancel_callbacks: list[Callable[..., object]] = []

    def __int__(self) -> int:
        return self.channel_number

    def __repr__(self) -> str:
        return f"<BlockingChannel number={self.channel_number} {'open' if self.is_open else 'closed'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_open:
            self.close()

    @property
    def is_open(self) -> bool:
        """False after close(), and after a call that failed."""
        return self._is_open

    @property
    def is_closed(self) -> bool:
        """Whether the channel has ended."""
        return not self._is_open

    @property
    def consumer_tags(self) -> list[str]:
        """The tags of the consumers."""
        return list(self._subscriptions)

    def _check_open(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None and self._is_open:
            self._release(failure)
            raise failure
        if not self._is_open:
            raise ChannelWrongStateError("Channel is closed: ask the connection for a new one.")

    def close(self, reply_code: int = 0, reply_text: str = "Normal shutdown") -> None:
        """Cancels the consumers. Messages without an ack go back to their queues."""
        self._check_open()
        self._release()

    def _release(self, failure: AMQPChannelError | None = None) -> None:
        """Ends the channel; after a failure, too."""
        if not self._is_open:
            return
        self._is_open = False
        self.connection._channels.pop(self.channel_number, None)
        store = self.connection._store
        subscriptions = list(self._subscriptions.values())
        for subscription in subscriptions:
            self._end(subscription)
        for delivery in self._unacknowledged.values():
            delivery.requeue()
        self._unacknowledged.clear()
        for queue, sources in self._getters.items():
            for source in sources.values():
                store.close_source(queue, source)
        self._getters.clear()
        for queue in {subscription.queue for subscription in subscriptions}:
            try:
                store.delete_if_unused(queue)
            except beltway.Error as error:  # the daemon is away, or the queue is another user's
                LOGGER.warning("%s is not removed after its last consumer: %s", queue, error)

    # Publish

    @on_open_channel
    def basic_publish(self, exchange: str, routing_key: str, body: Body, properties: BasicProperties | None = None,
                      mandatory: bool = False) -> None:
        """Publishes to the queue `routing_key` (exchange ""), or to all queues of a fanout exchange. Waits while a queue is full.
        After the return the message is in the queue. Without a queue it is dropped; with `mandatory` it is returned."""
        content = _bytes_of(body)
        if self.connection._publisher.publish(exchange, routing_key, content, properties, mandatory) or not mandatory:
            return
        method = spec.Basic.Return(spec.NO_ROUTE, "NO_ROUTE", exchange, routing_key)
        returned = ReturnedMessage(method, properties or BasicProperties(), content)
        if self._confirms:
            raise UnroutableError([returned])
        for callback in self._return_callbacks:
            self.connection._ready.append(partial(callback, self, method, returned.properties, returned.body))

    @on_open_channel
    def confirm_delivery(self) -> None:
        """From now on a `mandatory` message without a queue raises UnroutableError. Each publish is confirmed in any case."""
        self._confirms = True

    def add_on_return_callback(self, callback: Callable[..., object]) -> None:
        """Calls `callback(channel, method, properties, body)` for messages with `mandatory` that came to no queue."""
        require_callback(callback)
        self._return_callbacks.append(callback)

    def add_on_cancel_callback(self, callback: Callable[..., object]) -> None:
        """Calls `callback(frame)` after the queue of a consumer was deleted. `frame.method.consumer_tag` names it."""
        require_callback(callback)
        self._cancel_callbacks.append(callback)

    # Consume

    @on_open_channel
    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, global_qos: bool = False) -> None:
        """Limits the messages without an ack: of each consumer that begins later, or of the channel. 0: no limit."""
        if prefetch_size:
            raise NotImplementedError("basic_qos(prefetch_size) is not there, as in RabbitMQ: use prefetch_count")
        require_number(prefetch_count, "prefetch_count", 0, 65535)
        if global_qos:
            self._channel_prefetch = prefetch_count
        else:
            self._prefetch = prefetch_count

    @on_open_channel
    def basic_consume(self, queue: str, on_message_callback: MessageCallback, auto_ack: bool = False, exclusive: bool = False,
                      consumer_tag: str | None = None, arguments: Mapping[str, Any] | None = None) -> str:
        """Begins to consume. start_consuming() and process_data_events() call
        `on_message_callback(channel, method, properties, body)`. Returns the consumer's tag."""
        require_callback(on_message_callback, "on_message_callback")
        return self._subscribe(queue, on_message_callback, auto_ack, exclusive, consumer_tag, arguments).tag

    def _subscribe(self, queue: str, callback: MessageCallback | None, auto_ack: bool, exclusive: bool, tag: str | None,
                   arguments: Mapping[str, Any] | None) -> Subscription:
        queue = self._queue_name(queue)
        if queue == "amq.rabbitmq.reply-to":
            raise NotImplementedError(f"basic_consume({queue!r}) is not there: declare an exclusive queue for replies")
        if exclusive and queue not in self.connection._store.exclusive:
            raise NotImplementedError("basic_consume(exclusive=True) is not there: use queue_declare(exclusive=True)")
        if arguments:
            raise NotImplementedError(f"basic_consume(arguments={arguments!r}) is not there: leave them out")
        if not tag:
            self._last_consumer += 1
            tag = f"ctag{self.channel_number}.{self._last_consumer}"
        if tag in self._subscriptions:
            raise DuplicateConsumerTag(tag)
        subscription = Subscription(tag, queue, callback, auto_ack, 0 if auto_ack else self._prefetch)
        self.connection._store.add_sources(queue, subscription.sources)
        self._subscriptions[tag] = subscription
        return subscription

    def _attach_to_bindings(self, queue: str | None = None) -> None:
        """Consumers follow the bindings of their queue, or of all queues."""
        for subscription in list(self._subscriptions.values()):
            if queue in (None, subscription.queue):
                try:
                    self.connection._store.add_sources(subscription.queue, subscription.sources)
                except (beltway.Removed, beltway.NotFound, ChannelClosedByBroker):
                    pass  # the queue or the exchange is being removed: the next take() says it

    def _may_take(self, subscription: Subscription) -> bool:
        """Whether the prefetch limits let the consumer have one more message."""
        if subscription.auto_ack:
            return True
        limit, all_limit = subscription.prefetch, self._channel_prefetch
        return (not limit or subscription.unacknowledged < limit) and (
            not all_limit or len(self._unacknowledged) < all_limit)

    def _take(self, subscription: Subscription) -> tuple[spec.Basic.Deliver, BasicProperties, bytes] | None:
        """The next delivery of a consumer as method, properties and body; None if there is none."""
        if not self._may_take(subscription):
            return None
        try:
            delivery = subscription.take()
        except beltway.Removed:
            self._cancelled_by_broker(subscription)
            return None
        if delivery is None:
            return None
        if not subscription.auto_ack:
            delivery.subscription = subscription
            subscription.unacknowledged += 1
        tag = self._register(delivery, subscription.auto_ack)
        method = spec.Basic.Deliver(subscription.tag, tag, delivery.redelivered, delivery.exchange, delivery.routing_key)
        return method, delivery.properties, delivery.body

    def _register(self, delivery: Delivery, auto_ack: bool) -> int:
        self._last_tag += 1
        if auto_ack:
            delivery.ack()
        else:
            self._unacknowledged[self._last_tag] = delivery
        return self._last_tag

    def _dispatch(self, subscription: Subscription) -> bool:
        """Calls the consumer's callback with its next message. False if there is none."""
        if self._subscriptions.get(subscription.tag) is not subscription:
            return False
        delivered = self._take(subscription)
        if delivered is None:
            return False
        method, properties, body = delivered
        assert subscription.callback is not None
        subscription.callback(self, method, properties, body)
        return True

    def _end(self, subscription: Subscription) -> None:
        """Detaches a consumer. What it delivered can still be acknowledged."""
        self._subscriptions.pop(subscription.tag, None)
        for method, _, _ in subscription.waiting:
            if not subscription.auto_ack:
                self._ended(method.delivery_tag, False)[0].requeue()
        for source in subscription.sources.values():
            self.connection._store.close_source(subscription.queue, source)

    def _cancelled_by_broker(self, subscription: Subscription) -> None:
        self._end(subscription)
        frame = Method(self.channel_number, spec.Basic.Cancel(subscription.tag))
        for callback in self._cancel_callbacks:
            self.connection._ready.append(partial(callback, frame))
        self.connection._end_wait()

    @on_open_channel
    def basic_cancel(self, consumer_tag: str) -> list[Any]:
        """Ends a consumer. Returns a list of messages that were not delivered to its callback: an empty one."""
        subscription = self._subscriptions.get(consumer_tag)
        if subscription is not None:
            self._end(subscription)
            self.connection._end_wait()
            self.connection._store.delete_if_unused(subscription.queue)
        return []

    def start_consuming(self) -> None:
        """Makes the callbacks of the connection until this channel has no consumer."""
        if self.connection._is_dispatching:
            raise ReentrancyError("start_consuming may not be called from the scope of another BlockingConnection or "
                                  "BlockingChannel callback")
        self._check_open()
        while self._subscriptions:
            self._process_data_events(None)

    def stop_consuming(self, consumer_tag: str | None = None) -> None:
        """Ends one consumer, or all of them: start_consuming() returns."""
        for tag in [consumer_tag] if consumer_tag else self.consumer_tags:
            self.basic_cancel(tag)

    def _process_data_events(self, time_limit: float | None) -> None:
        self.connection.process_data_events(time_limit)
        if self._failure is not None:
            self._check_open()

    @on_open_channel
    def basic_get(self, queue: str, auto_ack: bool = False) -> Received:
        """Returns (method, properties, body) of one message, or (None, None, None). Never waits."""
        queue = self._queue_name(queue)
        store = self.connection._store
        beltway_queue = store.queue(queue)
        getter = Subscription("", queue, None, auto_ack, 0)
        getter.sources = self._getters.setdefault(queue, {})
        try:
            store.add_sources(queue, getter.sources, is_get=True)
            delivery = getter.take()
        except beltway.Removed:  # the queue was deleted, and there is a new one of this name
            for source in getter.sources.values():
                store.close_source(queue, source)
            getter.sources.clear()
            store.add_sources(queue, getter.sources, is_get=True)
            delivery = getter.take()
        if delivery is None:
            return None, None, None
        tag = self._register(delivery, auto_ack)
        count = store.messages(queue, beltway_queue)
        method = spec.Basic.GetOk(tag, delivery.redelivered, delivery.exchange, delivery.routing_key, count)
        return method, delivery.properties, delivery.body

    # Acknowledge

    def _ended(self, tag: int, multiple: bool) -> list[Delivery]:
        """The deliveries that an ack or nack is about, which are removed here. An unknown tag fails at the next call."""
        if multiple and (tag == 0 or tag in self._unacknowledged):
            tags = [each for each in self._unacknowledged if tag in (0, each) or each < tag]
        elif tag in self._unacknowledged:
            tags = [tag]
        else:
            self._failure = ChannelClosedByBroker(406, f"PRECONDITION_FAILED - unknown delivery tag {tag}")
            return []
        ended = [self._unacknowledged.pop(each) for each in tags]
        for delivery in ended:
            if delivery.subscription is not None:
                delivery.subscription.unacknowledged -= 1
        return ended

    @on_open_channel
    def basic_ack(self, delivery_tag: int = 0, multiple: bool = False) -> None:
        """The message is done; with `multiple` all up to it, and all of the channel for tag 0."""
        for delivery in self._ended(delivery_tag, multiple):
            delivery.ack()

    @on_open_channel
    def basic_nack(self, delivery_tag: int = 0, multiple: bool = False, requeue: bool = True) -> None:
        """The message goes back to its queue, before newer ones. Without `requeue` it becomes a dead letter, or is dropped."""
        for delivery in self._ended(delivery_tag, multiple):
            delivery.requeue() if requeue else delivery.drop()

    def basic_reject(self, delivery_tag: int = 0, requeue: bool = True) -> None:
        """As basic_nack() of one message."""
        self.basic_nack(delivery_tag, False, requeue)
