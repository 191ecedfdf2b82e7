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
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import soundfile

from benchmarks import alone, peers
from benchmarks.clients import Client, Figures
from benchmarks.table import Row, Series, as_markdown, as_text, compare
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running

TARGET_DOCUMENT = peers.ROOT / "docs/benchmarks.md"
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
            in_time = Contest(server, [contestants[0], contestants[1], contestants[4]], rounds=rounds, seconds=0.5)
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
        contest.series("quiet", "first_frame_seconds"),
        "predecessor",
        contest.series("predecessor", "first_frame_seconds"),
        ratio=0.7,
    )
    if "arecord" in contest:
        first_frames = [contest.series(name, "first_frame_seconds") for name in ("quiet", "arecord")]
        yield Row("the same", "s", first_frames[0], "arecord", first_frames[1])
    first_frames = [in_time.series(name, "first_frame_seconds") for name in ("quiet", "predecessor", "arecord")]
    what = "exec to first frame, PulseAudio, a source in use"
    yield compare(what, "s", first_frames[0], "predecessor", first_frames[1], ratio=0.7)
    yield Row("the same", "s", first_frames[0], "arecord", first_frames[2])


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


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]}: not installed"
    return next(iter((done.stdout + done.stderr).strip().splitlines()), "")


def _last_line(*command: str) -> str:
    """Return the last line, for a program that tells its name first."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]}: not installed"
    return next(reversed(done.stdout.strip().splitlines()), "")


def circumstances(load: tuple[float, float, float]) -> str:
    """Tell where and when, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    machine = f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    versions = [
        platform.python_implementation() + " " + platform.python_version(),
        *(f"{name} {metadata.version(name)}" for name in ("sounddevice", "soundfile", "numpy", "cffi")),
        _first_line(peers.PREDECESSOR, "--version") + " (the predecessor)",
        *(_first_line(*command) for command in (["arecord", "--version"], ["jackd", "--version"])),
        *(_first_line(*command) for command in (["sox", "--version"], ["pulseaudio", "--version"])),
        *(_first_line(*command) for command in (["ffmpeg", "-version"], ["gcc", "--version"])),
        _last_line("pw-record", "--version"),
    ]
    return "\n".join(
        (
            f"{datetime.now(timezone.utc):%Y-%m-%d}, {machine}.",
            f"Load before the run: {load[0]:.1f} (what else the machine did); after: {os.getloadavg()[0]:.1f}.",
            "",
            *(f"* {version}" for version in versions),
        )
    )


INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS="--write --full"`; `make bench` prints the same table, with the lock held for 10 s. The
recorders of a group take turns on one server, each with its own default encoding (ours 24 bit on PulseAudio,
arecord 16). A figure is the median of the rounds, ± half the distance between the greatest and the least. CPU is
what the kernel counted for all threads of the process (schedstat), in milliseconds per second of recording,
start-up left out.
"""

NOTES = """\
## Why it costs what it costs

* **Quiet.** CPU follows wake-ups, each of which finds cold caches: a look of the main thread takes 30 µs when it is
  repeated at once, and 700 to 900 after a second of rest. Where nobody watches there is one per second, and there are
  five naps of the writer, which a stop wakes. On PulseAudio, of 2.4 ms per second the main thread takes 0.8, the
  callback's 0.8, the writer 0.4 and libpulse's thread 0.4; on JACK with 2 channels, of 2.4, libjack's, where the
  callback runs, 0.9, the main thread 0.9 and the writer 0.5. arecord has one thread, which does nothing else: no
  meter, no watch over the device, no header that is kept, no sync.
* **64 channels.** Of 10.4 ms per second the writer takes 5.2, most of it the kernel's for 12 MB, and a twelfth for the
  sync every five seconds, which jack_capture leaves out; PortAudio's interleaving of JACK's ports takes 1.8, sample by
  sample. Shorter naps (50 and 100 ms) changed nothing. To take JACK's buffers as they are would save about 1.5, which
  is what is missing; but sounddevice has no way to ask PortAudio for that.
* **A start.** PortAudio's hosts take 35 ms (PulseAudio) to 130 (JACK), on a thread that mostly holds no interpreter's
  lock, while the session is loaded on the main one; a machine whose cores are all busy gains less by that. numpy is
  not loaded; with it a start would take 60 ms of processor time and 11 MB more. Help, the version and an unknown option
  take 4 ms beside Python's own 8, most of that for `enum` and `contextlib`. A value that is wrong (`-d ten`) takes 15:
  5 are `dataclasses`, with `inspect`, for the job that would hold it, 2 the job itself, and 2 each `typing`,
  `fractions` and `re`. Without the first two, by classes written out by hand, it would still be twice Python's own.
* **Memory.** Of it 4 MB are the ring, which is in memory from the start so that the callback meets no page fault.
* **The first frame on PulseAudio** comes with the first block, which for a recording is 230 ms long: a latency of
  half a second starves later, and costs less. `--latency 0.2` has it 0.1 s sooner, for 0.6 ms per second more. What
  is recorded begins where the device starts, about 0.15 s after exec.
* **The spin at the start on an idle null sink** comes of PortAudio and the ALSA plug-in together. PortAudio prepares
  the PCM a second time as it starts it; the plug-in then ends its first PulseAudio stream, and the end of that stream
  puts a wake-up into the pipe that PortAudio polls, for which there are no frames. Only the first data from the
  server take it out again, and those come with the next turn of an idle null sink, which takes one every two seconds:
  arecord's first frame comes after 0.01 to 2 s as well, as the turn goes. Up to then `poll` returns at once, and a
  core is busy. On a source that is in use the spin takes 6 to 19 ms of CPU. It came with every latency (0.1 to 4 s)
  and block size that was tried. Taking the byte out of the pipe from outside ends it (2 ms of CPU instead of 1,300
  and more), but means to read from a descriptor of another library. The figure in the table is what the spin got of a
  core: on a busy machine that is less.
* **24 hours.** Two threads share such a run. The writer's is the slower one, with 2.5 s of CPU for 24 hours, of which
  1.4 s are the rounding of int32 to 16 bit; the device's takes 1.75 s, most of it for the meter. What is beyond 2.5 s
  is waiting for a core.
* **Maps.** What is written as the device gives it, as float32 to FLOAT, does not move at all without a map. A map has
  to move it once; so it is compared with the measuring and a memcpy.
* **The predecessor on PipeWire** stops writing soon after its start and goes on only as a callback; a row says so.
"""


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
        TARGET_DOCUMENT.write_text(
            f"{INTRODUCTION}\n{as_markdown(rows)}\n\n{NOTES}\n## Where and with what\n\n{circumstances(load)}\n"
        )


if __name__ == "__main__":
    main()
