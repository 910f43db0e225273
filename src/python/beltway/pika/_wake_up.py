"""Wakes a thread that polls."""

from __future__ import annotations

import os


class WakeUp:
    """A descriptor that is readable from wake() on, until clear(). wake() may be called in any thread, and by signal handlers."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._read

    def wake(self) -> None:
        """Makes it readable."""
        try:
            os.write(self._write, b"\0")
        except BlockingIOError:
            pass  # it is readable

    def clear(self) -> None:
        """Makes it unreadable."""
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Ends it."""
        os.close(self._read)
        os.close(self._write)
