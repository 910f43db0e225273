"""Beltway for asyncio: the calls of the package beltway under the same names, awaited.

    from beltway import aio

    async def main():
        async with aio.connect() as link:
            orders = await link.declare("orders", groups=["billing"])
            producer = await orders.producer()
            await producer.publish(b"one order")
            consumer = await orders.consumer(group="billing")
            async for message in consumer:
                with message.process():
                    print(message.text())

Calls that wait do so on the endpoint's descriptor (loop.add_reader), never in a thread. Calls that ask the daemon run
in the loop's executor. Any number of tasks may wait for one consumer or producer: they are served in the order in which
they came. A task that is cancelled loses no message. A consumer with many messages lets other tasks run now and then.
One event loop at a time may use an endpoint; any loop with add_reader() and remove_reader() will do, as uvloop.

Messages, loans, options and errors are those of the package beltway: message.ack() is an ordinary call, since it never
waits.
"""

from __future__ import annotations

import asyncio
import builtins
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import beltway
from beltway.errors import EndOfStream, Error, Interrupted, Misuse, Timeout

if TYPE_CHECKING:
    from beltway import _Buffer

    _Time = float | timedelta

__all__ = ["Connection", "Consumer", "Producer", "Queue", "connect"]

T = TypeVar("T")

#: Messages that a task gets, or publishes, without a pause for the other tasks of the loop.
_TURN = 64


def _seconds(time: _Time) -> float:
    return time.total_seconds() if isinstance(time, timedelta) else float(time)


async def _ask(call: Callable[..., T], *values: Any, **options: Any) -> T:
    """Runs a call that asks the daemon, in the executor of the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(call, *values, **options))


class _Opening(Generic[T]):
    """The result of a call that may be awaited, or used by `async with`."""

    def __init__(self, opened: Awaitable[T], leave: Callable[[T, type[BaseException] | None], Awaitable[None]]) -> None:
        self._opened = opened
        self._leave = leave

    def __await__(self) -> Generator[Any, None, T]:
        return self._opened.__await__()

    async def __aenter__(self) -> Any:
        self._value = await self._opened
        return self._value.__enter__() if isinstance(self._value, beltway.Loan) else self._value

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave(self._value, kind)


def connect(socket: str = "", *, start_daemon: bool = True, timeout: _Time = 10.0) -> _Opening[Connection]:
    """As beltway.connect(). `await connect()`, or `async with connect() as link`."""

    async def opened() -> Connection:
        return Connection(await _ask(beltway.connect, socket, start_daemon=start_daemon, timeout=timeout))

    async def leave(link: Connection, kind: type[BaseException] | None) -> None:
        link.close()

    return _Opening(opened(), leave)


class Connection:
    """As beltway.Connection, awaited. Made by connect()."""

    def __init__(self, link: beltway.Connection) -> None:
        self._link = link

    async def declare(self, name: str, **options: Any) -> Queue:
        """As beltway.Connection.declare()."""
        return Queue(await _ask(self._link.declare, name, **options))

    async def declare_some(self, name: str, **options: Any) -> beltway.Declared:
        """As beltway.Connection.declare_some(). The queue of the result is a beltway.Queue; see Queue()."""
        return await _ask(self._link.declare_some, name, **options)

    async def open_queue(self, name: str, *, timeout: _Time | None = 0) -> Queue:
        """As beltway.Connection.open_queue()."""
        return Queue(await _ask(self._link.open_queue, name, timeout=timeout))

    async def remove(self, name: str, *, force: bool = False) -> None:
        """As beltway.Connection.remove()."""
        await _ask(self._link.remove, name, force=force)

    async def list(self) -> builtins.list[beltway.QueueInfo]:
        """As beltway.Connection.list()."""
        return await _ask(self._link.list)

    async def describe(self, name: str) -> beltway.QueueInfo:
        """As beltway.Connection.describe()."""
        return await _ask(self._link.describe, name)

    async def ping(self) -> beltway.DaemonInfo:
        """As beltway.Connection.ping()."""
        return await _ask(self._link.ping)

    def close(self) -> None:
        """Ends the connection. Queues, producers and consumers go on."""
        self._link.close()


class Queue:
    """As beltway.Queue, awaited. `aio.Queue(queue)` makes one from a beltway.Queue."""

    def __init__(self, queue: beltway.Queue) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """Its name."""
        return self._queue.name

    @property
    def id(self) -> int:
        """Its number, which is never used again."""
        return self._queue.id

    @property
    def options(self) -> dict[str, Any]:
        """Its options, as a dict."""
        return self._queue.options

    async def producer(self, **options: Any) -> Producer:
        """As beltway.Queue.producer()."""
        return Producer(await _ask(self._queue.producer, **options))

    async def consumer(self, **options: Any) -> Consumer:
        """As beltway.Queue.consumer()."""
        consumer = await _ask(self._queue.consumer, **options)
        return Consumer(consumer, automatic=options.get("ack") == "automatic")

    async def wait_for_consumers(self, count: int, *, timeout: _Time | None = None) -> bool:
        """As beltway.Queue.wait_for_consumers()."""
        return await _ask(self._queue.wait_for_consumers, count, timeout=timeout)

    async def wait_for_producers(self, count: int, *, timeout: _Time | None = None) -> bool:
        """As beltway.Queue.wait_for_producers()."""
        return await _ask(self._queue.wait_for_producers, count, timeout=timeout)

    async def add_group(
        self, group: str | beltway.NamedGroup, *, start: Literal["latest", "oldest"] = "latest"
    ) -> None:
        """As beltway.Queue.add_group()."""
        await _ask(self._queue.add_group, group, start=start)

    async def remove_group(self, group: str, *, force: bool = False) -> None:
        """As beltway.Queue.remove_group()."""
        await _ask(self._queue.remove_group, group, force=force)

    async def pause_group(self, group: str) -> None:
        """As beltway.Queue.pause_group()."""
        await _ask(self._queue.pause_group, group)

    async def resume_group(self, group: str) -> None:
        """As beltway.Queue.resume_group()."""
        await _ask(self._queue.resume_group, group)

    async def reset_group(self, group: str, to: Literal["latest", "oldest"] | int | datetime) -> beltway.ResetResult:
        """As beltway.Queue.reset_group()."""
        return await _ask(self._queue.reset_group, group, to)

    async def purge(self, group: str) -> beltway.PurgeResult:
        """As beltway.Queue.purge()."""
        return await _ask(self._queue.purge, group)

    async def describe(self) -> beltway.QueueInfo:
        """As beltway.Queue.describe()."""
        return await _ask(self._queue.describe)

    async def snapshot(self) -> beltway.QueueSnapshot:
        """As beltway.Queue.snapshot()."""
        return await _ask(self._queue.snapshot)

    async def peek(self, count: int, *, max_bytes: int = 65536, group: str = "") -> list[beltway.PeekedMessage]:
        """As beltway.Queue.peek()."""
        return await _ask(self._queue.peek, count, max_bytes=max_bytes, group=group)


class _Watch:
    """Calls a method of an endpoint when its descriptor is readable. Keeps no endpoint alive."""

    def __init__(self, endpoint: Any, method: Callable[[Any], None]) -> None:
        self._endpoint = weakref.ref(endpoint)
        self._method = method
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1

    def start(self, fd: int) -> None:
        """Watches from now on. No effect while it does."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._fd = fd
            self._loop.add_reader(fd, self._call)
        elif self._loop is not asyncio.get_running_loop():
            if not self._loop.is_closed():
                raise Misuse("another event loop uses this endpoint; make a producer or consumer for each loop")
            self._loop = None
            self.start(fd)

    def stop(self) -> None:
        """Watches no more."""
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._fd)

    def _call(self) -> None:
        endpoint = self._endpoint()
        if endpoint is None:
            self.stop()
        else:
            self._method(endpoint)


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
    ) -> _Opening[beltway.Loan]:
        """As beltway.Producer.lend(). `async with producer.lend(size) as view` commits at its end, and waits for room."""

        async def leave(loan: beltway.Loan, kind: type[BaseException] | None) -> None:
            if kind is None and loan:
                await self._when_room(lambda: loan.commit(timeout=0), None)
            else:
                loan.__exit__(kind, None, None)

        return _Opening(
            self._when_room(lambda: self._producer.lend(size, timeout=0, properties=properties), timeout), leave
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
