"""The calls of a channel about queues and exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from . import _arguments, _names, spec
from ._errors import on_open_channel, require_string
from ._warnings import warn_once
from .exceptions import ChannelClosedByBroker
from .exchange_type import ExchangeType
from .frame import Method

if TYPE_CHECKING:
    from .adapters.blocking_connection import BlockingConnection


def _warn_of_durable(durable: bool) -> None:
    if durable:
        warn_once("durable", "durable is ignored: a queue outlives its programs and the daemon, and ends with this machine", 4)


class Declarations:
    """Part of BlockingChannel."""

    connection: BlockingConnection
    channel_number: int
    _last_queue: str

    if TYPE_CHECKING:
        def basic_nack(self, delivery_tag: int = 0, multiple: bool = False, requeue: bool = True) -> None: ...

    def _answer(self, method: Any) -> Method:
        return Method(self.channel_number, method)

    def _queue_name(self, queue: str) -> str:
        """An empty name is that of the queue that this channel declared last."""
        require_string(queue, "queue")
        if queue:
            return queue
        if not self._last_queue:
            raise ChannelClosedByBroker(404, "NOT_FOUND - no previously declared queue")
        return self._last_queue

    @on_open_channel
    def queue_declare(self, queue: str, passive: bool = False, durable: bool = False, exclusive: bool = False,
                      auto_delete: bool = False, arguments: Mapping[str, Any] | None = None) -> Method:
        """Makes the queue, or opens it if it exists. An empty name asks for a new one: `result.method.queue`. examples/PIKA.md
        lists the arguments."""
        require_string(queue, "queue")
        store = self.connection._store
        if passive:
            found = store.queue(self._queue_name(queue))
        else:
            _warn_of_durable(durable)
            queue = queue or _names.generated()
            if queue.startswith("amq.") and not queue.startswith("amq.gen-"):
                raise ChannelClosedByBroker(403, f"ACCESS_REFUSED - queue name '{queue}' contains reserved prefix 'amq.*'")
            found = store.declare_queue(queue, exclusive, auto_delete, arguments)
        self._last_queue = queue = self._queue_name(queue)
        return self._answer(spec.Queue.DeclareOk(queue, store.messages(queue, found), store.consumers(found)))

    @on_open_channel
    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False) -> Method:
        """Removes the queue with its messages. Its consumers are cancelled."""
        count = self.connection._store.delete_queue(self._queue_name(queue), if_unused, if_empty)
        return self._answer(spec.Queue.DeleteOk(message_count=count))

    @on_open_channel
    def queue_purge(self, queue: str) -> Method:
        """Drops the messages that no consumer has."""
        return self._answer(spec.Queue.PurgeOk(message_count=self.connection._store.purge(self._queue_name(queue))))

    @on_open_channel
    def queue_bind(self, queue: str, exchange: str, routing_key: str | None = None,
                   arguments: Mapping[str, Any] | None = None) -> Method:
        """From now on the queue gets the messages of a fanout exchange, whatever their routing key."""
        require_string(exchange, "exchange")
        if arguments:
            raise NotImplementedError("queue_bind(arguments) is not there: leave them out, a fanout exchange ignores them")
        self._refuse_default(exchange)
        self.connection._store.bind(self._queue_name(queue), exchange)
        self._attach_everywhere(queue)
        return self._answer(spec.Queue.BindOk())

    @on_open_channel
    def queue_unbind(self, queue: str, exchange: str | None = None, routing_key: str | None = None,
                     arguments: Mapping[str, Any] | None = None) -> Method:
        """The queue gets no more messages of the exchange. Those that it has not delivered are dropped."""
        self._refuse_default(exchange or "")
        self.connection._store.unbind(self._queue_name(queue), exchange or "")
        self._attach_everywhere(queue)
        return self._answer(spec.Queue.UnbindOk())

    def _attach_everywhere(self, queue: str) -> None:
        """Consumers of this connection follow the bindings of their queue at once, those of others within a second."""
        for channel in list(self.connection._channels.values()):
            channel._attach_to_bindings(self._queue_name(queue))

    def _refuse_default(self, exchange: str) -> None:
        if not exchange:
            raise ChannelClosedByBroker(403, "ACCESS_REFUSED - operation not permitted on the default exchange")

    @on_open_channel
    def exchange_declare(self, exchange: str, exchange_type: ExchangeType | str = ExchangeType.direct, passive: bool = False,
                         durable: bool = False, auto_delete: bool = False, internal: bool = False,
                         arguments: Mapping[str, Any] | None = None) -> Method:
        """Makes a fanout exchange if it is not there."""
        require_string(exchange, "exchange")
        store = self.connection._store
        self._refuse_default(exchange)
        if passive:
            store.exchange(exchange)
            return self._answer(spec.Exchange.DeclareOk())
        kind = getattr(exchange_type, "value", exchange_type)
        if kind != "fanout":
            raise NotImplementedError(
                f"exchange_declare(exchange_type={kind!r}) is not there: Beltway has fanout exchanges, and the default exchange "
                f"exchange='', which routes to the queue that has the name of the routing key")
        own = _arguments.own(arguments or {})
        if internal or len(own) != len(arguments or {}):
            raise NotImplementedError("exchange_declare(internal, arguments) is not there: leave them out")
        if exchange.startswith("amq.") and exchange != "amq.fanout":
            raise ChannelClosedByBroker(403, f"ACCESS_REFUSED - exchange name '{exchange}' contains reserved prefix 'amq.*'")
        _warn_of_durable(durable)
        store.declare_exchange(exchange, auto_delete, own)
        return self._answer(spec.Exchange.DeclareOk())

    @on_open_channel
    def exchange_delete(self, exchange: str | None = None, if_unused: bool = False) -> Method:
        """Removes the exchange. The queues stay, without the messages of the exchange that they have not delivered."""
        self._refuse_default(exchange or "")
        self.connection._store.delete_exchange(exchange or "", if_unused)
        return self._answer(spec.Exchange.DeleteOk())

    def exchange_bind(self, *_arguments: object, **_options: object) -> NoReturn:
        """Not there."""
        raise NotImplementedError("exchange_bind is not there: bind the queue to both exchanges")

    def exchange_unbind(self, *_arguments: object, **_options: object) -> NoReturn:
        """Not there."""
        raise NotImplementedError("exchange_unbind is not there, as exchange_bind")

    def tx_select(self) -> NoReturn:
        """Not there."""
        raise NotImplementedError("tx_select is not there: each basic_publish and basic_ack counts at once")

    def tx_commit(self) -> NoReturn:
        """Not there."""
        raise NotImplementedError("tx_commit is not there: each basic_publish and basic_ack counts at once")

    def tx_rollback(self) -> NoReturn:
        """Not there."""
        raise NotImplementedError("tx_rollback is not there: each basic_publish and basic_ack counts at once")

    def flow(self, active: bool) -> bool:
        """Returns True for True. There is no other flow control than prefetch."""
        if not active:
            raise NotImplementedError("flow(False) is not there, as in RabbitMQ: use basic_qos(prefetch_count=...)")
        return True

    def basic_recover(self, requeue: bool = False) -> None:
        """Gives all messages without an ack back to their queues. Only with requeue=True, as in RabbitMQ."""
        if not requeue:
            raise NotImplementedError("basic_recover(requeue=False) is not there, as in RabbitMQ: use requeue=True")
        self.basic_nack(0, multiple=True)
