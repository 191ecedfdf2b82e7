"""One file of a recording, from its making to its finish."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import soundfile

from pastream_cli.engine import pipes, relay
from pastream_cli.engine.formats import (
    TYPES_WITH_A_LENGTH,
    bits_of,
    block_frames,
    file_sample_code,
    frame_bytes,
    takes,
)
from pastream_cli.engine.libsndfile import (
    FUNCTIONS,
    allow_plain_riff,
    error_text,
    handle_of,
    last_system_error,
    reason_of,
    set_constant_bit_rate,
    update_header,
)
from pastream_cli.engine.mending import close_flac_stream, drop_aiff_pad, mend_flac, set_plain_format_tag
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.places import STANDARD_STREAM, ExistsError, is_special, is_stream, standard_output
from pastream_cli.errors import ExitCode, FileError
from pastream_cli.report import RecordedFile

_LONGEST_NAME_BYTES = 255
# Of a FLAC whose total was never written libsndfile says that it has 2**63 - 1 frames.
_NO_LENGTH = 2**62


class OutputFile:
    """One file of a recording, made when it is constructed, removed again if it gets no frame.

    Parameters
    ----------
    path : str
        Where it goes; ``-`` is standard output.
    rate, channels, file_type, encoding, endian
        As libsndfile names them.
    overwrite : bool
        Replace a regular file, by a rename once the first frame is written.
    frame_limit : int, optional
        Frames after which the writer goes on to the next file.
    expected_frames : int, optional
        How many there will be, where that is known; for the header of a stream.
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
        frame_limit: int | None = None,
        expected_frames: int | None = None,
    ) -> None:
        self.path = path
        self.name = "standard output" if path == STANDARD_STREAM else path
        self.encoding = encoding
        self.channels = channels
        self.frame_limit = frame_limit
        """Frames that it takes, where there is a limit."""
        self._file_type = file_type
        self._target, self._temporary, self._is_ours = path, None, False  # type: str, str | None, bool
        self._descriptor = self._open_descriptor(overwrite=overwrite)
        # stays open past libsndfile's own: the file may be renamed, or removed, while it is written
        self._file = os.dup(self._descriptor) if self._is_ours else -1
        self._is_stream = is_stream(path, standard_output())
        self._plain_riff_at_the_end = False
        self._pad_after_frames, self._warns_of_4_gib = -1, False
        self._misfortune: FileError | None = None
        self.unfinished: FileError | None = None
        """Why the file, once closed, does not hold all that was written."""
        create = self._create_stream if self._is_stream else self._create_file
        try:
            self.sound_file = create(file_type, encoding, rate, channels, endian, expected_frames)
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            reason = reason_of(error, last_system_error())
            if self._is_ours:
                os.close(self._file)
                Path(self._temporary or self._target).unlink(missing_ok=True)
            raise self._write_error(f"cannot create {self.name}: {reason}") from None
        self._handle = ffi.gc(
            check_memory(
                lib.output_file_new(
                    handle_of(self.sound_file),
                    file_sample_code(encoding),
                    bits_of(encoding),
                    channels,
                    not self._is_stream and file_type in TYPES_WITH_A_LENGTH,
                    -1 if self._is_stream else self._descriptor,
                    -1 if frame_limit is None else frame_limit,
                ),
                f"cannot create {self.name}",
            ),
            lib.output_file_free,
        )

    def _create(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None
    ) -> soundfile.SoundFile:
        sound_file = soundfile.SoundFile(
            self._descriptor,
            "w",
            samplerate=rate,
            channels=channels,
            format=file_type,
            subtype=encoding,
            endian=(endian or "FILE").upper(),
            closefd=self.path != STANDARD_STREAM,
        )
        if file_type == "MP3":
            set_constant_bit_rate(sound_file)
        return sound_file

    def _create_file(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None, _frames: int | None
    ) -> soundfile.SoundFile:
        """Begin a file that can be gone back in."""
        # A WAV may outgrow 4 GiB: as RF64 it is written as plain RIFF for as long as it does not.
        if file_type != "WAV" or not takes("RF64", encoding, endian):
            return self._create(file_type, encoding, rate, channels, endian)
        sound_file = self._create("RF64", encoding, rate, channels, endian)
        allow_plain_riff(sound_file)
        self._plain_riff_at_the_end = encoding.startswith("PCM_")
        return sound_file

    def _create_stream(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None, frames: int | None
    ) -> soundfile.SoundFile:
        """Begin a stream: with a header of our own, and after it RAW data, where we know better than libsndfile."""
        relay.make_blocking(self._descriptor)
        has_own_header = pipes.takes(file_type, encoding, endian)
        with relay.taken_for_its_beginning(self._descriptor):
            if has_own_header:
                order = "BIG" if file_type == "AU" else "LITTLE"
                sound_file = self._create("RAW", encoding, rate, channels, order)
            else:
                sound_file = self._create(file_type, encoding, rate, channels, endian)
        if has_own_header:
            relay.write_all(self._descriptor, pipes.streaming_header(file_type, encoding, rate, channels, frames))
        if file_type == "WAV":
            self._warns_of_4_gib = True
            if frames is not None and frames * (frame_bytes(encoding, channels) or 0) % 2:
                self._pad_after_frames = frames
        return sound_file

    @property
    def handle(self) -> Any:
        """The C engine's record of this file, alive as long as this object."""
        return self._handle

    @property
    def is_regular(self) -> bool:
        """Whether it is a file on a disk, and no device, FIFO or standard output."""
        return self._is_ours

    @property
    def size(self) -> int:
        """How many bytes it had on the disk a moment ago; 0 where it is on none."""
        return int(self._counts().bytes)

    @property
    def is_stream(self) -> bool:
        """Whether somebody may wait at the other end."""
        return self._is_stream

    @property
    def is_done(self) -> bool:
        """Whether the writer has left this file."""
        return bool(self._counts().done)

    @property
    def frames(self) -> int:
        """Frames written so far, silence for losses included."""
        return int(self._counts().frames)

    @property
    def clips(self) -> tuple[int, ...]:
        """Clipped samples of each channel so far."""
        return tuple(lib.output_file_clips(self._handle, i) for i in range(self.channels))

    def warning(self) -> str | None:
        """Return what people should know about the length that the file is about to have; once."""
        audio_bytes = self.frames * (frame_bytes(self.encoding, self.channels) or 0)
        if not self._warns_of_4_gib or not pipes.is_near_4_gib(audio_bytes):
            return None
        self._warns_of_4_gib = False
        return f"{self.name} is about to pass 4 GiB, where some readers of WAV stop; {pipes.ENDLESS_TYPES} are endless"

    def _counts(self) -> Any:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self._handle, counts)
        return counts

    def failure(self) -> FileError | None:
        """Return what kept the writer from writing, if anything did, or the file from being found."""
        counts = self._counts()
        if not counts.file_error:
            return self._removal() if counts.is_removed else self._misfortune
        reason = error_text(self.sound_file, counts.file_error, counts.system_error)
        return self._write_error(f"cannot write {self.name}: {reason}")

    def _is_removed(self) -> bool:
        """Whether a file on a disk has no name any more: nobody will ever find what it holds."""
        with suppress(OSError):  # which says as much as it ever will
            return self._file >= 0 and os.fstat(self._file).st_nlink == 0
        return False

    @property
    def is_refused(self) -> bool:
        """Whether the writer could not write it, and has ended."""
        return bool(self._counts().file_error)

    def _write_error(self, message: str) -> FileError:
        error = FileError(message)
        if self.path == STANDARD_STREAM and relay.has_no_reader(self._descriptor):
            error.exit_code = ExitCode.PIPE_CLOSED
        return error

    def unlimit(self) -> None:
        """Have everything that comes written into this file; no next one can be had."""
        self.frame_limit = None
        lib.output_file_unlimit(self._handle)

    def _removal(self) -> FileError:
        return FileError(f"cannot finish {self.name}: it was removed")

    @property
    def is_to_appear(self) -> bool:
        """Whether it has a frame, and is still to be put in the place of the file that it replaces."""
        return bool(self._temporary and self.frames)

    def appear(self) -> None:
        """Put the file in the place of the one that it replaces; may hang with the disk."""
        try:
            if self.is_to_appear:
                self._rename()
        except OSError as error:
            self._misfortune = FileError(f"cannot replace {self.name}: {error.strerror}")

    def room_bytes(self) -> int | None:
        """Return how many more bytes the disk takes, where that can be told; may hang with the disk."""
        if self._file < 0:
            return None
        try:
            disk = os.fstatvfs(self._file)
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize

    def _rename(self) -> None:
        assert self._temporary is not None
        Path(self._temporary).replace(self._target)
        self._temporary = None

    def so_far(self, *, start: datetime | None, first_frame: int) -> RecordedFile:
        """Describe the file as others can read it by now, without an end to be waited for; see `close`."""
        return RecordedFile(
            name=self.path,
            start=start,
            first_frame=first_frame,
            frames=int(self._counts().readable_frames),
            peaks=tuple(lib.output_file_peak(self._handle, i) for i in range(self.channels)),
            clips=self.clips,
        )

    def close(self, *, keep_empty: bool, start: datetime | None, first_frame: int = 0) -> RecordedFile | None:
        """Finish the file; only when the writer has left it. Return `None` if it was removed.

        What goes wrong with that is in `unfinished`, and does not keep the rest from being done.
        `start` is when its first frame was captured, as far as that is known, `first_frame` where on the timeline.
        """
        if self._is_removed():
            self._misfortune = self._removal()
        self.unfinished = self._misfortune
        failed = self.failure() is not None
        recorded = RecordedFile(
            name=self.path,
            start=start,
            first_frame=first_frame,
            frames=self.frames,
            peaks=tuple(lib.output_file_peak(self._handle, i) for i in range(self.channels)),
            clips=self.clips,
        )
        try:
            if not recorded.frames and keep_empty and self.sound_file.format in {"MP3", "FLAC"}:
                update_header(self.sound_file)  # or nothing would be written at all
            if recorded.frames == self._pad_after_frames:
                relay.write_all(self._descriptor, b"\0")
            if not failed:
                recorded = recorded._replace(frames=self._fill_last_block(recorded.frames))
            self._close_sound_file(failed=failed)
            if self._is_ours and not recorded.frames and not keep_empty:
                Path(self._temporary or self._target).unlink(missing_ok=True)
                return None
            self._set_plain_format_tag()
            if self._is_ours and self._file_type == "AIFF" and not failed:
                self._drop_aiff_pad(recorded.frames)
            return self._finish_on_disk(recorded, failed=failed) if self._is_ours else recorded
        except (soundfile.SoundFileError, OSError) as error:
            self._could_not_finish(reason_of(error))
            return recorded
        finally:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _fill_last_block(self, frames: int) -> int:
        """Have silence follow the last frame where something has to, up to a block of the encoding's.

        Return how many frames are in the file with it.
        """
        block = block_frames(self._file_type, self.encoding, self.sound_file.samplerate, self.channels)
        missing = -frames % block
        if not missing:
            return frames
        handle = handle_of(self.sound_file)
        FUNCTIONS.write_int(handle, ffi.new("int[]", missing * self.channels), missing)
        system_error = ffi.errno
        if not (code := FUNCTIONS.error(handle)):  # a block that is not written is no short count
            return frames
        self._could_not_finish(error_text(self.sound_file, code, system_error))
        return frames - frames % block

    def _close_sound_file(self, *, failed: bool) -> None:
        if not self._is_stream or self._file_type != "FLAC" or failed:
            self.sound_file.close()
            return
        try:
            close_flac_stream(self.sound_file, self._descriptor, self.frames)
        except OSError as error:
            self.unfinished = self._write_error(f"cannot write {self.name}: {reason_of(error)}")

    def _could_not_finish(self, reason: str) -> None:
        self.unfinished = self.unfinished or FileError(f"cannot finish {self.name}: {reason}")

    def _finish_on_disk(self, recorded: RecordedFile, *, failed: bool) -> RecordedFile | None:
        """Have the closed file hold what it says, on the disk, under its name."""
        path = self._temporary or self._target
        if self._file_type == "FLAC" and recorded.frames and (failed or _readable_frames(path) is None):
            with suppress(soundfile.SoundFileError):  # where there is not even a header
                mend_flac(path, self._file)
        is_of_a_codec = self._file_type in {"OGG", "MP3", "FLAC"}
        if recorded.frames and (is_of_a_codec or (failed and self._file_type != "RAW")):
            # a codec writes its last frames on closing, and libsndfile does not tell where it could not
            is_full = os.statvfs(path).f_bavail == 0
            there = _readable_frames(path)
            if (there or 0) < recorded.frames and not failed:
                self._could_not_finish(os.strerror(errno.ENOSPC) if is_full else "its end could not be written")
            if there is None and is_of_a_codec:
                Path(path).unlink(missing_ok=True)
                return None
            recorded = recorded._replace(frames=min(recorded.frames, there or 0))
        os.fsync(self._file)
        if self._temporary:
            self._rename()
        return recorded

    def _set_plain_format_tag(self) -> None:
        if not self._plain_riff_at_the_end:
            return
        if self._is_ours:
            set_plain_format_tag(self._file)
            return
        # Standard output can mostly not be read, but by another opening of it. The tag is right as it is too.
        with suppress(OSError), open(f"/dev/fd/{standard_output()}", "r+b", buffering=0) as file:
            set_plain_format_tag(file.fileno())

    def _drop_aiff_pad(self, frames: int) -> None:
        if frames % 2 and frame_bytes(self.encoding, self.channels) == 1:
            drop_aiff_pad(self._file)

    def _open_descriptor(self, *, overwrite: bool) -> int:
        if self.path == STANDARD_STREAM:
            return standard_output()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            if is_special(self.path):
                return os.open(self.path, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
            self._is_ours = True
            if not overwrite or not os.path.exists(self.path):
                return os.open(self.path, flags | os.O_EXCL, 0o666)
            # through symbolic links: the file they lead to is the one that is replaced
            target = Path(self.path).resolve()
            temporary = target.with_name(_temporary_name(target.name))
            self._target, self._temporary = str(target), str(temporary)
            return os.open(temporary, flags | os.O_TRUNC, stat.S_IMODE(target.stat().st_mode))
        except FileExistsError:
            raise ExistsError(self.name) from None
        except OSError as error:
            raise FileError(f"cannot create {self.name}: {error.strerror}") from None


def _readable_frames(path: str) -> int | None:
    """Return how many frames a file says it has; `None` where it does not say, or is none that can be read."""
    try:
        frames = int(soundfile.info(path).frames)
    except (soundfile.SoundFileError, OSError):
        return None
    return frames if frames < _NO_LENGTH else None


def _temporary_name(name: str) -> str:
    """Return a name beside `name` that no other process takes, and no longer than a name may be."""
    end = f".{os.getpid()}.new"
    beginning = os.fsencode(f".{name}")[: _LONGEST_NAME_BYTES - len(end)]
    return beginning.decode(errors="ignore") + end
