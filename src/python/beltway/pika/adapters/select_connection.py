"""The name pika.adapters.select_connection.SelectConnection, which raises NotImplementedError when it is used."""

from . import SelectConnection

__all__ = ["SelectConnection"]
