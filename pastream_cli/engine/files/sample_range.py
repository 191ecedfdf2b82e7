"""Where the plain samples of a regular file begin and end: by what its header says, and by what is there.

A recorder that was killed leaves a length of 0, a placeholder, or one that was never brought up to date. What follows
such an end is sound, and is played; what follows the end of a healthy file (chunks, tags, padding) is not.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pastream_cli.engine.files.au_header import AU_MAGICS, read_au
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.caf_header import CAF_MAGIC, read_caf
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.head import Head, StreamFormat, Way
from pastream_cli.engine.files.voc_blocks import MOST_BLOCKS, VOC_MAGIC, find_blocks
from pastream_cli.engine.files.w64_header import CHUNK_HEADER_BYTES, CHUNK_TAILS, CHUNK_UNIT_BYTES, W64_MAGIC, read_w64
from pastream_cli.engine.files.wav_header import begins_a_wav, read_wav
from pastream_cli.units import format_count, format_frames

# Lengths from here on are placeholders of programs that write to a pipe; SoX's is 0x7FFFF000 less its header.
LENGTH_OPEN = 0x7FFF0000
LENGTH_OPEN_OF_AIFF = 0x7F000000
"""SoX's for an AIFF is as much and its header."""
_FIRST_BYTES = 12
_BLOCK_BYTES = 2**16
_MOST_CHUNKS = 1000
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
# Chunks that are known to follow the samples. Of any other, and of those behind it, the sizes must lead to the end of
# the file: samples can look like the name of a chunk.
_KNOWN_CHUNKS = frozenset(
    {
        *(b"LIST", b"JUNK", b"PAD ", b"FLLR", b"bext", b"iXML", b"axml", b"aXML", b"cue ", b"smpl", b"inst", b"acid"),
        *(b"PEAK", b"id3 ", b"ID3 ", b"DISP", b"_PMX", b"cart", b"umid", b"afsp", b"levl", b"plst", b"note", b"strc"),
        *(b"info", b"peak", b"uuid", b"mark", b"midi", b"ovvw", b"free", b"strg", b"regn"),
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
    def parts(self) -> Iterator[tuple[int, int]]:
        """All parts of the file that are samples."""
        yield self.begin, self.end
        yield from self.others

    @property
    def bytes(self) -> int:
        """How many bytes of samples are there."""
        return sum(end - begin for begin, end in self.parts)

    @property
    def is_open(self) -> bool:
        """Whether the header leaves the length open."""
        stated = self.format.stated_bytes
        return stated is None or stated >= max(LENGTH_OPEN, self.bytes + 1)

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame in the file."""
        return frame_bytes_of(self.format)

    @property
    def frames(self) -> int:
        """How many whole frames are there."""
        return self.bytes // self.frame_bytes

    def put_into(self, source: ByteSource) -> None:
        """Add all samples to a source of RAW data."""
        add = source.add_low_three if self.format.is_24_in_32 else source.add
        for begin, end in self.parts:
            add(begin, end)


def told_of(sounds: Sequence[SampleRange], name: str) -> str | None:
    """Return what is to be told where headers say something else than what is there."""
    if not all(sound.are_all for sound in sounds):
        return f"{name} has more than {format_count(MOST_BLOCKS)} blocks: what follows them is not played"
    frames = sum(sound.frames for sound in sounds)
    if any(sound.is_open for sound in sounds):
        return told_of_length(name, frames, None)
    lengths = [(sound.bytes, sound.format.stated_bytes or 0, sound.frame_bytes) for sound in sounds]
    if all(stated == there for there, stated, _ in lengths):
        return None
    if any(stated > there for there, stated, _ in lengths):
        # a frame that is there in part counts as missing
        return told_of_length(name, frames, sum(-(-stated // size) for _, stated, size in lengths))
    return told_of_length(name, frames, sum(stated // size for _, stated, size in lengths))


def told_of_length(name: str, there: int, stated: int | None) -> str | None:
    """Return the line for a header that states fewer or more frames than are there, or leaves their number open."""
    if stated is not None and stated > there:
        return f"{name} was cut off: it has {format_count(there)} of its {format_frames(stated)}"
    if there == 0:
        return None
    claim = "leaves its length open" if stated is None else f"says {format_frames(stated)}"
    return f"the header of {name} {claim}: {format_frames(there)} {'is' if there == 1 else 'are'} there, and played"


def frame_bytes_of(form: StreamFormat) -> int:
    """Return the bytes of a frame in the file or stream."""
    size = 4 * form.channels if form.is_24_in_32 else frame_bytes(form.encoding, form.channels)
    assert size is not None
    return size


def promised_frames(form: StreamFormat) -> int | None:
    """Return how many frames a header says there are; `None` where a program wrote it that did not know."""
    stated = form.stated_bytes
    return None if stated is None or stated >= LENGTH_OPEN else stated // frame_bytes_of(form)


def find_samples(descriptor: int, place: int = 0) -> SampleRange | None:
    """Return where the samples behind the header at a place of a file are; `None` if they have to be decoded.

    Raises `HeaderError` if the header cannot be read.
    """
    size = os.fstat(descriptor).st_size
    if os.pread(descriptor, len(VOC_MAGIC), place) == VOC_MAGIC:
        return _in_blocks(descriptor, size)
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
    if begins_a_wav(first):
        return read_wav(head, first)
    if first[:4] in AU_MAGICS:
        return read_au(head, AU_MAGICS[first[:4]])
    return read_w64(head) if first.startswith(W64_MAGIC) else Way.NOT_AT_ALL


# ---- behind the end that the header names ----


def _is_the_end(descriptor: int, stated: SampleRange, size: int) -> bool:
    """Tell whether what follows the end that the header names is no sound."""
    behind, pad = size - stated.end, (stated.end - stated.begin) % 2
    first = os.pread(descriptor, _FIRST_BYTES + pad, stated.end)
    if behind < stated.frame_bytes or first.startswith(_TAGS) or begins_a_wav(first) or begins_a_wav(first[pad:]):
        return True
    if stated.begin < stated.end and _is_silent(descriptor, stated.end):
        return True
    if stated.format.file_type == "W64":
        place = stated.end + -stated.end % CHUNK_UNIT_BYTES
        name = os.pread(descriptor, CHUNK_HEADER_BYTES, place)[:16]
        return stated.begin < stated.end and (place >= size or name[4:] in CHUNK_TAILS)
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
