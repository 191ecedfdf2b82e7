"""Counts the frames that can be read back from an open file, by its descriptor."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import soundfile

FRAMES_AT_ONCE = 4096  # libFLAC's blocks
_SAMPLE_BYTES = 4
CHECKED_SECONDS = 10
"""How much of a file's end is decoded. A codec holds back less, and the writer ends at the first refused block."""
# libsndfile gives 2**63 - 1 frames to a FLAC whose header has no total.
_NO_LENGTH = 2**62


class Bytes:
    """An open file for libsndfile to read from its first byte on. It seems to end where the disk refuses a read.

    Parameters
    ----------
    descriptor : int
        Its own position is left alone.
    size : int
        How many bytes it has.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self.failure: OSError | None = None
        """Why not all could be read, if so."""
        self._descriptor = descriptor
        self._size = size
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, count: int) -> bytes:
        try:
            some = os.pread(self._descriptor, count, self._position)
        except OSError as error:  # an exception must not pass through a call of libsndfile
            self.failure = error
            return b""
        self._position += len(some)
        return some


def size_of(descriptor: int) -> int:
    """Return the size of a file that nobody writes to."""
    try:
        return os.fstat(descriptor).st_size
    except OSError:  # a file server that does not answer
        return os.lseek(descriptor, 0, os.SEEK_END)


def readable_frames(source: Bytes, **raw: Any) -> int | None:
    """Return how many frames a file has by its header; `None` where the header does not say, or cannot be read.

    `raw` describes a file without a header, as arguments of soundfile.SoundFile.
    """
    try:
        with soundfile.SoundFile(source, **raw) as file:
            frames = int(file.frames)
    except (soundfile.SoundFileError, OSError):
        return None
    return frames if frames < _NO_LENGTH else None


def decodable_frames(source: Bytes, most: int, **raw: Any) -> int:
    """Return how many of the first `most` frames can be decoded; only the last `CHECKED_SECONDS` of them are tried.

    The length of an Ogg does not tell: it is the position that the last page states, even if another page is missing.
    """
    try:
        with soundfile.SoundFile(source, **raw) as file:
            start = max(0, min(most, int(file.frames)) - CHECKED_SECONDS * int(file.samplerate))
            return min(most, start + count_frames(file, start=start))
    except (soundfile.SoundFileError, OSError):
        return 0


def has_a_frame(source: Bytes, **raw: Any) -> bool:
    """Tell whether the first frame can be read."""
    try:
        with soundfile.SoundFile(source, **raw) as file:
            return count_frames(file, most=1) > 0
    except (soundfile.SoundFileError, OSError):
        return False


def count_frames(file: soundfile.SoundFile, *, start: int = 0, most: int = _NO_LENGTH) -> int:
    """Decode the frames from `start` on, and return how many there are."""
    frames = 0
    buffer = bytearray(min(most, FRAMES_AT_ONCE) * file.channels * _SAMPLE_BYTES)
    with suppress(soundfile.LibsndfileError):  # a file that is cut off ends with an error
        if start:
            file.seek(start)
        while frames < most and (some := file.buffer_read_into(buffer, dtype="int32")):
            frames += some
    return frames
