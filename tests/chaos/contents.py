"""The frames of a take: are they all there, where they belong, and what was captured or played."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.chaos import expected
from tests.chaos.absences import MOST_BLOCK_FRAMES
from tests.chaos.continuity import continuity, places_in
from tests.chaos.disk_faults import DiskHang, DiskRefusal, Truncation
from tests.chaos.evidence import Evidence, files_in, read_take
from tests.chaos.explanations import Xruns, is_hindered
from tests.chaos.faults import MOVED, Cut, FullDisk, Kill, ReaderLeaves, ReaderStall, Removal, ServerHang, SlowReader
from tests.chaos.problems import UnexplainedLoss, demand
from tests.chaos.scenarios import Host, Scenario, Sink, Source
from tests.sounds import Samples
from tests.takes import frames_by_ffmpeg, frames_by_sox, silences

_GAPS_TOLD = re.compile(r"about ([\d ]+) frames went by")
_LOSSES_TOLD = re.compile(r"([\d ]+) frames (?:went by|lost)")
_HELD_SECONDS = 0.3
AT_MOST_LOST_SECONDS = 1.2
"""By a take that is killed."""

FLAC_BLOCK_FRAMES = 4096
MOST_OF_FFMPEG = 8
"""Channels of a file that it is asked to read."""
SAMPLES_AT_ONCE = 32768
"""That a take hands on to a pipe."""
DISK_FAULTS = (DiskRefusal, Truncation, FullDisk)
_TOLD_BY_A_HEADER = {"wav", "rf64", "w64", "aiff", "au", "caf"}


class Take(NamedTuple):
    """One file: what the report says of it, and what can be read."""

    file: dict[str, Any]
    samples: Samples


def read_all(evidence: Evidence, report: dict[str, Any], received: Path) -> list[Take]:
    """Return every file that is told of; each must be as long as was told, and no other be there with any sound."""
    scenario, files = evidence.scenario, report["files"]
    if scenario.sink is not Sink.FILE:
        return _read_received(evidence, report, received)
    if not evidence.met(Removal):
        _check_names(evidence, {file["name"] for file in files})
    takes = []
    for number, file in enumerate(files):
        path = evidence.folder / file["name"]
        if not path.exists() and evidence.met(Removal):
            continue
        if not path.exists():
            path = path.with_name(MOVED + path.name)
        take = read_take(path, scenario)
        _check_count(evidence, file, len(take))
        _check_with_another_reader(evidence, path.name, len(take), number)
        takes.append(Take(file, take))
    if scenario.split and evidence.returncode in {0, 1, 3} and not evidence.met(Cut, *DISK_FAULTS):
        full = [len(take.samples) for take in takes[:-1]]
        demand(all(frames == scenario.split for frames in full), f"pieces of {full} frames, not {scenario.split}")
    return takes


def _check_names(evidence: Evidence, told: set[str]) -> None:
    """What is told is there; what is not told is gone, or has no sound where the disk refused to remove it."""
    there = set(files_in(evidence))
    missing = {name for name in told - there if not _may_be_moved_unseen(evidence, name)}
    demand(not missing, f"{missing} are told and are not there")
    there -= {MOVED + name for name in told - there}
    for name in there - told:
        # a file that was made ahead may have been moved by another program, be kept by the disk, or just be begun
        may_be_left = evidence.returncode == 130 or name.startswith(MOVED)
        may_be_left |= _has_refused(evidence, "fstat", "unlink")
        frames = len(read_take(evidence.folder / name, evidence.scenario))
        demand(may_be_left and not frames, f"{name} is there, with {frames} frames, and not told")


def _has_refused(evidence: Evidence, *calls: str) -> bool:
    """Tell whether the disk has refused one of these calls, or may have."""
    faults = [struck.fault for struck in evidence.struck if isinstance(struck.fault, DiskRefusal)]
    return any(call in fault.calls.split(",") for fault in faults for call in calls)


def _may_be_moved_unseen(evidence: Evidence, name: str) -> bool:
    """Tell whether nobody could see that the file was moved: it was complete by then, or the disk refused to say."""
    try:
        status = (evidence.folder / f"{MOVED}{name}").stat()
    except FileNotFoundError:
        return False
    was_not_asked = evidence.returncode == 130 or bool(evidence.met(DiskRefusal))
    return status.st_mtime_ns < status.st_ctime_ns or was_not_asked


def _check_count(evidence: Evidence, file: dict[str, Any], there: int) -> None:
    """As many frames are told as can be read; by a take that was given up about as many, since it is left behind."""
    frames, name, scenario = file["frames"], file["name"], evidence.scenario
    if evidence.returncode == 130:
        if scenario.frame_bytes == 1:
            return  # nobody knows what its codec still holds
        lost = there - frames
        seconds = AT_MOST_LOST_SECONDS + sum(struck.fault.seconds for struck in evidence.met(DiskHang))
        demand(0 <= lost <= seconds * scenario.rate, f"{name} has {there} frames, not {frames}")
        return
    if evidence.met(DiskRefusal) and evidence.returncode == 4 and frames < there:
        return  # it could not be read to its end while the disk refused to
    if there < frames and evidence.may_be_unseen(Truncation):
        return
    demand(there == frames, f"{name} has {there} frames, not {frames}")
    demand(there or scenario.duration == scenario.offset or evidence.met(*DISK_FAULTS), f"{name} is empty")


def _check_with_another_reader(evidence: Evidence, name: str, frames: int, number: int) -> None:
    """Sox, or ffmpeg, reads as many frames of a file as libsndfile."""
    scenario = evidence.scenario
    if not frames or scenario.file_type == "raw":
        return
    if scenario.file_type == "ogg" and evidence.returncode in {4, 130}:
        return  # decoders differ in what they make of the last pages of a Vorbis without an end
    # ffmpeg knows neither every W64, nor where a Vorbis begins, nor so many channels in a CAF
    is_beyond_ffmpeg = scenario.file_type in {"w64", "ogg"} or scenario.channels > MOST_OF_FFMPEG
    is_sox = (scenario.number + number) % 2 or is_beyond_ffmpeg
    path, by = evidence.folder / name, "sox" if is_sox else "ffmpeg"
    if is_sox:
        found = frames_by_sox(path, scenario.channels, scenario.file_type if name.endswith(".new") else None)
    else:
        found = frames_by_ffmpeg(path, scenario.channels)
    # where a FLAC's header could not tell how long it is, libsndfile does not come to the last block
    is_short = scenario.file_type == "flac" and evidence.returncode in {4, 130, -signal.SIGKILL}
    slack = FLAC_BLOCK_FRAMES if is_short else 0
    if evidence.met(DiskRefusal, Truncation, Kill) and evidence.returncode in {4, -signal.SIGKILL}:
        slack = found  # they go on behind what a header tells, and behind a page that is missing
    demand(frames <= found <= frames + slack, f"{by} reads {found} frames of {name}, not {frames}")


def _read_received(evidence: Evidence, report: dict[str, Any], received: Path) -> list[Take]:
    """Return the frames that came out of the pipe: all that are told, unless its reader went away."""
    scenario, files = evidence.scenario, report["files"]
    demand(files_in(evidence) == [], f"a take in a pipe left {files_in(evidence)}")
    frames = sum(file["frames"] for file in files)
    if evidence.met(ReaderLeaves) or evidence.returncode == 130:
        return []
    if not frames and received.stat().st_size == 0:
        return []
    path = received.rename(received.with_suffix(f".{scenario.file_type}"))
    most = frames + (_untold_frames(scenario) if _is_left_to_its_reader(evidence, report) else 0)
    if scenario.file_type == "flac":
        _set_flac_total(path, frames_by_ffmpeg(path, scenario.channels) if most > frames else frames)
    take = read_take(path, scenario)
    demand(frames <= len(take) <= most, f"{len(take)} frames came out of the pipe, not {frames}")
    return [Take(file, take) for file in files]


def _is_left_to_its_reader(evidence: Evidence, report: dict[str, Any]) -> bool:
    """Tell whether the end of a take did not wait for the reader of its pipe, who may have gone on all the same."""
    is_held_up = bool(evidence.met(ReaderStall, SlowReader))
    return is_held_up and report["error"] is not None and "takes no more data" in report["error"]["message"]


def _untold_frames(scenario: Scenario) -> int:
    """Return how many frames may still come out of such a pipe: what was being written, and what the codec held."""
    return SAMPLES_AT_ONCE // scenario.channels + (FLAC_BLOCK_FRAMES if scenario.file_type == "flac" else 0)


def _set_flac_total(path: Path, frames: int) -> None:
    """Write into a FLAC how long it is, which none knows that comes out of a pipe, and libsndfile wants to know.

    The total is the lower 36 bits of the eight bytes at 18 (RFC 9639, 8.2).
    """
    with path.open("r+b") as file:
        file.seek(18)
        fields = int.from_bytes(file.read(8), "big")
        file.seek(18)
        file.write((fields >> 36 << 36 | frames).to_bytes(8, "big"))


def check_killed(evidence: Evidence) -> int:
    """Every file of a killed take is readable, and all but the last moment is in them; return how many frames."""
    scenario = evidence.scenario
    if scenario.file_type not in _TOLD_BY_A_HEADER:
        return 0
    names = [name for name in files_in(evidence) if not name.startswith(".")]
    names.sort(key=lambda name: name.removeprefix(MOVED))
    takes = [read_take(evidence.folder / name, scenario) for name in names]
    take = _joined(takes) if takes else np.zeros((0, scenario.channels), "int32")
    hindered = evidence.starved_seconds + sum(max(s.fault.seconds, s.ended - s.begun) for s in evidence.struck)
    (kill,) = evidence.met(Kill)
    assert evidence.first_seen is not None
    due = int((kill.begun - evidence.first_seen - hindered - AT_MOST_LOST_SECONDS) * scenario.rate)
    block = scenario.block or MOST_BLOCK_FRAMES
    due -= block  # which the device has not delivered yet
    if scenario.reconnects:  # what a device delivers that is back is held until its place is known
        due -= block + int(_HELD_SECONDS * scenario.rate)
    gaps_told, losses_told = (
        [int(frames.replace(" ", "")) for frames in told.findall(evidence.stderr)]
        for told in (_GAPS_TOLD, _LOSSES_TOLD)
    )
    # the silence of the last gap may just have been written, and is no sound that could be lost
    due -= gaps_told[-1] if gaps_told else 0
    if scenario.split:
        take = _with_pieces_of_silence(take, losses_told, scenario.split)
    ends_by_itself = scenario.source is not Source.DEVICE and not scenario.loops
    demand(len(take) >= due or ends_by_itself, f"only {len(take)} frames outlived a kill, not {due}")
    for number, (name, samples) in enumerate(zip(names, takes, strict=True)):
        _check_with_another_reader(evidence, name, len(samples), number)
    if scenario.host is Host.VIRTUAL and scenario.source is Source.DEVICE:
        most, offset = (scenario.block or MOST_BLOCK_FRAMES), scenario.offset
        sound = expected.sine(scenario.rate, len(take) + offset + most, scenario.channels, scenario.encoding)
        if scenario.reconnects:
            gaps = [(first + offset, length) for first, length in silences(take) if length > 1]
            sound = expected.in_place(sound, take, offset, gaps, most)
        sound = sound[offset : offset + len(take)]
        sound[(take == 0).all(axis=1)] = 0  # nobody is left to tell what was lost before
        difference = expected.first_difference(take, sound)
        demand(difference is None, f"what outlived a kill is something else: {difference}")
    return len(take)


def _with_pieces_of_silence(take: Samples, losses_told: Sequence[int], split: int) -> Samples:
    """Return a take with the pieces that were not made, since a gap had all of them."""
    silent = [(first, length) for first, length in silences(take) if length > 1]
    if len(silent) != len(losses_told):
        return take
    for (first, length), told in reversed(list(zip(silent, losses_told, strict=True))):
        passed_over = round((told - length) / split) * split
        take = np.insert(take, [first] * max(0, passed_over), 0, axis=0)
    return take


def check_content(evidence: Evidence, takes: list[Take], xruns: Xruns) -> None:
    """What was stored is what was captured, as far as anybody can know what that was; for every file."""
    if not takes or not evidence.scenario.is_lossless or evidence.met(Truncation):
        return
    if evidence.scenario.host is not Host.VIRTUAL:
        _check_continuity(evidence, _joined([take.samples for take in takes]), xruns)
        for take in takes:
            _check_comebacks(evidence, take, xruns)
        return
    for take in takes:
        _check_content(evidence, take, xruns)


def _check_content(evidence: Evidence, take: Take, xruns: Xruns) -> None:
    """Frame for frame what was captured at its place, with silence where a loss is told and nowhere else."""
    scenario = evidence.scenario
    if xruns.is_incomplete:
        return
    first = take.file["first_frame"]
    frames = first + len(take.samples)
    if scenario.source is Source.DEVICE:
        most = scenario.block or MOST_BLOCK_FRAMES
        sound = expected.sine(scenario.rate, frames + most, scenario.channels, scenario.encoding)
        aways = xruns.places("device-away", side="capture")
        sound = expected.in_place(sound, take.samples, first, aways, most)[:frames]
    else:
        assert evidence.source is not None
        waits = _waits(xruns, scenario.offset)
        sound = expected.played(evidence.source, frames, waits, loops=scenario.loops)
    sound = expected.with_silence(sound, xruns.places("overrun", "device", "device-away", side="capture"))
    difference = expected.first_difference(take.samples, sound[first:])
    name = take.file["name"]
    demand(difference is None, f"{name} is not what was captured: {difference}", UnexplainedLoss)


def _waits(xruns: Xruns, offset: int) -> list[expected.Place]:
    """Return where what is played has waited. Of a gap that begins in what is not recorded, only the rest is told."""
    waits: list[expected.Place] = []
    for xrun in xruns.all:
        if xrun["side"] != "playback" or xrun["kind"] not in {"underrun", "device-away"}:
            continue
        frame, frames = xrun["frame"], xrun["frames"]
        if xrun["kind"] == "device-away" and frame == offset > 0:
            untold = frame - sum(length for _, length in waits) - xrun["input_frame"]
            frame, frames = frame - untold, frames + untold
        waits.append((frame, frames))
    return waits


def _check_continuity(evidence: Evidence, take: Samples, xruns: Xruns) -> None:
    """What came back from a real server is what was played; where a piece is missing, something was told."""
    scenario = evidence.scenario
    if scenario.source is Source.DEVICE or evidence.source is None or not len(take):
        return
    back = continuity(take, evidence.source)
    # when a server goes on after a hang, it may read one channel of a block while the client still writes the other
    is_excused = scenario.host in {Host.PIPEWIRE, Host.JACK} and evidence.met(ServerHang)
    demand(back.foreign_frames == 0 or is_excused, f"{back.foreign_frames} frames were never played")
    has_holes = evidence.returncode == 4  # between pieces that the disk did not take whole
    if back.breaks and not xruns.all and not is_hindered(evidence) and not has_holes:
        raise UnexplainedLoss(f"{back.breaks} breaks in what came back, of which nothing was told")


def _check_comebacks(evidence: Evidence, take: Take, xruns: Xruns) -> None:
    """What is heard first after a gap without a device is the frame of the input at which it is said to go on."""
    scenario, source = evidence.scenario, evidence.source
    gaps = [xrun for xrun in xruns.all if (xrun["kind"], xrun["side"]) == ("device-away", "playback")]
    if source is None or not gaps or not len(take.samples):
        return
    places = places_in(take.samples, source)
    most = scenario.block or MOST_BLOCK_FRAMES
    begins = [gap["frame"] for gap in gaps[1:]]
    for gap, until in zip(gaps, [*begins, None], strict=True):
        first = max(0, gap["frame"] + gap["frames"] - take.file["first_frame"])
        heard = places[first : None if until is None else max(0, until - take.file["first_frame"])]
        heard = heard[heard >= 0]
        if not len(heard):
            continue
        said = f"frame {heard[0]} of the input is heard after a gap that is said to be at frame {gap['input_frame']}"
        demand(heard[0] >= gap["input_frame"] - most, f"{said}: it was played before")
        is_first = gap["frame"] + gap["frames"] >= take.file["first_frame"]
        demand(heard[0] <= gap["input_frame"] + most or is_hindered(evidence) or not is_first, said, UnexplainedLoss)


def _joined(takes: list[Samples]) -> Samples:
    return np.concatenate(takes)  # type: ignore[return-value]  # all are of one type
