"""The producer of beltway.aio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import beltway
from beltway.errors import Error, Misuse, Timeout

from ._waiting import _TURN, _Opening, _seconds, _Watch

if TYPE_CHECKING:
    from beltway import _Buffer

    _Time = float | timedelta

T = TypeVar("T")


class Producer:
    """As beltway.Producer, awaited. Made by Queue.producer(). Tasks that find the queue full wait in line."""

    def __init__(self, producer: beltway.Producer) -> None:
        self._producer = producer
        self._line = asyncio.Lock()
        self._watch = _Watch(self, Producer._wake)
        self._waiter: asyncio.Future[None] | None = None
        self._in_a_row = 0
        self._fd = producer.poll_fd()

    async def publish(
        self,
        message: _Buffer,
        *,
        timeout: _Time | None = None,
        properties: beltway.Properties | None = None,
        sequence: int = 0,
    ) -> int | None:
        """As beltway.Producer.publish(): waits while the queue is full; raises Timeout."""

        def attempt() -> int | None:
            return self._producer.publish(message, timeout=0, properties=properties, sequence=sequence)

        return await self._when_room(attempt, timeout)

    async def publish_parts(
        self, parts: Sequence[_Buffer], *, timeout: _Time | None = None, properties: beltway.Properties | None = None
    ) -> int:
        """As beltway.Producer.publish_parts()."""
        return await self._when_room(
            lambda: self._producer.publish_parts(parts, timeout=0, properties=properties), timeout
        )

    async def publish_many(self, messages: Iterable[_Buffer], *, timeout: _Time | None = None) -> int:
        """As beltway.Producer.publish_many(): an error says by `published` how many were published."""
        items = list(messages)
        return await self._publish_some(self._producer.publish_many, items, len(items), timeout)

    async def publish_array(self, array: _Buffer, *, timeout: _Time | None = None) -> int:
        """As beltway.Producer.publish_array()."""
        view = memoryview(cast(Any, array))
        # A memoryview of several dimensions has no slices, but what it shows does.
        items = view if view.ndim == 1 else array
        return await self._publish_some(self._producer.publish_array, items, len(view), timeout)

    def lend(
        self, size: int, *, timeout: _Time | None = None, properties: beltway.Properties | None = None
    ) -> _Opening[beltway.Loan, memoryview]:
        """As beltway.Producer.lend(). `async with producer.lend(size) as view` commits at its end, and waits for room."""

        async def leave(loan: beltway.Loan, kind: type[BaseException] | None) -> None:
            if kind is None and loan:
                await self._when_room(lambda: loan.commit(timeout=0), None)
            else:
                loan.__exit__(kind, None, None)

        return _Opening(
            self._when_room(lambda: self._producer.lend(size, timeout=0, properties=properties), timeout),
            lambda loan: loan.__enter__(),
            leave,
        )

    def try_publish(
        self, message: _Buffer, *, properties: beltway.Properties | None = None, sequence: int = 0
    ) -> bool:
        """As beltway.Producer.try_publish(). False if other tasks wait for room."""
        if self._line.locked():
            return False
        return self._producer.try_publish(message, properties=properties, sequence=sequence)

    @property
    def index(self) -> int:
        """Its number among the queue's producers."""
        return self._producer.index

    @property
    def queue_name(self) -> str:
        """The name of its queue."""
        return self._producer.queue_name

    @property
    def max_message_bytes(self) -> int:
        """Bytes of the largest message."""
        return self._producer.max_message_bytes

    @property
    def max_inline_bytes(self) -> int:
        """Bytes of the largest message that lies in its slot."""
        return self._producer.max_inline_bytes

    @property
    def last_sequence(self) -> int:
        """The highest sequence number that its name has published."""
        return self._producer.last_sequence

    def counters(self) -> beltway.ProducerCounters:
        """As beltway.Producer.counters()."""
        return self._producer.counters()

    def close(self) -> None:
        """Detaches. A task that waits for room gets Misuse."""
        self._watch.stop()
        self._producer.close()
        self._wake()

    async def __aenter__(self) -> Producer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self._watch.stop()

    async def _publish_some(
        self, publish: Callable[..., int], items: Any, count: int, timeout: _Time | None
    ) -> int:
        done = 0

        def attempt() -> None:
            nonlocal done
            try:
                done += publish(items[done : done + 16 * _TURN], timeout=0)
            except Error as error:
                done += error.published
                raise

        try:
            while done < count:
                await self._when_room(attempt, timeout)
        except Error as error:
            error.published = done
            raise
        return done

    async def _when_room(self, attempt: Callable[[], T], timeout: _Time | None) -> T:
        self._in_a_row += 1
        if self._in_a_row < _TURN and not self._line.locked():
            try:
                return attempt()
            except Timeout:
                pass
        if timeout is None:
            return await self._in_line(attempt)
        try:
            return await asyncio.wait_for(self._in_line(attempt), _seconds(timeout))
        except asyncio.TimeoutError as error:
            if isinstance(error, Timeout):
                raise
            raise Timeout(f'publish to "{self._producer.queue_name}": the time was over') from None

    async def _in_line(self, attempt: Callable[[], T]) -> T:
        async with self._line:
            if self._in_a_row >= _TURN:
                self._in_a_row = 0
                await asyncio.sleep(0)  # before the attempt: a task that is cancelled here has published nothing
            while True:
                try:
                    return attempt()
                except Timeout:
                    await self._room()

    async def _room(self) -> None:
        """Waits until the descriptor is readable."""
        self._waiter = asyncio.get_running_loop().create_future()
        self._watch.start(self._fd)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._watch.stop()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
