"""The frames of a take: are they all there, where they belong, and what was captured or played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.chaos import expected
from tests.chaos.continuity import continuity
from tests.chaos.evidence import Evidence, files_in, read_take
from tests.chaos.explanations import Xruns, is_hindered
from tests.chaos.faults import Cut, FullDisk, Kill, ReaderLeaves, Removal, ServerHang
from tests.chaos.problems import UnexplainedLoss, demand
from tests.chaos.scenarios import Host, Sink, Source
from tests.sounds import Samples
from tests.takes import read_by_sox

AT_MOST_LOST_SECONDS = 1.2
"""By a take that is killed."""

_READ_BY_SOX = {"wav", "rf64", "w64", "aiff", "au", "caf", "flac"}


def read_all(evidence: Evidence, report: dict[str, Any], received: Path) -> list[Samples]:
    """Return the frames of every file that is told of; each must be as long as was told, and no other be there."""
    scenario, files = evidence.scenario, {file["name"]: file["frames"] for file in report["files"]}
    if scenario.sink is not Sink.FILE:
        return _read_received(evidence, files, received)
    left = [] if evidence.returncode == 130 else sorted(set(files_in(evidence)) ^ set(files))
    demand(not left or evidence.met(Removal), f"files that are there and files that are told differ by {left}")
    takes = []
    if evidence.returncode == 130 and scenario.frame_bytes == 1:
        return []  # what a codec still held is lost, and its header with it
    for name in files_in(evidence) if evidence.returncode == 130 else files:
        path = evidence.folder / name
        if not path.exists() and evidence.met(Removal):
            continue
        take = read_take(path, scenario)
        frames = files.get(name, len(take))
        demand(len(take) == frames, f"{name} has {len(take)} frames, not {frames}")
        is_empty_by_wish = scenario.duration == scenario.offset
        demand(len(take) or is_empty_by_wish or evidence.returncode == 130, f"{name} is empty")
        _check_with_sox(evidence, name, frames)
        takes.append(take)
    if scenario.split and evidence.returncode in {0, 1, 3} and not evidence.met(Cut):
        full = [len(take) for take in takes[:-1]]
        demand(all(frames == scenario.split for frames in full), f"pieces of {full} frames, not {scenario.split}")
    return takes


def _check_with_sox(evidence: Evidence, name: str, frames: int) -> None:
    """Sox reads as many frames of a file; of every fourth run, since it takes its time."""
    scenario = evidence.scenario
    if scenario.number % 4 == 0 and scenario.file_type in _READ_BY_SOX and frames:
        by_sox = len(read_by_sox(evidence.folder / name, scenario.channels))
        demand(by_sox == frames, f"sox reads {by_sox} frames of {name}, not {frames}")


def _read_received(evidence: Evidence, files: dict[str, int], received: Path) -> list[Samples]:
    """Return the frames that came out of the pipe: all that are told, unless its reader went away."""
    scenario = evidence.scenario
    demand(files_in(evidence) == [], f"a take in a pipe left {files_in(evidence)}")
    frames = files.get(scenario.output, 0)
    if evidence.met(ReaderLeaves) or evidence.returncode == 130:
        return []
    if not frames and received.stat().st_size == 0:
        return []
    path = received.rename(received.with_suffix(f".{scenario.file_type}"))
    if scenario.file_type == "flac":
        _set_flac_total(path, frames)
    take = read_take(path, scenario)
    demand(len(take) == frames, f"{len(take)} frames came out of the pipe, not {frames}")
    return [take]


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
    if scenario.file_type not in _READ_BY_SOX - {"flac"}:
        return 0
    names = [name for name in files_in(evidence) if not name.startswith(".")]
    takes = [read_take(evidence.folder / name, scenario) for name in names]
    take = _joined(takes) if takes else np.zeros((0, scenario.channels), "int32")
    hindered = evidence.starved_seconds + sum(s.ended - s.begun for s in evidence.struck)
    (kill,) = evidence.met(Kill)
    assert evidence.first_seen is not None
    due = int((kill.begun - evidence.first_seen - hindered - AT_MOST_LOST_SECONDS) * scenario.rate)
    ends_by_itself = scenario.source is not Source.DEVICE and not scenario.loops
    demand(len(take) >= due or ends_by_itself, f"only {len(take)} frames outlived a kill, not {due}")
    for name, samples in zip(names, takes, strict=True):
        _check_with_sox(evidence, name, len(samples))
    if scenario.host is Host.VIRTUAL and scenario.source is Source.DEVICE:
        sound = expected.sine(scenario.rate, len(take) + scenario.offset, scenario.channels, scenario.encoding)
        sound = sound[scenario.offset :]
        sound[(take == 0).all(axis=1)] = 0  # nobody is left to tell what was lost before
        difference = expected.first_difference(take, sound)
        demand(difference is None, f"what outlived a kill is something else: {difference}")
    return len(take)


def check_content(evidence: Evidence, takes: list[Samples], xruns: Xruns) -> None:
    """What was stored is what was captured, as far as anybody can know what that was."""
    split = evidence.scenario.split
    if split and evidence.met(FullDisk):  # what comes after a piece that a full disk cut short is not where it would be
        short = next((number for number, take in enumerate(takes) if len(take) < split), len(takes))
        takes = takes[: short + 1]
    if takes and evidence.scenario.is_lossless:
        check = _check_content if evidence.scenario.host is Host.VIRTUAL else _check_continuity
        check(evidence, _joined(takes), xruns)


def _check_content(evidence: Evidence, take: Samples, xruns: Xruns) -> None:
    """Frame for frame what was captured, with silence where a loss is told and nowhere else."""
    scenario = evidence.scenario
    if xruns.is_incomplete or (evidence.met(Removal) and evidence.returncode == 4):
        return
    frames = scenario.offset + len(take)
    if scenario.source is Source.DEVICE:
        sound = expected.sine(scenario.rate, frames, scenario.channels, scenario.encoding)
    else:
        assert evidence.source is not None
        sound = expected.played(evidence.source, frames, xruns.places("underrun"), loops=scenario.loops)
    sound = expected.with_silence(sound, xruns.places("overrun", "device"))
    difference = expected.first_difference(take, sound[scenario.offset :])
    demand(difference is None, f"the take is not what was captured: {difference}", UnexplainedLoss)


def _check_continuity(evidence: Evidence, take: Samples, xruns: Xruns) -> None:
    """What came back from a real server is what was played; where a piece is missing, something was told."""
    scenario = evidence.scenario
    if scenario.source is Source.DEVICE or evidence.source is None or not len(take):
        return
    back = continuity(take, evidence.source)
    # PipeWire may lose one channel of a quantum when it goes on after a hang
    is_excused = scenario.host is Host.PIPEWIRE and evidence.met(ServerHang)
    demand(back.foreign_frames == 0 or is_excused, f"{back.foreign_frames} frames were never played")
    if back.breaks and not xruns.all and not is_hindered(evidence):
        raise UnexplainedLoss(f"{back.breaks} breaks in what came back, of which nothing was told")


def _joined(takes: list[Samples]) -> Samples:
    return np.concatenate(takes)  # type: ignore[return-value]  # all are of one type
