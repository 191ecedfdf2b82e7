"""Is the take what its report says, and has it lost nothing but what the faults explain? Evidence in, problems out."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.absences import lost_its_device, moment_of, passed_over
from tests.chaos.contents import check_content, check_killed, read_all
from tests.chaos.disk_faults import DiskRefusal, Truncation
from tests.chaos.evidence import Evidence, files_in
from tests.chaos.explanations import Xruns, explain, late_seconds, stops_device
from tests.chaos.faults import (
    EarlyStop,
    FullDisk,
    Kill,
    ReaderLeaves,
    ReaderStall,
    Removal,
    ServerDeath,
    ServerHang,
    Stop,
    StopTwice,
)
from tests.chaos.leftovers import is_semaphore
from tests.chaos.problems import Hang, Leftover, Problem, Traceback, UnexplainedLoss, demand
from tests.chaos.scenarios import Host, Scenario, Sink, Source
from tests.reports import VALIDATOR
from tests.takes import SLACK

UNTOLD_SECONDS = 0.6
"""By which a real device may be late, or a short deficit be passed over, before a take is shorter than its time."""


_GIVEN_UP_BY_HOST = "failed in 'src/hostapi/"
"""What PortAudio says, with -v, where it ends a stream of itself: on PulseAudio, when the machine is too busy."""


@dataclass
class Verdict:
    """What a run comes to."""

    problems: list[Problem] = field(default_factory=list)
    losses_explained: int = 0
    frames: int = 0
    was_given_up: bool = False


def judge(evidence: Evidence, received: Path) -> Verdict:
    """Return what is wrong, if anything, and what was counted.

    Parameters
    ----------
    evidence : Evidence
        Of a run that is over.
    received : Path
        What came out of the pipe that it recorded to; not there where it was none.
    """
    verdict = Verdict()
    try:
        _judge(evidence, received, verdict)
    except Problem as problem:
        verdict.problems.append(problem)
    except (AssertionError, OSError, ValueError, RuntimeError, KeyError) as error:
        verdict.problems.append(Problem(f"{type(error).__name__}: {error}"))
    return verdict


def _judge(evidence: Evidence, received: Path, verdict: Verdict) -> None:
    demand(not evidence.hangs, f"it still ran: {evidence.stacks}", Hang)
    left = [name for name in evidence.left_behind if not is_semaphore(name) or not evidence.met(ServerDeath)]
    demand(not left, f"it left {', '.join(left)}", Leftover)
    if evidence.met(EarlyStop) and evidence.stderr.endswith("KeyboardInterrupt\n") and not _is_ours(evidence.stderr):
        return  # before the first line of it was run
    demand("Traceback" not in evidence.stderr, "a traceback", Traceback)
    demand("Fatal Python error" not in evidence.stderr, "a crash", Traceback)
    if evidence.returncode == -signal.SIGKILL:
        demand(evidence.met(Kill), "it was killed by somebody else")
        verdict.frames = check_killed(evidence)
        return
    if evidence.returncode < 0:
        demand(evidence.met(EarlyStop), f"it ended by signal {-evidence.returncode}")
        demand(files_in(evidence) == [], "a file was left by a take that never began")
        return
    report = _report_of(evidence)
    _check_exit(evidence, report)
    _check_sums(report)
    xruns = Xruns.of(report)
    takes = read_all(evidence, report, received)
    verdict.frames = sum(len(take.samples) for take in takes)
    _check_lengths(evidence, report, verdict.frames)
    check_content(evidence, takes, xruns)
    _check_clock(evidence, report)
    verdict.losses_explained = len(xruns.all)
    verdict.was_given_up = was_given_up(evidence)
    if unexplained := explain(evidence, report, xruns):
        raise UnexplainedLoss(unexplained)


def _is_ours(traceback: str) -> bool:
    return "pastream_cli/" in traceback


# ---- the report ----


def _report_of(evidence: Evidence) -> dict[str, Any]:
    text = evidence.stderr if evidence.scenario.sink is Sink.STDOUT else evidence.stdout.decode()
    lines = text.splitlines()
    demand(lines, "no report")
    report: dict[str, Any] = json.loads(lines[-1])
    errors = [error.message for error in VALIDATOR.iter_errors(report)]
    demand(not errors, f"the report is not as its schema says: {errors}")
    demand(report["exit_code"] == evidence.returncode, f"{report['exit_code']} was reported")
    demand(report["arguments"] == evidence.scenario.arguments, "the report is about other arguments")
    return report


def _check_exit(evidence: Evidence, report: dict[str, Any]) -> None:
    """The exit code must be one that a fault excuses; nothing may end well that cannot have."""
    scenario, code, reason = evidence.scenario, evidence.returncode, report["stop_reason"]
    device_is_gone = code == 1 and (lost_its_device(evidence, report) or was_given_up(evidence))
    is_excused = {
        0: (reason == "complete" and scenario.has_end) or (reason == "stopped" and bool(evidence.met(Stop))),
        1: reason == "failed" and (device_is_gone or _may_have_no_buffers(evidence, report)),
        3: reason == "xrun" and scenario.is_fatal and _has_xruns(report),
        4: reason == "failed" and bool(evidence.met(FullDisk, Removal, ReaderLeaves, DiskRefusal, Truncation)),
        130: reason == "given-up" and bool(evidence.met(StopTwice)),
        141: reason == "failed" and bool(evidence.met(ReaderLeaves)) and scenario.sink is Sink.STDOUT,
    }
    said = f"exit code {code}, {reason}, {report['error']}"
    demand(is_excused.get(code), f"{said}: nothing explains it")
    demand(code == 0 or report["error"] or code in {3, 130}, f"{said}: no error is told")
    if code == 0 and scenario.is_fatal and reason == "complete":
        demand(report["losses"] + report["underruns"] == 0, f"{said}: --fatal-xruns passed a loss over")
    if code == 0:
        dead = [s for s in evidence.met(ServerDeath) if evidence.ended - s.begun > 3 * SLACK + evidence.starved_seconds]
        demand(not dead or scenario.reconnects, f"{said}: long after its server had died")
    if evidence.met(Removal) and code == 0:
        # there may have been none yet
        removed = [file["name"] for file in report["files"] if not (evidence.folder / file["name"]).exists()]
        demand(not removed or evidence.may_be_unseen(Removal), f"{said}: though {removed} were removed")


def _may_have_no_buffers(evidence: Evidence, report: dict[str, Any]) -> bool:
    """Tell whether the take could not even begin, since what limits its files limits its shared memory too."""
    is_limited = bool(evidence.met(FullDisk)) and not report["frames"]
    return is_limited and "larger than the system lets a file be" in report["error"]["message"]


def was_given_up(evidence: Evidence) -> bool:
    """Tell whether PortAudio ended the stream, for reasons of its own and its host's."""
    has_struck = any(struck.fault.takes_device for struck in evidence.struck)
    return evidence.returncode == 1 and not has_struck and _GIVEN_UP_BY_HOST in evidence.stderr


def _has_xruns(report: dict[str, Any]) -> bool:
    return any(report[name] for name in ("losses", "missing_frames", "underruns", "host_flags"))


def _check_sums(report: dict[str, Any]) -> None:
    """What is summed up must be the sum of what is listed."""
    if report["unlisted_xruns"]:
        return
    by_kind: dict[str, list[int]] = {}
    side = "playback" if report["capture"] is None else "capture"
    for xrun in report["xruns"]:
        if xrun["kind"] != "device-away" or xrun["side"] == side:  # which is told of both sides
            by_kind.setdefault(xrun["kind"], []).append(xrun["frames"] or 0)
    away = by_kind.get("device-away", [])
    lost = by_kind.get("overrun", []) + by_kind.get("device", []) + away
    flags = by_kind.get("host-capture", []) + by_kind.get("host-playback", [])
    underruns, deficits = by_kind.get("underrun", []), by_kind.get("deficit", [])
    sums = {
        "lost_frames": sum(lost),
        "losses": len(lost),
        "away_frames": sum(away),
        "underrun_frames": sum(underruns),
        "underruns": len(underruns),
        "missing_frames": sum(deficits),
        "ahead_frames": sum(by_kind.get("ahead", [])),
        "host_flags": len(flags),
    }
    for name, value in sums.items():
        demand(report[name] == value, f"{name} is {report[name]}, but {value} by the list of xruns")


# ---- lengths ----


def _check_clock(evidence: Evidence, report: dict[str, Any]) -> None:
    """A take that was asked to stop has all the frames that its time had, or says how many never came."""
    stops = evidence.met(Stop)
    if evidence.returncode != 0 or report["stop_reason"] != "stopped" or not report["files"] or not stops:
        return
    scenario, start = evidence.scenario, report["files"][0]["start"]
    if scenario.has_end or report["ended_away"]:
        return  # it may have ended by itself a moment before
    begun = moment_of(start).timestamp() - scenario.offset / scenario.rate - evidence.epoch
    due_seconds = stops[0].begun - begun
    seconds = (report["frames"] + report["missing_frames"]) / scenario.rate
    slack = UNTOLD_SECONDS + late_seconds(evidence, stops[0].begun)
    short = f"{seconds:.3f} s of frames and of frames that never came, in {due_seconds:.3f} s"
    demand(seconds >= due_seconds - slack, short, UnexplainedLoss)


def _check_lengths(evidence: Evidence, report: dict[str, Any], frames: int) -> None:
    """The files hold the whole timeline, and the timeline agrees with the clock."""
    scenario, code = evidence.scenario, evidence.returncode
    timeline = max(0, report["frames"] - scenario.offset)
    told = sum(file["frames"] for file in report["files"])
    most = passed_over(report, scenario.split, scenario.offset)
    passed = timeline - told - report["unwritten_frames"]
    sums = f"{told} frames told and {report['unwritten_frames']} unwritten of a timeline of {timeline}"
    is_all = 0 <= passed <= most and passed % (scenario.split or 1) == 0
    demand(is_all or not _records(scenario, report), sums)
    timeline -= passed
    what_failed = evidence.met(FullDisk, DiskRefusal, Truncation, ReaderStall)
    is_told = report["error"] if code == 3 else code == 1 and "warning: cannot write" in evidence.stderr
    has_failed_later = is_told and what_failed
    if has_failed_later and not evidence.met(ReaderLeaves):  # what a pipe held is gone with its reader
        demand(told <= frames <= timeline, f"{frames} frames were stored, {told} are told, of a timeline of {timeline}")
    elif code in {0, 1, 3} and not evidence.met(ReaderLeaves, Removal):
        is_all = frames == timeline or scenario.sink is Sink.NONE
        demand(is_all, f"{frames} frames were stored of a timeline of {timeline}", UnexplainedLoss)
    elif code == 4:
        demand(frames <= timeline, f"{frames} frames were stored of a timeline of {timeline}")
    if report["stop_reason"] == "complete" and scenario.source is Source.DEVICE:
        demand(report["frames"] == scenario.duration, f"{report['frames']} frames, not {scenario.duration}")
    if frames and report["files"] and (start := report["files"][0]["start"]):
        seconds = (moment_of(report["ended"]) - moment_of(start)).total_seconds()
        # the virtual device gives a block at its beginning, PulseAudio's null sink is even earlier and keeps what a
        # process that is held up does not fetch, and PipeWire makes up for the time for which it hung before the take
        early_seconds = 0.2 + (scenario.block or 4096) / scenario.rate
        early_seconds += sum(struck.fault.seconds for struck in evidence.met(ServerHang))
        if scenario.host is Host.PULSE:
            held_up = [struck.fault.seconds for struck in evidence.struck if stops_device(evidence, struck.fault)]
            early_seconds += 0.4 + sum(held_up) + evidence.starved_seconds
        demand(frames / scenario.rate <= seconds + early_seconds, f"{frames} frames within {seconds:.3f} s")


def _records(scenario: Scenario, report: dict[str, Any]) -> bool:
    """Tell whether there was anything to be recorded."""
    return report["capture"] is not None and report["frames"] > scenario.offset


def describe(scenario: Scenario, seed: int) -> str:
    """Return what reproduces one run."""
    faults = ", ".join(f"{fault.kind} at {fault.at:.2f} s" for fault in scenario.faults)
    return (
        f"python -m tests.chaos --seed {seed} --only {scenario.number}\n"
        f"    pastream {' '.join(scenario.arguments)}\n    {faults}"
    )
