"""Recorders that take turns on a sound server: what a recording costs while it runs, and until its first frame."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks import peers
from benchmarks.clients import Client, Figures
from benchmarks.table import Row, Series, compare
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running

_JACK = "JACK 256"
_STARTERS = {"quiet", "predecessor", "arecord"}


class WideJackServer(JackServer):
    """The same with 64 channels each way."""

    def _launch(self) -> None:
        driver = ("-d", "dummy", "-r", "48000", "-p", "256", "-C", "64", "-P", "64")
        self._spawn("jackd", "-n", self.name, "-r", "-L", "8", *self.options, *driver)


@dataclass(frozen=True)
class Contestant:
    """A recorder, as it is called in one group."""

    name: str
    command: list[str]
    is_watched: bool = False
    settle_seconds: float = 12.0
    has_file: bool = True


class Contest:
    """Recorders that take turns on one server."""

    def __init__(self, server: Server, contestants: list[Contestant], *, rounds: int, seconds: float) -> None:
        self._figures: dict[str, list[Figures]] = defaultdict(list)
        for _ in range(rounds):
            for contestant in contestants:
                self._measure(server, contestant, seconds)

    def _measure(self, server: Server, contestant: Contestant, seconds: float) -> None:
        if not peers.is_there(contestant.command[0]):
            return
        try:
            with Client(contestant.command, server, is_watched=contestant.is_watched) as client:
                figures = client.measure(contestant.settle_seconds, seconds, has_file=contestant.has_file)
                self._figures[contestant.name].append(figures)
        except RuntimeError as error:
            print(f"{contestant.name}: {error}", file=sys.stderr)

    def __contains__(self, name: str) -> bool:
        return name in self._figures

    def series(self, name: str, figure: str) -> Series:
        return Series(tuple(getattr(figures, figure) for figures in self._figures[name]))

    def cpu(self, name: str) -> Series:
        return self.series(name, "cpu_ms_per_second")

    def first_frame(self, name: str) -> Series:
        return self.series(name, "first_frame_seconds")

    def beside(self, what: str, peer: str, ratio: float) -> Row:
        """Compare the CPU; with a peer that wrote nothing meanwhile there is nothing to compare."""
        ours, theirs = self.cpu("ours"), self.cpu(peer)
        if any(figures.written_bytes == 0 for figures in self._figures[peer]):
            return Row(what, "ms/s", ours, f"{peer} (wrote nothing)", theirs, "no comparison")
        return compare(what, "ms/s", ours, peer, theirs, ratio=ratio)


@contextmanager
def in_use(server: Server) -> Iterator[None]:
    """Have somebody else record from the server's source."""
    other = subprocess.Popen(server.command("arecord", "-q", "-f", "dat", "/dev/null"), env=server.environment)
    time.sleep(3)
    try:
        yield
    finally:
        other.terminate()
        other.wait()


def on_pulseaudio(rounds: int, seconds: float) -> Iterator[Row]:
    contestants = [
        Contestant("quiet", peers.ours("-q")),
        Contestant("predecessor", peers.predecessor("pulse", 2, "-q")),
        Contestant("meter", peers.ours(), is_watched=True),
        Contestant("predecessor's status", peers.predecessor("pulse", 2), is_watched=True),
        Contestant("arecord", peers.ARECORD),
        Contestant("sox", peers.SOX),
        Contestant("ffmpeg", peers.FFMPEG),
        *_WHAT_IS_ASKED_BESIDES,
    ]
    with running(PulseServer) as server:
        contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
        with in_use(server):
            starters = [replace(each, settle_seconds=0.0) for each in contestants if each.name in _STARTERS]
            starts = Contest(server, starters, rounds=3 * rounds, seconds=0.5)
    yield from _costs_on_pulseaudio(contest)
    yield from _costs_of_what_is_asked_besides(contest)
    yield from _starts_on_pulseaudio(contest, starts)


# A silent source never begins what is armed; the copies and the read-back are of the same take.
_WHAT_IS_ASKED_BESIDES = (
    Contestant("two copies", peers.ours("-q", "--also", "{out}.2.wav", "--also", "{out}.3.wav")),
    Contestant("armed", peers.ours("-q", "--trigger", "-20", "--preroll", "10"), has_file=False),
    Contestant("verify", peers.ours("-q", "--verify")),
)


def _costs_on_pulseaudio(contest: Contest) -> Iterator[Row]:
    what, unit = "record 2 ch on PulseAudio, quiet", "ms/s"
    quiet, meter = contest.cpu("quiet"), contest.cpu("meter")
    yield compare(what, unit, quiet, "predecessor", contest.cpu("predecessor"), ratio=0.35)
    if "arecord" in contest:
        yield compare("the same", unit, quiet, "arecord", contest.cpu("arecord"), ratio=1.2)
    for name in ("sox", "ffmpeg"):
        if name in contest:
            yield Row("the same", unit, quiet, name, contest.cpu(name))
    status = contest.cpu("predecessor's status")
    yield compare("the same with the meter", unit, meter, "predecessor's status", status, ratio=1)
    yield Row("of it, the process of the device", unit, contest.series("quiet", "device_cpu_ms_per_second"))
    yield Row("memory of both its processes", "MB", contest.series("quiet", "memory_mb"))


def _costs_of_what_is_asked_besides(contest: Contest) -> Iterator[Row]:
    quiet = contest.cpu("quiet")
    for name, what, ratio in (
        ("two copies", "the same with two further copies", 1.7),
        ("armed", "armed by level, 10 s of pre-roll", 1.1),
        ("verify", "the same with --verify", 1.1),
    ):
        yield compare(what, "ms/s", contest.cpu(name), "without", quiet, ratio=ratio)


def _starts_on_pulseaudio(contest: Contest, starts: Contest) -> Iterator[Row]:
    yield Row(
        "CPU from exec to the first frame, idle null sink",
        "ms",
        contest.series("quiet", "start_cpu_ms"),
        "predecessor",
        contest.series("predecessor", "start_cpu_ms"),
    )
    what, unit = "exec to first frame, PulseAudio's idle null sink", "s"
    ours = contest.first_frame("quiet")
    for name in ("predecessor", "arecord"):
        if name in contest:
            yield Row(what, unit, ours, name, contest.first_frame(name))
    what = "exec to first frame, PulseAudio, a source in use"
    ours = starts.first_frame("quiet")
    yield compare(what, unit, ours, "predecessor", starts.first_frame("predecessor"), ratio=0.7)
    if "arecord" in starts:
        yield Row("the same", unit, ours, "arecord", starts.first_frame("arecord"))


def on_jack(rounds: int, seconds: float) -> Iterator[Row]:
    with running(WideJackServer) as server:
        for channels in (2, 8, 64):
            contestants = [
                Contestant("ours", peers.ours("-q", "-D", "system", "-c", str(channels))),
                # without -b it divides by zero
                Contestant("predecessor", peers.predecessor("system", channels, "-q", "-b", "256")),
                Contestant("jack_capture", peers.jack_capture(channels)),
            ]
            contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
            what = f"record {channels} ch on {_JACK}"
            for name, ratio in (("predecessor", 0.8), ("jack_capture", 0.6 if channels == 64 else 0.7)):
                if name in contest:
                    yield contest.beside(what, name, ratio)
            if channels != 2:
                continue
            for figure, what, unit, ratio in (
                ("first_frame_seconds", f"exec to first frame, {_JACK}", "s", 0.7),
                ("memory_mb", "resident memory without jackd's part", "MB", 1.0),
            ):
                ours, theirs = contest.series("ours", figure), contest.series("predecessor", figure)
                yield compare(what, unit, ours, "predecessor", theirs, ratio=ratio)


def on_pipewire(rounds: int, seconds: float) -> Iterator[Row]:
    contestants = [
        Contestant("ours", peers.ours("-q", "-D", "virt, JACK")),
        Contestant("predecessor", peers.predecessor("virt", 2, "-q", "-b", "1024")),
        Contestant("pw-record", peers.PW_RECORD),
    ]
    with running(PipeWireServer) as server:
        contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
    for name, ratio in (("predecessor", 0.8), ("pw-record", 0.9)):
        if name in contest:
            yield contest.beside("record 2 ch on PipeWire by pw-jack", name, ratio)
