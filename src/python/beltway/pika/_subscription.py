"""A consumer of a channel."""

from __future__ import annotations

from collections import deque
from typing import Any

import beltway

from ._sources import Delivery, Source
from ._types import MessageCallback


class Subscription:
    """What basic_consume() or consume() has begun: the sources of one queue, taken in turn."""

    def __init__(self, tag: str, queue: str, callback: MessageCallback | None, auto_ack: bool, prefetch: int) -> None:
        self.tag = tag
        self.queue = queue
        self.callback = callback  #: None: of the generator consume()
        self.auto_ack = auto_ack
        self.prefetch = prefetch  #: messages without an ack at most; 0: no limit
        self.unacknowledged = 0
        self.sources: dict[str, Source] = {}  #: by name of the exchange; "": the queue's own ring
        self.waiting: deque[tuple[Any, Any, bytes]] = deque()  #: deliveries that the generator has not asked for yet
        self._turn = 0

    def take(self) -> Delivery | None:
        """The next delivery, or None. Raises beltway.Removed if the queue is gone."""
        sources = list(self.sources.values())
        for step in range(len(sources)):
            source = sources[(self._turn + step) % len(sources)]
            try:
                delivery = source.take()
            except beltway.Removed:
                if source.exchange == "":
                    raise
                self.sources.pop(source.exchange).close()
                continue
            if delivery is not None:
                self._turn += step + 1
                return delivery
        return None
