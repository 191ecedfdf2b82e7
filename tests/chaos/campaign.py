"""Runs side by side until the time is over: four at a time on the virtual device, one on each real server."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.chaos.checks import Verdict, describe, judge
from tests.chaos.drawing import draw
from tests.chaos.evidence import Evidence
from tests.chaos.lanes import Lane, lane_on, wide_enough
from tests.chaos.runs import Run
from tests.chaos.scenarios import Host, Scenario, host_of

LANES = (*[Host.VIRTUAL] * 4, Host.JACK, Host.PULSE, Host.PIPEWIRE)
MOST_FOLDERS_KEPT = 20
MOST_LINES_TOLD, MOST_CHARACTERS_TOLD = 20, 300


@dataclass
class Tally:
    """What has been counted so far; under its lock."""

    runs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    """Problems on real servers that were looked for once more."""
    losses_explained: int = 0
    given_up: int = 0
    frames: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, evidence: Evidence, verdict: Verdict, *, is_repeated: bool) -> None:
        """Count one run; its problems only if it is not to be repeated."""
        with self.lock:
            self.runs[evidence.scenario.host.value] += 1
            self.faults.update(struck.fault.kind for struck in evidence.struck)
            self.codes[evidence.returncode] += 1
            counted = self.repeated if is_repeated else self.problems
            counted.update(problem.kind for problem in verdict.problems)
            self.losses_explained += verdict.losses_explained
            self.frames += verdict.frames
            self.given_up += verdict.was_given_up


class Campaign:
    """Draws runs from a seed, has them take place, and judges them.

    Parameters
    ----------
    seed : int
        What all is drawn from.
    keep : Path
        Where folders of runs with problems are kept.
    tell : callable
        Takes lines for people.
    """

    def __init__(self, seed: int, keep: Path, tell: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._seed = seed
        self._keep = keep
        self._tell = tell
        self._deadline = 0.0
        self._numbers = {host: filter(_is_on(host), itertools.count()) for host in Host}
        self._numbers_lock = threading.Lock()

    def run_for(self, seconds: float) -> None:
        """Run whatever comes, for so long and until the last run has ended."""
        self._deadline = time.monotonic() + seconds
        lanes = [threading.Thread(target=self._run_lane, args=(host,)) for host in LANES]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()

    def run_only(self, number: int) -> None:
        """Run one alone."""
        with lane_on(host_of(number)) as lane:
            self._run_on(lane, number)

    def _run_on(self, lane: Lane, number: int) -> None:
        scenario = draw(self._seed, number)
        with wide_enough(lane, scenario.channels) as wide:
            self._run(scenario, wide)

    def _run_lane(self, host: Host) -> None:
        try:
            with lane_on(host) as lane:
                while time.monotonic() < self._deadline:
                    with self._numbers_lock:
                        number = next(self._numbers[host])
                    self._run_on(lane, number)
        except pytest.skip.Exception as skipped:
            self._lose_lane(host, str(skipped), is_a_problem=os.environ.get("CI") == "true")
        except Exception as error:  # noqa: BLE001 - the other lanes go on, and the verdict says so
            self._lose_lane(host, f"{type(error).__name__}: {error}", is_a_problem=True)

    def _lose_lane(self, host: Host, reason: str, *, is_a_problem: bool) -> None:
        first, *rest = reason.splitlines() or [""]
        self._tell("\n".join([f"no runs on {host.value} any more: {first}", *rest[-MOST_LINES_TOLD:]]))
        if is_a_problem:
            with self.tally.lock:
                self.tally.problems["lanes lost"] += 1

    def _run(self, scenario: Scenario, lane: Lane, *, may_repeat: bool = True) -> None:
        """Have one run take place and judge it.

        A real server loses sound by itself where the machine is too busy for it, and tells nobody: there a problem
        counts when it is there again at once. On the virtual device every one counts.
        """
        home = Path(tempfile.mkdtemp(prefix="pastream-chaos-"))
        folder = home / "take"
        folder.mkdir()
        run = Run(scenario, folder, lane.environment, lane.server)
        try:
            evidence = run.take_place()
            verdict = judge(evidence, run.received)
            repeats = bool(verdict.problems) and may_repeat and scenario.host is not Host.VIRTUAL
            self.tally.add(evidence, verdict, is_repeated=repeats)
            if verdict.problems:
                self._tell_of_problems(evidence, verdict)
                self._keep_folder(home, scenario.number)
        finally:
            run.clean_up()
            shutil.rmtree(home, ignore_errors=True)
        lane.recover(evidence)
        if repeats:
            self._run(scenario, lane, may_repeat=False)

    def _tell_of_problems(self, evidence: Evidence, verdict: Verdict) -> None:
        for problem in verdict.problems:
            self._tell(f"PROBLEM ({problem.kind}): {problem}")
        struck = ", ".join(f"{s.fault.kind} {s.begun - evidence.started:.2f}" for s in evidence.struck)
        self._tell(f"    {describe(evidence.scenario, self._seed)}")
        self._tell(
            f"    struck: {struck}; ended with {evidence.returncode} after {evidence.ended - evidence.started:.2f} s"
        )
        said = [*evidence.stderr.splitlines()[-MOST_LINES_TOLD:], *evidence.server_log.splitlines()[-MOST_LINES_TOLD:]]
        self._tell("\n".join(f"    | {line[:MOST_CHARACTERS_TOLD]}" for line in said))

    def _keep_folder(self, home: Path, number: int) -> None:
        self._keep.mkdir(parents=True, exist_ok=True)
        if len(list(self._keep.iterdir())) < MOST_FOLDERS_KEPT:
            with suppress(OSError):
                shutil.copytree(home, self._keep / f"{self._seed}-{number}", dirs_exist_ok=True)


def _is_on(host: Host) -> Callable[[int], bool]:
    return lambda number: host_of(number) is host
