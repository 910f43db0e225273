"""AMQP's properties of a message as those of Beltway, and back.

What both have goes into the field of that name: content_type, correlation_id, reply_to, headers, timestamp (publish_time). The
routing key of a message of an exchange is its key. `expiration` also becomes the ttl. Everything else becomes a header
"amqp.FIELD". Header values that are no str are JSON texts; the header "amqp.json" lists them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import beltway

from . import _names
from .exceptions import ShortStringTooLong, UnsupportedAMQPFieldException
from .spec import BasicProperties

_OWN = "amqp."
_JSON = "amqp.json"
_TEXTS = ("content_encoding", "expiration", "message_id", "type", "user_id", "app_id", "cluster_id")
_NUMBERS = ("delivery_mode", "priority")
_SHORT_STRING_BYTES = 255

#: RabbitMQ's names of the reasons for a dead letter.
_REASONS = {"rejected": "rejected", "expired": "expired", "too_many_deliveries": "delivery_limit",
            "lease_over": "delivery_limit"}


def _tagged(value: Any) -> Any:
    """What JSON has not."""
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$time": int(value.timestamp())}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    raise UnsupportedAMQPFieldException(f"a header has a value of type {type(value).__name__}: {value!r}; use str, int, bool, "
                                        f"bytes, datetime, Decimal, list, dict or None")


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$time" in value:
            return datetime.fromtimestamp(value["$time"], timezone.utc).replace(tzinfo=None)
        if "$decimal" in value:
            return Decimal(value["$decimal"])
    return value


def _short(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str, but got {value!r}")
    if len(value.encode()) > _SHORT_STRING_BYTES:
        raise ShortStringTooLong(value)
    return value


def _encode_headers(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of a name and a text, and the header that tells which are JSON."""
    pairs, as_json = [], []
    for name, value in headers.items():
        name = _short("the name of a header", name)
        if name.startswith(_OWN):
            raise ValueError(f"header {name!r}: names that begin with {_OWN!r} are those of beltway.pika itself")
        if not isinstance(value, str):
            value = json.dumps(value, default=_tagged)
            as_json.append(name)
        pairs.append((name, value))
    if as_json or not pairs:
        pairs.append((_JSON, json.dumps(as_json)))
    return pairs


def _ttl(expiration: str) -> float:
    """Seconds; at least a microsecond, since 0 is none."""
    if not _short("expiration", expiration).isdecimal():
        raise ValueError(f"expiration {expiration!r} is no number of milliseconds, such as '60000'")
    return max(int(expiration) / 1000, 1e-6)


def encode(properties: BasicProperties | None, routing_key: str = "") -> beltway.Properties | None:
    """The beltway.Properties of a message, or None if it has none."""
    if properties is None:
        return beltway.Properties(key=_short("routing_key", routing_key)) if routing_key else None
    fields: dict[str, Any] = {"key": _short("routing_key", routing_key)} if routing_key else {}
    pairs: list[tuple[str, str]] = []
    for name in ("content_type", "correlation_id", "reply_to"):
        value = getattr(properties, name)
        if value is not None:
            fields[name] = _short(name, value)
    for name in _TEXTS:
        value = getattr(properties, name)
        if value is not None:
            pairs.append((_OWN + name, _short(name, value)))
    for name in _NUMBERS:
        value = getattr(properties, name)
        if value is not None:
            pairs.append((_OWN + name, str(int(getattr(value, "value", value)))))
    if properties.headers is not None:
        pairs += _encode_headers(properties.headers)
    if properties.expiration is not None:
        fields["ttl"] = _ttl(properties.expiration)
    if properties.timestamp is not None:
        fields["publish_time"] = datetime.fromtimestamp(properties.timestamp, timezone.utc)
    if pairs:
        fields["headers"] = pairs
    return beltway.Properties(**fields) if fields else None


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _of_json(text: str) -> Any:
    """The value of a JSON text. A text that makes no sense, of another program, stays as it is."""
    try:
        return json.loads(text, object_hook=_untagged)
    except (ValueError, TypeError, ArithmeticError, OSError, RecursionError):
        return text


def _decode_headers(pairs: Any, got: BasicProperties) -> None:
    headers, as_json = {}, None
    for name, value in pairs:
        value = _text(value)
        field = name.removeprefix(_OWN)
        if name == _JSON:
            as_json = _of_json(value)
        elif field is not name and field in _TEXTS:
            setattr(got, field, value)
        elif field is not name and field in _NUMBERS and value.isdecimal():
            setattr(got, field, int(value))
        else:
            headers[name] = value
    for name in as_json if isinstance(as_json, list) else ():
        if isinstance(name, str) and isinstance(headers.get(name), str):
            headers[name] = _of_json(headers[name])
    if headers or as_json is not None:
        got.headers = headers


def _add_death(letter: beltway.DeadLetter, key: str, got: BasicProperties) -> None:
    """The headers that RabbitMQ gives to a dead letter."""
    exchange, queue = _names.origin(letter.queue, letter.group)
    reason = _REASONS.get(letter.reason, letter.reason)
    death = {"count": 1, "reason": reason, "queue": queue, "time": letter.last_time.replace(tzinfo=None), "exchange": exchange,
             "routing-keys": [key]}
    got.headers = {**(got.headers or {}), "x-death": [death], "x-first-death-exchange": exchange,
                   "x-first-death-queue": queue, "x-first-death-reason": reason}


def decode(message: beltway.Message) -> tuple[BasicProperties, str]:
    """The BasicProperties of a received message, and its routing key if it has one."""
    got = BasicProperties()
    if not message.has_properties:
        return got, ""
    properties = message.properties
    for name in ("content_type", "correlation_id", "reply_to"):
        value = getattr(properties, name)
        if value:
            setattr(got, name, value)
    if properties.headers:
        _decode_headers(properties.headers, got)
    if isinstance(properties.publish_time, datetime):
        got.timestamp = int(properties.publish_time.timestamp())
    key = properties.key
    if properties.dead_letter is not None:
        key = key or _names.origin(properties.dead_letter.queue, properties.dead_letter.group)[1]
        _add_death(properties.dead_letter, key, got)
    return got, key
