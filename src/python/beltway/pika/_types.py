"""Types of the arguments and results of pika's calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import beltway

Body: TypeAlias = str | bytes | bytearray | memoryview
#: Called with the channel, the method, the properties and the body.
MessageCallback: TypeAlias = Callable[[Any, Any, Any, bytes], object]
#: Method, properties and body; or None three times.
Received: TypeAlias = tuple[Any, Any, Any]
#: The ring of a queue or of an exchange, and the producer of it.
Entry: TypeAlias = "tuple[beltway.Queue, beltway.Producer]"
