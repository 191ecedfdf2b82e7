"""The header of an AU, read up to the first sample. Pure."""

from __future__ import annotations

import struct

from pastream_cli.engine.files.head import LONGEST_CHUNK_BYTES, Head, HeaderError, StreamFormat, Way, check_format

AU_MAGICS = {b".snd": ">", b"dns.": "<"}
"""How an AU begins, and its byte order."""

AU_ENCODINGS = {
    1: "ULAW",
    2: "PCM_S8",
    3: "PCM_16",
    4: "PCM_24",
    5: "PCM_32",
    6: "FLOAT",
    7: "DOUBLE",
    27: "ALAW",
}

_HEADER_BYTES = 24
_LENGTH_OPEN = 0xFFFFFFFF


def read_au(head: Head, order: str) -> StreamFormat | Way:
    """Read up to the samples, past the annotation before them."""
    fields = head.fill(_HEADER_BYTES)
    if len(fields) < _HEADER_BYTES:
        raise HeaderError("its header ends too soon")
    header_bytes, stated_bytes, code, rate, channels = struct.unpack(f"{order}5I", fields[4:])
    if header_bytes > LONGEST_CHUNK_BYTES:
        raise HeaderError(f"its header is said to have {header_bytes} bytes")
    encoding = AU_ENCODINGS.get(code)
    if encoding is None:
        return Way.AS_A_FILE
    check_format(channels, rate)
    head.take(max(0, header_bytes - len(head.taken)))
    return StreamFormat(
        "AU",
        encoding,
        "BIG" if order == ">" else "LITTLE",
        rate,
        channels,
        stated_bytes=None if stated_bytes == _LENGTH_OPEN else stated_bytes,
    )
