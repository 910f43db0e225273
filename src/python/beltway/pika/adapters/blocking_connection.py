"""BlockingConnection: a connection to Beltway, whose callbacks run in the calls of its own thread."""

from __future__ import annotations

import atexit
import heapq
import itertools
import logging
import os
import select
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

import beltway

from .. import _errors, spec
from .._channel import BlockingChannel, ReturnedMessage
from .._publisher import Publisher
from .._sources import Source
from .._store import Store
from .._wake_up import WakeUp
from .._warnings import warn_once
from ..connection import Parameters, check_host
from ..credentials import PlainCredentials
from ..exceptions import AMQPConnectionError, ConnectionWrongStateError, InvalidChannelNumber, ReentrancyError
from ..frame import Method

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BlockingChannel", "BlockingConnection", "ReturnedMessage"]

LOGGER = logging.getLogger(__name__)

#: One call of process_data_events() delivers so many messages at most, and begins no other after so many seconds.
_MOST_AT_ONCE = 256
_LONGEST_ROUND_S = 0.05
#: How often a connection that consumes asks for bindings that other connections have made.
_BINDINGS_EVERY_S = 1.0
#: The same after the daemon did not answer, since each question then takes long.
_BINDINGS_WITHOUT_DAEMON_S = 60.0

_open: weakref.WeakSet[BlockingConnection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for connection in list(_open):
        connection._close_at_exit()


def _time_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0)


class BlockingConnection:
    """A connection. All calls but add_callback_threadsafe() belong to one thread.

    `parameters` are ConnectionParameters, URLParameters, a sequence of them, of which the first that works counts, or None.
    Raises AMQPConnectionError if no daemon answers, or for a host that is not this machine.
    """

    def __init__(self, parameters: Parameters | Sequence[Parameters] | None = None, _impl_class: object = None) -> None:
        self._is_open = False
        self._pid = os.getpid()
        self._channels: dict[int, BlockingChannel] = {}  # by number
        self._ready: deque[Callable[[], object]] = deque()  # calls that process_data_events() makes
        self._timers: list[tuple[float, int]] = []  # a heap of (time, id)
        self._timer_calls: dict[int, Callable[[], object]] = {}  # by id
        self._timer_ids = itertools.count(1)
        self._thread_calls: deque[Callable[[], object]] = deque()  # of add_callback_threadsafe()
        self._lock = threading.RLock()  # a signal handler may call within it
        self._sleeping_source: Source | None = None
        self._is_dispatching = False
        self._blocked_callbacks: list[Callable[..., object]] = []
        self._unblocked_callbacks: list[Callable[..., object]] = []
        self._bindings_at = 0.0
        self._store, self._parameters = self._connect(parameters)
        self._wake_up = WakeUp()
        self._publisher = Publisher(self._store, self._parameters.blocked_connection_timeout, self._tell_blocked)
        self._is_open = True
        _open.add(self)

    @staticmethod
    def _connect(parameters: Parameters | Sequence[Parameters] | None) -> tuple[Store, Parameters]:
        choices = [Parameters()] if parameters is None else (
            [parameters] if isinstance(parameters, Parameters) else list(parameters))
        if not choices:
            raise ValueError(f"Expected a non-empty sequence of connection parameters, but got {parameters!r}.")
        error: Exception = AMQPConnectionError()
        for choice in choices:
            if choice.credentials != PlainCredentials("guest", "guest"):
                warn_once("credentials", "credentials are ignored: users and groups of this machine decide about access", 3)
            for attempt in range(max(choice.connection_attempts, 1)):
                if attempt > 0:
                    time.sleep(choice.retry_delay)
                try:
                    check_host(choice)
                    return Store(beltway.connect(timeout=choice.socket_timeout or 10.0), choice.virtual_host), choice
                except AMQPConnectionError as failed:
                    error = failed
                except beltway.Error as failed:
                    error = _errors.of_connection(failed)
        raise error

    def __del__(self) -> None:
        if getattr(self, "_is_open", False):
            self._close_at_exit()

    def __repr__(self) -> str:
        return f"<BlockingConnection {'open' if self._is_open else 'closed'}, {len(self._channels)} channels>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_open:
            self.close()

    @property
    def is_open(self) -> bool:
        """False after close()."""
        return self._is_open

    @property
    def is_closed(self) -> bool:
        """True after close()."""
        return not self._is_open

    basic_nack_supported = basic_nack = True
    consumer_cancel_notify_supported = consumer_cancel_notify = True
    publisher_confirms_supported = publisher_confirms = True
    exchange_exchange_bindings_supported = exchange_exchange_bindings = False

    def _check_open(self, what: str) -> None:
        if not self._is_open:
            raise ConnectionWrongStateError(f"BlockingConnection.{what} called on closed connection: make a new one.")

    def channel(self, channel_number: int | None = None) -> BlockingChannel:
        """Returns a new BlockingChannel."""
        self._check_open("channel()")
        if channel_number is None:
            channel_number = next(number for number in itertools.count(1) if number not in self._channels)
        elif not isinstance(channel_number, int) or channel_number < 1:
            raise InvalidChannelNumber(f"the number of a channel must be an int above 0, but got {channel_number!r}")
        elif channel_number in self._channels:
            raise InvalidChannelNumber(f"channel {channel_number} of this connection is open: close it, or give no number")
        channel = self._channels[channel_number] = BlockingChannel(self, channel_number)
        return channel

    def close(self, reply_code: int = 200, reply_text: str = "Normal shutdown") -> None:
        """Closes the channels. Messages without an ack go back to their queues; exclusive queues of the connection end."""
        self._check_open(f"close({reply_code}, {reply_text!r})")
        for channel in list(self._channels.values()):
            channel._release()
        self._is_open = False
        self._publisher.close()
        self._store.close()
        with self._lock:
            self._wake_up.close()
        _open.discard(self)

    def _close_at_exit(self) -> None:
        if self._is_open and self._pid == os.getpid():
            try:
                self.close()
            except (AMQPConnectionError, beltway.Error) as error:
                LOGGER.warning("close at the end of the program: %s", error)

    # Callbacks

    def add_on_connection_blocked_callback(self, callback: Callable[..., object]) -> None:
        """Calls `callback(connection, frame)` after a publish found its queue full."""
        self._blocked_callbacks.append(callback)

    def add_on_connection_unblocked_callback(self, callback: Callable[..., object]) -> None:
        """Calls `callback(connection, frame)` after such a publish found room."""
        self._unblocked_callbacks.append(callback)

    def _tell_blocked(self, is_blocked: bool) -> None:
        answer = spec.Connection.Blocked("a queue is full") if is_blocked else spec.Connection.Unblocked()
        for callback in self._blocked_callbacks if is_blocked else self._unblocked_callbacks:
            self._ready.append(partial(callback, self, Method(0, answer)))

    def call_later(self, delay: float, callback: Callable[..., object]) -> int:
        """Calls `callback()` once in `delay` seconds, from process_data_events(). Returns an id for remove_timeout()."""
        self._check_open("call_later()")
        _errors.require_callback(callback)
        timer = next(self._timer_ids)
        heapq.heappush(self._timers, (time.monotonic() + delay, timer))
        self._timer_calls[timer] = callback
        return timer

    def remove_timeout(self, timeout_id: int) -> None:
        """Forgets a call of call_later()."""
        self._timer_calls.pop(timeout_id, None)

    def add_callback_threadsafe(self, callback: Callable[..., object]) -> None:
        """Calls `callback()` in the connection's thread as soon as possible, from process_data_events(). From any thread."""
        _errors.require_callback(callback)
        with self._lock:
            self._check_open("add_callback_threadsafe()")
            self._thread_calls.append(callback)
            self._wake_up.wake()
            if self._sleeping_source is not None:
                self._sleeping_source.interrupt()

    def _end_wait(self) -> None:
        """Lets process_data_events() return soon: a consumer has ended, maybe by a signal handler during the wait."""
        self._ready.append(lambda: None)
        self._wake_up.wake()
        if self._sleeping_source is not None:
            self._sleeping_source.interrupt()

    # Events

    def process_data_events(self, time_limit: float | None = 0) -> None:
        """Waits for messages, timers and calls of other threads, `time_limit` seconds at most (None: no limit), and makes the
        callbacks of what is there. From within a callback it makes none, and waits for the whole time."""
        self._check_open("process_data_events()")
        deadline = None if time_limit is None else time.monotonic() + time_limit
        is_nested = self._is_dispatching
        if is_nested and time_limit is None and not self._sources(True):
            raise ReentrancyError("process_data_events(time_limit=None) in a callback would wait forever")
        round_end = time.monotonic() + max(time_limit or 0, _LONGEST_ROUND_S)
        while True:
            events = self._fetch_for_generators()
            if not is_nested:
                self._is_dispatching = True
                try:
                    events += self._run_calls()
                    if self._is_open:
                        events += self._deliver(round_end)
                    if self._is_open:
                        events += self._make_all(self._ready)  # a consumer may have ended, since its queue is gone
                finally:
                    self._is_dispatching = False
            left = _time_left(deadline)
            if events or left == 0 or not self._is_open:
                return
            self._wait(left, is_nested)

    def sleep(self, duration: float) -> None:
        """As process_data_events(), for the whole time."""
        deadline = time.monotonic() + duration
        self.process_data_events(duration)
        while time.monotonic() < deadline:
            self.process_data_events(_time_left(deadline))

    def _fetch_for_generators(self) -> int:
        return sum(channel._fetch_for_generator() for channel in list(self._channels.values()))

    @staticmethod
    def _make_all(calls: deque[Callable[[], object]]) -> int:
        """Makes the calls that are there, and returns their number."""
        count = len(calls)
        for _ in range(count):
            calls.popleft()()
        return count

    def _run_calls(self) -> int:
        """Makes the calls that are due. Returns their number."""
        count = self._make_all(self._ready) + self._make_all(self._thread_calls)
        while self._timers and self._timers[0][0] <= time.monotonic():
            call = self._timer_calls.pop(heapq.heappop(self._timers)[1], None)
            if call is not None:
                call()
                count += 1
        return count

    def _deliver(self, round_end: float) -> int:
        """Gives messages to the callbacks of consumers in turn. Returns their number."""
        count = 0
        while count < _MOST_AT_ONCE:
            before = count
            for channel in list(self._channels.values()):
                for subscription in list(channel._subscriptions.values()):
                    if subscription.callback is not None and channel._dispatch(subscription):
                        count += 1
                        if not self._is_open:
                            return count
            now = time.monotonic()
            if count == before or self._thread_calls or self._ready or now >= round_end or (
                    self._timers and self._timers[0][0] <= now):
                break
        return count

    def _sources(self, generators_only: bool) -> set[Source]:
        """Where messages may come from that a consumer may take."""
        return {source for channel in self._channels.values() for subscription in channel._subscriptions.values()
                if channel._may_take(subscription) and (subscription.callback is None or not generators_only)
                for source in subscription.sources.values()}

    def _wait(self, timeout: float | None, is_nested: bool) -> None:
        """Sleeps until there may be something to do, or for `timeout` seconds."""
        if self._ready and not is_nested:
            return
        now = time.monotonic()
        if now >= self._bindings_at:
            try:
                for channel in list(self._channels.values()):
                    channel._attach_to_bindings()
                self._bindings_at = now + _BINDINGS_EVERY_S
            except beltway.NoDaemon:  # messages go on without it
                self._bindings_at = now + _BINDINGS_WITHOUT_DAEMON_S
        sources = self._sources(is_nested)
        limits = [] if timeout is None else [timeout]
        if sources:
            limits.append(max(self._bindings_at - now, 0))
        if self._timers and not is_nested:
            limits.append(max(self._timers[0][0] - now, 0))
        limit = min(limits, default=None)
        if len(sources) == 1:
            (source,) = sources
            with self._lock:
                if self._thread_calls and not is_nested:
                    return
                self._sleeping_source = source
            try:
                source.wait(limit)
            except beltway.Removed:
                pass  # the next take() says it
            finally:
                self._sleeping_source = None
        else:
            poll = select.poll()
            poll.register(self._wake_up, select.POLLIN)
            for source in sources:
                poll.register(source.fileno(), select.POLLIN)
            poll.poll(None if limit is None else limit * 1000)
        if self._is_open:  # a signal handler may have closed it
            self._wake_up.clear()
