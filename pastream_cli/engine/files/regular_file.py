"""Opens a regular file: as libsndfile takes it, or by what is there, where its header says something else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.input_file import InputFile, opened
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
    if samples is None:
        return _open_by_its_header(source, name, warn)
    spare = os.dup(source) if isinstance(source, int) else os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    content = ByteSource(spare, closes=True)
    try:
        by_its_header = opened(source, name, {})
    except FileError:  # the descriptor of the source is closed too
        if not samples.frames:
            content.close()
            raise
        by_its_header = None
    if told := samples.told(name):
        warn(told)
    if by_its_header is not None:
        if _agree(by_its_header, samples):
            content.close()
            return by_its_header
        by_its_header.close()
    form = samples.format
    samples.put_into(content)
    return opened(content, name, raw_format(form.rate, form.channels, form.encoding, form.endian), form)


def _open_by_its_header(source: str | int, name: str, warn: Callable[[str], None]) -> InputFile:
    found = opened(source, name, {})
    if missing := _frames_cut_off(found):
        there = found.frames or 0
        warn(f"{name} was cut off: it has {format_count(there)} of its {format_frames(there + missing)}")
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
    its_account = (found.encoding, found.rate, found.channels, found.frames)
    return its_account == (form.encoding, form.rate, form.channels, samples.frames) and not form.is_24_in_32


def _frames_cut_off(source: InputFile) -> int:
    """Return how many of the frames that the header promises are missing."""
    size = frame_bytes(source.encoding, source.channels)
    match = _SHORT_OF_DATA.search(source.sound_file.extra_info)
    if match is None or size is None or int(match[1]) >= LENGTH_OPEN:
        return 0
    promised_bytes, there_bytes = int(match[1]), int(match[2])
    return max(0, -((there_bytes - promised_bytes) // size))  # a frame that is there in part counts as missing
