"""Where the plain samples of a regular file begin and end: by what its header says, and by what is there.

A recorder that was killed leaves a length of 0, a placeholder, or one that was never brought up to date. What follows
such an end is sound, and is played; what follows the end of a healthy file (chunks, tags, padding) is not.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from pastream_cli.engine.files.au_header import AU_MAGICS, read_au
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.caf_header import CAF_MAGIC, read_caf
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.head import Head, HeaderError, StreamFormat, Way
from pastream_cli.engine.files.voc_blocks import MOST_BLOCKS, VOC_MAGIC, find_blocks
from pastream_cli.engine.files.w64_header import CHUNK_HEADER_BYTES, CHUNK_TAILS, CHUNK_UNIT_BYTES, W64_MAGIC, read_w64
from pastream_cli.engine.files.wav_header import RIFF_MAGICS, read_wav
from pastream_cli.units import format_count, format_frames

# Lengths from here on are placeholders of programs that write to a pipe; SoX's is 0x7FFFF000 less its header.
LENGTH_OPEN = 0x7FFF0000
_FIRST_BYTES = 12
_BLOCK_BYTES = 2**16
_MOST_CHUNKS = 1000
_MOST_JOINED = 10_000
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
# Chunks that are known to follow the samples. Of any other, and of those behind it, the sizes must lead to the end of
# the file: samples can look like the name of a chunk.
_KNOWN_CHUNKS = frozenset(
    {
        *(b"LIST", b"JUNK", b"PAD ", b"FLLR", b"bext", b"iXML", b"axml", b"aXML", b"cue ", b"smpl", b"inst", b"acid"),
        *(b"PEAK", b"id3 ", b"ID3 ", b"DISP", b"_PMX", b"cart", b"umid", b"afsp", b"levl", b"plst", b"note", b"strc"),
        *(b"info", b"peak", b"uuid", b"mark", b"midi", b"ovvw", b"free", b"strg", b"umid", b"regn"),
    }
)


class SampleRange(NamedTuple):
    """The samples of a file, from the byte `begin` up to the byte `end`, and in what other parts of it are."""

    format: StreamFormat
    begin: int
    end: int
    others: tuple[tuple[int, int], ...] = ()
    are_all: bool = True
    """Whether all parts of the file were looked at."""

    @property
    def bytes(self) -> int:
        """How many bytes of samples are there."""
        return self.end - self.begin + sum(end - begin for begin, end in self.others)

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame in the file."""
        if self.format.is_24_in_32:
            return 4 * self.format.channels
        size = frame_bytes(self.format.encoding, self.format.channels)
        assert size is not None
        return size

    @property
    def frames(self) -> int:
        """How many whole frames are there."""
        return self.bytes // self.frame_bytes

    def put_into(self, source: ByteSource) -> None:
        """Add all samples to a source of RAW data."""
        if self.format.is_24_in_32:
            source.add_low_three(self.begin, self.end)
            return
        for begin, end in ((self.begin, self.end), *self.others):
            source.add(begin, end)

    def told(self, name: str) -> str | None:
        """Return what is to be told where the header says something else than what is there."""
        if not self.are_all:
            return f"{name} has more than {format_count(MOST_BLOCKS)} blocks: what follows them is not played"
        stated = self.format.stated_bytes
        there = self.bytes
        if stated is None or (stated > there and stated >= LENGTH_OPEN):
            return f"the header of {name} leaves its length open: {_are(self.frames)} there, and played"
        if stated > there:
            whole = -(-stated // self.frame_bytes)  # a frame that is there in part counts as missing
            return f"{name} was cut off: it has {format_count(self.frames)} of its {format_frames(whole)}"
        if stated == there:
            return None
        claim = format_frames(stated // self.frame_bytes)
        return f"the header of {name} says {claim}: {_are(self.frames)} there, and played"


def _are(frames: int) -> str:
    return f"{format_frames(frames)} {'is' if frames == 1 else 'are'}"


def stated_frames(form: StreamFormat) -> int | None:
    """Return how many frames a header says there are; `None` for 0 and what programs write that do not know it yet."""
    stated = form.stated_bytes or LENGTH_OPEN
    return SampleRange(form, 0, stated).frames if stated < LENGTH_OPEN else None


def find_samples(descriptor: int) -> SampleRange | None:
    """Return where the samples of a file are, and of other WAVs of the same format that were joined to it.

    `None` where they have to be decoded, and where the header cannot be read.
    """
    size = os.fstat(descriptor).st_size
    try:
        if os.pread(descriptor, len(VOC_MAGIC), 0) == VOC_MAGIC:
            return _in_blocks(descriptor, size)
        first = _find_from(descriptor, 0, size)
    except HeaderError:
        return None
    joined = list(_joined_to(descriptor, first, size)) if first is not None else []
    if first is None or not joined:
        return first
    samples = first._replace(others=tuple((other.begin, other.end) for other in joined))
    return samples._replace(format=first.format._replace(stated_bytes=samples.bytes))


def _joined_to(descriptor: int, first: SampleRange, size: int) -> Iterator[SampleRange]:
    """Find the WAVs of the same format that follow a first one without anything in between."""
    last: SampleRange | None = first
    for _ in range(_MOST_JOINED):
        if last is None or last.format.is_24_in_32:
            return
        place = last.end + (last.end - last.begin) % 2
        header = os.pread(descriptor, _FIRST_BYTES, place)
        if header[:4] not in RIFF_MAGICS or header[8:12] != b"WAVE":
            return
        with suppress(HeaderError):
            last = _find_from(descriptor, place, size)
        if last is None or last.begin < place or last.format[:5] != first.format[:5]:
            return
        yield last


def _find_from(descriptor: int, place: int, size: int) -> SampleRange | None:
    """Return where samples are behind a header at a place of the file; `HeaderError` if it cannot be read."""
    head = _head_of(descriptor, place)
    found = _read(head)
    if not isinstance(found, StreamFormat):
        return None
    begin = place + len(head.taken)
    whole = SampleRange(found, begin, size)
    if found.stated_bytes is None or found.stated_bytes > size - begin:
        return whole
    stated = whole._replace(end=begin + found.stated_bytes)
    return stated if _is_the_end(descriptor, stated, size) else whole


def _in_blocks(descriptor: int, size: int) -> SampleRange | None:
    blocks = find_blocks(descriptor, size)
    if blocks is None:
        return None
    (begin, end), *others = blocks.parts
    samples = SampleRange(blocks.format, begin, end, tuple(others), are_all=blocks.are_all)
    return samples._replace(format=blocks.format._replace(stated_bytes=samples.bytes))


def _head_of(descriptor: int, position: int) -> Head:
    def read(count: int) -> bytes:
        nonlocal position
        some = os.pread(descriptor, count, position)
        position += len(some)
        return some

    return Head(read)


def _read(head: Head) -> StreamFormat | Way:
    if head.fill(len(CAF_MAGIC)) == CAF_MAGIC:
        return read_caf(head)
    first = head.fill(_FIRST_BYTES)
    if first[:4] in RIFF_MAGICS and first[8:12] == b"WAVE":
        return read_wav(head, first)
    if first[:4] in AU_MAGICS:
        return read_au(head, AU_MAGICS[first[:4]])
    return read_w64(head) if first.startswith(W64_MAGIC) else Way.NOT_AT_ALL


# ---- behind the end that the header names ----


def _is_the_end(descriptor: int, stated: SampleRange, size: int) -> bool:
    """Tell whether what follows the end that the header names is no sound."""
    behind = size - stated.end
    if behind < stated.frame_bytes or os.pread(descriptor, 12, stated.end).startswith(_TAGS):
        return True
    if stated.begin < stated.end and _is_silent(descriptor, stated.end):
        return True
    if stated.format.file_type == "W64":
        place = stated.end + -stated.end % CHUNK_UNIT_BYTES
        name = os.pread(descriptor, CHUNK_HEADER_BYTES, place)[:16]
        return stated.begin < stated.end and (place >= size or name[4:] in CHUNK_TAILS)
    pad = (stated.end - stated.begin) % 2
    if stated.format.file_type == "CAF":
        return _are_chunks(descriptor, stated.end, size, ">4sQ")
    if stated.format.file_type == "AU":
        return False
    form = "<4sI" if stated.format.endian == "LITTLE" else ">4sI"
    return any(_are_chunks(descriptor, stated.end + skipped, size, form) for skipped in {0, pad})


def _is_silent(descriptor: int, place: int) -> bool:
    """Tell whether nothing but zeros follows, with which some programs fill up a file."""
    while block := os.pread(descriptor, _BLOCK_BYTES, place):
        if block.count(0) != len(block):
            return False
        place += len(block)
    return True


def _are_chunks(descriptor: int, place: int, size: int, form: str) -> bool:
    """Tell whether chunks follow: one that is known, or any whose sizes lead to the end of the file."""
    header_bytes = struct.calcsize(form)
    has_pads = header_bytes == struct.calcsize("<4sI")
    for number in range(_MOST_CHUNKS):
        header = os.pread(descriptor, header_bytes, place)
        if len(header) < header_bytes:
            return number > 0
        identifier, chunk_bytes = struct.unpack(form, header)
        if number == 0 and identifier in _KNOWN_CHUNKS:
            return True
        place += header_bytes + chunk_bytes
        if not all(0x20 <= byte <= 0x7E for byte in identifier) or place > size:
            return False
        place += chunk_bytes % 2 if has_pads else 0
    return False
