"""Message queues in shared memory, for the programs of one machine.

    import beltway

    with beltway.connect() as link:
        orders = link.declare("orders", groups=["billing"])
        orders.producer().publish(b"one order")
        for message in orders.consumer(group="billing", end_of_stream="drained"):
            with message.process():
                print(message.text())

A queue is a ring of slots. A producer publishes bytes, or any object with a buffer. Consumers with the same `group`
share the messages, and each message stays until it is acknowledged. A consumer without a group sees every message.

Message.process() acknowledges at the end of its block, and gives the message back to the group after an exception.
Consumer.receive_bytes() copies and acknowledges at once. Message and Loan have the buffer protocol, for numpy. A view
of a message keeps it: its ack() takes effect when the last view is gone.

Times are seconds or a timedelta. Options have the names of the C++ library. Errors are classes of beltway.Error by
reason. beltway.aio has the same calls for asyncio. After fork() make a new connection: the objects of the parent raise
Forked.
"""

from beltway._beltway import (
    Connection, Consumer, Loan, Message, Process, Producer, Queue, __version__, ack_many, connect,
)
from beltway.errors import (
    AlreadyExists, EndOfStream, Error, Evicted, Forked, Incompatible, Interrupted, InvalidOption, LimitReached, Misuse,
    NoDaemon, NoPermission, NotFound, Protocol, Removed, System, Timeout, TooLarge, WrongType,
)
from beltway.info import (
    ConsumerCounters, ConsumerState, DaemonInfo, Declared, EndpointInfo, Event, EventPage, GroupState, HeldQueue,
    LeavingGroup, MessageAges, OptionChange, OtherDaemon, PausedGroup, PeekedMessage, ProducerCounters, ProducerName,
    ProducerState, PurgeHolder, PurgeResult, QueueInfo, QueueSnapshot, QueueTotals, ResetResult,
)
from beltway.properties import DeadLetter, NamedGroup, Properties

__all__ = [
    "AlreadyExists", "Connection", "Consumer", "ConsumerCounters", "ConsumerState", "DaemonInfo", "DeadLetter",
    "Declared", "EndOfStream", "EndpointInfo", "Error", "Event", "EventPage", "Evicted", "Forked", "GroupState",
    "HeldQueue", "Incompatible", "Interrupted", "InvalidOption", "LeavingGroup", "LimitReached", "Loan", "Message",
    "MessageAges", "Misuse", "NamedGroup", "NoDaemon", "NoPermission", "NotFound", "OptionChange", "OtherDaemon",
    "PausedGroup", "PeekedMessage", "Process", "Producer", "ProducerCounters", "ProducerName", "ProducerState",
    "Properties", "Protocol", "PurgeHolder", "PurgeResult", "Queue", "QueueInfo", "QueueSnapshot", "QueueTotals",
    "Removed", "ResetResult", "System", "Timeout", "TooLarge", "WrongType", "ack_many", "connect",
]
