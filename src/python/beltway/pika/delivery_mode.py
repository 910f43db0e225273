"""Whether a message outlives its broker. Beltway keeps the mark and reads it not: a queue ends with its machine."""

from enum import Enum


class DeliveryMode(Enum):
    """The values of BasicProperties.delivery_mode."""

    Transient = 1
    Persistent = 2
