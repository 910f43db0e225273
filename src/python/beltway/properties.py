"""What a message says about itself beside its payload, and the options of a named group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["DeadLetter", "NamedGroup", "Properties"]


@dataclass(frozen=True)
class DeadLetter:
    """What a message in a dead letter queue says about its failure."""

    reason: str  #: "rejected", "too_many_deliveries", "expired" or "lease_over"
    deliveries: int  #: how often it was delivered in that group; above 255: 255
    position: int  #: its position in that queue
    first_time: datetime  #: when it first became a dead letter
    last_time: datetime  #: when it last became one
    queue: str  #: where it failed
    group: str


@dataclass(frozen=True)
class Properties:
    """Properties of a message. Beltway stores them and reads none of them but `ttl`. An empty field is absent.

    Each text has at most 255 bytes. Of a received message `headers` is a tuple of pairs of a name and bytes. To publish,
    a mapping does as well, and a value may be a str.
    """

    key: str = ""  #: what the message is about: a customer, a device, a topic
    correlation_id: str = ""  #: which request the message answers
    reply_to: str = ""  #: the queue that an answer goes to
    content_type: str = ""  #: of the payload: "application/json"
    trace_id: str = ""  #: a W3C traceparent, or the identifier of a trace
    headers: Mapping[str, bytes | str] | Sequence[tuple[str, bytes | str]] = ()
    publish_time: datetime | Literal["now"] | None = None  #: with a time zone; "now": the time of the publish
    ttl: float | timedelta = 0  #: seconds from the publish on; a message that is older is not delivered. 0: none
    dead_letter: DeadLetter | None = None  #: set by Beltway; a program that forwards a dead letter may keep it
    #: Of a received message: when its own ttl is over, as time.monotonic() tells it; None: it has none. A publish ignores it.
    expires_at: float | None = field(default=None, compare=False)
    #: Of a received message: its properties made no sense from some field on, which is absent, as are those behind it.
    is_damaged: bool = field(default=False, compare=False)

    def header(self, name: str) -> bytes | str | None:
        """Returns the value of the first header of that name, or None."""
        pairs = self.headers.items() if isinstance(self.headers, Mapping) else self.headers
        return next((value for each, value in pairs if each == name), None)


@dataclass(frozen=True)
class NamedGroup:
    """A named group to be made: its name, and options of its own. None: as the queue has it.

    Times are seconds or a timedelta. Only the owner of the queue and root may give options.
    """

    name: str
    evict_after: float | timedelta | None = None
    retry_delay: float | timedelta | None = None
    retry_delay_max: float | timedelta | None = None
    max_deliveries: int | None = None
    discard: bool | None = None
    dead_letter: str | None = None
    ttl: float | timedelta | None = None
    lease_timeout: float | timedelta | None = None
    drop_oldest: int | None = None
