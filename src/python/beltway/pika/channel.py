"""The name `pika.channel.Channel`, for annotations of types: channels are BlockingChannel."""

from .adapters.blocking_connection import BlockingChannel as Channel

MAX_CHANNELS = 65535

__all__ = ["Channel", "MAX_CHANNELS"]
