"""What the tests of the library's sources and sinks share: functions that fill a ring and empty it, and a length."""

from __future__ import annotations

import time
from typing import Any

from pastream_cli import engine as ps

FAST = "virtual:fast"
FRAMES = 5003


def fill(_stream: Any, ring: ps.RingBuffer, data: Any, loop: bool) -> None:
    """Write all of `data` into the ring, again and again where it is to be looped."""
    rest = memoryview(data).cast("B")
    while rest:
        written = ring.write(rest) * ring.elementsize
        rest = rest[written:]
        if not written:
            time.sleep(0.001)
    assert not loop


def drain(stream: Any, ring: ps.RingBuffer, parts: list[bytes], word: str = "") -> None:
    """Take all that comes, until the stream has ended and the ring is empty."""
    while stream.active or ring.read_available:
        parts.append(bytes(ring.read()))
        time.sleep(0.001)
    parts.append(word.encode())
