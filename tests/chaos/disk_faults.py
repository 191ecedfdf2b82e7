"""What a disk, and other programs on it, do to a take: calls refused or held up, files moved and cut short."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.faults import MOVED, Fault, Victim, files_of_take
from tests.faults import CALLS, Rule

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "ESTALE", "EAGAIN", "EPERM", "ENOTCONN", "EINTR", "EMFILE")
GROUPS = ("write", "fsync", "close", "fstat", "open", "pwrite", "rename", "write,pwrite,fsync", ",".join(CALLS))


@dataclass(frozen=True, kw_only=True)
class DiskFault(Fault):
    """The disk answers some calls in another way; by the library of `tests.faults`, with which the take is started."""

    calls: str

    def rule(self, switch: Path) -> Rule:
        """Return what the disk goes by from when the switch is there."""
        raise NotImplementedError

    def strike(self, victim: Victim) -> None:
        victim.switch(self).touch()


@dataclass(frozen=True, kw_only=True)
class DiskRefusal(DiskFault):
    """The disk refuses calls, so many times or for ever."""

    exit_codes = frozenset({4})
    error: str
    times: int | None

    @property
    def kind(self) -> str:
        return f"Disk {self.error}"

    def rule(self, switch: Path) -> Rule:
        return Rule(calls=self.calls, error=getattr(errno, self.error), times=self.times, switch=switch)


@dataclass(frozen=True, kw_only=True)
class DiskHang(DiskFault):
    """The disk holds up the next call for so many seconds."""

    stops_writer = True

    @property
    def kind(self) -> str:
        return "Disk hang"

    def rule(self, switch: Path) -> Rule:
        return Rule(calls=self.calls, hang_seconds=self.seconds, times=1, switch=switch)


def growing_file(folder: Path) -> Path | None:
    """Return the file of a take that was written last."""
    files = {}
    for path in files_of_take(folder):
        with suppress(FileNotFoundError):
            if path.is_file():
                files[path] = path.stat().st_mtime_ns
    return max(files, key=files.__getitem__, default=None)


@dataclass(frozen=True, kw_only=True)
class Move(Fault):
    """Another program gives the file that grows another name."""

    def strike(self, victim: Victim) -> None:
        path = growing_file(victim.folder)
        if path and not path.name.startswith(MOVED):
            path.rename(path.with_name(MOVED + path.name))


@dataclass(frozen=True, kw_only=True)
class Truncation(Fault):
    """Another program cuts off what has been written to the file that grows, or half of it."""

    exit_codes = frozenset({4})
    share: float

    def strike(self, victim: Victim) -> None:
        if path := growing_file(victim.folder):
            os.truncate(path, int(path.stat().st_size * self.share))
