"""The kinds of exchanges. Beltway has fanout exchanges."""

from enum import Enum


class ExchangeType(Enum):
    """What Channel.exchange_declare() takes. All but fanout raise NotImplementedError there."""

    direct = "direct"
    fanout = "fanout"
    headers = "headers"
    topic = "topic"
