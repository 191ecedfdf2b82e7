"""Recorders as a user starts them, and what the kernel says they cost."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import Server

if TYPE_CHECKING:
    from typing_extensions import Self

_POLL_SECONDS = 0.005
# Longer than any header: a file of this size has frames.
_HEADER_BYTES = 2000
_FIRST_FRAME_SECONDS = 10.0


@dataclass
class Figures:
    """One recording: what it took to start, and what it takes while it runs."""

    first_frame_seconds: float
    start_cpu_ms: float
    cpu_ms_per_second: float
    device_cpu_ms_per_second: float
    """What of it is spent by the processes that the recorder has started, as for its device."""
    memory_mb: float
    written_bytes: int
    """By which the file grew meanwhile: a recorder that hangs costs nothing."""
    threads: dict[str, float] = field(default_factory=dict)
    """CPU of each thread, in ms per second."""


def family(pid: int) -> list[int]:
    """Return a process that lives, and those that it has started, as for its device."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            for child in (task / "children").read_text().split():
                pids += family(int(child))
    return pids


def cpu_ms(pid: int) -> dict[str, float]:
    """Return the CPU time of every thread of a process that lives, and of those that it has started.

    A thread is named by its process, its number and its name.
    """
    spent = {}
    for process in family(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):  # the thread has ended
                nanoseconds = int((task / "schedstat").read_text().split()[0])
                spent[f"{process} {task.name} {(task / 'comm').read_text().strip()}"] = nanoseconds / 1e6
    return spent


def own_memory_mb(pid: int) -> float:
    """Return the memory of a process and of those that it has started, without what libjack maps of its server.

    A page that several processes have counts in part for each.
    """
    kilobytes, is_jacks = 0, False
    for line in (line for process in family(pid) for line in Path(f"/proc/{process}/smaps").read_text().splitlines()):
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            is_jacks = "/dev/shm/jack" in line  # noqa: S108 - a name to compare with
        elif line.startswith("Pss:") and not is_jacks:
            kilobytes += int(line.split()[1])
    return kilobytes / 1024


def resident_mb(pid: int) -> float:
    """Return all the resident memory, 0 for a process that has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


class Client:
    """A recorder that runs on a server, or on none; a context that ends it as a user would.

    Parameters
    ----------
    words : sequence of str
        The command; ``{out}`` in it stands for the file, and ``{out}.2.wav`` for a further one.
    server : Server
        Whose environment and folder it has.
    is_watched : bool
        Gives it a terminal to show its meter on.
    """

    def __init__(self, words: list[str], server: Server, *, is_watched: bool = False) -> None:
        self.output = server.home / "take.wav"
        self._remove()
        self._terminal, terminal = pty.openpty() if is_watched else (-1, os.open(os.devnull, os.O_WRONLY))
        if is_watched:
            threading.Thread(target=self._read_terminal, daemon=True).start()
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            server.command(*(word.replace("{out}", str(self.output)) for word in words)),
            env=server.environment | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
            cwd=server.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
        )
        os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # the predecessor under PipeWire never ends
            self.process.kill()
            self.process.wait()
        if self._terminal >= 0:
            os.close(self._terminal)
        self._remove()

    def _remove(self) -> None:
        for path in self.output.parent.glob(f"{self.output.name}*"):
            path.unlink()

    def _read_terminal(self) -> None:
        with contextlib.suppress(OSError):  # it has hung up
            while os.read(self._terminal, 65536):
                pass

    def measure(self, settle_seconds: float, seconds: float, *, has_file: bool = True) -> Figures:
        """Wait for the first frame in the file, if there is to be one, let it settle, and measure for so long."""
        if has_file:
            self._wait_for_a_frame()
        first_frame = time.monotonic() - self._started
        start_cpu = sum(cpu_ms(self.process.pid).values())
        time.sleep(settle_seconds)
        before, since, size = cpu_ms(self.process.pid), time.monotonic(), self._written_bytes
        time.sleep(seconds)
        after, elapsed = cpu_ms(self.process.pid), time.monotonic() - since
        threads = {name: (spent - before.get(name, 0.0)) / elapsed for name, spent in after.items()}
        of_others = sum(spent for name, spent in threads.items() if not name.startswith(f"{self.process.pid} "))
        return Figures(
            first_frame_seconds=first_frame,
            start_cpu_ms=start_cpu,
            cpu_ms_per_second=sum(threads.values()),
            device_cpu_ms_per_second=of_others,
            memory_mb=own_memory_mb(self.process.pid),
            written_bytes=self._written_bytes - size,
            threads=threads,
        )

    @property
    def _written_bytes(self) -> int:
        return self.output.stat().st_size if self.output.exists() else 0

    def _wait_for_a_frame(self) -> None:
        while self._written_bytes < _HEADER_BYTES:
            if self.process.poll() is not None or time.monotonic() > self._started + _FIRST_FRAME_SECONDS:
                raise RuntimeError(f"no frame from {self.process.args!r}")
            time.sleep(_POLL_SECONDS)
