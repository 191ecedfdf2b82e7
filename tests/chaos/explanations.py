"""Which faults explain the losses and underruns that a report tells of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.absences import MOST_BLOCK_FRAMES, explain_gaps, moment_of
from tests.chaos.disk_faults import DiskRefusal, Truncation
from tests.chaos.evidence import Evidence, Struck
from tests.chaos.expected import Place
from tests.chaos.faults import BusyMachine, DeviceFault, Fault, FullDisk, ReaderLeaves
from tests.chaos.host_faults import HostStop
from tests.chaos.scenarios import Host, Source

PATIENCE_SECONDS = 5.0
"""A virtual device that is told to be patient may be so late before it loses anything."""

_MOST_PASSED_OVER_SECONDS = 0.1
_SECONDS_TO_TELL = 2.0


@dataclass(frozen=True)
class Xruns:
    """What a report lists."""

    all: Sequence[dict[str, Any]]
    is_incomplete: bool

    @classmethod
    def of(cls, report: dict[str, Any]) -> Xruns:
        return cls(report["xruns"], bool(report["unlisted_xruns"]))

    def places(self, *kinds: str, side: str | None = None) -> list[Place]:
        """Return the first frame and the length of each of these kinds, on that side if one is named."""
        return [
            (xrun["frame"], xrun["frames"])
            for xrun in self.all
            if xrun["kind"] in kinds and side in {None, xrun["side"]}
        ]


def explain(evidence: Evidence, report: dict[str, Any], xruns: Xruns) -> str | None:
    """Return what nothing explains of what a report tells, `None` where every loss has its reason."""
    scenario = evidence.scenario
    is_virtual = scenario.host is Host.VIRTUAL
    stopped = device_seconds(evidence) + evidence.starved_seconds
    blocked = stopped + _seconds(evidence, "stops_writer")
    if scenario.split:
        blocked += _seconds(evidence, "stops_python")  # no next file is there in time
    buffer_seconds = report["buffer"]["frames"] / scenario.rate if report["buffer"] else 0.0
    has_failed = bool(evidence.met(FullDisk, DiskRefusal, Truncation))
    reasons = {
        # a writer that a full disk has ended takes nothing up to the moment when that is seen
        "overrun": blocked > 0.5 * buffer_seconds or has_failed,
        "underrun": scenario.source is Source.PIPE or bool(xruns.places("device")) or stopped > 0.05,
        "deficit": not is_virtual and (stopped > 0 or bool(evidence.met(BusyMachine))),
        "ahead": not is_virtual and _was_stopped_at_the_start(evidence, report),
        "device-away": True,  # each one has to have its own fault
        "host-capture": not is_virtual and (stopped > 0 or bool(evidence.met(BusyMachine))),
        "host-playback": not is_virtual and (stopped > 0 or bool(evidence.met(BusyMachine))),
        "device": is_virtual and (_is_as_told(evidence, xruns) or stopped > _tolerance_seconds(evidence)),
    }
    for xrun in xruns.all:
        if not reasons[xrun["kind"]] and not _is_behind_the_last_reader(evidence, xrun):
            return f"{xrun['frames']} frames, {xrun['kind']}, at {xrun['seconds']} s; starved {stopped:.2f} s"
    return explain_gaps(evidence, report)


def _was_stopped_at_the_start(evidence: Evidence, report: dict[str, Any]) -> bool:
    """Tell whether the host was stopped up to its first callback, which then has all that was captured meanwhile."""
    if not report["files"] or not report["files"][0]["start"]:
        return False
    begun = moment_of(report["files"][0]["start"]).timestamp() - evidence.epoch
    return any(stop.begun < begun <= stop.ended + _SECONDS_TO_TELL for stop in evidence.met(HostStop))


def _is_behind_the_last_reader(evidence: Evidence, xrun: dict[str, Any]) -> bool:
    """Tell whether the reader of a pipe had left: nobody takes what comes up to the end that is made of the take."""
    lost = moment_of(xrun["time"]).timestamp() - evidence.epoch
    return xrun["kind"] == "overrun" and any(left.begun < lost for left in evidence.met(ReaderLeaves))


def is_hindered(evidence: Evidence) -> bool:
    """Tell whether the take, or its server, has missed any time worth mentioning."""
    return device_seconds(evidence) + evidence.starved_seconds > 0.05


def device_seconds(evidence: Evidence) -> float:
    """Return for how long in all faults have kept the device from capturing and playing."""
    return sum(_length(struck) for struck in evidence.struck if stops_device(evidence, struck.fault))


def stops_device(evidence: Evidence, fault: Fault) -> bool:
    """Tell whether no frame is captured or played during a fault: a real device goes on without the take's process."""
    return fault.stops_device or (fault.stops_take and evidence.scenario.host is Host.VIRTUAL)


def _length(struck: Struck) -> float:
    return max(struck.fault.seconds, struck.ended - struck.begun)


def late_seconds(evidence: Evidence, end: float) -> float:
    """Return by how much a take that was stopped at `end` may be short without saying so.

    What a device missed shows in the next second and a half; less than a block may be chance. The virtual device makes
    up for whatever kept it.
    """
    slack = 0.0
    for struck in evidence.struck:
        if stops_device(evidence, struck.fault):
            is_told = end - struck.ended > _SECONDS_TO_TELL
            slack += _MOST_PASSED_OVER_SECONDS if is_told else _length(struck)
    return slack + (0.0 if evidence.scenario.host is Host.VIRTUAL else evidence.starved_seconds)


def _seconds(evidence: Evidence, hindrance: str) -> float:
    """Return for how long in all faults have hindered the take in one way."""
    return sum(_length(struck) for struck in evidence.struck if getattr(struck.fault, hindrance))


def _tolerance_seconds(evidence: Evidence) -> float:
    """Return how late the virtual device may be before it loses frames: its latency, or a few blocks."""
    return PATIENCE_SECONDS if evidence.scenario.is_patient else 0.02


def _is_as_told(evidence: Evidence, xruns: Xruns) -> bool:
    """Tell whether the device has lost what it was told to lose and nothing else."""
    scenario = evidence.scenario
    told = sorted(
        (fault.at_frame, scenario.block if fault.what == "xrun" else fault.frames)
        for fault in scenario.faults
        if isinstance(fault, DeviceFault) and not fault.is_deadly
    )
    lost = xruns.places("device")
    if scenario.reconnects:  # whose blocks begin anew behind each gap, up to a block from their place
        late = [fault.frames for fault in scenario.faults if isinstance(fault, DeviceFault)]
        most = 2 * (scenario.block or MOST_BLOCK_FRAMES) + sum(late)
        return all(any(abs(first - frame) <= most for first, _ in told) for frame, _ in lost)
    if not scenario.block:  # of which the device chose the size
        return len(lost) <= len(told)
    gaps: list[Place] = []
    frame = 0
    for place, length in told:
        frame = max(frame, -(-(place - frame) // scenario.block) * scenario.block + frame)
        if gaps and sum(gaps[-1]) == frame:  # no block between two losses makes them one
            gaps[-1] = (gaps[-1][0], gaps[-1][1] + length)
        else:
            gaps.append((frame, length))
        frame += length
    kept = [(max(first, scenario.offset), first + length) for first, length in gaps]
    return all(any(first == frame and end >= first + length for first, end in kept) for frame, length in lost)
