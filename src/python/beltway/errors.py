"""The errors of Beltway. Each class is a beltway.Errc of the C++ library (`reason`), and a Python error that fits.

The text of an error is the library's own: it names the operation, the object and the remedy.
"""

__all__ = [
    "AlreadyExists", "EndOfStream", "Error", "Evicted", "Forked", "Incompatible", "Interrupted", "InvalidOption",
    "LimitReached", "Misuse", "NoDaemon", "NoPermission", "NotFound", "Protocol", "Removed", "System", "Timeout",
    "TooLarge", "WrongType",
]


class Error(Exception):
    """Base class of all errors of Beltway. `reason` is the library's name of it, the same in all languages."""

    reason: str = "error"
    #: Of publish_many() and publish_array(): how many messages were published before the error.
    published: int = 0


class InvalidOption(Error, ValueError):
    """An option, a name or a size is out of its range. The text names the range."""

    reason = "invalid_option"


class NotFound(Error, LookupError):
    """There is no queue or group of that name."""

    reason = "not_found"


class AlreadyExists(Error):
    """The queue exists with other options. The text names all that differ."""

    reason = "already_exists"


class NoPermission(Error, PermissionError):
    """Mode and owner of the queue do not allow this to the caller's user."""

    reason = "no_permission"


class LimitReached(Error):
    """No endpoint, group, quota, descriptor or memory is left. The text names which."""

    reason = "limit_reached"


class TooLarge(Error, ValueError):
    """The message can never fit this queue. The text names the limit."""

    reason = "too_large"


class Removed(Error):
    """The queue was removed, or the daemon no longer knows it."""

    reason = "removed"


class Evicted(Error):
    """The daemon evicted this endpoint (option `evict_after`). Attach again, or set the option `reattach`."""

    reason = "evicted"


class NoDaemon(Error, ConnectionError):
    """No daemon answers at the socket."""

    reason = "no_daemon"


class Protocol(Error):
    """The daemon speaks another version of the protocol, or broke the protocol."""

    reason = "protocol"


class Incompatible(Error):
    """The shared memory has another layout, or its layout is broken."""

    reason = "incompatible"


class WrongType(Error, TypeError):
    """The queue carries messages of another type."""

    reason = "wrong_type"


class Forked(Error, RuntimeError):
    """The object was made before fork(). A child makes its own connection."""

    reason = "forked"


class Misuse(Error, RuntimeError):
    """The state of the object does not allow the call."""

    reason = "misuse"


class System(Error, OSError):
    """A system call failed. The text has the error of the kernel in words."""

    reason = "system"


class Interrupted(Error):
    """interrupt() ended the call. Nothing was done."""

    reason = "interrupted"


class Timeout(Error, TimeoutError):
    """The time was over before the message could be published. Nothing was published."""

    reason = "timeout"


class EndOfStream(Error, EOFError):
    """No message is left, and no producer. A `for` loop over a consumer ends here without an error."""

    reason = "end_of_stream"
