"""The consumer of beltway.aio."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

import beltway
from beltway.errors import EndOfStream, Error, Interrupted, Misuse

from ._waiting import _TURN, _seconds, _Watch

if TYPE_CHECKING:
    from beltway import _Buffer

    _Time = float | timedelta


class Consumer:
    """As beltway.Consumer, awaited. Made by Queue.consumer(). Any number of tasks may wait for it."""

    def __init__(self, consumer: beltway.Consumer, *, automatic: bool = False) -> None:
        self._consumer = consumer
        self._automatic = automatic
        self._waiters: deque[asyncio.Future[beltway.Message | None]] = deque()
        self._watch = _Watch(self, Consumer._serve)
        self._in_a_row = 0
        self._fd = consumer.poll_fd()

    async def receive(self, timeout: _Time | None = None) -> beltway.Message | None:
        """As beltway.Consumer.receive(): waits for a message; None when `timeout` seconds are over."""
        if not self._waiters:
            message = self._consumer.try_receive()
            if message is not None:
                self._in_a_row += 1
                if self._in_a_row < _TURN:
                    return message
                return await self._pause(message)
        return await self._wait(timeout)

    async def receive_bytes(self, timeout: _Time | None = None) -> bytes | None:
        """As beltway.Consumer.receive_bytes(): a copy of the payload; the message is acknowledged."""
        message = await self.receive(timeout)
        if message is None:
            return None
        payload = message.bytes()
        message.ack()
        return payload

    async def receive_many(self, count: int, timeout: _Time | None = None) -> list[beltway.Message]:
        """As beltway.Consumer.receive_many()."""
        message = await self.receive(timeout)
        if message is None:
            return []
        if not self._give_back(message):
            return [message]
        return self._consumer.receive_many(count, 0)

    async def receive_many_bytes(self, count: int, timeout: _Time | None = None) -> list[bytes]:
        """As beltway.Consumer.receive_many_bytes()."""
        message = await self.receive(timeout)
        if message is None:
            return []
        if not self._give_back(message):
            return [message.bytes()]
        return self._consumer.receive_many_bytes(count, 0)

    async def receive_into(self, array: _Buffer, timeout: _Time | None = None) -> int:
        """As beltway.Consumer.receive_into()."""
        message = await self.receive(timeout)
        if message is None:
            return 0
        if not self._give_back(message):
            raise Misuse("receive_into() is for consumers that are not lossy; use receive()")
        return self._consumer.receive_into(array, 0)

    async def receive_array(self, dtype: Any, count: int, timeout: _Time | None = None) -> Any:
        """As beltway.Consumer.receive_array()."""
        import numpy

        array = numpy.empty(count, dtype)
        return array[: await self.receive_into(array, timeout)]

    def try_receive(self) -> beltway.Message | None:
        """As beltway.Consumer.try_receive(). Tasks that wait come first."""
        return None if self._waiters else self._consumer.try_receive()

    @property
    def group(self) -> str:
        """The name of its group; empty: private."""
        return self._consumer.group

    @property
    def index(self) -> int:
        """Its number among the queue's consumers."""
        return self._consumer.index

    @property
    def queue_name(self) -> str:
        """The name of its queue."""
        return self._consumer.queue_name

    @property
    def reattached(self) -> int:
        """How often it went on after an eviction (option reattach)."""
        return self._consumer.reattached

    def counters(self) -> beltway.ConsumerCounters:
        """As beltway.Consumer.counters()."""
        return self._consumer.counters()

    def interrupt(self) -> None:
        """Ends the wait of the task that came first, with Interrupted."""
        self._consumer.interrupt()

    def close(self) -> None:
        """Detaches. Tasks that wait get Misuse. Messages that the program holds stay valid."""
        self._watch.stop()
        self._consumer.close()
        self._tell(Misuse(f'receive from "{self._consumer.queue_name}": the consumer is closed'))

    def __aiter__(self) -> _Messages:
        return _Messages(self)

    async def __aenter__(self) -> Consumer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self._watch.stop()

    async def _pause(self, message: beltway.Message) -> beltway.Message:
        """Lets the other tasks run before this one goes on with its message."""
        self._in_a_row = 0
        try:
            await asyncio.sleep(0)
        except BaseException:
            self._give_back(message)
            raise
        return message

    async def _wait(self, timeout: _Time | None) -> beltway.Message | None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[beltway.Message | None] = loop.create_future()
        self._watch.start(self._fd)
        self._waiters.append(waiter)
        self._in_a_row = 0
        timer = None
        if timeout is not None:
            timer = loop.call_later(max(0.0, _seconds(timeout)), _expire, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # The message has come already, and the task was cancelled before it could go on.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                message = waiter.result()
                if message is not None:
                    self._give_back(message)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _give_back(self, message: beltway.Message) -> bool:
        """The message comes first at the next receive. False for a lossy consumer, whose messages are copies."""
        given: bool = self._consumer._give_back(message)  # type: ignore[attr-defined]
        if given and self._waiters:
            asyncio.get_running_loop().call_soon(self._serve)
        return given

    def _serve(self) -> None:
        """Hands messages to the tasks that wait. Called when the descriptor is readable."""
        if not self._waiters:
            self._watch.stop()  # it stays readable as long as nobody tries
            return
        for _ in range(_TURN):
            while self._waiters and self._waiters[0].done():
                self._waiters.popleft()
            if not self._waiters:
                return
            try:
                message = self._consumer.try_receive()
            except Interrupted as error:
                self._waiters.popleft().set_exception(error)
                continue
            except Error as error:
                self._watch.stop()  # the end stays readable
                self._tell(error)
                return
            if message is None:
                return
            self._waiters.popleft().set_result(message)

    def _tell(self, error: Error) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(type(error)(*error.args))
        self._waiters.clear()


def _expire(waiter: asyncio.Future[beltway.Message | None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class _Messages:
    """What `async for` uses: each loop has its own."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._last: beltway.Message | None = None

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> beltway.Message:
        # With ack="automatic" a message ends here. The variable of the loop still has it, and at the prefetch limit the
        # wait would be for ever.
        if self._last is not None:
            self._last.ack()
            self._last = None
        try:
            message = await self._consumer.receive()
        except EndOfStream:
            raise StopAsyncIteration from None
        assert message is not None
        if self._consumer._automatic:
            self._last = message
        return message
