"""The blocks of a VOC whose samples are plain: libsndfile plays the headers of all but the first as sound."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from pastream_cli.engine.files.head import StreamFormat, check_format

VOC_MAGIC = b"Creative Voice File\x1a"

MOST_BLOCKS = 2**18
"""How many blocks of a file are looked at: ffmpeg writes a gigabyte in as many."""

_FIRST_BLOCK_AT = 20
_END, _CONTINUED, _MARKER, _TEXT, _SOUND = 0, 2, 4, 5, 9
_BLOCK_HEADER_BYTES = 4
_SOUND_FIELDS_BYTES = 12
_ENCODINGS = {(0, 8): "PCM_U8", (4, 16): "PCM_16", (6, 8): "ALAW", (7, 8): "ULAW"}


class Blocks(NamedTuple):
    """What the samples in the blocks are, and from which byte up to which they are."""

    format: StreamFormat
    parts: list[tuple[int, int]]
    are_all: bool
    """Whether the file has no more than `MOST_BLOCKS`."""


def find_blocks(descriptor: int, size: int) -> Blocks | None:
    """Return where the samples are; `None` if there are none, or blocks of another sort, such as silence and repeats.

    Raises `HeaderError` where the rate or the channels cannot be.
    """
    form: StreamFormat | None = None
    parts: list[tuple[int, int]] = []
    blocks = _blocks(descriptor, size)
    for header, begin, end in islice(blocks, MOST_BLOCKS):
        first = begin
        if header[0] == _SOUND:
            first += _SOUND_FIELDS_BYTES
            if first > end:  # a block that ends before its samples, or was cut off there
                continue
            found = _format_of(header)
            if found is None or form not in (None, found):
                return None
            form = found
        elif header[0] in (_MARKER, _TEXT):
            continue
        elif header[0] != _CONTINUED or form is None:
            return None
        if first < end:
            parts.append((first, end))
    return Blocks(form, parts, next(blocks, None) is None) if form is not None and parts else None


def _blocks(descriptor: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each block's header, with the fields of a block of sound, and where what follows its length lies."""
    place = int.from_bytes(os.pread(descriptor, 2, _FIRST_BLOCK_AT), "little")
    while _BLOCK_HEADER_BYTES <= place < size:
        header = os.pread(descriptor, _BLOCK_HEADER_BYTES + _SOUND_FIELDS_BYTES, place)
        if header[:1] == bytes([_END]) or len(header) < _BLOCK_HEADER_BYTES:
            return
        begin = place + _BLOCK_HEADER_BYTES
        place = min(size, begin + int.from_bytes(header[1:4], "little"))
        yield header, begin, place


def _format_of(header: bytes) -> StreamFormat | None:
    rate, bits, channels, codec = struct.unpack_from("<IBBH", header, _BLOCK_HEADER_BYTES)
    check_format(channels, rate)
    encoding = _ENCODINGS.get((codec, bits))
    return None if encoding is None else StreamFormat("VOC", encoding, "LITTLE", rate, channels)
