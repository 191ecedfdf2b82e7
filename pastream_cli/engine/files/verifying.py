"""Verifies a finished file: reads it back from its disk, and compares its frames with those that were written."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import soundfile

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.finishing import Verdict
from pastream_cli.engine.files.libsndfile import FUNCTIONS, SoundInSource, handle_of, reason_of
from pastream_cli.engine.files.readback import size_of
from pastream_cli.engine.native import check_memory, ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import FramesHashHandle

_BYTES_AT_ONCE = 1 << 20
_FRAMES_AT_ONCE = 1 << 20
_PLACES_LOOKED_AT = 8
# A disk that gives nothing for so long does not keep the files of others waiting.
_ANSWER_SECONDS = 10.0
_LOOK_SECONDS = 0.2


class _Turn:
    """Has one file read back at a time, so that the disks are left to the takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moved_at = 0.0

    def wait(self, is_given_up: Callable[[], bool]) -> bool:
        """Wait for the file before this one, but not for a disk that does not answer; tell whether it is done."""
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            if is_given_up() or time.monotonic() - self._moved_at > _ANSWER_SECONDS:
                return False
        self.move()
        return True

    def move(self) -> None:
        """Say that the disk still answers."""
        self._moved_at = time.monotonic()

    def end(self) -> None:
        self._lock.release()


_turn = _Turn()


def verify(
    descriptor: int,
    is_what_was_written: Callable[[FramesHashHandle], bool],
    frames: int,
    *,
    sample_code: int,
    channels: int,
    raw: dict[str, Any],
    is_given_up: Callable[[], bool],
) -> Verdict | None:
    """Read a file back that is closed and synced. Return `None` if that is given up.

    Parameters
    ----------
    descriptor : int
        Of the file; its position is left alone.
    is_what_was_written : callable
        Tells whether the frames that were written have this hash.
    frames : int
        How many these are.
    sample_code, channels : int
        The type in which they were written, and their channels.
    raw : dict
        The format of a file without a header, as arguments of soundfile.SoundFile.
    is_given_up : callable
        Asked now and then.
    """
    has_turn = _turn.wait(is_given_up)

    def is_over() -> bool:
        if has_turn:
            _turn.move()
        return is_given_up()

    try:
        return _verify(descriptor, is_what_was_written, frames, sample_code, channels, raw, is_over)
    finally:
        if has_turn:
            _turn.end()


def _verify(
    descriptor: int,
    is_what_was_written: Callable[[FramesHashHandle], bool],
    frames: int,
    sample_code: int,
    channels: int,
    raw: dict[str, Any],
    is_given_up: Callable[[], bool],
) -> Verdict | None:
    size = size_of(descriptor)
    is_dropped = _drop_cache(descriptor, size)
    sha256 = hashlib.sha256()
    try:
        for position in range(0, size, _BYTES_AT_ONCE):
            if is_given_up():
                return None
            sha256.update(os.pread(descriptor, _BYTES_AT_ONCE, position))
    except OSError as error:
        return Verdict(reason_of(error), None, is_dropped)
    try:
        with SoundInSource(ByteSource(descriptor, closes=False).add(0, size), **raw) as sound:
            reason = _compare(sound, is_what_was_written, frames, sample_code, channels, is_given_up)
    except (soundfile.SoundFileError, OSError) as error:
        reason = reason_of(error)
    return None if is_given_up() else Verdict(reason, sha256.hexdigest(), is_dropped)


def _compare(
    sound: soundfile.SoundFile,
    is_what_was_written: Callable[[FramesHashHandle], bool],
    frames: int,
    sample_code: int,
    channels: int,
    is_given_up: Callable[[], bool],
) -> str | None:
    made = check_memory(lib.frames_hash_new(), "cannot read a file")
    read = ffi.gc(made, lib.frames_hash_free)
    left = frames
    while left and not is_given_up():
        some = lib.read_back(FUNCTIONS, handle_of(sound), sample_code, channels, min(left, _FRAMES_AT_ONCE), read)
        if not some:
            return f"only {frames - left} of its {frames} frames can be read"
        left -= some
    return None if is_what_was_written(read) else "it does not hold the frames that were written"


def _drop_cache(descriptor: int, size: int) -> bool:
    """Have the system forget what it holds of a file in memory; tell whether it has certainly done so."""
    if not hasattr(os, "posix_fadvise") or not hasattr(os, "RWF_NOWAIT") or not size:
        return False
    places = {size * part // _PLACES_LOOKED_AT for part in range(_PLACES_LOOKED_AT)}
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return not any(_is_in_memory(descriptor, place) for place in places)
    except OSError:
        return False


def _is_in_memory(descriptor: int, position: int) -> bool:
    try:
        return os.preadv(descriptor, [bytearray(1)], position, os.RWF_NOWAIT) >= 0
    except BlockingIOError:
        return False
