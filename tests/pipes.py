"""Pipes: fed with bytes by a thread, played, behind other programs; and FIFOs that are read once something comes."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO

from tests.homes import need
from tests.runner import Pastream
from tests.sounds import Samples, read


def fed(data: bytes, parts: int = 1 << 16) -> int:
    """Return a pipe through which the data come, so many bytes at a time."""
    source, feed = os.pipe()

    def write() -> None:
        with open(feed, "wb", buffering=0) as pipe:
            pipe.writelines(data[start : start + parts] for start in range(0, len(data), parts))

    threading.Thread(target=write).start()
    return source


def reader_of(fifo: Path, seconds: float = 30) -> BinaryIO:
    """Open a FIFO when there is something to read: a plain open would wait for ever for a command that has failed."""
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    source = os.fdopen(descriptor, "rb")
    if not select.select([descriptor], [], [], seconds)[0]:
        source.close()
        raise TimeoutError(f"nothing came through {fifo.name} for {seconds:g} s")
    os.set_blocking(descriptor, True)
    return source


def run(*command: str, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    """Run another program to its end, and return what it writes."""
    need(command[0])
    return subprocess.run(command, input=stdin, capture_output=True, check=True, cwd=cwd).stdout


def played(pastream: Pastream, stream: bytes, *options: str) -> Samples:
    """Return what is heard when these bytes come through a pipe."""
    result = pastream("-", "heard.wav", "-y", *options, "-D", "virtual:fast", stdin=stream)
    assert result.returncode == 0, result.stderr
    return read(pastream.folder / "heard.wav")
