"""What headers say of the sound behind them, read by nobody's library: where it begins, and how long it is."""

from __future__ import annotations

import struct
from typing import NamedTuple

_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a"
_ENDLESS = 2**62


class Sound(NamedTuple):
    """Where the sound of a file is, as its header says."""

    begin: int
    bytes: int


class HeaderError(Exception):
    """A header that is none."""


def find_sound(data: bytes) -> Sound:
    """Find the sound in a WAV, RF64, W64, AIFF, AU or CAF.

    Raises
    ------
    HeaderError
        Where the header leads nowhere.
    """
    begin = data[:4]
    try:
        if begin in {b"RIFF", b"RF64"}:
            return _in_riff(data)
        if begin == b"FORM":
            return _in_chunks(data, 12, ">4sI", b"SSND", 8, 2)
        if begin == b"riff":
            return _in_w64(data)
        if begin == b"caff":
            return _in_chunks(data, 8, ">4sq", b"data", 4, 1)
        if begin in {b".snd", b"dns."}:
            order = ">" if begin == b".snd" else "<"
            at, count = struct.unpack_from(f"{order}II", data, 4)
            return Sound(at, _ENDLESS if count == 2**32 - 1 else count)
    except struct.error:
        raise HeaderError("it ends before its sound") from None
    raise HeaderError(f"it begins with {begin!r}")


def _in_riff(data: bytes) -> Sound:
    found = _in_chunks(data, 12, "<4sI", b"data", 0, 2)
    if data[:4] == b"RIFF" or found.bytes != 2**32 - 1:
        return found
    if data[12:16] != b"ds64":
        raise HeaderError("an RF64 without its lengths")
    return found._replace(bytes=struct.unpack_from("<Q", data, 28)[0])


def _in_chunks(data: bytes, at: int, form: str, wanted: bytes, skipped: int, even: int) -> Sound:
    """Find a chunk, behind whose header some bytes belong to it that are no sound."""
    header = struct.calcsize(form)
    while True:
        name, count = struct.unpack_from(form, data, at)
        if name == wanted:
            return Sound(at + header + skipped, _ENDLESS if count < 0 else max(0, count - skipped))
        if count < 0 or not name.strip(b"\0"):
            raise HeaderError(f"a chunk {name!r} of {count} bytes")
        at += header + count + count % even


def _in_w64(data: bytes) -> Sound:
    at = 40
    while True:
        name, count = struct.unpack_from("<16sQ", data, at)
        if name == _W64_DATA:
            return Sound(at + 24, count - 24)
        if count < 24:
            raise HeaderError(f"a chunk {name!r} of {count} bytes")
        at += -(-count // 8) * 8
