"""Side by side with the peers: every figure of docs/benchmarks.md, measured in one run.

    python -m benchmarks.bench [--rounds N] [--full] [--write] [--only PART …]

The recorders of a group take turns (A B C, A B C, …) on one server, so that whatever else the
machine does meets all of them. A figure is the median of the rounds; its spread is the distance
between the greatest and the least, as a share of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile

from benchmarks import alone, document, peers
from benchmarks.clients import Client, Figures
from benchmarks.table import Row, Series, as_text, compare
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running

_JACK = "JACK 256"


class WideJackServer(JackServer):
    """The same with 64 channels each way."""

    def _launch(self) -> None:
        driver = ("-d", "dummy", "-r", "48000", "-p", "256", "-C", "64", "-P", "64")
        self._spawn("jackd", "-n", self.name, "-r", "-L", "8", *self.options, *driver)


# ---- recordings on servers ----


@dataclass(frozen=True)
class Contestant:
    """A recorder, as it is called in one group."""

    name: str
    command: list[str]
    is_watched: bool = False
    settle_seconds: float = 2.0


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
                self._figures[contestant.name].append(client.measure(contestant.settle_seconds, seconds))
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
    ]
    with running(PulseServer) as server:
        contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
        with in_use(server):
            starters = [each for each in contestants if each.name in {"quiet", "predecessor", "arecord"}]
            starts = Contest(server, starters, rounds=rounds, seconds=0.5)
    quiet, meter = contest.cpu("quiet"), contest.cpu("meter")
    unit = "ms/s"
    yield compare(
        "record 2 ch on PulseAudio, quiet",
        unit,
        quiet,
        "predecessor",
        contest.cpu("predecessor"),
        ratio=0.35,
        at_most=5,
    )
    for name in ("arecord", "sox", "ffmpeg"):
        if name in contest:
            yield Row("the same", unit, quiet, name, contest.cpu(name))
    status = contest.cpu("predecessor's status")
    is_met = meter.median <= quiet.median + 10
    yield Row("the same with the meter", unit, meter, "predecessor's status", status, "≤ quiet + 10", is_met)
    yield Row(
        "CPU from exec to the first frame, idle null sink",
        "ms",
        contest.series("quiet", "start_cpu_ms"),
        "predecessor",
        contest.series("predecessor", "start_cpu_ms"),
    )
    yield compare(
        "exec to first frame, PulseAudio's idle null sink",
        "s",
        contest.first_frame("quiet"),
        "predecessor",
        contest.first_frame("predecessor"),
        ratio=0.7,
    )
    yield Row("the same", "s", contest.first_frame("quiet"), "arecord", contest.first_frame("arecord"))
    what = "exec to first frame, PulseAudio, a source in use"
    ours = starts.first_frame("quiet")
    yield compare(what, "s", ours, "predecessor", starts.first_frame("predecessor"), ratio=0.7)
    yield Row("the same", "s", ours, "arecord", starts.first_frame("arecord"))


def on_jack(rounds: int, seconds: float) -> Iterator[Row]:
    with running(WideJackServer) as server:
        for channels in (2, 8, 64):
            contestants = [
                Contestant("ours", peers.ours("-q", "-D", "system", "-c", str(channels)), settle_seconds=1),
                # without -b it divides by zero
                Contestant("predecessor", peers.predecessor("system", channels, "-q", "-b", "256"), settle_seconds=1),
                Contestant("jack_capture", peers.jack_capture(channels), settle_seconds=1),
            ]
            contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
            what = f"record {channels} ch on {_JACK}"
            for name, ratio in (("predecessor", 0.8), ("jack_capture", 0.7)):
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
        Contestant("ours", peers.ours("-q", "-D", "virt, JACK"), settle_seconds=1),
        Contestant("predecessor", peers.predecessor("virt", 2, "-q", "-b", "1024"), settle_seconds=1),
        Contestant("pw-record", peers.PW_RECORD, settle_seconds=1),
    ]
    with running(PipeWireServer) as server:
        contest = Contest(server, contestants, rounds=rounds, seconds=seconds)
    for name, ratio in (("predecessor", 0.8), ("pw-record", 1.0)):
        if name in contest:
            yield contest.beside("record 2 ch on PipeWire by pw-jack", name, ratio)


# ---- commands that end by themselves ----


def _wall_ms(command: list[str], server: Server) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=server.environment, cwd=server.home, capture_output=True, check=False)
    return (time.perf_counter() - start) * 1e3


def commands(rounds: int, _seconds: float) -> Iterator[Row]:
    python = peers.PYTHON
    wanted = {
        "--version": [peers.OURS, "--version"],
        "--help": [peers.OURS, "--help"],
        "an unknown option": [peers.OURS, "--no-such-option"],
        "a wrong value": [peers.OURS, "-d", "ten", "null", "take.wav"],
        "pass": [python, "-c", "pass"],
        "-l": [peers.OURS, "-l"],
        "sounddevice": [python, "-m", "sounddevice"],
    }
    took: dict[str, list[float]] = defaultdict(list)
    with running(PulseServer) as server:
        for _ in range(5 * rounds):
            for name, command in wanted.items():
                took[name].append(_wall_ms(command, server))
    series = {name: Series(tuple(values)) for name, values in took.items()}
    for name in ("--version", "--help", "an unknown option", "a wrong value"):
        yield compare(name, "ms", series[name], "python -c pass", series["pass"], ratio=1.6)
    yield compare("-l", "ms", series["-l"], "python -m sounddevice", series["sounddevice"], ratio=1.1)


# ---- what it can bear ----


def lock_held(seconds: float) -> Iterator[Row]:
    """Hold the interpreter's lock in the process that records; JACK goes on without late clients."""
    length = seconds + 5
    with running(JackServer) as server:
        frames = {}
        script = str(peers.ROOT / "benchmarks/hold_lock.py")
        for name, python, words in (
            ("ours", peers.PYTHON, ["-q", "-D", "system", "-d", f"{length:g}"]),
            (
                "predecessor",
                str(Path(peers.PREDECESSOR).parent / "python"),
                [
                    "-q",
                    "-D",
                    "system",
                    "-b",
                    "256",
                    "-c",
                    "2",
                    "-r",
                    "48000",
                    "-d",
                    f"0:{length / 60:.0f}:{length % 60:.0f}",
                ],
            ),
        ):
            if not peers.is_there(python):
                continue
            output = server.home / f"{name}.wav"
            command = [python, script, name, f"{seconds:g}", *words, "null", str(output)]
            try:
                subprocess.run(
                    command,
                    env=server.environment,
                    cwd=server.home,
                    capture_output=True,
                    timeout=length + 30,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                print(f"{name}: hangs with the lock held", file=sys.stderr)
            frames[name] = soundfile.info(output).frames if output.exists() else 0
    wanted = round(length * 48000)
    lost = {name: Series((wanted - got,)) for name, got in frames.items()}
    what = f"frames lost of {wanted}, the interpreter's lock held for {seconds:g} s"
    yield Row(what, "frames", lost["ours"], "predecessor", lost.get("predecessor"), "0", lost["ours"].median == 0)


Part = Callable[[int, float], Iterator[Row]]


@contextmanager
def _told(name: str) -> Iterator[None]:
    print(f"{name} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="measure pastream beside its peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each recording that are measured (5)")
    parser.add_argument("--full", action="store_true", help="hold the lock for a minute, not for ten seconds")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md too")
    parser.add_argument("--only", nargs="+", default=[], metavar="PART")
    parser.add_argument("--save", type=Path, help="also as JSON")
    arguments = parser.parse_args()
    load = os.getloadavg()
    parts: dict[str, Part] = {
        "pulseaudio": on_pulseaudio,
        "jack": on_jack,
        "pipewire": on_pipewire,
        "commands": commands,
        "core": lambda rounds, _seconds: alone.core(rounds),
        "lock": lambda _rounds, _seconds: lock_held(60 if arguments.full else 10),
        "stall": lambda rounds, _seconds: alone.stalled_reader(rounds),
        "day": lambda _rounds, _seconds: alone.a_day(),
        "channels": lambda _rounds, seconds: alone.many_channels(seconds),
    }
    rows: list[Row] = []
    for name, part in parts.items():
        if name in arguments.only or not arguments.only:
            with _told(name):
                rows += part(arguments.rounds, arguments.seconds)
    print(as_text(rows))
    if arguments.save:
        arguments.save.write_text(json.dumps([row.cells() for row in rows], indent=1, ensure_ascii=False))
    if arguments.write:
        document.write(rows, load)


if __name__ == "__main__":
    main()
