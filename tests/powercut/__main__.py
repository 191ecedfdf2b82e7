"""Cuts the power of takes of every kind, and has what may be left read: python -m tests.powercut --states 10000."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.powercut import large, takes
from tests.powercut.campaign import Tally, judge

_SECONDS = 6.5
_AT_ONCE = 8
_PROBLEMS_SHOWN = 20
_LARGE_STATES = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.powercut", description=__doc__)
    parser.add_argument("--states", type=int, default=10_000, help="how many states of the disk are read")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from")
    parser.add_argument("--programs", type=int, default=20, help="one in so many is read by sox and ffprobe too")
    arguments = parser.parse_args()
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libmpg123 tells of each file that is cut off
    begun = time.monotonic()
    kinds = [*takes.kinds(), *takes.replacing_kinds(), *takes.split_kinds(), *takes.part_kinds()]
    kinds += takes.copied_kinds()
    with tempfile.TemporaryDirectory(prefix="powercut-") as folder:
        logged = []
        for at in range(0, len(kinds), _AT_ONCE):
            place = Path(folder, str(at))
            place.mkdir()
            logged += takes.record(kinds[at : at + _AT_ONCE], place, _SECONDS)
    say(f"power cut: seed {arguments.seed}, {len(logged)} takes of {_SECONDS:g} s logged")
    tally = judge(logged, random.Random(arguments.seed), arguments.states, programs_one_in=arguments.programs)
    say(table(tally, time.monotonic() - begun))
    problems = [problem for file_type in large.TYPES for problem in beyond_4_gib(file_type, arguments.seed)]
    return 1 if tally.problems or problems else 0


def beyond_4_gib(file_type: str, seed: int) -> list[str]:
    """Cut the power of a take whose file grows beyond 4 GiB; return what was wrong."""
    with tempfile.TemporaryDirectory(prefix="powercut-") as folder:
        events = large.record(file_type, Path(folder))
        drawn = list(large.states(events, random.Random(seed), _LARGE_STATES))
        judged = [large.problem(certain, content, Path(folder, "cut")) for certain, content in drawn]
    problems = [problem for problem in judged if problem is not None]
    beyond = sum(content.size > large.BORDER for _, content in drawn)
    say(f"{file_type.upper()} of 4.9 GB: {len(drawn)} states, {beyond} beyond 4 GiB; problems: {len(problems)}")
    for problem in problems[:_PROBLEMS_SHOWN]:
        say(problem)
    return problems


def table(tally: Tally, seconds: float) -> str:
    """Return what was found, a row for each kind of take."""
    rows = [f"{'take':42} states  lost, s at most  counted and not sound, s"]
    for label, states in tally.states.items():
        lost, wrong = tally.most_lost_seconds.get(label, 0.0), tally.most_false_seconds.get(label, 0.0)
        rows.append(f"{label:42} {states:6}  {lost:15.2f}  {wrong:24.2f}")
    read = ", ".join(f"{name} {count:,}" for name, count in tally.readings.items())
    rows += [f"{sum(tally.states.values()):,} states in {seconds:.0f} s; read by {read}"]
    rows += [f"problems: {len(tally.problems)}", *tally.problems[:_PROBLEMS_SHOWN]]
    return "\n".join(rows)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    sys.exit(main())
