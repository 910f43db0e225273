"""Queues, exchanges and bindings of AMQP as queues and groups of Beltway. One Store a connection.

A queue is a Beltway queue with one named group. A fanout exchange is a Beltway queue with a named group for each bound queue: the
group has the name of the queue. An exclusive queue is bound by a private consumer of this process, which ends with the process.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import beltway

from . import _arguments, _names
from ._sources import PrivateSource, Source
from .exceptions import ChannelClosedByBroker

GROUP = "pika"
#: Descriptions. That of a queue or exchange with auto_delete tells it from others.
_QUEUE, _EXCHANGE = "queue of beltway.pika", "fanout exchange of beltway.pika"
_PASSING_QUEUE, _PASSING_EXCHANGE = _QUEUE + ", auto_delete", _EXCHANGE + ", auto_delete"
#: A consumer of basic_get has this prefetch, which tells it from those of basic_consume.
_PREFETCH_OF_GET = _arguments.SLOTS - 1

#: By the id of an exclusive queue the Store that it belongs to.
_owners: weakref.WeakValueDictionary[int, Store] = weakref.WeakValueDictionary()


def not_found(kind: str, name: str, virtual_host: str) -> ChannelClosedByBroker:
    """The error of RabbitMQ for what is not there."""
    return ChannelClosedByBroker(404, f"NOT_FOUND - no {kind} '{name}' in vhost '{virtual_host}'")


class Store:
    """Makes, finds and removes queues, exchanges and bindings. Not for several threads at once."""

    def __init__(self, link: beltway.Connection, virtual_host: str) -> None:
        self.link = link
        self.virtual_host = virtual_host
        self.exclusive: dict[str, beltway.Queue] = {}  # the queues of this connection, by name
        # By the name of an exclusive queue, then by the name of an exchange that it is bound to.
        self._private: dict[str, dict[str, PrivateSource]] = {}

    # Queues

    def find(self, name: str) -> beltway.Queue | None:
        """The Beltway queue, or None."""
        try:
            return self.link.open_queue(_names.queue(name, self.virtual_host))
        except (beltway.NotFound, beltway.Removed):
            return None

    def queue(self, name: str) -> beltway.Queue:
        """The Beltway queue; an error of RabbitMQ if it is not there, or of another connection."""
        queue = self.find(name)
        if queue is None:
            raise not_found("queue", name, self.virtual_host)
        if queue.options["exclusive"] and _owners.get(queue.id) is not self:
            raise self._locked(name)
        return queue

    def _locked(self, name: str) -> ChannelClosedByBroker:
        return ChannelClosedByBroker(
            405, f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{name}' in vhost '{self.virtual_host}'. It "
            f"could be originally declared on another connection or the exclusive property value does not match that of the "
            f"original declaration.")

    def declare_queue(self, name: str, exclusive: bool, auto_delete: bool, arguments: Mapping[str, Any] | None) -> beltway.Queue:
        """Makes the queue, or opens it if it exists with the arguments that are given."""
        own = _names.queue(name, self.virtual_host)
        said = _arguments.options(arguments, self.virtual_host)
        self._make_dead_letter_queue(said.get("dead_letter", ""))
        queue = self.find(name)
        if queue is None:
            options: dict[str, Any] = {"description": _PASSING_QUEUE if auto_delete else _QUEUE, **_arguments.of_new_queue(said)}
            queue = self.link.declare(own, groups=[GROUP], exclusive=exclusive, **options)
            if exclusive:
                _owners[queue.id] = self
                self.exclusive[name] = queue
            return queue
        queue = self.queue(name)
        if exclusive and name not in self.exclusive:
            raise self._locked(name)
        self._check_same(name, queue, {option: said[option] for option in said if option not in _arguments.own(arguments or {})})
        return self.link.declare_some(own, groups=[self.group(queue)], **said).queue

    def _check_same(self, name: str, queue: beltway.Queue, said: dict[str, Any]) -> None:
        """Beltway would change these options for all programs; RabbitMQ says that they differ."""
        own = [group for group in queue.options["groups"] if group.name == self.group(queue)]
        for option in _arguments.OF_GROUPS:
            there = getattr(own[0], option) if own else None
            there = queue.options[option] if there is None else there
            if option in said and said[option] != there:
                raise ChannelClosedByBroker(
                    406, f"PRECONDITION_FAILED - inequivalent arg for queue '{name}' in vhost '{self.virtual_host}': received "
                    f"{option} {said[option]!r} but current is {there!r}; leave the argument out to use the queue as it is, or "
                    f"change the queue with: beltway declare")

    def _make_dead_letter_queue(self, name: str) -> None:
        """RabbitMQ does not ask for it before the first dead letter; Beltway does."""
        if not name or _names.is_exchange(name, self.virtual_host):
            return
        try:
            self.link.open_queue(name)
        except beltway.NotFound:
            self.link.declare(name, groups=[GROUP], description=_QUEUE, **_arguments.DEFAULTS)

    @staticmethod
    def group(queue: beltway.Queue) -> str:
        """The group whose messages are those of the queue: the only one, else the one that beltway.pika makes."""
        groups: list[str] = [group.name for group in queue.options["groups"]]
        return groups[0] if len(groups) == 1 else GROUP

    def delete_queue(self, name: str, if_unused: bool = False, if_empty: bool = False) -> int:
        """Removes the queue with its bindings. Returns how many messages it had."""
        if self.find(name) is None:
            return 0
        queue = self.queue(name)
        if if_unused and self.consumers(queue):
            raise ChannelClosedByBroker(406, f"PRECONDITION_FAILED - queue '{name}' in vhost '{self.virtual_host}' in use")
        count = self.messages(name, queue)
        if if_empty and count:
            raise ChannelClosedByBroker(406, f"PRECONDITION_FAILED - queue '{name}' in vhost '{self.virtual_host}' not empty")
        for exchange in self.bindings(name):
            self.unbind(name, exchange)
        self.exclusive.pop(name, None)
        self.link.remove(queue.name, force=True)
        return count

    def delete_if_unused(self, name: str) -> None:
        """Removes a queue of auto_delete after its last consumer."""
        queue = self.find(name)
        if queue is not None and queue.options["description"] == _PASSING_QUEUE and not self.consumers(queue):
            self.delete_queue(name)

    def consumers(self, queue: beltway.Queue) -> int:
        """How many consumers a queue has, without those of basic_get."""
        return sum(not each.producer and each.prefetch != _PREFETCH_OF_GET for each in queue.describe().endpoints)

    def messages(self, name: str, queue: beltway.Queue) -> int:
        """How many messages are there that no consumer has."""
        count = self._available(queue, self.group(queue))
        for exchange in self.bindings(name):
            try:
                count += self._messages_of_exchange(queue.name, name, exchange)
            except beltway.Removed:
                pass
        return count

    def _messages_of_exchange(self, group: str, name: str, exchange: str) -> int:
        ring = self._open_exchange(exchange)
        private = self._private.get(name, {}).get(exchange)
        if private is None:
            return self._available(ring, group)
        lags = (each.lag for each in ring.snapshot().consumers if each.endpoint.index == private.consumer.index)
        return len(private.returned) + sum(lags)

    @staticmethod
    def _available(queue: beltway.Queue, group: str) -> int:
        return sum(each.available for each in queue.snapshot().groups if each.name == group)

    def purge(self, name: str) -> int:
        """Drops the messages that no consumer has, and returns their number."""
        queue = self.queue(name)
        count = queue.purge(self.group(queue)).purged
        for exchange in self.bindings(name):
            private = self._private.get(name, {}).get(exchange)
            count += private.purge() if private else self._open_exchange(exchange).purge(queue.name).purged
        return count

    # Exchanges and bindings

    def _open_exchange(self, exchange: str) -> beltway.Queue:
        own = _names.exchange(exchange, self.virtual_host)
        try:
            return self.link.open_queue(own)
        except (beltway.NotFound, beltway.Removed):
            if exchange == "amq.fanout":
                return self.declare_exchange(exchange, False, {})
            raise not_found("exchange", exchange, self.virtual_host) from None

    def exchange(self, exchange: str) -> beltway.Queue:
        """The Beltway queue of the exchange; an error of RabbitMQ if it is not there."""
        if exchange in ("amq.direct", "amq.topic", "amq.headers", "amq.match", "amq.rabbitmq.trace"):
            raise NotImplementedError(f"exchange {exchange!r} is not there: use the default exchange or a fanout exchange")
        return self._open_exchange(exchange)

    def declare_exchange(self, exchange: str, auto_delete: bool, options: dict[str, Any]) -> beltway.Queue:
        """Makes the exchange if it is not there, with these options beside the usual ones."""
        purpose = _PASSING_EXCHANGE if auto_delete else _EXCHANGE
        own = _names.exchange(exchange, self.virtual_host)
        try:
            return self.link.open_queue(own)
        except beltway.NotFound:
            return self.link.declare(own, description=purpose, **{**_arguments.EXCHANGE, **options})

    def delete_exchange(self, exchange: str, if_unused: bool) -> None:
        """Removes the exchange if it is there."""
        try:
            ring = self._open_exchange(exchange)
        except ChannelClosedByBroker:
            return
        if if_unused and self.is_bound(ring):
            raise ChannelClosedByBroker(406, f"PRECONDITION_FAILED - exchange '{exchange}' in vhost '{self.virtual_host}' in use")
        for bound in self._private.values():
            if exchange in bound:
                bound.pop(exchange).close()
        self.link.remove(ring.name, force=True)

    @staticmethod
    def is_bound(ring: beltway.Queue) -> bool:
        """Whether a message that is published to the exchange comes to any queue."""
        info = ring.describe()
        return bool(info.options["groups"]) or any(not each.producer for each in info.endpoints)

    def bindings(self, name: str) -> list[str]:
        """The names of the exchanges that the queue is bound to."""
        if name in self.exclusive:
            return list(self._private.get(name, ()))
        own = _names.queue(name, self.virtual_host)
        return [_names.exchange_name(info.name, self.virtual_host) for info in self.link.list()
                if _names.is_exchange(info.name, self.virtual_host)
                and any(group.name == own for group in info.options["groups"])]

    def bind(self, name: str, exchange: str) -> None:
        """From now on the messages of the exchange come to the queue."""
        queue = self.queue(name)
        ring = self.exchange(exchange)
        self.remove_ended_bindings(ring)
        if name not in self.exclusive:
            own = {option: queue.options[option] for option in _arguments.OF_GROUPS if queue.options[option]}
            ring.add_group(beltway.NamedGroup(queue.name, **own), start="latest")
            return
        if queue.options["dead_letter"]:
            raise NotImplementedError("queue_bind of an exclusive queue with x-dead-letter-exchange is not there")
        bound = self._private.setdefault(name, {})
        if exchange not in bound:
            bound[exchange] = PrivateSource(ring.consumer(end_of_stream="never"), exchange)

    def unbind(self, name: str, exchange: str) -> None:
        """No more messages of the exchange come to the queue. Those that it has not delivered are gone."""
        private = self._private.get(name, {}).pop(exchange, None)
        ring = self._open_exchange(exchange)
        if private is not None:
            private.close()
        else:
            try:
                ring.remove_group(_names.queue(name, self.virtual_host), force=True)
            except beltway.NotFound:
                pass
        if ring.options["description"] == _PASSING_EXCHANGE and not self.is_bound(ring):
            self.link.remove(ring.name, force=True)

    def remove_ended_bindings(self, ring: beltway.Queue) -> None:
        """Removes the groups of queues that are gone, whose messages would fill the exchange."""
        for group in ring.describe().options["groups"]:
            try:
                self.link.open_queue(group.name)
            except (beltway.NotFound, beltway.Removed):
                try:
                    ring.remove_group(group.name, force=True)
                except beltway.Error:
                    pass  # another process was faster, or the group belongs to another user

    # Sources

    def add_sources(self, name: str, sources: dict[str, Source], is_get: bool = False) -> None:
        """Attaches to the queue and its exchanges what is not in `sources` yet: a dict by name of the exchange."""
        prefetch = _PREFETCH_OF_GET if is_get else 0
        if "" not in sources:
            queue = self.queue(name)
            consumer = queue.consumer(group=self.group(queue), create_group=True, prefetch=prefetch)
            sources[""] = Source(consumer, "", name)
        bindings = self.bindings(name)
        for exchange in sources.keys() - {"", *bindings}:
            self.close_source(name, sources.pop(exchange))
        for exchange in bindings:
            if exchange in sources:
                continue
            source: Source | None = self._private.get(name, {}).get(exchange)
            if source is None:
                group = _names.queue(name, self.virtual_host)
                source = Source(self._open_exchange(exchange).consumer(group=group, prefetch=prefetch), exchange, name)
            sources[exchange] = source

    def close_source(self, name: str, source: Source) -> None:
        """Detaches a source. That of an exclusive queue stays while the queue is bound."""
        if source not in self._private.get(name, {}).values():
            source.close()

    def close(self) -> None:
        """Removes what belongs to the connection."""
        for name in list(self.exclusive):
            try:
                self.delete_queue(name)
            except beltway.Error:
                pass  # the daemon is away: it removes the queue when this process has ended
        self.link.close()
