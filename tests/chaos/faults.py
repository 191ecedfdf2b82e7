"""What is done to a take, each at its moment: how it strikes, whom it hinders, which exit codes it excuses."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from tests.chaos.streams import Feeder, Reader
from tests.servers import PulseServer, Server

SECONDS_TO_STOP = 10.0
"""After it a process that was to be stopped is not going to be: it has ended, or holds its own lock."""

DISK_BYTES = 24 << 20
"""Of the disk that a take is alone on which is to be filled."""


class Missed(Exception):  # noqa: N818 - it is no error
    """A fault found nothing that it could strike."""


class Victim(Protocol):
    """A take under way, as faults see it."""

    process: subprocess.Popen[bytes]
    folder: Path
    reader: Reader
    feeder: Feeder | None
    server: Server | None

    @property
    def has_own_disk(self) -> bool:
        """Whether nothing else is on the disk of its folder."""

    def is_over(self) -> bool:
        """Tell whether the process has ended."""

    def hold_the_lock(self, seconds: float) -> None:
        """Have a thread of the take hold the interpreter's lock."""

    def switch(self, fault: Fault) -> Path:
        """Return the file that a fault of the disk waits for."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, `at` seconds after the take began to listen to signals, for so many `seconds`."""

    at: float
    seconds: float = 0.0

    exit_codes: ClassVar[frozenset[int]] = frozenset()
    """Beside 0, what a take may end with that met it."""
    stops_device: ClassVar[bool] = False
    """Whether no frame is captured or played meanwhile."""
    stops_writer: ClassVar[bool] = False
    """Whether the output takes no data meanwhile."""
    stops_reader: ClassVar[bool] = False
    """Whether the input gives no data meanwhile."""
    stops_python: ClassVar[bool] = False
    """Whether no signal is answered and no file made meanwhile."""
    stops_take: ClassVar[bool] = False
    """Whether the process of the take stands still meanwhile: with it the virtual device does, a real one does not."""
    takes_device: ClassVar[bool] = False
    """Whether a real device may be away after it, until it is opened again."""

    @property
    def kind(self) -> str:
        """What it is counted as."""
        return type(self).__name__

    def strike(self, victim: Victim) -> None:
        """Do it; return when it is over or goes on by itself. `Missed` is raised where there was nothing to strike."""


MOVED = "moved-"
"""What stands before the name of a file that another program has moved."""


def files_of_take(folder: Path) -> list[Path]:
    """Return the files that a take has made, wherever another program has put them."""
    return [*folder.glob("take*"), *folder.glob(f"{MOVED}*")]


# ---- signals ----


@dataclass(frozen=True, kw_only=True)
class Kill(Fault):
    """Kill -9."""

    exit_codes = frozenset({-signal.SIGKILL})

    def strike(self, victim: Victim) -> None:
        victim.process.kill()


@dataclass(frozen=True, kw_only=True)
class Stop(Fault):
    """INT, TERM or HUP."""

    number: signal.Signals

    @property
    def kind(self) -> str:
        return f"Stop {self.number.name[3:]}"

    def strike(self, victim: Victim) -> None:
        victim.process.send_signal(self.number)


@dataclass(frozen=True, kw_only=True)
class StopTwice(Stop):
    """The same, and INT or TERM so many seconds later."""

    exit_codes = frozenset({130})
    second: signal.Signals

    @property
    def kind(self) -> str:
        return "Stop twice"

    def strike(self, victim: Victim) -> None:
        super().strike(victim)
        time.sleep(self.seconds)
        victim.process.send_signal(self.second)


@dataclass(frozen=True, kw_only=True)
class StopThrice(StopTwice):
    """And once more, which is answered at once."""

    @property
    def kind(self) -> str:
        return "Stop thrice"

    def strike(self, victim: Victim) -> None:
        super().strike(victim)
        victim.process.send_signal(self.second)


@dataclass(frozen=True, kw_only=True)
class EarlyStop(Stop):
    """INT, TERM or HUP so many seconds after the start, before the handlers stand or while they are set up."""

    exit_codes = frozenset({-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP})

    @property
    def kind(self) -> str:
        return "Stop early"


@dataclass(frozen=True, kw_only=True)
class Cut(Fault):
    """USR1: the next piece."""

    def strike(self, victim: Victim) -> None:
        victim.process.send_signal(signal.SIGUSR1)


@dataclass(frozen=True, kw_only=True)
class Freeze(Fault):
    """STOP or TSTP, and CONT after so many seconds."""

    stops_take = stops_writer = stops_reader = stops_python = True
    number: signal.Signals

    @property
    def kind(self) -> str:
        return f"Freeze {self.number.name[3:]}"

    def strike(self, victim: Victim) -> None:
        victim.process.send_signal(self.number)
        deadline = time.monotonic() + SECONDS_TO_STOP
        while not is_stopped(victim.process.pid) and not victim.is_over() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not victim.is_over():
            time.sleep(self.seconds)
            victim.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True, kw_only=True)
class ShortStops(Fault):
    """STOP and CONT, so many times for so many seconds, with as long between them."""

    stops_take = stops_writer = stops_reader = stops_python = True
    count: int
    each_seconds: float

    @property
    def kind(self) -> str:
        return "Short stops"

    def strike(self, victim: Victim) -> None:
        for _ in range(self.count):
            if victim.is_over():
                return
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(self.each_seconds)
            victim.process.send_signal(signal.SIGCONT)
            time.sleep(self.each_seconds)


def is_stopped(pid: int) -> bool:
    """Tell whether a process is stopped by a signal."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


# ---- streams ----


@dataclass(frozen=True, kw_only=True)
class ReaderStall(Fault):
    """Whoever reads the recording from a pipe reads nothing for a while, as a disk that stalls."""

    stops_writer = True

    def strike(self, victim: Victim) -> None:
        victim.reader.pause(self.seconds)


@dataclass(frozen=True, kw_only=True)
class SlowReader(Fault):
    """Whoever reads the recording from a pipe reads so many bytes in a second, for a while."""

    stops_writer = True
    bytes_per_second: int

    def strike(self, victim: Victim) -> None:
        victim.reader.slow_down(self.seconds, self.bytes_per_second)


@dataclass(frozen=True, kw_only=True)
class ReaderLeaves(Fault):
    """Whoever reads the recording from a pipe goes away: 141 for standard output, 4 for a FIFO."""

    exit_codes = frozenset({4, 141})

    def strike(self, victim: Victim) -> None:
        victim.reader.leave()


@dataclass(frozen=True, kw_only=True)
class FeederStall(Fault):
    """Whoever writes what is played into a pipe writes nothing for a while."""

    stops_reader = True

    def strike(self, victim: Victim) -> None:
        if victim.feeder:
            victim.feeder.pause(self.seconds)


# ---- machine ----


@dataclass(frozen=True, kw_only=True)
class HoldLock(Fault):
    """A thread of the take itself holds the interpreter's lock; `hog` does it."""

    stops_python = True

    def strike(self, victim: Victim) -> None:
        victim.hold_the_lock(self.seconds)


@dataclass(frozen=True, kw_only=True)
class BusyMachine(Fault):
    """Several processes that only compute."""

    count: int = 4

    def strike(self, victim: Victim) -> None:  # noqa: ARG002 - it is the machine that is struck
        for _ in range(self.count):
            code = f"import time\nend = time.monotonic() + {self.seconds}\nwhile time.monotonic() < end: pass"
            subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL)


@dataclass(frozen=True, kw_only=True)
class FullDisk(Fault):
    """Something else fills the disk; where the take has no disk of its own, its files may grow no more."""

    exit_codes = frozenset({4})

    def strike(self, victim: Victim) -> None:
        if victim.has_own_disk:
            status = os.statvfs(victim.folder)
            with open(victim.folder / "filler", "wb") as filler, suppress(OSError):
                os.posix_fallocate(filler.fileno(), 0, max(1, status.f_bavail) * status.f_frsize)
            return
        largest = max((path.stat().st_size for path in files_of_take(victim.folder)), default=0)
        resource.prlimit(victim.process.pid, resource.RLIMIT_FSIZE, (largest, largest))


@dataclass(frozen=True, kw_only=True)
class Removal(Fault):
    """Every file of the take is removed."""

    exit_codes = frozenset({4})

    def strike(self, victim: Victim) -> None:
        for path in files_of_take(victim.folder):
            path.unlink()


# ---- devices ----


@dataclass(frozen=True, kw_only=True)
class DeviceFault(Fault):
    """What the virtual device is told to do to itself at a frame of its clock: xrun, stall, die, hang or go away."""

    what: str
    at_frame: int
    frames: int = 0

    @property
    def kind(self) -> str:
        return f"Device {self.what}"

    @property
    def word(self) -> str:
        """As in the device's name."""
        if self.what == "away":
            return f":die={self.at_frame}s:back={self.at_frame + self.frames}s"
        return f":{self.what}={self.at_frame}s" + (f"+{self.frames}s" if self.what == "stall" else "")

    @property
    def is_deadly(self) -> bool:
        return self.what in {"die", "hang"}

    @property
    def goes_away(self) -> bool:
        """Whether it is back after so many frames."""
        return self.what == "away"


@dataclass(frozen=True, kw_only=True)
class ServerDeath(Fault):
    """The sound server is killed."""

    exit_codes = frozenset({1})
    stops_device = takes_device = True

    def strike(self, victim: Victim) -> None:
        if victim.server:
            victim.server.kill()


@dataclass(frozen=True, kw_only=True)
class ServerHang(Fault):
    """The sound server answers nobody for a while."""

    exit_codes = frozenset({1})
    stops_device = takes_device = True

    def strike(self, victim: Victim) -> None:
        if not victim.server:
            return
        victim.server.suspend()
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline and not victim.is_over():
            time.sleep(0.05)
        victim.server.resume()


@dataclass(frozen=True, kw_only=True)
class SinkSuspended(Fault):
    """PulseAudio's sink is suspended for a while."""

    stops_device = takes_device = True

    def strike(self, victim: Victim) -> None:
        if isinstance(victim.server, PulseServer):
            victim.server.run("pactl", "suspend-sink", "virt", "1")
            time.sleep(self.seconds)
            victim.server.run("pactl", "suspend-sink", "virt", "0")
