"""Where the messages of a queue come from: its own ring, and the rings of the exchanges that it is bound to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import beltway

from . import _properties
from .spec import BasicProperties

if TYPE_CHECKING:
    from ._subscription import Subscription


class Delivery:
    """A message that a channel has delivered. It ends by ack(), requeue() or drop()."""

    __slots__ = ("source", "message", "body", "properties", "routing_key", "redelivered", "subscription")

    def __init__(self, source: Source, message: beltway.Message | None, body: bytes, properties: BasicProperties,
                 routing_key: str, redelivered: bool) -> None:
        self.source = source
        self.message = message  #: None: of a private source
        self.body = body
        self.properties = properties
        self.routing_key = routing_key
        self.redelivered = redelivered
        self.subscription: Subscription | None = None

    @property
    def exchange(self) -> str:
        """The exchange that it was published to."""
        return self.source.exchange

    def ack(self) -> None:
        """The message is done."""
        if self.message is not None:
            self.message.ack()

    def requeue(self) -> None:
        """The message comes again at once, before newer ones."""
        if self.message is not None:
            self.message.nack(0)
        else:
            self.redelivered = True
            assert isinstance(self.source, PrivateSource)
            self.source.returned.append(self)

    def drop(self) -> None:
        """The message becomes a dead letter, or is gone."""
        if self.message is not None:
            self.message.reject()


class Source:
    """The messages of a named group, which other processes share."""

    def __init__(self, consumer: beltway.Consumer, exchange: str, queue_name: str) -> None:
        self.consumer = consumer
        self.exchange = exchange
        self.waiting: beltway.Message | None = None  # a message that a blocking receive has returned
        self._is_asleep = False
        self._must_close = False  # a signal handler has called close() during wait()
        # The routing key of a message that says none.
        self._key = "" if exchange else queue_name

    def take(self) -> Delivery | None:
        """The next delivery, or None. Raises beltway.Removed if the queue is gone."""
        message, self.waiting = self.waiting, None
        if message is None:
            try:
                message = self.consumer.try_receive()
            except beltway.Interrupted:  # another thread has called while nothing waited
                return None
            if message is None:
                return None
        properties, key = _properties.decode(message)
        return self._delivery(message, properties, key or self._key)

    def _delivery(self, message: beltway.Message, properties: BasicProperties, key: str) -> Delivery:
        return Delivery(self, message, message.bytes(), properties, key, message.deliveries > 1)

    def wait(self, timeout: float | None) -> None:
        """Sleeps until a message is there, for `timeout` seconds at most (None: no limit), or until interrupt()."""
        self._is_asleep = True
        try:
            self.waiting = self.consumer.receive(timeout)
        except beltway.Interrupted:
            pass
        finally:
            self._is_asleep = False
            if self._must_close:
                self.close()

    def interrupt(self) -> None:
        """Ends wait(). From any thread."""
        self.consumer.interrupt()

    def fileno(self) -> int:
        """A descriptor that is readable if take() may find something."""
        return self.consumer.poll_fd()

    def close(self) -> None:
        """Detaches. A message that nobody took goes back."""
        if self._is_asleep:
            self._must_close = True
            self.interrupt()
            return
        if self.waiting is not None:
            self.waiting.nack(0)
            self.waiting = None
        self.consumer.close()


class PrivateSource(Source):
    """The messages of an exchange for an exclusive queue. They are copied, since only this connection consumes them."""

    def __init__(self, consumer: beltway.Consumer, exchange: str) -> None:
        super().__init__(consumer, exchange, "")
        self.returned: deque[Delivery] = deque()  # deliveries that were given back

    def take(self) -> Delivery | None:
        if self.returned:
            return self.returned.popleft()
        return super().take()

    def _delivery(self, message: beltway.Message, properties: BasicProperties, key: str) -> Delivery:
        delivery = Delivery(self, None, message.bytes(), properties, key, False)
        message.ack()
        return delivery

    def purge(self) -> int:
        """Drops all messages that are there, and returns their number."""
        count = len(self.returned)
        self.returned.clear()
        while self.take() is not None:
            count += 1
        return count
