"""Names of AMQP as names of Beltway.

A queue has the same name, an exchange NAME is the queue "exchange/NAME", a virtual host is a prefix. Names with characters that
Beltway has not, and names that would be mistaken for those above, are written "quoted/..." with each such byte as "-xx".
"""

from __future__ import annotations

import base64
import re
import uuid

_PLAIN = re.compile(r"[A-Za-z0-9._/-]+\Z")
_EXCHANGE, _QUOTED, _VIRTUAL_HOST = "exchange/", "quoted/", "vhost/"
_RESERVED = (_EXCHANGE, _QUOTED, _VIRTUAL_HOST)
_MOST_BYTES = 255


def _written(name: str) -> str:
    """The name in the characters of Beltway."""
    if _PLAIN.match(name) and not name.startswith(_RESERVED):
        return name
    letters = (chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or byte in b"._/") else f"-{byte:02x}"
               for byte in name.encode())
    return _QUOTED + "".join(letters)


def _read(name: str) -> str:
    if not name.startswith(_QUOTED):
        return name
    parts = re.sub(r"-([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name.removeprefix(_QUOTED))
    return parts.encode("latin-1").decode("utf-8", "replace")


def _prefix(virtual_host: str) -> str:
    return "" if virtual_host in ("/", "") else f"{_VIRTUAL_HOST}{_written(virtual_host).replace('/', '-2f')}/"


def _checked(name: str, what: str) -> str:
    if len(name) > _MOST_BYTES:
        raise ValueError(f"{what} is too long for Beltway: {name!r}; the limit is {_MOST_BYTES} characters")
    return name


def queue(name: str, virtual_host: str) -> str:
    """The Beltway queue of a queue, which is also the name of its group in an exchange."""
    return _checked(_prefix(virtual_host) + _written(name), "the name of the queue")


def exchange(name: str, virtual_host: str) -> str:
    """The Beltway queue of an exchange."""
    return _checked(_prefix(virtual_host) + _EXCHANGE + _written(name), "the name of the exchange")


def is_exchange(beltway_name: str, virtual_host: str) -> bool:
    """True for the Beltway queue of an exchange of this virtual host."""
    return beltway_name.startswith(_prefix(virtual_host) + _EXCHANGE)


def exchange_name(beltway_name: str, virtual_host: str) -> str:
    """The name of the exchange that is this Beltway queue."""
    return _read(beltway_name.removeprefix(_prefix(virtual_host) + _EXCHANGE))


def origin(beltway_name: str, group: str) -> tuple[str, str]:
    """Exchange and queue where a message was: of the names of a Beltway queue and a group in it."""
    parts = beltway_name.split("/", 2)
    if parts[0] == _VIRTUAL_HOST[:-1] and len(parts) == 3:
        beltway_name, group = parts[2], group.split("/", 2)[-1]
    if beltway_name.startswith(_EXCHANGE):
        return _read(beltway_name.removeprefix(_EXCHANGE)), _read(group)
    return "", _read(beltway_name)


def generated() -> str:
    """A name for a queue, as RabbitMQ makes them."""
    return "amq.gen-" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
