"""Pipes that are fed with bytes by a thread."""

from __future__ import annotations

import os
import threading


def fed(data: bytes, parts: int = 1 << 16) -> int:
    """Return a pipe through which the data come, so many bytes at a time."""
    source, feed = os.pipe()

    def write() -> None:
        with open(feed, "wb", buffering=0) as pipe:
            pipe.writelines(data[start : start + parts] for start in range(0, len(data), parts))

    threading.Thread(target=write).start()
    return source
