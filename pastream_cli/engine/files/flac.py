"""FLAC: what lies before and behind its frames is left out, and a length that is only promised is checked."""

from __future__ import annotations

import os

from pastream_cli.engine.files.byte_source import ByteSource

MAGIC = b"fLaC"

_ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_ZEROS_LOOKED_AT_BYTES = 2**16


def source_of(descriptor: int, begin: int) -> ByteSource:
    """Return the FLAC that begins at `begin`, without the tags behind it; the source closes the file."""
    return ByteSource(descriptor, closes=True).add(begin, _end_without_tags(descriptor, os.fstat(descriptor).st_size))


def _end_without_tags(descriptor: int, end: int) -> int:
    """Return where the file ends without tags that are for MP3, and without zeros."""
    while True:
        without = _end_without_one(descriptor, end)
        if without == end:
            return end
        end = without


def _end_without_one(descriptor: int, end: int) -> int:
    if end > _ID3V1_BYTES and os.pread(descriptor, 3, end - _ID3V1_BYTES) == b"TAG":
        return end - _ID3V1_BYTES
    footer = os.pread(descriptor, _APE_FOOTER_BYTES, end - _APE_FOOTER_BYTES) if end > _APE_FOOTER_BYTES else b""
    if footer.startswith(b"APETAGEX"):
        size = int.from_bytes(footer[12:16], "little") + _APE_FOOTER_BYTES * (footer[23] >> 7)
        return end - size if _APE_FOOTER_BYTES <= size < end else end
    return end
