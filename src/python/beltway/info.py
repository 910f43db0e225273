"""What Beltway tells of queues, endpoints and daemons. Times are seconds; positions are places in a queue's one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beltway import Queue
    from beltway.properties import Properties


@dataclass(frozen=True)
class OtherDaemon:
    """A daemon of the caller's user that the caller did not ask."""

    pid: int  #: 0: not known
    socket: str


@dataclass(frozen=True)
class HeldQueue:
    """A queue that the daemon keeps for another version of beltwayd."""

    name: str
    layout: str
    why: str


@dataclass(frozen=True)
class DaemonInfo:
    """Which daemon answers, and what it cannot do."""

    version: str
    layout: str
    pid: int
    uid: int
    socket: str  #: where it listens first
    log: str  #: the file that it logs to; empty: its standard error
    log_lost: int
    asked: str  #: the socket that this connection uses
    others: list[OtherDaemon]
    passed_over: str
    held: list[HeldQueue]


@dataclass(frozen=True)
class EndpointInfo:
    """One attached producer or consumer."""

    index: int
    producer: bool
    pid: int
    uid: int
    group: str  #: of a consumer; empty: private
    lossy: bool
    evicted: bool
    evictable: bool
    orphan: bool
    leaving: bool
    prefetch: int
    name: str  #: of a producer; empty: none


@dataclass(frozen=True)
class ProducerName:
    """A name that producers of a queue publish under."""

    name: str
    last_sequence: int


@dataclass(frozen=True)
class PausedGroup:
    """A named group whose consumers get no messages until it is resumed."""

    name: str
    paused_for: float


@dataclass(frozen=True)
class QueueInfo:
    """What the daemon knows of a queue."""

    name: str
    id: int
    owner_uid: int
    owner_gid: int
    options: dict[str, Any]  #: by the names that declare() has; `groups` is a list of NamedGroup
    shared_bytes: int
    endpoints: list[EndpointInfo]
    producer_names: list[ProducerName]
    owner_pid: int  #: of an exclusive queue; 0: none
    expires_in: float | None
    paused: list[PausedGroup]
    missing_dead_letter_queues: list[str]


@dataclass(frozen=True)
class OptionChange:
    """What a declare has changed of a queue that existed. Values are text."""

    option: str
    group: str  #: the group whose own it is; empty: the queue's
    old: str
    new: str


@dataclass(frozen=True)
class Declared:
    """What declare_some() did."""

    queue: Queue
    created: bool
    changed: list[OptionChange]


@dataclass(frozen=True)
class ProducerCounters:
    """Counted by a producer."""

    messages: int
    bytes: int
    refused: int
    wakes: int
    sleeps: int
    rescued: int
    blocked_ns: int
    high_water: int
    last_progress_ns: int
    needless_wakes: int
    unread: int


@dataclass(frozen=True)
class ConsumerCounters:
    """Counted by a consumer."""

    messages: int
    bytes: int
    lost: int
    redelivered: int
    corrupt: int
    acks: int
    nacks: int
    wakes: int
    sleeps: int
    rescued: int
    blocked_ns: int
    last_progress_ns: int
    needless_wakes: int
    discarded: int
    expired: int
    dead_lettered: int
    timed_out: int
    failed_moves: int


@dataclass(frozen=True)
class QueueTotals:
    """What the daemon counts: repairs, and the sums of endpoints that are gone."""

    repairs: int
    voided: int
    released: int
    messages_in: int
    bytes_in: int
    messages_out: int
    bytes_out: int
    refused: int
    lost: int
    redelivered: int
    wakes: int
    sleeps: int
    unread: int
    discarded: int
    expired: int
    dead_lettered: int
    timed_out: int


@dataclass(frozen=True)
class MessageAges:
    """How old messages are, in a queue with stamps."""

    oldest: float | None
    delivered: int
    p50: float
    p99: float
    max: float


@dataclass(frozen=True)
class ProducerState:
    """The state of a producer."""

    endpoint: EndpointInfo
    counters: ProducerCounters
    sleep: str  #: "awake", "asleep" or "signalled"
    place_in_line: int
    claimed: int
    oldest_claim: int
    waits_since_ns: int
    waits_for: str  #: "nothing", "ring", "lane", "claim" or "own_loans"
    waits_past: int
    lane_messages: int
    lane_used: int


@dataclass(frozen=True)
class ConsumerState:
    """The state of a consumer."""

    endpoint: EndpointInfo
    counters: ConsumerCounters
    sleep: str  #: "awake", "asleep" or "signalled"
    waits_since_ns: int
    held: int
    lag: int
    floor: int
    ages: MessageAges


@dataclass(frozen=True)
class GroupState:
    """The state of a named group."""

    name: str
    floor: int
    depth: int
    holder: int | None
    tries: int
    available: int
    leased: int
    retry: int
    delayed: int
    due_in: float | None
    parked: int
    oldest_parked: int | None
    parked_holder: int | None
    evict_after: float
    retry_delay: float
    retry_delay_max: float
    max_deliveries: int
    discard: bool
    discarded: int
    dead_letter: str
    dead_lettered: int
    to_move: int
    drop_oldest: int
    dropped: int
    lease_timeout: float
    overdue: int
    timed_out: int
    consumers: list[int]
    paused_for: float | None
    ages: MessageAges
    ttl: float
    expired: int


@dataclass(frozen=True)
class LeavingGroup:
    """A named group that was removed and whose place is not free yet."""

    name: str
    holds: bool
    floor: int
    leased: int


@dataclass(frozen=True)
class QueueSnapshot:
    """The state of a queue at one moment."""

    info: QueueInfo
    position: int
    used: int
    parked: int
    max_parked: int
    symmetric_fences: bool
    removed: bool
    broken: int
    totals: QueueTotals
    producers: list[ProducerState]
    consumers: list[ConsumerState]
    groups: list[GroupState]
    leaving: list[LeavingGroup]


@dataclass(frozen=True)
class PurgeHolder:
    """An endpoint that keeps messages of a group from being purged."""

    producer: bool
    index: int
    pid: int
    messages: int
    oldest: int


@dataclass(frozen=True)
class PurgeResult:
    """What Queue.purge() did, and what it had to leave."""

    purged: int
    left: int
    used: int
    holders: list[PurgeHolder]


@dataclass(frozen=True)
class ResetResult:
    """What Queue.reset_group() did."""

    position: int
    acknowledged: int
    restored: int
    held: int


@dataclass(frozen=True)
class Event:
    """One thing that the daemon has seen. A member that does not apply is empty or 0. Later versions may add kinds."""

    sequence: int  #: 1 for the first one of a journal, then one more each time
    time_ns: int  #: since 1970
    monotonic_ns: int  #: of time.monotonic_ns()
    kind: str  #: as "declared", "attached", "died", "evicted", "full"; the guide of the command `beltway events` has all
    queue: str
    queue_id: int
    group: str
    role: str  #: "producer" or "consumer", if it is about an endpoint
    index: int  #: of that endpoint, among producers or among consumers
    pid: int  #: the endpoint's process, otherwise the process that asked for it; 0: none, or not known
    uid: int  #: that process's user; only if there is a pid
    command: str  #: the name of that process's program
    voided: int  #: "repaired": claims without a message that were ended
    released: int  #: "repaired": messages that were given back to their groups
    messages: int  #: "dead_lettered", "purged": how many
    text: str  #: what happened, for people


@dataclass(frozen=True)
class EventPage:
    """Some events that follow each other."""

    journal: int  #: what the sequence numbers belong to; another number: a daemon began anew with 1
    events: list[Event]  #: those that the caller may see, the oldest first
    first: int  #: sequence number of the oldest event that the daemon remembers
    last: int  #: of the newest one; 0: there is none yet
    next: int  #: ask for the events from here on next
    more: bool  #: there are more already


@dataclass(frozen=True)
class PeekedMessage:
    """A copy of a message that was not taken."""

    position: int
    producer: int
    bytes: bytes
    size: int
    properties: Properties
    age: float | None
    deliveries: int | None  #: to the group that was asked for; None: of the whole ring
    holder: int | None  #: the consumer that holds it
