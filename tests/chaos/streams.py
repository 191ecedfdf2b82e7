"""The other ends of a take's pipes: whoever reads what is recorded, and whoever writes what is played."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

F_SETPIPE_SZ = 1031
SMALLEST_PIPE = 4096


class Reader:
    """Reads a pipe, or a FIFO by its path, into a file until it ends; a thread of its own.

    Parameters
    ----------
    source : int or Path
        A descriptor, which becomes the reader's, or a FIFO, which is opened on the thread.
    target : Path
        Where the bytes go.
    """

    def __init__(self, source: int | Path, target: Path) -> None:
        self._source = source
        self._target = target
        self._paused_until = self._slow_until = self._nap_seconds = 0.0
        self._leaves = threading.Event()
        self._has_data = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def pause(self, seconds: float) -> None:
        """Read nothing for so many seconds from now."""
        self._paused_until = time.monotonic() + seconds

    def slow_down(self, seconds: float, bytes_per_second: int) -> None:
        """Read no more than so many bytes per second for so many seconds from now."""
        self._slow_until, self._nap_seconds = time.monotonic() + seconds, SMALLEST_PIPE / bytes_per_second

    def leave(self) -> None:
        """Close the pipe before its end."""
        self._leaves.set()

    @property
    def has_data(self) -> bool:
        """Whether something has come out of the pipe."""
        return self._has_data.is_set()

    def join(self, seconds: float) -> bool:
        """Wait until the pipe has ended; tell whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _read(self) -> None:
        pipe = self._source if isinstance(self._source, int) else os.open(self._source, os.O_RDONLY)
        with suppress(OSError):
            fcntl.fcntl(pipe, F_SETPIPE_SZ, SMALLEST_PIPE)
        with open(self._target, "wb") as target:
            while not self._leaves.is_set():
                if time.monotonic() < self._paused_until:
                    time.sleep(0.01)
                    continue
                is_slow = time.monotonic() < self._slow_until
                if is_slow:
                    time.sleep(self._nap_seconds)
                chunk = os.read(pipe, SMALLEST_PIPE if is_slow else 1 << 16)
                if not chunk:
                    break
                target.write(chunk)
                self._has_data.set()
        os.close(pipe)


class Feeder:
    """Writes a sound file into a pipe about as fast as it is played; a thread of its own.

    Parameters
    ----------
    pipe : int
        A descriptor, which becomes the feeder's.
    data : bytes
        The file.
    bytes_per_second : int
        Of its sound.
    """

    AHEAD_SECONDS = 0.8

    def __init__(self, pipe: int, data: bytes, bytes_per_second: int) -> None:
        self._pipe = pipe
        self._data = data
        self._bytes_per_second = bytes_per_second
        self._paused_until = 0.0
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def pause(self, seconds: float) -> None:
        """Write nothing for so many seconds from now."""
        self._paused_until = time.monotonic() + seconds

    def _feed(self) -> None:
        begun = time.monotonic() - self.AHEAD_SECONDS
        written = 0
        with suppress(BrokenPipeError):
            while written < len(self._data):
                now = time.monotonic()
                due = int((now - begun) * self._bytes_per_second)
                if now < self._paused_until or due <= written:
                    time.sleep(0.01)
                    continue
                written += os.write(self._pipe, self._data[written : min(due, written + SMALLEST_PIPE)])
        os.close(self._pipe)
