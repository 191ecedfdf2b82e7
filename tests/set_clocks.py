"""Runs the command with clocks that a test sets while it runs: python -m tests.set_clocks FILE WORDS."""

from __future__ import annotations

import mmap
import struct
import sys
import time
from datetime import datetime
from pathlib import Path

_FORM = "qq"
_SECOND_NS = 10**9


class Clocks:
    """The clocks of a machine: by how much the one on the wall is set forward, and for how long the machine slept.

    Parameters
    ----------
    path : Path
        A file that is shared with the command.
    """

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(struct.calcsize(_FORM))
            self._memory = mmap.mmap(file.fileno(), 0)

    @property
    def set_ns(self) -> int:
        """By how many nanoseconds the wall clock was set forward."""
        return self._read()[0]

    @property
    def slept_ns(self) -> int:
        """For how many nanoseconds the machine slept."""
        return self._read()[1]

    def show(self, moment: datetime) -> None:
        """Set the wall clock."""
        self._write(round(moment.timestamp() * _SECOND_NS) - time.time_ns() - self.slept_ns, self.slept_ns)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._write(self.set_ns + round(seconds * _SECOND_NS), self.slept_ns)

    def sleep(self, seconds: float) -> None:
        """Have the machine sleep: that takes no time here."""
        self._write(self.set_ns, self.slept_ns + round(seconds * _SECOND_NS))

    def sleep_until(self, moment: datetime) -> None:
        """Have it sleep until the wall clock shows a time."""
        self.sleep(moment.timestamp() - (time.time_ns() + self.set_ns + self.slept_ns) / _SECOND_NS)

    def _read(self) -> tuple[int, int]:
        set_ns, slept_ns = struct.unpack(_FORM, self._memory[:])
        return set_ns, slept_ns

    def _write(self, set_ns: int, slept_ns: int) -> None:
        self._memory[:] = struct.pack(_FORM, set_ns, slept_ns)


def _main() -> None:
    clocks = Clocks(Path(sys.argv.pop(1)))
    wall_ns, clock_ns = time.time_ns, time.clock_gettime_ns
    time.time_ns = lambda: wall_ns() + clocks.set_ns + clocks.slept_ns
    time.clock_gettime_ns = lambda clock: clock_ns(clock) + clocks.slept_ns * (clock == time.CLOCK_BOOTTIME)
    from pastream_cli.__main__ import main

    main()


if __name__ == "__main__":
    _main()
