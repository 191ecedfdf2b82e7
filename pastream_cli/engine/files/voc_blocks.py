"""The blocks of a VOC whose samples are plain: libsndfile plays the headers of all but the first as sound."""

from __future__ import annotations

import os
import struct

from pastream_cli.engine.files.head import HeaderError, StreamFormat, check_format

VOC_MAGIC = b"Creative Voice File\x1a"

_FIRST_BLOCK_AT = 20
_END, _CONTINUED, _MARKER, _TEXT, _SOUND = 0, 2, 4, 5, 9
_BLOCK_HEADER_BYTES = 4
_SOUND_FIELDS_BYTES = 12
_ENCODINGS = {(0, 8): "PCM_U8", (4, 16): "PCM_16", (6, 8): "ALAW", (7, 8): "ULAW"}


def find_blocks(descriptor: int, size: int) -> tuple[StreamFormat, list[tuple[int, int]]] | None:
    """Return what the samples are, and from which byte up to which they are.

    `None` where the file has blocks of another sort, such as silence and repeats. Raises `HeaderError` where the rate
    or the channels cannot be.
    """
    (place,) = struct.unpack("<H", os.pread(descriptor, 2, _FIRST_BLOCK_AT) or b"\0\0")
    form: StreamFormat | None = None
    parts: list[tuple[int, int]] = []
    while _BLOCK_HEADER_BYTES <= place < size:
        header = os.pread(descriptor, _BLOCK_HEADER_BYTES + _SOUND_FIELDS_BYTES, place)
        if header[:1] == bytes([_END]) or len(header) < _BLOCK_HEADER_BYTES:
            break
        begin, end = place + _BLOCK_HEADER_BYTES, place + _BLOCK_HEADER_BYTES + int.from_bytes(header[1:4], "little")
        if header[0] == _SOUND:
            found, begin = _format_of(header), begin + _SOUND_FIELDS_BYTES
            if found is None or form not in (None, found):
                return None
            form = found
        if header[0] == _SOUND or (header[0] == _CONTINUED and form is not None):
            parts.append((begin, min(end, size)))
        elif header[0] not in (_MARKER, _TEXT):
            return None
        place = end
    return None if form is None else (form, parts)


def _format_of(header: bytes) -> StreamFormat | None:
    if len(header) < _BLOCK_HEADER_BYTES + _SOUND_FIELDS_BYTES:
        raise HeaderError("its header ends too soon")
    rate, bits, channels, codec = struct.unpack_from("<IBBH", header, _BLOCK_HEADER_BYTES)
    check_format(channels, rate)
    encoding = _ENCODINGS.get((codec, bits))
    return None if encoding is None else StreamFormat("VOC", encoding, "LITTLE", rate, channels)
