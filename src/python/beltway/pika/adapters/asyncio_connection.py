"""The name pika.adapters.asyncio_connection.AsyncioConnection, which raises NotImplementedError when it is used."""

from . import AsyncioConnection

__all__ = ["AsyncioConnection"]
