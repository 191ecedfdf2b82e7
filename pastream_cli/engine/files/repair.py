"""Repairs what libsndfile leaves wrong in a file that it closes."""

from __future__ import annotations

import os
import struct
import tempfile
from contextlib import suppress
from typing import IO

import soundfile

from pastream_cli.engine.files import relay
from pastream_cli.engine.files.paths import standard_output
from pastream_cli.engine.files.readback import FRAMES_AT_ONCE, Bytes, count_frames

_WAVE_FORMAT_PCM = 1
_WAVE_FORMAT_EXTENSIBLE = 0xFFFE
_FLAC_TOTAL_AT = 18
_FLAC_TOTAL_BITS = 36
# More than libFLAC, libsndfile and a disk's last refused blocks hold back together.
_FRAMES_DECODED = 2**20
# What libFLAC goes back to the header with: a checksum of 16 bytes, the total in 5, sizes of blocks in 6.
_FLAC_AFTERTHOUGHT_BYTES = 27


def mend_flac(descriptor: int, size: int, written: int) -> tuple[int, OSError | None]:
    """Write into a FLAC's header how many frames can be read, which a full disk kept libFLAC from.

    So many were written; what is missing is missing at the end, and only that is decoded, where it can be gone to.

    Return the number, and what keeps the disk from taking it: what can be read is then less by a block. The total is
    the lower 36 bits of the eight bytes at 18 (RFC 9639, 8.2). Without a header there is nothing to be read.
    """
    try:
        frames = _frames_by_the_end(descriptor, size, written)
    except soundfile.SoundFileError:
        return 0, None
    try:
        # the block before the one that is cut off can only be read where the header says that it is the last
        _set_flac_total(descriptor, frames + FRAMES_AT_ONCE)
        with soundfile.SoundFile(Bytes(descriptor, size)) as file:
            more = count_frames(file, start=frames)
        _set_flac_total(descriptor, frames + more)
    except OSError as error:
        return frames, error
    return frames + more, None


def _frames_by_the_end(descriptor: int, size: int, written: int) -> int:
    """Return how many frames can be read, by decoding the last ones alone, or else all of them."""
    start = written - _FRAMES_DECODED
    if start > 0:
        with suppress(OSError):
            _set_flac_total(descriptor, written + FRAMES_AT_ONCE)  # libFLAC goes to no frame behind the total
            with soundfile.SoundFile(Bytes(descriptor, size)) as file:
                more = count_frames(file, start=start)
            if more:
                return start + more
    with soundfile.SoundFile(Bytes(descriptor, size)) as file:
        return count_frames(file)


def _set_flac_total(descriptor: int, frames: int) -> None:
    (fields,) = struct.unpack(">Q", os.pread(descriptor, 8, _FLAC_TOTAL_AT))
    os.pwrite(descriptor, struct.pack(">Q", fields >> _FLAC_TOTAL_BITS << _FLAC_TOTAL_BITS | frames), _FLAC_TOTAL_AT)


def close_flac_stream(sound_file: soundfile.SoundFile, descriptor: int, frames: int) -> None:
    """Close a FLAC of so many frames in a pipe, which is sent nothing behind its last frame.

    libsndfile does not tell libFLAC that a pipe cannot be gone back in, so that it would write behind
    the sound what belongs into the header, where SoX and libsndfile stumble over it.
    """
    with open(os.dup(descriptor), "wb", buffering=0) as stream, _file_without_a_name() as catcher:
        os.dup2(catcher.fileno(), descriptor)
        try:
            sound_file.close()
        finally:
            if descriptor == standard_output():  # any other has been closed
                os.dup2(stream.fileno(), descriptor)
        end = os.pread(catcher.fileno(), os.fstat(catcher.fileno()).st_size, 0)
        total = int.from_bytes(end[-11:-6], "big") & (1 << _FLAC_TOTAL_BITS) - 1
        relay.write_all(stream.fileno(), end[:-_FLAC_AFTERTHOUGHT_BYTES] if total == frames else end)


def _file_without_a_name() -> IO[bytes]:
    """Return a file for a few bytes, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("end of a FLAC"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def close_without_a_trace(sound_file: soundfile.SoundFile, descriptor: int) -> None:
    """Close a sound file that another program has made its own, without writing what was still to be written."""
    kept = os.dup(descriptor)
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        sound_file.close()
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def set_plain_format_tag(descriptor: int) -> None:
    """Mark a RIFF file of PCM as such: RF64's downgrade leaves the extensible tag.

    Python's `wave` module refuses that tag up to 3.11. The chunk's layout stays as it is, which
    readers of the plain tag allow.
    """
    if os.pread(descriptor, 4, 0) != b"RIFF":
        return
    position = 12
    while len(header := os.pread(descriptor, 10, position)) == 10:
        size, tag = struct.unpack("<IH", header[4:])
        if header[:4] == b"fmt ":
            if tag == _WAVE_FORMAT_EXTENSIBLE:
                os.pwrite(descriptor, struct.pack("<H", _WAVE_FORMAT_PCM), position + 8)
            return
        position += 8 + size + size % 2


def drop_aiff_pad(descriptor: int) -> None:
    """Have an AIFF of an odd number of bytes not count the one that pads it, as libsndfile does: a click at the end."""
    position = 12
    while len(header := os.pread(descriptor, 14, position)) == 14:
        identifier, size, _, frames = struct.unpack(">4sIHI", header)
        if identifier == b"COMM":
            os.pwrite(descriptor, struct.pack(">I", frames - 1), position + 10)
        elif identifier == b"SSND":
            os.pwrite(descriptor, struct.pack(">I", size - 1), position + 4)
        position += 8 + size + size % 2
