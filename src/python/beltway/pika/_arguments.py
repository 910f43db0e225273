"""The arguments of queue_declare as options of a Beltway queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _names

#: The options of every queue that beltway.pika makes. A program may declare the queue with others before.
SLOTS = 16384
LANE_BYTES = 2 << 20
#: Dead letters are larger than the messages. A queue takes those of an exchange, an exchange those of a queue that has some.
DEAD_LETTER_ROOM = 64 << 10
DEFAULTS: dict[str, Any] = {"slots": SLOTS, "lane_bytes": LANE_BYTES + DEAD_LETTER_ROOM, "max_producers": 32,
                            "max_consumers": 64, "max_groups": 8, "retry_delay": 0, "retry_delay_max": 0, "discard": True}
EXCHANGE: dict[str, Any] = {**DEFAULTS, "lane_bytes": LANE_BYTES + DEAD_LETTER_ROOM // 2, "max_groups": 64, "stamps": "coarse"}

#: Of these a group in an exchange takes the values of its queue.
OF_GROUPS = ("ttl", "dead_letter", "max_deliveries", "drop_oldest")

_IGNORED = {"x-queue-mode", "x-queue-version", "x-queue-master-locator", "x-max-in-memory-length"}
_OWN = "x-beltway-"
_LEAST_EXPIRY_S = 1.0
_MOST_DELIVERIES = 255


def _number(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"queue_declare: {name} must be an int of at least {least}, but is {value!r}")
    return value


def _dead_letter(arguments: Mapping[str, Any], virtual_host: str) -> str:
    """The Beltway queue that dead letters go to."""
    exchange = arguments["x-dead-letter-exchange"]
    key = arguments.get("x-dead-letter-routing-key")
    if exchange:
        if key is not None:
            raise NotImplementedError("queue_declare(x-dead-letter-routing-key) with a fanout exchange is not there: leave the "
                                      "routing key out")
        return _names.exchange(exchange, virtual_host)
    if not key:
        raise NotImplementedError("queue_declare(x-dead-letter-exchange='') without x-dead-letter-routing-key is not there: name "
                                  "the queue for dead letters, since messages cannot go back to their own queue")
    return _names.queue(key, virtual_host)


def options(arguments: Mapping[str, Any] | None, virtual_host: str) -> dict[str, Any]:
    """Options of Beltway for a dict of arguments. NotImplementedError names an argument that is not there."""
    result: dict[str, Any] = {}
    arguments = arguments or {}
    for name, value in arguments.items():
        if name == "x-message-ttl":
            result["ttl"] = _number(name, value, 1) / 1000
        elif name == "x-expires":
            result["expire_after"] = max(_number(name, value, 1) / 1000, _LEAST_EXPIRY_S)
        elif name == "x-max-length":
            result["drop_oldest"] = _number(name, value, 1)
            if value > arguments.get("x-beltway-slots", SLOTS):
                raise ValueError(f"queue_declare: x-max-length {value} is above the slots of the queue; pass as many by "
                                 f"x-beltway-slots, a power of two")
        elif name == "x-delivery-limit":
            result["max_deliveries"] = min(_number(name, value, 0) + 1, _MOST_DELIVERIES)
        elif name == "x-dead-letter-exchange":
            result["dead_letter"] = _dead_letter(arguments, virtual_host)
        elif name == "x-dead-letter-routing-key":
            if "x-dead-letter-exchange" not in arguments:
                raise ValueError("queue_declare: x-dead-letter-routing-key needs x-dead-letter-exchange")
        elif name == "x-queue-type" and value in ("classic", "quorum"):
            pass  # what this asks for, a copy on disk or on other machines, is warned of with `durable`
        elif name == "x-overflow" and value == "drop-head":
            pass
        elif name.startswith(_OWN):
            result.update(own({name: value}))
        elif name not in _IGNORED:
            raise NotImplementedError(f"queue_declare(arguments={{{name!r}: {value!r}}}) is not there. There are x-message-ttl, "
                                      f"x-expires, x-max-length, x-delivery-limit and x-dead-letter-exchange.")
    return result


def own(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are options of Beltway: x-beltway-lane-bytes is lane_bytes."""
    return {name.removeprefix(_OWN).replace("-", "_"): value for name, value in arguments.items() if name.startswith(_OWN)}


def of_new_queue(said: dict[str, Any]) -> dict[str, Any]:
    """All options of a queue that is made with the given ones."""
    room = {"lane_bytes": LANE_BYTES} if "dead_letter" in said else {}
    return {**DEFAULTS, **room, **said}
