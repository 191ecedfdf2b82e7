"""The header of a CAF, read up to the first sample. Pure."""

from __future__ import annotations

import struct

from pastream_cli.engine.files.head import LONGEST_CHUNK_BYTES, Head, HeaderError, StreamFormat, Way, check_format

CAF_MAGIC = b"caff"

_HEADER_BYTES = 8
_CHUNK_HEADER_BYTES = 12
_DESCRIPTION_BYTES = 32
_EDIT_COUNT_BYTES = 4
_MOST_CHUNKS = 1000
_IS_FLOAT, _IS_LITTLE = 1, 2
# By the name of the format, whether it is float, and the bits of a sample.
_ENCODINGS = {
    (b"lpcm", 0, 8): "PCM_S8",
    (b"lpcm", 0, 16): "PCM_16",
    (b"lpcm", 0, 24): "PCM_24",
    (b"lpcm", 0, 32): "PCM_32",
    (b"lpcm", 1, 32): "FLOAT",
    (b"lpcm", 1, 64): "DOUBLE",
    (b"ulaw", 0, 8): "ULAW",
    (b"alaw", 0, 8): "ALAW",
}


def read_caf(head: Head) -> StreamFormat | Way:
    """Read up to the samples, past every chunk before them. A size of -1, which is legal, leaves the length open."""
    head.fill(_HEADER_BYTES)
    description = b""
    for _ in range(_MOST_CHUNKS):
        identifier, size = struct.unpack(">4sq", head.take(_CHUNK_HEADER_BYTES))
        if identifier == b"data":
            head.take(_EDIT_COUNT_BYTES)
            return _read_description(description, None if size == -1 else max(0, size - _EDIT_COUNT_BYTES))
        if not 0 <= size <= LONGEST_CHUNK_BYTES:
            raise HeaderError(f"a chunk in its header is said to have {size} bytes")
        body = head.take(size)
        if identifier == b"desc":
            description = body
    raise HeaderError("its header does not end")


def _read_description(body: bytes, stated_bytes: int | None) -> StreamFormat | Way:
    if len(body) < _DESCRIPTION_BYTES:
        raise HeaderError("its header does not say what its samples are")
    rate, name, flags, packet_bytes, _, channels, bits = struct.unpack(">d4s5I", body[:_DESCRIPTION_BYTES])
    encoding = _ENCODINGS.get((name, flags & _IS_FLOAT, bits))
    if encoding is None or packet_bytes != channels * bits // 8:
        return Way.AS_A_FILE
    check_format(channels, rate)
    endian = "LITTLE" if flags & _IS_LITTLE else "BIG"
    return StreamFormat("CAF", encoding, endian, round(rate), channels, stated_bytes=stated_bytes)
