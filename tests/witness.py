"""A sound whose every frame says when it was due, played on a real server by no part of the program that is tested.

The number of a frame is the monotonic clock's time in frames since the witness was made. So a recording is in its
place, whatever became of its device, where the place of a frame and its number differ by what they differed by at the
beginning.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.homes import need
from tests.servers import JackServer, PulseServer, Server
from tests.sounds import RATE, Samples

NUMBERS = 2**23
_CHUNK_FRAMES = 1024
SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True)
class Stretch:
    """Frames of a recording whose numbers follow each other."""

    first: int
    frames: int
    offset: int
    """Their places less their numbers."""

    @property
    def end(self) -> int:
        return self.first + self.frames


def stretches(samples: Samples, channel: int = 1) -> list[Stretch]:
    """Return what a channel of a recording in 24 bits has of numbers that follow each other; silence is left out."""
    numbers = samples[:, channel].astype("int64") >> 8
    places = np.flatnonzero(numbers)
    if not len(places):
        return []
    offsets = places - numbers[places]
    breaks = np.flatnonzero((np.diff(offsets) != 0) | (np.diff(places) != 1)) + 1
    firsts = np.concatenate([[0], breaks])
    lengths = np.diff([*firsts, len(places)])
    return [
        Stretch(int(places[first]), int(length), int(offsets[first]))
        for first, length in zip(firsts, lengths, strict=True)
    ]


def nearest_number(played: int, due: int) -> int:
    """Return the number that is played as this one, whose bits are few, and that is the nearest to one that is due."""
    return played + round((due - played) / NUMBERS) * NUMBERS


class Witness(ABC):
    """Plays numbers on a server, for one start of it after the other, and hears when they come."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.instant_ns = time.monotonic_ns()
        self.ties: list[tuple[int, int]] = []
        """Now and then the number of a frame, and by how many frames it was late by the clock, constants left out."""
        self.losses: list[tuple[int, int]] = []
        """What it did not play, since a busy machine let it be late: first number and length."""
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []

    @abstractmethod
    def start(self) -> None:
        """Play, until the server or `stop` ends it; a witness whose server has gone is started again."""

    def stop(self) -> None:
        """Play no more."""
        for process in self._processes:
            process.kill()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            with process:
                pass
        self._processes, self._threads = [], []

    def late_by(self, number: int) -> int:
        """Return by how many frames a frame was late by the clock, as those around it tell."""
        _, late = min(self.ties, key=lambda tie: abs(tie[0] - number))
        return late

    def slipped_before(self, number: int, seconds: float) -> int:
        """Return by how many frames the server has fallen behind the clock within so long before a number."""
        near = [late for tied, late in self.ties if number - seconds * RATE < tied < number + RATE]
        return max(near) - min(near) if near else 0

    def has_lost(self, number: int, frames: int) -> bool:
        """Tell whether it did not play these numbers, since it was late."""
        return any(first <= number and number + frames <= first + length for first, length in self.losses)

    def _run(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.server.command(*words),
            env=self.server.environment,
            cwd=self.server.home,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def _have(self, work: Callable[[subprocess.Popen[bytes]], None], process: subprocess.Popen[bytes]) -> None:
        thread = threading.Thread(target=work, args=(process,))
        self._threads.append(thread)
        thread.start()

    def _due_frames(self) -> int:
        return (time.monotonic_ns() - self.instant_ns) * RATE // 10**9


class JackWitness(Witness):
    """Plays on the right channel of a loopback, by JACK; the left one is left to others."""

    def __init__(self, server: Server, program: Path, port: str) -> None:
        super().__init__(server)
        self._command = (str(program), str(self.instant_ns), port)

    def start(self) -> None:
        self.stop()
        process = self._run(*self._command)
        assert process.stdout is not None
        assert process.stdout.readline() == b"plays\n", self.server.log
        self._have(self._note_ties, process)

    def _note_ties(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            *kind, number, frames = line.split()
            (self.losses if kind else self.ties).append((int(number), int(frames)))


class PulseWitness(Witness):
    """Plays on the right channel of PulseAudio's sink, and listens at its monitor."""

    def start(self) -> None:
        self.stop()
        form = ("--raw", "--format=s32le", f"--rate={RATE}", "--channels=2")
        listens = self._run("parec", *form, "--latency-msec=10", "-d", "virt.monitor")
        plays = self._run("pacat", *form, "--latency-msec=400", "-d", "virt", stdin=subprocess.PIPE)
        self._have(self._play, plays)
        self._have(self._listen, listens)

    def _play(self, process: subprocess.Popen[bytes]) -> None:
        """Feed the player, which has a long buffer, so that nothing here must be in time."""
        assert process.stdin is not None
        first = self._due_frames()
        with suppress(OSError):  # it has ended
            while True:
                numbers = np.arange(first, first + _CHUNK_FRAMES, dtype="int32") % NUMBERS << 8
                process.stdin.write(np.column_stack([np.zeros_like(numbers), numbers]).tobytes())
                process.stdin.flush()
                first += _CHUNK_FRAMES
        with suppress(OSError):
            process.stdin.close()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Note, for each third of a second, the frame that came least late."""
        assert process.stdout is not None
        rest = b""
        window: list[tuple[int, int]] = []
        while data := os.read(process.stdout.fileno(), 1 << 16):
            due, rest = self._due_frames(), rest + data
            whole = len(rest) // 8 * 8
            played = int(np.frombuffer(rest[whole - 4 : whole], "int32")[0]) >> 8 if whole else 0
            rest = rest[whole:]
            if played:
                number = nearest_number(played, due)
                window.append((due - number, number))
            if len(window) >= 2 and window[-1][1] - window[0][1] > RATE // 3:
                late, number = min(window)
                self.ties.append((number, late))
                window = []


@contextmanager
def witness_on(server: Server, build: Path) -> Iterator[Witness]:
    """Have a witness play on a server; `build` is where its program is built."""
    witness: Witness
    if isinstance(server, PulseServer):
        need("pacat", "parec")
        witness = PulseWitness(server)
    else:
        port = "loopback:playback_2" if isinstance(server, JackServer) else "virt:playback_FR"
        witness = JackWitness(server, _built(build), port)
    try:
        witness.start()
        yield witness
    finally:
        witness.stop()


def _built(folder: Path) -> Path:
    need("gcc")
    program = folder / "witness"
    if not program.exists():
        subprocess.run(
            ["gcc", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", str(SOURCE), "-ldl", "-o", str(program)],
            check=True,
        )
    return program
