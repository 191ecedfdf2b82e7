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

_FLAC_TOTAL_AT = 18
_FLAC_TOTAL_BITS = 36
# More frames than libFLAC, libsndfile and the last blocks that a disk refused can hold together.
_FRAMES_DECODED = 2**20
# What libFLAC writes into the header at the end: a checksum of 16 bytes, the total in 5, block sizes in 6.
_FLAC_AFTERTHOUGHT_BYTES = 27


def mend_flac(descriptor: int, size: int, written: int) -> tuple[int, OSError | None]:
    """Write into the header of a FLAC how many frames can be read, as libFLAC cannot on a full disk.

    `written` frames were written. Some may be missing, but only at the end. So only the end is decoded, if libsndfile
    can seek there. The total is the lower 36 bits of the eight bytes at 18 (RFC 9639, 8.2).

    Return that number. If the disk refuses the new header, return the error too: then one block less can be read. If
    the header is not valid, nothing can be read and the number is 0.
    """
    try:
        frames = _frames_by_the_end(descriptor, size, written)
    except soundfile.SoundFileError:
        return 0, None
    try:
        # libFLAC decodes the block before one that is cut off only if the header says that it is the last
        _set_flac_total(descriptor, frames + FRAMES_AT_ONCE)
        with soundfile.SoundFile(Bytes(descriptor, size)) as file:
            more = count_frames(file, start=frames)
        _set_flac_total(descriptor, frames + more)
    except OSError as error:
        return frames, error
    return frames + more, None


def _frames_by_the_end(descriptor: int, size: int, written: int) -> int:
    """Return how many frames can be read. Only the last ones are decoded, or all where that does not work."""
    start = written - _FRAMES_DECODED
    if start > 0:
        with suppress(OSError):
            _set_flac_total(descriptor, written + FRAMES_AT_ONCE)  # libFLAC does not seek beyond the total
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
    """Close a FLAC of `frames` frames that goes to a pipe, with nothing behind its last frame.

    libsndfile does not tell libFLAC that a pipe is not seekable. So libFLAC would write the new
    header behind the sound, where SoX and libsndfile fail on it.
    """
    with open(os.dup(descriptor), "wb", buffering=0) as stream, _file_without_a_name() as catcher:
        os.dup2(catcher.fileno(), descriptor)
        try:
            sound_file.close()
        finally:
            if descriptor == standard_output():  # any other was closed with the sound file
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
    """Close a sound file that another program has shortened, without writing what libsndfile has buffered."""
    kept = os.dup(descriptor)
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        sound_file.close()
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def drop_aiff_pad(descriptor: int) -> None:
    """Take the pad byte of an AIFF out of its length: libsndfile counts it as sound, which is a click at the end."""
    position = 12
    while len(header := os.pread(descriptor, 14, position)) == 14:
        identifier, size, _, frames = struct.unpack(">4sIHI", header)
        if identifier == b"COMM":
            os.pwrite(descriptor, struct.pack(">I", frames - 1), position + 10)
        elif identifier == b"SSND":
            os.pwrite(descriptor, struct.pack(">I", size - 1), position + 4)
        position += 8 + size + size % 2
