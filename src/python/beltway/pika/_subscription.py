"""A consumer of a channel."""

from collections import deque

import beltway


class Subscription:
    """What basic_consume() or consume() has begun: the sources of one queue, taken in turn."""

    def __init__(self, tag, queue, callback, auto_ack, prefetch):
        self.tag = tag
        self.queue = queue
        self.callback = callback  #: None: of the generator consume()
        self.auto_ack = auto_ack
        self.prefetch = prefetch  #: messages without an ack at most; 0: no limit
        self.unacknowledged = 0
        self.sources = {}  #: by name of the exchange; "": the queue's own ring
        self.waiting = deque()  #: deliveries that the generator has not asked for yet
        self._turn = 0

    def take(self):
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
