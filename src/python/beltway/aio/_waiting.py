"""What the calls of beltway.aio wait with."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from beltway.errors import Misuse

_Time = float | timedelta

P = ParamSpec("P")
T = TypeVar("T")
Entered = TypeVar("Entered")

#: Messages that a task gets, or publishes, without a pause for the other tasks of the loop.
_TURN = 64


def _seconds(time: _Time) -> float:
    return time.total_seconds() if isinstance(time, timedelta) else float(time)


async def _ask(call: Callable[..., T], *values: Any, **options: Any) -> T:
    """Runs a call that asks the daemon, in the executor of the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(call, *values, **options))


def _takes_arguments_of(
    call: Callable[Concatenate[Any, P], Any]
) -> Callable[[Callable[..., T]], Callable[Concatenate[Any, P], T]]:
    """Gives a method that passes its arguments on the parameters of `call`, for type checkers and for help()."""

    def with_arguments(method: Callable[..., T]) -> Callable[Concatenate[Any, P], T]:
        cast(Any, method).__signature__ = inspect.signature(call)
        return method

    return with_arguments


class _Opening(Generic[T, Entered]):
    """The result of a call that may be awaited, or used by `async with`, which gives what `enter(value)` returns."""

    def __init__(
        self,
        opened: Awaitable[T],
        enter: Callable[[T], Entered],
        leave: Callable[[T, type[BaseException] | None], Awaitable[None]],
    ) -> None:
        self._opened = opened
        self._enter = enter
        self._leave = leave

    def __await__(self) -> Generator[Any, None, T]:
        return self._opened.__await__()

    async def __aenter__(self) -> Entered:
        self._value = await self._opened
        return self._enter(self._value)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave(self._value, kind)


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
