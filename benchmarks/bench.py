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
from pathlib import Path

import soundfile

from benchmarks import alone, document, peers, recordings
from benchmarks.table import Row, Series, as_text, compare
from tests.servers import JackServer, PulseServer, Server, running


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
    for name, ratio in (("--version", 1.6), ("--help", 1.6), ("an unknown option", 1.6), ("a wrong value", 1.8)):
        yield compare(name, "ms", series[name], "python -c pass", series["pass"], ratio=ratio)
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
        "pulseaudio": recordings.on_pulseaudio,
        "jack": recordings.on_jack,
        "pipewire": recordings.on_pipewire,
        "commands": commands,
        "core": lambda rounds, _seconds: alone.core(3 * rounds),
        "lock": lambda _rounds, _seconds: lock_held(60 if arguments.full else 10),
        "stall": lambda rounds, _seconds: alone.stalled_reader(rounds),
        "day": lambda _rounds, _seconds: alone.a_day(),
        "verify": lambda rounds, _seconds: alone.verifying(rounds),
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
