"""Count the instructions of the callback and the loops, with valgrind's callgrind.

    python -m benchmarks.instructions [--write]

Unlike times, the counts are the same in every run, also on a busy machine. Only the core's own
instructions count: memcpy has another length on every processor. Another compiler makes other code, so
`instructions.json` says which one made its figures. Where that is the compiler here, a tenth more is
too much. Where it is not, each count is taken as a multiple of a calibration loop in the same run, and
half as much again is too much, which still finds a loop that no longer vectorises.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from pastream_cli.engine import _build

HERE = Path(__file__).resolve().parent
STORED = HERE / "instructions.json"

WORK = ("record", "mapped", "play", "duplex", "writer", "reader")
CHANNELS = (2, 8, 64)
CALIBRATION = "calibration 2"

SAME_COMPILER_LIMIT = 1.10
OTHER_COMPILER_LIMIT = 1.50


def compiler() -> dict[str, str]:
    """Return what decides which code is made."""
    version = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    machine = subprocess.run(["gcc", "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip()
    return {"version": version, "machine": machine, "flags": " ".join(_build.GNU_FLAGS)}


def count(folder: Path) -> dict[str, int]:
    """Build the driver in this folder and return the instructions of each piece of work."""
    program = folder / "driver"
    sources = [HERE / "driver.c", *(_build.HERE / name for name in _build.SOURCES)]
    command = ["gcc", *_build.GNU_FLAGS, "-fPIC", f"-I{_build.HERE}", *map(str, sources), "-lm", "-o", str(program)]
    subprocess.run(command, check=True)
    counts = {CALIBRATION: _count_one(program, "calibration", 2)}
    for work in WORK:
        for channels in CHANNELS:
            counts[f"{work} {channels}"] = _count_one(program, work, channels)
    return counts


def _count_one(program: Path, work: str, channels: int) -> int:
    output = program.with_suffix(f".{work}.{channels}")
    subprocess.run(
        [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            "--toggle-collect=work",
            f"--callgrind-out-file={output}",
            str(program),
            work,
            str(channels),
        ],
        check=True,
    )
    return _own_instructions(output.read_text(), program.name)


def _own_instructions(profile: str, program: str) -> int:
    """Sum up what a callgrind profile has for one object, calls of others left out."""
    objects: dict[str, str] = {}
    current, total, is_call = "", 0, False
    for line in profile.splitlines():
        if named := re.match(r"ob=(\(\d+\))(?: (.*))?", line):
            objects.setdefault(named[1], named[2] or "")
            current = objects[named[1]]
        elif named := re.match(r"cob=(\(\d+\)) (.*)", line):
            objects.setdefault(named[1], named[2])
        elif line.startswith("calls="):
            is_call = True
        elif cost := re.match(r"[+*-]?\d* (\d+)$", line):
            if not is_call and Path(current).name == program:
                total += int(cost[1])
            is_call = False
    return total


def grown(counts: dict[str, int], stored: dict[str, Any], here: dict[str, str]) -> list[str]:
    """Return a line for each count that is too much more than the stored one."""
    before: dict[str, int] = stored["counts"]
    is_same = stored["compiler"] == here
    scale = 1.0 if is_same else counts[CALIBRATION] / before[CALIBRATION]
    limit = SAME_COMPILER_LIMIT if is_same else OTHER_COMPILER_LIMIT
    return [
        f"{work}: {now} instructions, not {before[work] * scale:.0f} (at most {limit:g} times as many)"
        for work, now in counts.items()
        if now > limit * scale * before[work]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="count the instructions of the core")
    parser.add_argument("--write", action="store_true", help="store the counts as the ones to compare with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = count(Path(folder))
    stored = json.loads(STORED.read_text()) if STORED.exists() else {"counts": {}}
    for work, now in counts.items():
        before = stored["counts"].get(work)
        print(f"{work:<16} {now:>10}" + (f" {now / before - 1:>+8.1%}" if before else ""))
    if arguments.write:
        STORED.write_text(json.dumps({"compiler": compiler(), "counts": counts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
