"""Errors of Beltway as exceptions of pika, and checks of arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import beltway

from .exceptions import (AMQPChannelError, AMQPConnectionError, AMQPError, ChannelClosedByBroker, ConnectionBlockedTimeout,
                         IncompatibleProtocolError)

P = ParamSpec("P")
R = TypeVar("R")

_CODES = {
    "no_permission": (403, "ACCESS_REFUSED"),
    "not_found": (404, "NOT_FOUND"),
    "removed": (404, "NOT_FOUND"),
    "already_exists": (406, "PRECONDITION_FAILED"),
    "invalid_option": (406, "PRECONDITION_FAILED"),
    "misuse": (406, "PRECONDITION_FAILED"),
    "wrong_type": (406, "PRECONDITION_FAILED"),
    "too_large": (406, "PRECONDITION_FAILED"),
    "limit_reached": (506, "RESOURCE_ERROR"),
}


def of_connection(error: beltway.Error) -> AMQPConnectionError:
    """The exception of pika for a connection that cannot be made, or that does not answer."""
    if error.reason in ("protocol", "incompatible"):
        return IncompatibleProtocolError(str(error))
    return AMQPConnectionError(str(error))


def of_call(error: beltway.Error) -> AMQPError:
    """The exception of pika for a call that failed. The text is that of the library."""
    if error.reason in ("no_daemon", "protocol", "incompatible"):
        return of_connection(error)
    if error.reason in _CODES:
        code, text = _CODES[error.reason]
        return ChannelClosedByBroker(code, f"{text} - {error}")
    return AMQPChannelError(str(error))


def on_open_channel(call: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Of a method of a channel: it needs an open channel, and a failure closes the channel, as RabbitMQ does."""

    @functools.wraps(call)
    def checked(channel: Any, /, *arguments: P.args, **options: P.kwargs) -> R:
        channel._check_open()
        try:
            return call(channel, *arguments, **options)
        except beltway.Forked:
            raise
        except beltway.Error as error:
            failure = of_call(error)
            if isinstance(failure, ChannelClosedByBroker):
                channel._release(failure)
            raise failure from error
        except ChannelClosedByBroker as failure:
            channel._release(failure)
            raise
        except ConnectionBlockedTimeout:
            channel.connection.close()
            raise

    return checked


def require_string(value: object, name: str) -> None:
    """TypeError if a name is no str."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, but got {value!r}")


def require_number(value: object, name: str, least: int, most: int) -> None:
    """TypeError or ValueError if an argument is no int from `least` to `most`."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, but got {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be {least} to {most}, but got {value!r}")


def require_callback(callback: object, name: str = "callback") -> None:
    """TypeError if it cannot be called."""
    if not callable(callback):
        raise TypeError(f"{name} must be callable, but got {callback!r}")
