"""The output: one file of a recording, from its making to its finish."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import soundfile

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.files import headers, relay
from pastream_cli.engine.files.container import Container
from pastream_cli.engine.files.disk_file import DiskFile
from pastream_cli.engine.files.finishing import Finish, Verdict
from pastream_cli.engine.files.formats import bits_of, file_sample_code, frame_bytes, is_lossless
from pastream_cli.engine.files.libsndfile import error_text, handle_of, last_system_error, reason_of
from pastream_cli.engine.files.paths import is_special, is_stream, open_special, standard_output
from pastream_cli.engine.files.readback import Bytes, has_a_frame
from pastream_cli.engine.files.reservation import Reservation
from pastream_cli.engine.files.special_finish import SpecialFinish
from pastream_cli.engine.files.writers_file import WritersFile
from pastream_cli.engine.native import lib
from pastream_cli.errors import STANDARD_STREAM, ExitCode, FileError

_FLAC_BLOCK_FRAMES = 4096
"""Of libFLAC, at every rate. A block is written with the frame that follows it. Of a file whose header has no length
yet, libsndfile gives nothing of the last block that is there; sox and ffmpeg do."""

_HEADER_ROOM_BYTES = 2**16
"""More than any header."""


class OutputFile(WritersFile):
    """One file of a recording, made when it is constructed, removed again if it gets no frame.

    Parameters
    ----------
    path : str
        Where it goes; ``-`` is standard output.
    rate, channels, file_type, encoding, endian
        As libsndfile names them.
    overwrite : bool
        Replace a regular file, by a rename once the first frame is written.
    part : bool, optional
        A regular file is called ``NAME.part`` until it is complete.
    verify : bool, optional
        A regular file that loses nothing is read back when it is closed.
    frame_limit : int, optional
        Frames after which the writer goes on to the next file.
    expected_frames : int, optional
        How many there will be, where that is known; for the header of a stream.

    Raises
    ------
    FileError
        Where the file cannot be made; nothing of it is left then.
    """

    def __init__(
        self,
        path: str,
        *,
        rate: int,
        channels: int,
        file_type: str,
        encoding: str,
        endian: str | None = None,
        overwrite: bool = False,
        part: bool = False,
        verify: bool = False,
        frame_limit: int | None = None,
        expected_frames: int | None = None,
    ) -> None:
        super().__init__("standard output" if path == STANDARD_STREAM else path, channels, frame_limit)
        self.path = path
        self._container = Container(file_type, encoding, rate, channels, endian)
        self._disk: DiskFile | None = None
        self._reservation: Reservation | None = None
        self._is_settled = False
        self._refusal: str | None = None
        self._notice: str | None = None
        self._lock, self._is_closing = threading.Lock(), False
        self._verifies = verify and is_lossless(encoding)
        if self._verifies:  # it is loaded now: at the end there may be no file descriptor left
            from pastream_cli.engine.files import verifying  # noqa: F401
        self._descriptor = self._open_descriptor(overwrite=overwrite, part=part)
        self._is_stream = is_stream(path, standard_output())
        self._warns_of_4_gib = self._is_stream and file_type == "WAV"
        self._pad_after_frames = self._frames_before_a_pad(expected_frames)
        self.unfinished: FileError | None = None
        """Why the file, once closed, does not hold all that was written."""
        # an encoder holds back so many frames at most, which nobody can read from the file yet
        self._held_back_frames = {"FLAC": 2 * _FLAC_BLOCK_FRAMES, "OGG": rate}.get(file_type, 0)
        try:
            self.sound_file = self._begin(expected_frames)
            self._offer_to_engine()
            self._verifies = self._verifies and self._disk is not None
            if self._verifies:
                lib.output_file_keep_hash(self.handle)
        except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError) as error:
            reason = reason_of(error, last_system_error())
            self._abandon()
            raise self._write_error(f"cannot create {self.name}: {reason}") from None

        if self._disk is not None:
            self._reservation = self._new_reservation(self._disk, expected_frames)

    def _new_reservation(self, disk: DiskFile, expected_frames: int | None) -> Reservation:
        size, whole_bytes = self._frame_bytes, None
        if expected_frames is not None and size and self._container.file_type != "FLAC":
            frames = expected_frames if self.frame_limit is None else min(expected_frames, self.frame_limit)
            whole_bytes = frames * size + _HEADER_ROOM_BYTES
        # an encoder that loses something needs less than a byte per sample
        return Reservation(disk.descriptor, self._container.rate * (size or self.channels), whole_bytes)

    def _begin(self, expected_frames: int | None) -> soundfile.SoundFile:
        closefd = self.path != STANDARD_STREAM and self._disk is None
        if self._is_stream:
            return self._container.begin_stream(self._descriptor, expected_frames, closefd=closefd)
        return self._container.begin_file(self._descriptor, closefd=closefd)

    def _frames_before_a_pad(self, expected_frames: int | None) -> int:
        """Return after how many frames a WAV in a stream needs a pad byte; -1 for none."""
        if self._container.file_type != "WAV" or not self._is_stream or expected_frames is None:
            return -1
        return expected_frames if expected_frames * self._frame_bytes % 2 else -1

    @property
    def _frame_bytes(self) -> int:
        """Bytes of a frame, 0 where they are compressed."""
        return frame_bytes(self._container.encoding, self.channels) or 0

    def _abandon(self) -> None:
        """Leave nothing of a file that could not be begun."""
        for step in (self._disk.remove, self._disk.close) if self._disk is not None else ():
            with suppress(OSError):
                step()

    def _offer_to_engine(self) -> None:
        try:
            self._new_handle(
                handle_of(self.sound_file),
                file_sample_code(self._container.encoding),
                bits_of(self._container.encoding),
                lib.HEADER_LEFT if self._is_stream else self._container.header_care,
                -1 if self._is_stream else self._descriptor,
                -1 if self._disk is None else self._disk.folder,
            )
        except MemoryError:
            self.sound_file.close()
            raise

    @property
    def is_regular(self) -> bool:
        """Whether it is a file on a disk, and no device, FIFO or standard output."""
        return self._disk is not None

    @property
    def size(self) -> int:
        """How many bytes it had on the disk a moment ago; 0 where it is on none."""
        return self._counts().bytes

    @property
    def is_stream(self) -> bool:
        """Whether it is a pipe or a device, at whose other end somebody may wait."""
        return self._is_stream

    def warning(self) -> str | None:
        """Return, once, what people should know about the file."""
        if self._notice is not None:
            notice, self._notice = self._notice, None
            return notice
        audio_bytes = self.frames * self._frame_bytes
        if not self._warns_of_4_gib or not headers.is_near_4_gib(audio_bytes):
            return None
        self._warns_of_4_gib = False
        return (
            f"{self.name} is about to pass 4 GiB, where some readers of WAV stop; {headers.ENDLESS_TYPES} are endless"
        )

    def failure(self) -> FileError | None:
        """Return what keeps the file from being written, or from being found later; `None` where nothing does."""
        if (failure := self.writers_failure()) is not None:
            return failure
        is_removed = self._disk is not None and self._disk.had_name and self._counts().is_removed
        return FileError(f"cannot finish {self.name}: it was removed") if is_removed else None

    def writers_failure(self) -> FileError | None:
        """Return the error at which the writer ended, if it could not write the file."""
        counts = self._counts()
        if not counts.file_error:
            return None
        reason = error_text(self.sound_file, counts.file_error, counts.system_error)
        return self._write_error(f"cannot write {self.name}: {reason}")

    def _write_error(self, message: str) -> FileError:
        error = FileError(message)
        if self.path == STANDARD_STREAM and relay.has_no_reader(self._descriptor):
            error.exit_code = ExitCode.PIPE_CLOSED
        return error

    @property
    def is_to_appear(self) -> bool:
        """Whether its first frames are on the disk, and it is not in its place for good yet."""
        return self._disk is not None and not self._is_settled and self._counts().first_sync != lib.SYNC_PENDING

    # ---- on its disk; all of this may block ----

    def room_bytes(self) -> int | None:
        """Return how many more bytes the disk takes of this file, where that can be told."""
        if self._disk is None or self._reservation is None:
            return None
        with suppress(OSError):
            return self._disk.room_bytes + self._reservation.ahead_bytes(self.size)
        return None

    def reserve_room(self) -> None:
        """Reserve room on the disk for what comes next, unless the file is being closed."""
        with self._open_disk() as disk, suppress(OSError):
            if disk is not None and self._reservation is not None:
                self._reservation.extend(self.size, disk.room_bytes)

    def appear(self) -> None:
        """Put the file in its place once its first frame can be read.

        It does nothing if the file is being closed. It raises nothing: what goes wrong is told by `warning`, and when
        the file is closed.
        """
        with self._open_disk() as disk, suppress(OSError):  # the writer, or `close`, will meet the same error and tell
            if (
                disk is not None
                and self.is_to_appear
                and has_a_frame(Bytes(disk.descriptor, disk.size), **self._container.raw_words)
            ):
                self._is_settled = True
                self._settle(disk)

    @contextmanager
    def _open_disk(self) -> Iterator[DiskFile | None]:
        """Keep the file open meanwhile; `None` once it is being closed, which another thread may do."""
        if self._is_closing or not self._lock.acquire(blocking=False):
            yield None
            return
        try:
            yield None if self._is_closing else self._disk
        finally:
            self._lock.release()

    def _settle(self, disk: DiskFile) -> None:
        """Make the first frames, and the name of the file, survive a power cut."""
        self._refusal = self._refused_by_a_sync()
        try:
            disk.sync()  # once more: of a compressed file, the first frame was not there yet
        except OSError as error:
            self._refusal = self._refusal or error.strerror
        if self._refusal is not None:
            self._notice = f"the disk refuses the beginning of {self.name}: {self._refusal}; going on all the same"
            return
        try:
            if disk.is_part:
                disk.sync_folder()
            else:
                disk.take_its_place()
        except OSError as error:  # tried again at the end
            self._notice = f"cannot replace {self.name} yet: {error.strerror}; going on in {disk.name}"

    def so_far(self) -> RecordedFile:
        """Describe the file as others can read it now, while the writer may still be at it."""
        return RecordedFile(
            name=self.path if self._disk is None else self._disk.name,
            start=self.start,
            start_uncertainty_seconds=self.start_uncertainty_seconds,
            first_frame=self.first_frame or 0,
            frames=max(0, self._counts().readable_frames - self._held_back_frames),
            peaks=self.peaks,
            clips=self.clips,
            lost_frames=self._counts().lost_frames,
        )

    def close(self, *, keep_empty: bool, is_given_up: bool = False) -> RecordedFile | None:
        """Finish the file, once the writer has left it. Return `None` if no file is left.

        If it is given up, it keeps the name of an incomplete file, if it has such a name. The first step that fails is
        told in `unfinished`; the other steps are still done.
        """
        recorded = self.so_far()._replace(frames=self.frames)
        has_failed = self.writers_failure() is not None
        if self._disk is None:
            special = SpecialFinish(
                self.name,
                self._container,
                self.sound_file,
                self._descriptor,
                is_stream=self._is_stream,
                pad_after_frames=self._pad_after_frames,
                has_failed=has_failed,
                write_error=self._write_error,
            )
            recorded = recorded._replace(frames=special.run(recorded.frames, keep_empty=keep_empty))
            self.unfinished = special.failure
            return recorded
        finish = Finish(
            self._disk,
            self.sound_file,
            self._container.raw_words,
            fill=lambda: self._container.fill_last_block(self.sound_file, recorded.frames),
            mend=lambda descriptor: self._mend(descriptor, recorded.frames, is_whole=not has_failed),
            refusal=self._refusal or self._refused_by_a_sync(),
            has_failed=has_failed,
            is_given_up=lambda: self.is_given_up,
            verify=self._verify if self._verifies else None,
        )
        self.is_given_up |= is_given_up
        self._is_closing = True
        with self._lock:
            left = finish.run(recorded.frames, keep_empty=keep_empty)
        self.unfinished = finish.failure
        if left is None:
            return None
        if left.moved_to is None:
            self._notice = f"{self.name} was moved while it was recorded; nobody can tell where it is now"
        elif left.moved_to:
            self._notice = f"{self.name} was moved while it was recorded: it is {left.moved_to} now"
        recorded = recorded._replace(name=left.moved_to or left.name, frames=left.frames)
        if (verdict := finish.verdict) is None:
            return recorded
        return recorded._replace(
            verified=verdict.reason is None, sha256=verdict.sha256, cache_dropped=verdict.cache_dropped
        )

    def _verify(self, frames: int) -> Verdict | None:
        from pastream_cli.engine.files import verifying

        written = verifying.Written(
            frames,
            has_hash=lambda read: bool(lib.output_file_has_hash(self.handle, read)),
            sample_code=file_sample_code(self._container.encoding),
            channels=self.channels,
            raw=self._container.raw_words,
        )
        return verifying.verify(self._descriptor, written, lambda: self.is_given_up)

    def _mend(self, descriptor: int, frames: int, *, is_whole: bool) -> None:
        if self._reservation is not None:
            self._reservation.give_back()
        self._container.mend(descriptor, frames, is_whole=is_whole)

    def _refused_by_a_sync(self) -> str | None:
        """Return why the disk refused the first or the last frames, which the system says to the writer alone."""
        counts = self._counts()
        error = counts.last_sync_error or max(0, counts.first_sync)
        return os.strerror(error) if error else None

    def _open_descriptor(self, *, overwrite: bool, part: bool) -> int:
        if self.path == STANDARD_STREAM:
            return standard_output()
        try:
            if is_special(self.path):
                return open_special(self.path, overwrite=overwrite)
            self._disk = DiskFile(self.path, overwrite=overwrite, part=part)
            if self._disk.passed_over is not None:
                self._notice = f"{self._disk.passed_over} is there already; recording to {self._disk.name}"
        except OSError as error:
            raise FileError(f"cannot create {self.name}: {error.strerror}") from None
        return self._disk.descriptor
