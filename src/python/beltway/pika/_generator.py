"""The generator consume() of a channel."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._errors import on_open_channel
from ._subscription import Subscription
from ._types import MessageCallback, Received


class Generator:
    """Part of BlockingChannel."""

    _subscriptions: dict[str, Subscription]
    _generator: tuple[tuple[str, bool, bool], Subscription] | None

    if TYPE_CHECKING:
        def _check_open(self) -> None: ...
        def _process_data_events(self, time_limit: float | None) -> None: ...
        def _take(self, subscription: Subscription) -> tuple[Any, Any, bytes] | None: ...
        def basic_cancel(self, consumer_tag: str) -> list[Any]: ...
        def _subscribe(self, queue: str, callback: MessageCallback | None, auto_ack: bool, exclusive: bool, tag: str | None,
                       arguments: Mapping[str, Any] | None) -> Subscription: ...

    def consume(self, queue: str, auto_ack: bool = False, exclusive: bool = False, arguments: Mapping[str, Any] | None = None,
                inactivity_timeout: float | None = None) -> Iterator[Received]:
        """A generator of (method, properties, body). After `inactivity_timeout` seconds without a message it yields
        (None, None, None). cancel() ends it; until then a second call goes on with the same messages."""
        self._check_open()
        parameters = (queue, auto_ack, exclusive)
        if self._generator is not None and self._generator[0] != parameters:
            raise ValueError("Consume with different params not allowed on existing queue consumer generator; previous params: "
                             f"{self._generator[0]!r}; new params: {parameters!r}")
        if self._generator is None:
            self._begin_generator(parameters, arguments)
        while self._generator is not None:
            subscription = self._generator[1]
            if subscription.waiting or self._fetch_for_generator():
                yield subscription.waiting.popleft()
                continue
            if self._subscriptions.get(subscription.tag) is not subscription:
                self._generator = None  # the queue was deleted
                return
            deadline = None if inactivity_timeout is None else time.monotonic() + inactivity_timeout
            while self._generator is not None and not subscription.waiting and subscription.tag in self._subscriptions:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    yield None, None, None
                    break
                self._process_data_events(left)

    @on_open_channel
    def _begin_generator(self, parameters: tuple[str, bool, bool], arguments: Mapping[str, Any] | None) -> None:
        queue, auto_ack, exclusive = parameters
        self._generator = (parameters, self._subscribe(queue, None, auto_ack, exclusive, None, arguments))

    def _fetch_for_generator(self) -> bool:
        """Takes a message for consume() if it has none. Returns whether one waits."""
        if self._generator is None:
            return False
        subscription = self._generator[1]
        if not subscription.waiting and self._subscriptions.get(subscription.tag) is subscription:
            delivered = self._take(subscription)
            if delivered is not None:
                subscription.waiting.append(delivered)
        return bool(subscription.waiting)

    def get_waiting_message_count(self) -> int:
        """How many messages consume() yields without waiting: 1 or 0, since no message is taken ahead."""
        return int(self._fetch_for_generator())

    def cancel(self) -> int:
        """Ends consume(). A message that it did not yield goes back. Returns 0."""
        generator, self._generator = self._generator, None
        if generator is not None:
            self.basic_cancel(generator[1].tag)
        return 0
