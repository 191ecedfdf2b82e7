"""Finishes a file on a disk step by step (close, repair, measure, sync, rename), even if the disk refuses a step."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import soundfile

from pastream_cli.engine.files.disk_file import DiskFile
from pastream_cli.engine.files.libsndfile import CUT_SHORT, reason_of, write_at_least_a_header
from pastream_cli.engine.files.readback import Bytes, decodable_frames, readable_frames, size_of
from pastream_cli.engine.files.repair import close_without_a_trace, mend_flac
from pastream_cli.errors import FileError, typed

T = TypeVar("T")

_PACKED_TYPES = {"OGG", "MP3"}
"""Types whose decoders go by packets, and tell how long a file is without a look at each."""


class Verdict(NamedTuple):
    """What the reading back of a file has shown."""

    reason: str | None
    """Why it is not what was written; `None` if it is."""
    sha256: str | None
    """Of the bytes of the file; `None` if they cannot be read."""
    cache_dropped: bool
    """Whether it was certainly read from the disk, and not from memory."""


class Finished(NamedTuple):
    """What is left of a file."""

    frames: int
    """How many can be read back."""
    name: str
    """The name under which it was recorded."""
    moved_to: str | None
    """Where another program has moved it; empty if none has, `None` where that cannot be known."""


class Finish:
    """Finishes one file, step by step. A failed step is noted, and the others are still done.

    Parameters
    ----------
    disk : DiskFile
        It is closed at the end.
    sound_file : SoundFile
        libsndfile's view of it, which the writer has left.
    raw : dict
        The format of a file without a header, as arguments of soundfile.SoundFile.
    fill : callable
        Fills up the last block before libsndfile closes the file; returns how many frames the file has then, and the
        reason if some are missing.
    mend : callable
        Repairs, by the descriptor, what libsndfile leaves wrong in the file.
    refusal : str or None
        Why the disk refused to sync the file during the recording, if it did.
    has_failed : bool
        Whether the writer could not write all of it.
    is_given_up : callable, optional
        Tells whether nobody waits for the end of it.
    verify : callable, optional
        Reads so many frames back when they are on the disk.
    """

    def __init__(
        self,
        disk: DiskFile,
        sound_file: soundfile.SoundFile,
        raw: dict[str, Any],
        *,
        fill: Callable[[], tuple[int, str | None]],
        mend: Callable[[int], None],
        refusal: str | None,
        has_failed: bool,
        is_given_up: Callable[[], bool] = lambda: False,
        verify: Callable[[int], Verdict | None] | None = None,
    ) -> None:
        self.failure: FileError | None = None
        """What went wrong first."""
        self._disk = disk
        self._sound_file = sound_file
        self._raw = raw
        self._fill = fill
        self._mend = mend
        self._could_not_be_written = has_failed
        self._is_given_up = is_given_up
        self._verify = verify
        self.verdict: Verdict | None = None
        """What reading it back has shown."""
        self._was_cut_short = False
        self._is_safe = refusal is None
        if refusal is not None:
            self._fail(refusal)

    def run(self, frames: int, *, keep_empty: bool) -> Finished | None:
        """Finish a file to which `frames` frames were written. Return `None` if no file is left."""
        try:
            return self._run(frames, keep_empty=keep_empty)
        finally:
            self._attempt(self._disk.close)

    def _run(self, frames: int, *, keep_empty: bool) -> Finished | None:
        disk = self._disk
        written = self._attempt(lambda: self._close_sound_file(frames, keep_empty=keep_empty))
        if not frames and not keep_empty:
            self._attempt(disk.remove)
            return None
        if self._attempt(lambda: disk.is_removed):
            self._fail("it was removed")
            return None
        if written is not None:
            self._attempt(lambda: self._mend(disk.descriptor))
        there = (self._attempt(lambda: self._measured(frames)) or 0) if frames else 0
        there = there if written is None else min(there, written)
        is_empty = not self._was_cut_short and self._attempt(lambda: disk.size) == 0
        if is_empty and (frames or self._has_failed):  # the disk was full from the start
            self._attempt(disk.remove)
            return None
        self._sync()
        self._read_back(there)
        if self._may_take_its_place and (there or not frames):
            self._attempt(disk.take_its_place)
        moved_to = self._moved_to()
        if disk.is_beside and self.failure is not None:
            self.failure.way_out = f"what was recorded is in {typed(moved_to or disk.name)}"
        return Finished(there, disk.name, moved_to)

    def _read_back(self, frames: int) -> None:
        if self._verify is None or self._has_failed:
            return
        verify = self._verify
        self.verdict = self._attempt(lambda: verify(frames))
        if self.verdict is not None and self.verdict.reason is not None:
            self.failure = FileError(f"cannot verify {self._disk.path}: {self.verdict.reason}")

    def _attempt(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except (soundfile.SoundFileError, OSError) as error:
            self._fail(reason_of(error))
            return None

    def _fail(self, reason: str) -> None:
        self.failure = self.failure or FileError(f"cannot finish {self._disk.path}: {reason}")

    @property
    def _may_take_its_place(self) -> bool:
        """Whether the file may have its name: only when it is safe and, where that is asked for, complete."""
        is_incomplete = self._is_given_up() or self._has_failed
        return self._is_safe and not (self._disk.is_part and is_incomplete)

    @property
    def _has_failed(self) -> bool:
        return self._could_not_be_written or self.failure is not None

    def _close_sound_file(self, frames: int, *, keep_empty: bool) -> int | None:
        """Have libsndfile write the rest, and return how many of the frames are written.

        `None` where another program has shortened the file.
        """
        try:
            if self._is_cut_short():
                self._was_cut_short = True
                self._fail(CUT_SHORT)
                close_without_a_trace(self._sound_file, self._disk.descriptor)
                return None
            return self._complete(frames, keep_empty=keep_empty)
        finally:  # left open, it would write later, to whatever has its descriptor by then
            self._sound_file.close()

    def _is_cut_short(self) -> bool:
        with suppress(OSError):  # if the disk cannot tell, what can be read back will show it
            return self._disk.is_cut_short
        return False

    def _complete(self, frames: int, *, keep_empty: bool) -> int:
        if not frames and keep_empty:
            write_at_least_a_header(self._sound_file)
        if not self._could_not_be_written:
            frames, reason = self._fill()
            if reason is not None:
                self._fail(reason)
        self._sync()  # soundfile also syncs when it closes, but hides the error, which the system reports only once
        return frames

    def _measured(self, frames: int) -> int:
        """Return how many frames can be read back."""
        there, refusal = measure(
            self._disk.descriptor, frames, self._sound_file.format, self._raw, has_failed=self._has_failed
        )
        if refusal is not None:
            self._fail(reason_of(refusal))
        if there < frames and not self._has_failed:
            self._fail(self._why_it_ends())
        return there

    def _why_it_ends(self) -> str:
        with suppress(OSError):
            if not self._disk.room_bytes:
                return os.strerror(errno.ENOSPC)
        return "its end could not be written"

    def _sync(self) -> None:
        """Sync the file: it may only replace another one when all of it is on the disk."""
        try:
            self._disk.sync()
        except OSError as error:
            self._is_safe = False
            self._fail(reason_of(error))

    def _moved_to(self) -> str | None:
        """Return where somebody has moved the file to; empty if it is where it was, `None` if that is not known."""
        try:
            path = self._disk.present_path()
        except OSError:
            return ""
        return "" if path == self._disk.name else path


def measure(
    descriptor: int, frames: int, file_type: str, raw: dict[str, Any], *, has_failed: bool
) -> tuple[int, OSError | None]:
    """Return how many of the frames that were written can be read back, and why not more if the disk refuses them.

    Codecs report no error where the disk refuses what they still held, and go on behind it. So what has failed is
    decoded, and its length is not believed.
    """
    size = size_of(descriptor)
    source = Bytes(descriptor, size)
    there = readable_frames(source, **raw)
    refusal = source.failure
    if file_type == "FLAC" and (there is None or has_failed):
        there, of_mending = mend_flac(descriptor, size, frames)
        refusal = of_mending or refusal
    elif file_type in _PACKED_TYPES and there and has_failed:
        there = decodable_frames(Bytes(descriptor, size), min(there, frames), **raw)
    return min(frames, there or 0), refusal
