"""Publishes to queues and exchanges, and keeps the producers that it attached."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import beltway

from . import _properties
from ._store import Store
from ._types import Entry
from .exceptions import ConnectionBlockedTimeout
from .spec import BasicProperties

#: Producers of one connection that stay attached. A server that answers to many short-lived queues does not keep them all.
_MOST_PRODUCERS = 32


class Publisher:
    """The sending side of one connection. Not for several threads at once."""

    def __init__(self, store: Store, patience: float | None, tell_blocked: Callable[[bool], None]) -> None:
        self._store = store
        self._patience = patience  # seconds that a publish waits for room; None: no limit
        self._tell_blocked = tell_blocked  # called with True before a wait, with False after it
        self._producers: OrderedDict[tuple[str, str], Entry] = OrderedDict()  # by exchange and name of the queue

    def publish(self, exchange: str, routing_key: str, body: bytes, properties: BasicProperties | None, mandatory: bool) -> bool:
        """Returns False if no queue gets the message. Waits while the queue is full."""
        fields = _properties.encode(properties, routing_key if exchange else "")
        target = (exchange, "" if exchange else routing_key)
        while True:
            entry = self._producers.get(target) or self._attach(target)
            if entry is None:
                return False
            ring, producer = entry
            try:
                if mandatory and exchange and not self._store.is_bound(ring):
                    return False
                if not producer.try_publish(body, properties=fields):
                    self._publish_to_full(target, ring, producer, body, fields)
                return True
            except beltway.Removed:  # maybe there is a new queue of this name
                self._producers.pop(target)[1].close()

    def _attach(self, target: tuple[str, str]) -> Entry | None:
        exchange, name = target
        ring = self._store.exchange(exchange) if exchange else self._store.find(name)
        if ring is None:
            return None
        if len(self._producers) >= _MOST_PRODUCERS:
            self._producers.popitem(last=False)[1][1].close()
        entry = self._producers[target] = (ring, ring.producer())
        return entry

    def _publish_to_full(self, target: tuple[str, str], ring: beltway.Queue, producer: beltway.Producer, body: bytes,
                         fields: beltway.Properties | None) -> None:
        exchange, name = target
        if exchange:
            self._store.remove_ended_bindings(ring)
        self._tell_blocked(True)
        try:
            producer.publish(body, timeout=self._patience, properties=fields)
        except beltway.Timeout:
            what = f"exchange {exchange!r}" if exchange else f"queue {name!r}"
            raise ConnectionBlockedTimeout(
                f"{what} was full for {self._patience:g} s: a queue has room for a fixed number of messages here. Start "
                f"consumers that acknowledge, call queue_purge or queue_delete for a queue that nobody reads, or set "
                f"blocked_connection_timeout (None: wait forever).") from None
        self._tell_blocked(False)

    def close(self) -> None:
        """Detaches all producers."""
        for _, producer in self._producers.values():
            producer.close()
        self._producers.clear()
