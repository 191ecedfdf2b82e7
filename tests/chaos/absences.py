"""Which faults explain the gaps in which a take had no device, and which faults must have made one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.chaos.evidence import Evidence
from tests.chaos.faults import DeviceFault
from tests.chaos.host_faults import HostDeath
from tests.chaos.scenarios import Host, Sink

MOST_BLOCK_FRAMES = 4096
"""Of a device that chooses its block."""

# A gap begins with the last block of the device before, which is older than the fault by a part of the latency.
_EARLY_SECONDS = 0.6
# An idle sink of a sound server fills its buffer at once, and then takes nothing for so long.
_IDLE_SECONDS = 2.5
# A server that was just started may go once more, and a device that is told to be silent is so at its next block.
_LATE_SECONDS = 1.0
# From the end of a fault to the first frame: an idle sink takes two seconds, and the next try may be as far away.
_SECONDS_TO_BE_BACK = 6.0
_SECONDS_TO_BE_NOTICED = 3.0
MOST_CRASHES = 3
"""Of a host library within a minute."""


def moment_of(text: str) -> datetime:
    """Return the moment that a report tells."""
    return datetime.fromisoformat(re.sub("Z$", "+00:00", text))


def lost_its_device(evidence: Evidence, report: dict[str, Any]) -> bool:
    """Tell whether a fault excuses a take that has failed because of its device."""
    scenario, starved = evidence.scenario, evidence.starved_seconds
    blows = [struck for struck in evidence.struck if struck.fault.takes_device]
    first = evidence.first_seen
    if any(first is None or blow.begun < first + _EARLY_SECONDS for blow in blows):
        return True  # there was nothing yet that could go on
    told = [fault for fault in scenario.faults if isinstance(fault, DeviceFault)]
    if scenario.reconnects:
        was_away = "was away at the end of the take" in report["error"]["message"] and scenario.duration is not None
        is_at_the_end = any(evidence.ended - blow.ended < _SECONDS_TO_BE_NOTICED + starved for blow in blows)
        is_away = bool(blows) or any(fault.goes_away for fault in told)
        return (was_away and is_away) or is_at_the_end or any(fault.is_deadly for fault in told)
    crashes = [blow for blow in blows if isinstance(blow.fault, HostDeath)]
    is_at_the_end = any(evidence.ended - crash.begun < _SECONDS_TO_BE_NOTICED + starved for crash in crashes)
    others = [blow for blow in blows if blow not in crashes]
    return bool(others) or len(crashes) >= MOST_CRASHES or is_at_the_end or any(fault.is_deadly for fault in told)


def passed_over(report: dict[str, Any], split: int | None, offset: int) -> int:
    """Return how many frames at most no piece was made for, since a gap without a device has all of them."""
    frames = 0
    begun = {file["first_frame"] for file in report["files"]} or {offset}
    for xrun in report["xruns"]:
        before = [first for first in begun if first <= xrun["frame"]]
        if split and before and (xrun["kind"], xrun["side"]) == ("device-away", "capture"):
            pieces = range(max(before), xrun["frame"] + xrun["frames"] - split + 1, split)
            frames += sum(split for first in pieces if first >= xrun["frame"] and first not in begun)
    return frames


def explain_gaps(evidence: Evidence, report: dict[str, Any]) -> str | None:
    """Return what is wrong with the gaps of a take, `None` where each has its fault, and each fault its gap."""
    xruns = report["xruns"]
    sides = {xrun["side"] for xrun in xruns if xrun["kind"] == "device-away"}
    for side in sorted(sides) or ["capture"]:
        gaps = [xrun for xrun in xruns if xrun["kind"] == "device-away" and xrun["side"] == side]
        wrong = (
            _virtual_gaps(evidence, gaps, [xrun for xrun in xruns if xrun["side"] == side])
            if evidence.scenario.host is Host.VIRTUAL
            else _real_gaps(evidence, gaps, is_told=report["ended_away"] or not report["frames"])
        )
        if wrong:
            return wrong
    return None


def _virtual_gaps(evidence: Evidence, gaps: list[dict[str, Any]], losses: list[dict[str, Any]]) -> str | None:
    """A virtual device goes at a frame of its clock, or where the block, the stall or the loss ends that holds it."""
    scenario = evidence.scenario
    told = [fault for fault in scenario.faults if isinstance(fault, DeviceFault)]
    stalled = sum(fault.frames for fault in told if fault.what == "stall")
    for before, gap in enumerate(gaps):
        block = scenario.block or MOST_BLOCK_FRAMES
        lost = max((loss["frames"] for loss in losses if gap["frame"] - block <= _end(loss) <= gap["frame"]), default=0)
        late_by = block + max(stalled, lost)
        off = before * block  # after a gap the timeline is right to a block
        places = [
            fault
            for fault in told
            if _comes_back(fault, told) and -off <= _late(gap, fault, scenario.offset) <= late_by + off
        ]
        if not places:
            return f"{gap['frames']} frames without a device, at frame {gap['frame']}: it was not told to go"
    return None


def _comes_back(fault: DeviceFault, told: list[DeviceFault]) -> bool:
    """Tell whether the device is back after a fault: also one that ends it before an absence is over.

    It begins with a whole block, so that it may miss the beginning of an absence that falls into its first one.
    """
    backs = (other.at_frame + other.frames for other in told if other.goes_away)
    return fault.goes_away or (fault.is_deadly and any(fault.at_frame <= back for back in backs))


def _end(loss: dict[str, Any]) -> int:
    return int(loss["frame"] + loss["frames"])


def _late(gap: dict[str, Any], fault: DeviceFault, offset: int) -> int:
    return int(gap["frame"]) - max(offset, fault.at_frame)


def _real_gaps(evidence: Evidence, gaps: list[dict[str, Any]], *, is_told: bool) -> str | None:
    scenario, starved = evidence.scenario, evidence.starved_seconds
    blows = [struck for struck in evidence.struck if struck.fault.takes_device]
    left = list(blows)
    only_plays = scenario.sink is Sink.NONE and scenario.host in {Host.PULSE, Host.PIPEWIRE}
    early = _IDLE_SECONDS if only_plays else _EARLY_SECONDS
    for gap in gaps:
        begun = moment_of(gap["time"]).timestamp() - evidence.epoch
        near = [blow for blow in left if blow.begun - early - starved <= begun <= blow.ended + _LATE_SECONDS + starved]
        what = f"{gap['frames']} frames without a device, at {gap['seconds']} s"
        if not near:
            return f"{what}: nothing took it"
        back = begun + gap["frames"] / scenario.rate
        in_the_way = [blow.ended for blow in blows if blow.begun < back]
        if back > max(in_the_way) + _SECONDS_TO_BE_BACK + starved:
            return f"{what}: it was long there again"
        if isinstance(near[0].fault, HostDeath):  # of which each makes one gap
            left.remove(near[0])
    noticed = evidence.ended - _SECONDS_TO_BE_NOTICED - starved
    deaths = [blow for blow in evidence.met(HostDeath) if evidence.first_seen and evidence.first_seen < blow.begun]
    if deaths and deaths[0].begun < noticed and not gaps and not is_told and evidence.returncode == 0:
        return "the process of the device was killed, and nothing of it was told"
    return None
