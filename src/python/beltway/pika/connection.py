"""Where and how to connect. Beltway is on this machine: of all parameters few mean something here."""

from __future__ import annotations

import ipaddress
import numbers
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .credentials import ExternalCredentials, PlainCredentials
from .exceptions import AMQPConnectionError


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, but got {value!r}")
    return value


def _port(name: str, value: Any) -> Any:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an int, but got {value!r}") from None


def _count(least: int, most: int | None = None) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an int, but got {value!r}")
        if int(value) < least or (most is not None and int(value) > most):
            raise ValueError(f"{name} must be {least} or more{f' and at most {most}' if most else ''}, but got {value!r}")
        return value

    return check


def _seconds(zero: bool, none: bool) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if value is None and none:
            return None
        if not isinstance(value, numbers.Real):
            raise TypeError(f"{name} must be a number of seconds{' or None' if none else ''}, but got {value!r}")
        if not (float(value) >= 0 if zero else float(value) > 0):
            raise ValueError(f"{name} must be {'>=' if zero else '>'} 0, but got {value!r}")
        return value

    return check


def _heartbeat(name: str, value: Any) -> Any:
    if value is None or callable(value):
        return value
    if not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an int or a callable function, but got {value!r}")
    if int(value) < 0:
        raise ValueError(f"{name} must be >= 0, but got {value!r}")
    return value


def _dict_or_none(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"{name} must be a dict or None, but got {value!r}")
    return value


def _credentials(name: str, value: Any) -> Any:
    if not isinstance(value, (PlainCredentials, ExternalCredentials)):
        raise TypeError(f"{name} must be PlainCredentials or ExternalCredentials, but got {value!r}")
    return value


#: What a parameter may be, also of those that are ignored: a script with a mistake fails as it does with pika.
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "host": _text, "port": _port, "virtual_host": _text, "credentials": _credentials, "channel_max": _count(1, 65535),
    "frame_max": _count(4096, 131072), "heartbeat": _heartbeat, "connection_attempts": _count(1),
    "retry_delay": _seconds(zero=True, none=False), "socket_timeout": _seconds(zero=False, none=True),
    "stack_timeout": _seconds(zero=False, none=True), "locale": _text,
    "blocked_connection_timeout": _seconds(zero=True, none=True), "client_properties": _dict_or_none,
    "tcp_options": _dict_or_none,
}


class Parameters:
    """All parameters of a connection, with their defaults. A value of a wrong type or range raises TypeError or ValueError."""

    DEFAULT_HOST = "localhost"
    DEFAULT_PORT = 5672
    DEFAULT_SSL_PORT = 5671
    DEFAULT_VIRTUAL_HOST = "/"
    DEFAULT_BLOCKED_CONNECTION_TIMEOUT = 60.0  #: seconds that a publish waits for room; pika's own is None

    def __init__(self) -> None:
        self.host: str = self.DEFAULT_HOST  #: must be this machine
        self.port: int = self.DEFAULT_PORT  #: ignored
        self.virtual_host = self.DEFAULT_VIRTUAL_HOST  #: queues of other virtual hosts are other queues
        self.credentials: Any = PlainCredentials("guest", "guest")  #: ignored with a warning
        self.channel_max = 65535
        self.frame_max = 131072
        self.heartbeat: Any = None  #: ignored: there are no heartbeats
        self.ssl_options: Any = None
        self.connection_attempts = 1
        self.retry_delay = 2.0  #: seconds between attempts
        self.socket_timeout: float | None = 10.0  #: seconds that the daemon may take for an answer
        self.stack_timeout: float | None = 15.0
        self.locale = "en_US"
        #: Seconds that a publish to a full queue waits. Then it raises ConnectionBlockedTimeout. None: forever.
        self.blocked_connection_timeout: float | None = self.DEFAULT_BLOCKED_CONNECTION_TIMEOUT
        self.client_properties: Any = None
        self.tcp_options: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        check = _CHECKS.get(name)
        super().__setattr__(name, value if check is None else check(name, value))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} host={self.host} port={self.port} virtual_host={self.virtual_host}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        return vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


_DEFAULT: Any = object()


class ConnectionParameters(Parameters):
    """Parameters one by one."""

    _DEFAULT = _DEFAULT

    def __init__(self, host: Any = _DEFAULT, port: Any = _DEFAULT, virtual_host: Any = _DEFAULT, credentials: Any = _DEFAULT,
                 channel_max: Any = _DEFAULT, frame_max: Any = _DEFAULT, heartbeat: Any = _DEFAULT,
                 ssl_options: Any = _DEFAULT, connection_attempts: Any = _DEFAULT, retry_delay: Any = _DEFAULT,
                 socket_timeout: Any = _DEFAULT, stack_timeout: Any = _DEFAULT, locale: Any = _DEFAULT,
                 blocked_connection_timeout: Any = _DEFAULT, client_properties: Any = _DEFAULT,
                 tcp_options: Any = _DEFAULT, **kwargs: Any) -> None:
        given = {name: value for name, value in locals().items() if value is not _DEFAULT}
        if kwargs:
            raise TypeError(f"unexpected kwargs: {kwargs!r}")
        super().__init__()
        for name in vars(self):
            if name in given:
                setattr(self, name, given[name])


class URLParameters(Parameters):
    """Parameters of a URL: amqp://user:password@host:port/virtual_host?name=value, as pika reads it."""

    _NUMBERS = ("blocked_connection_timeout", "retry_delay", "socket_timeout", "stack_timeout")
    _COUNTS = ("channel_max", "connection_attempts", "frame_max", "heartbeat")

    def __init__(self, url: str) -> None:
        super().__init__()
        if url[:4].lower() == "amqp":
            url = "http" + url[4:]  # so that the parts are split as those of a web address
        parts = urlsplit(url)
        if parts.scheme == "https":
            self.ssl_options = True
            self.port = self.DEFAULT_SSL_PORT
        elif parts.scheme != "http":
            raise ValueError(f"Unexpected URL scheme {parts.scheme!r}; supported scheme values: amqp, amqps")
        if parts.hostname is not None:
            self.host = parts.hostname
        if parts.port is not None:
            self.port = parts.port
        if parts.username is not None:
            self.credentials = PlainCredentials(unquote(parts.username), unquote(parts.password or ""))
        if len(parts.path) > 1:
            self.virtual_host = unquote(parts.path.split("/")[1])
        for name, values in parse_qs(parts.query).items():
            if len(values) > 1:
                raise ValueError(f"{name}: more than one value in the URL")
            if name in self._NUMBERS:
                setattr(self, name, float(values[0]))
            elif name in self._COUNTS:
                setattr(self, name, int(values[0]))
            elif name == "locale":
                self.locale = values[0]
            elif name == "ssl_options":
                self.ssl_options = values[0]


class SSLOptions:
    """TLS. A connection with it raises NotImplementedError: no message leaves the machine."""

    def __init__(self, context: object = None, server_hostname: str | None = None) -> None:
        self.context = context
        self.server_hostname = server_hostname


def _is_here(address: str) -> bool:
    """True for an address of this machine: a socket can be bound to it."""
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return True
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
            return True
        except OSError:
            return False


def check_host(parameters: Parameters) -> None:
    """Raises if the parameters ask for another machine, or for encryption."""
    host = parameters.host
    if parameters.ssl_options is not None:
        raise NotImplementedError("ssl_options: Beltway is shared memory, there is nothing to encrypt. Leave them out, and "
                                  "begin the URL with amqp:// instead of amqps://.")
    if host in ("", "localhost", socket.gethostname()):
        return
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        addresses = set()
    if not any(_is_here(address) for address in addresses):
        raise AMQPConnectionError(
            f"host {host!r} is not this machine. beltway.pika connects to Beltway in the shared memory of this machine only: "
            f"use host='localhost', or run this program with the real pika.")
