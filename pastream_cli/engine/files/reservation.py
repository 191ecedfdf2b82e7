"""Room on the disk, reserved for what is yet to be written to a file, and given back at its end."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from pastream_cli.engine.native import lib

_AHEAD_SECONDS = 60
_STEP_BYTES = 2**26
_LONGEST_SECONDS = 0.1
"""How long one call may take: the thread that reserves also puts files in their places."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Reservation:
    """The room of one file: all of it where the length is known, else at least a minute ahead of the writer.

    The file does not become longer by it, so after a crash there are no zeros behind the sound. Every call may block
    with the disk; none raises.

    Parameters
    ----------
    descriptor : int
        The file; it stays the caller's.
    bytes_per_second : int
        What the sound needs, or more.
    whole_bytes : int, optional
        What all of the file needs, where that is known.
    """

    def __init__(self, descriptor: int, bytes_per_second: int, whole_bytes: int | None) -> None:
        self._descriptor = descriptor
        self._minute_bytes = _AHEAD_SECONDS * bytes_per_second
        self._whole_bytes = whole_bytes
        self._end = 0
        self._is_possible = True

    def ahead_bytes(self, size: int) -> int:
        """Return how much room a file of that size has left of its own."""
        return max(0, self._end - size)

    def extend(self, size: int, room_bytes: int) -> None:
        """Reserve what a file of that size needs next, of so much room on its disk.

        What does not fit is reserved minute by minute: a take that will not fit must not fill a disk before its time.
        """
        whole = self._whole_bytes
        if whole is not None and whole - max(size, self._end) < room_bytes:
            self._reserve(size, whole)
        elif self.ahead_bytes(size) < self._minute_bytes:
            self._reserve(size, size + 2 * self._minute_bytes)

    def _reserve(self, size: int, end: int) -> None:
        until = time.monotonic() + _LONGEST_SECONDS
        begin = max(size, self._end)
        # in steps, because the writer waits while the file system looks for room
        while self._is_possible and begin < end and time.monotonic() < until:
            step = min(_STEP_BYTES, end - begin)
            if error := lib.file_reserve(self._descriptor, begin, step):
                self._is_possible = error in _FULL  # a full disk may be given room
                return
            begin = self._end = begin + step

    def give_back(self) -> None:
        """Give back what the file, which nobody writes to any more, has not used."""
        with suppress(OSError):
            size = os.fstat(self._descriptor).st_size
            if self.ahead_bytes(size):
                os.ftruncate(self._descriptor, size)
