"""The ways to run a connection. Beltway has the blocking one."""

from __future__ import annotations

from . import blocking_connection
from .blocking_connection import BlockingConnection


class _Missing:
    def __init__(self, *_arguments: object, **_options: object) -> None:
        raise NotImplementedError(f"{type(self).__name__} is not there: use BlockingConnection, or beltway.aio with asyncio.")


class BaseConnection(_Missing):
    """Not there: raises NotImplementedError."""


class SelectConnection(_Missing):
    """Not there: raises NotImplementedError."""


class AsyncioConnection(_Missing):
    """Not there: raises NotImplementedError."""


from . import asyncio_connection, select_connection  # noqa: E402: they import the classes above

__all__ = ["AsyncioConnection", "BaseConnection", "BlockingConnection", "SelectConnection",
           "asyncio_connection", "blocking_connection", "select_connection"]
