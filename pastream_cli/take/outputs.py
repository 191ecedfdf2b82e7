"""The outputs of a plan: where the recording goes, as OUTPUT and as further copies, and how each is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from pastream_cli.command.job import Job
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE
from pastream_cli.engine.files import formats, paths
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.files.size_limits import most_frames
from pastream_cli.errors import UsageError
from pastream_cli.take.checking import copy_type, output_type


class Output(NamedTuple):
    """Where the recording goes, and how it is written."""

    path: str
    """As typed: with fields that each file fills in, or `-` for standard output."""
    file_type: str
    encoding: str
    endian: str | None
    channels: int
    frames: int | None
    """How many frames there will be, if that is known before the run."""
    split_frames: int | None
    """The frames of each file; `None` if one file holds all, or they end by the clock."""
    aligned_seconds: Fraction | None
    """The time between two ends of files by the clock on the wall; `None` if they do not end by it."""
    overwrite: bool
    most_frames: int | None
    """The frames that a file of this type, or of any further copy's, can hold; `None` for no limit."""
    part: bool
    """Whether a file has its name only when it is complete."""
    verify: bool
    """Whether a file is read back when it is finished."""
    begin: Fraction | None = None
    """The moment of its first frame, where a time of day was given for that."""
    is_triggered: bool = False
    """Whether a file is made only when a trigger says so."""
    repeats: bool = False
    """Whether a trigger may say so several times."""

    @property
    def has_several(self) -> bool:
        """Whether there may be several files, so that each has a name of its own."""
        return self.is_split or self.repeats

    @property
    def is_split(self) -> bool:
        """Whether there will be several files."""
        return self.split_frames is not None or self.aligned_seconds is not None

    def piece_seconds(self, rate: float) -> float:
        """Return how long each file takes; infinite if nothing says when it ends."""
        if self.aligned_seconds is not None:
            return float(self.aligned_seconds)
        return math.inf if self.split_frames is None else self.split_frames / rate


def plan_output(job: Job, source: InputFile | None, device: DeviceInfo, channels: int, rate: int) -> Output | None:
    """Return how OUTPUT is written; `None` where nothing is recorded."""
    path, file_type = job.output, output_type(job)
    if path is None or file_type is None:
        return None
    encoding, endian = _encoding(job, source, device, file_type), job.endian.capture
    paths.check_format(path, file_type, encoding, endian)
    paths.check_rate(path, file_type, encoding, rate)
    paths.check_channels(path, file_type, encoding, endian, channels)
    split_frames = job.split.to_frames(rate) if job.split and not job.align else None
    if split_frames == 0:
        raise UsageError(f"cannot use --split: it is less than a frame at {rate} Hz", "make it longer")
    return Output(
        path=path,
        file_type=file_type,
        encoding=encoding,
        endian=endian,
        channels=channels,
        frames=None,
        split_frames=split_frames,
        aligned_seconds=job.split.seconds if job.split and job.align else None,
        overwrite=job.overwrite,
        most_frames=most_frames(file_type, encoding, channels),
        part=job.part,
        verify=job.verify,
        is_triggered=job.trigger is not None,
        repeats=job.repeats,
    )


def with_copies(
    job: Job, output: Output | None, devices: Mapping[str, DeviceInfo], rate: int
) -> tuple[Output | None, tuple[Output, ...]]:
    """Return OUTPUT and its further copies, all with the limit of the one that can hold the least."""
    if output is None:
        return None, ()
    copies = tuple(_plan_copy(job, path, output, devices[CAPTURE], rate) for path in job.also)
    if job.verify and not any(formats.is_lossless(one.encoding) for one in (output, *copies)):
        way_out = "name a FLAC or a WAV, and convert it later"
        raise UsageError(f"cannot use --verify: {output.encoding} is lossy", way_out)
    limits = [one.most_frames for one in (output, *copies) if one.most_frames is not None]
    most = min(limits, default=None)
    return output._replace(most_frames=most), tuple(copy._replace(most_frames=most) for copy in copies)


def _plan_copy(job: Job, path: str, output: Output, device: DeviceInfo, rate: int) -> Output:
    """Return how a further copy is written: in OUTPUT's encoding where its type has that, else in its own."""
    file_type, encoding = copy_type(path), output.encoding
    if not paths.takes_at(path, file_type, encoding, None):
        asked = job.sample_format.capture
        wants_float = asked == "float32" if asked else device.prefers_float
        encoding = formats.default_encoding(file_type, path, wants_float=wants_float)
    paths.check_format(path, file_type, encoding, None)
    paths.check_rate(path, file_type, encoding, rate)
    paths.check_channels(path, file_type, encoding, None, output.channels)
    most = most_frames(file_type, encoding, output.channels)
    return output._replace(path=path, file_type=file_type, encoding=encoding, endian=None, most_frames=most)


def _encoding(job: Job, source: InputFile | None, device: DeviceInfo, file_type: str) -> str:
    if job.encoding.capture:
        return job.encoding.capture
    assert job.output is not None
    if source and paths.takes_at(job.output, file_type, source.encoding, job.endian.capture):
        return source.encoding
    asked = job.sample_format.capture
    wants_float = asked == "float32" if asked else device.prefers_float
    return formats.default_encoding(file_type, job.output, wants_float=wants_float)
