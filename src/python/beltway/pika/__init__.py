"""pika's blocking API on Beltway: programs written for RabbitMQ and pika run on shared memory.

Use it by one changed import, or without any change:

    import beltway.pika as pika
    python3 -m beltway.pika SCRIPT.py ARGS...

Queues are Beltway queues of the same names, so programs in other languages can be at the other end. The page
examples/PIKA.md says what is the same, what differs, and what is not there. Calls that are not there raise
NotImplementedError and name themselves.
"""

import logging as _logging

from . import adapters, channel, connection, credentials, delivery_mode, exceptions, exchange_type, frame, spec
from .adapters import BlockingConnection, SelectConnection
from .connection import ConnectionParameters, SSLOptions, URLParameters
from .credentials import PlainCredentials
from .delivery_mode import DeliveryMode
from .spec import BasicProperties
from ._warnings import IgnoredWarning

#: The version of pika that the calls are modelled on.
__version__ = "1.2.0"

_logging.getLogger(__name__).addHandler(_logging.NullHandler())

__all__ = ["BasicProperties", "BlockingConnection", "ConnectionParameters", "DeliveryMode", "IgnoredWarning",
           "PlainCredentials", "SSLOptions", "SelectConnection", "URLParameters", "adapters", "channel", "connection",
           "credentials", "delivery_mode", "exceptions", "exchange_type", "frame", "spec"]
