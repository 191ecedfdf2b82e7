"""The header of a W64, read up to the first sample; libsndfile takes ffmpeg's float samples for integers. Pure."""

from __future__ import annotations

import struct

from pastream_cli.engine.files.head import LONGEST_CHUNK_BYTES, Head, HeaderError, StreamFormat, Way
from pastream_cli.engine.files.wav_header import read_format

W64_MAGIC = b"riff.\x91\xcf\x11"
CHUNK_TAILS = (bytes.fromhex("f3acd3118cd100c04f8edb8a"), bytes.fromhex("2f91cf11a5d628db04c10000"))
"""How the names of chunks go on behind their four letters."""
CHUNK_HEADER_BYTES = 24
CHUNK_UNIT_BYTES = 8
"""Each chunk begins at a multiple of these."""

_RIFF_BYTES = 40
_MOST_CHUNKS = 1000


def read_w64(head: Head) -> StreamFormat | Way:
    """Read up to the samples, past every chunk before them."""
    head.take(_RIFF_BYTES - len(head.taken))
    fields = b""
    for _ in range(_MOST_CHUNKS):
        name, size = struct.unpack("<16sQ", head.take(CHUNK_HEADER_BYTES))
        stated_bytes = size - CHUNK_HEADER_BYTES
        if name == b"data" + CHUNK_TAILS[0]:
            return _format_of(fields, max(0, stated_bytes))
        if not 0 <= stated_bytes <= LONGEST_CHUNK_BYTES:
            raise HeaderError(f"a chunk in its header is said to have {size} bytes")
        body = head.take(stated_bytes + -stated_bytes % CHUNK_UNIT_BYTES)
        if name == b"fmt " + CHUNK_TAILS[0]:
            fields = body
    raise HeaderError("its header does not end")


def _format_of(fields: bytes, stated_bytes: int) -> StreamFormat | Way:
    samples = read_format(fields, "<")
    if samples is None:
        return Way.AS_A_FILE
    encoding, channels, rate, is_24_in_32 = samples
    return StreamFormat("W64", encoding, "LITTLE", rate, channels, stated_bytes=stated_bytes, is_24_in_32=is_24_in_32)
