"""FLAC: what lies before and behind its frames is left out, and a length that is only promised is checked."""

from __future__ import annotations

import os

from pastream_cli.engine.files.byte_source import ByteSource

MAGIC = b"fLaC"

_ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_MOST_TAGS = 10
# In STREAMINFO, the last 36 bits of these say how many frames there are; 0: it is not known.
_FRAMES_BEGIN, _FRAMES_END = 18, 26
_FRAMES_MASK = 2**36 - 1


def frames_said(begin: bytes) -> int:
    """Return how many frames a FLAC that begins like this says it has; 0 where it does not say."""
    return int.from_bytes(begin[_FRAMES_BEGIN:_FRAMES_END], "big") & _FRAMES_MASK


def with_frames(begin: bytes, frames: int) -> bytes:
    """Return the beginning of a FLAC with another number of frames; 0 where it is not known, or too great."""
    field = int.from_bytes(begin[_FRAMES_BEGIN:_FRAMES_END], "big") & ~_FRAMES_MASK
    field |= frames if frames <= _FRAMES_MASK else 0
    return begin[:_FRAMES_BEGIN] + field.to_bytes(_FRAMES_END - _FRAMES_BEGIN, "big") + begin[_FRAMES_END:]


def source_of(descriptor: int, begin: int) -> ByteSource:
    """Return the FLAC that begins at `begin`, without the tags behind it; the source closes the file."""
    return ByteSource(descriptor, closes=True).add(begin, _end_without_tags(descriptor, os.fstat(descriptor).st_size))


def _end_without_tags(descriptor: int, end: int) -> int:
    """Return where the file ends without the tags of ID3v1 and APE that some programs put behind it."""
    for _ in range(_MOST_TAGS):
        end = _end_without_one(descriptor, end)
    return end


def _end_without_one(descriptor: int, end: int) -> int:
    if end > _ID3V1_BYTES and os.pread(descriptor, 3, end - _ID3V1_BYTES) == b"TAG":
        return end - _ID3V1_BYTES
    footer = os.pread(descriptor, _APE_FOOTER_BYTES, end - _APE_FOOTER_BYTES) if end > _APE_FOOTER_BYTES else b""
    if footer.startswith(b"APETAGEX"):
        size = int.from_bytes(footer[12:16], "little") + _APE_FOOTER_BYTES * (footer[23] >> 7)
        return end - size if _APE_FOOTER_BYTES <= size < end else end
    return end
