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

import builtins
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import beltway

from ._consumer import Consumer
from ._producer import Producer
from ._waiting import _ask, _Opening, _takes_arguments_of

if TYPE_CHECKING:
    _Time = float | timedelta

__all__ = ["Connection", "Consumer", "Producer", "Queue", "connect"]


def connect(
    socket: str = "", *, start_daemon: bool = True, timeout: _Time = 10.0, stopped_timeout: _Time | None = None
) -> _Opening[Connection, Connection]:
    """As beltway.connect(). `await connect()`, or `async with connect() as link`."""

    async def opened() -> Connection:
        options = {"start_daemon": start_daemon, "timeout": timeout, "stopped_timeout": stopped_timeout}
        return Connection(await _ask(beltway.connect, socket, **options))

    async def leave(link: Connection, kind: type[BaseException] | None) -> None:
        link.close()

    return _Opening(opened(), lambda link: link, leave)


class Connection:
    """As beltway.Connection, awaited. Made by connect()."""

    def __init__(self, link: beltway.Connection) -> None:
        self._link = link

    @_takes_arguments_of(beltway.Connection.declare)
    async def declare(self, name: str, /, **options: Any) -> Queue:
        """As beltway.Connection.declare()."""
        return Queue(await _ask(self._link.declare, name, **options))

    @_takes_arguments_of(beltway.Connection.declare_some)
    async def declare_some(self, name: str, /, **options: Any) -> beltway.Declared:
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

    async def events(self, since: int = 0, *, count: int = 512) -> beltway.EventPage:
        """As beltway.Connection.events()."""
        return await _ask(self._link.events, since, count=count)

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

    @_takes_arguments_of(beltway.Queue.producer)
    async def producer(self, **options: Any) -> Producer:
        """As beltway.Queue.producer()."""
        return Producer(await _ask(self._queue.producer, **options))

    @_takes_arguments_of(beltway.Queue.consumer)
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

    async def evict(self, consumer: int) -> None:
        """As beltway.Queue.evict()."""
        await _ask(self._queue.evict, consumer)

    async def ack_message(self, group: str, position: int) -> None:
        """As beltway.Queue.ack_message()."""
        await _ask(self._queue.ack_message, group, position)

    async def move_message(
        self, group: str, position: int, target: Queue | beltway.Queue, *, timeout: _Time | None = None
    ) -> None:
        """As beltway.Queue.move_message(). A task that is cancelled meanwhile ends no move."""
        other = target._queue if isinstance(target, Queue) else target
        await _ask(self._queue.move_message, group, position, other, timeout=timeout)

    async def purge(self, group: str) -> beltway.PurgeResult:
        """As beltway.Queue.purge()."""
        return await _ask(self._queue.purge, group)

    async def describe(self) -> beltway.QueueInfo:
        """As beltway.Queue.describe()."""
        return await _ask(self._queue.describe)

    async def snapshot(self) -> beltway.QueueSnapshot:
        """As beltway.Queue.snapshot()."""
        return await _ask(self._queue.snapshot)

    async def peek(
        self, count: int, *, max_bytes: int = 65536, group: str = "", from_: int | None = None
    ) -> list[beltway.PeekedMessage]:
        """As beltway.Queue.peek()."""
        return await _ask(self._queue.peek, count, max_bytes=max_bytes, group=group, from_=from_)
