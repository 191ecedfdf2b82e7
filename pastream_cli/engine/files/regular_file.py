"""Opens a regular file: as libsndfile takes it, or by what is there, where its header says something else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.engine.files.raw import raw_format
from pastream_cli.engine.files.sample_range import LENGTH_OPEN, SampleRange, find_samples
from pastream_cli.errors import FileError
from pastream_cli.units import format_count, format_frames

# How libsndfile's log says that an AIFF, SVX or W64 is shorter than its header says.
_SHORT_OF_DATA = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Riff size|riff) *: ([0-9]+) \(should be ([0-9]+)\)", re.MULTILINE
)


def open_file(source: str | int, name: str, warn: Callable[[str], None]) -> InputFile:
    """Open a regular file that has a header, by its path or its descriptor, which is closed with the file.

    `warn` is called with a line where the header says something else than what is there.

    Raises
    ------
    FileError
        Where it is no sound that can be read.
    """
    samples = _find_samples(source)
    try:
        by_its_header = opened(source, name, {})
    except FileError:
        if samples is None or not samples.frames:
            raise
        by_its_header = None
    if samples is None:
        assert by_its_header is not None
        if missing := _frames_cut_off(by_its_header):
            there = by_its_header.frames or 0
            warn(f"{name} was cut off: it has {format_count(there)} of its {format_frames(there + missing)}")
        return by_its_header
    if told := samples.told(name):
        warn(told)
    if by_its_header is not None and _agree(by_its_header, samples):
        return by_its_header
    found = _open_samples(source, name, samples)
    if by_its_header is not None:
        by_its_header.close()
    return found


def _find_samples(source: str | int) -> SampleRange | None:
    if isinstance(source, int):
        return find_samples(source)
    try:
        with open(source, "rb", buffering=0) as file:
            return find_samples(file.fileno())
    except OSError:
        return None


def _agree(found: InputFile, samples: SampleRange) -> bool:
    form = samples.format
    is_same = (found.rate, found.channels, found.frames) == (form.rate, form.channels, samples.frames)
    return is_same and not form.is_24_in_32


def _open_samples(source: str | int, name: str, samples: SampleRange) -> InputFile:
    """Open the samples as RAW data in the middle of the file."""
    form = samples.format
    try:
        descriptor = source if source == STANDARD_INPUT else _own_descriptor(source)
    except OSError as error:
        raise FileError(f"cannot open {name}: {error.strerror}") from None
    content = ByteSource(descriptor, closes=descriptor != STANDARD_INPUT)
    end = samples.begin + samples.frames * samples.frame_bytes
    if form.is_24_in_32:
        content.add_low_three(samples.begin, end)
    else:
        content.add(samples.begin, end)
    return opened(content, name, raw_format(form.rate, form.channels, form.encoding, form.endian), form)


def _own_descriptor(source: str | int) -> int:
    return os.dup(source) if isinstance(source, int) else os.open(source, os.O_RDONLY | os.O_CLOEXEC)


def _frames_cut_off(source: InputFile) -> int:
    """Return how many of the frames that the header promises are missing."""
    size = frame_bytes(source.encoding, source.channels)
    match = _SHORT_OF_DATA.search(source.sound_file.extra_info)
    if match is None or size is None or int(match[1]) >= LENGTH_OPEN:
        return 0
    promised_bytes, there_bytes = int(match[1]), int(match[2])
    return max(0, -((there_bytes - promised_bytes) // size))  # a frame that is there in part counts as missing
