"""Finishes what is recorded to and is no file of ours on a disk: a pipe, a FIFO, a device, standard output."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import soundfile

from pastream_cli.engine.files import relay
from pastream_cli.engine.files.container import Container
from pastream_cli.engine.files.finishing import measure
from pastream_cli.engine.files.libsndfile import reason_of, write_at_least_a_header
from pastream_cli.engine.files.paths import standard_output
from pastream_cli.engine.files.repair import close_flac_stream
from pastream_cli.errors import FileError


class SpecialFinish:
    """Finishes one such output, once the writer has left it.

    Parameters
    ----------
    name : str
        What messages call it.
    container : Container
        The format of what was written.
    sound_file : SoundFile
        libsndfile's view of it, which is closed.
    descriptor : int
        Where it is written to.
    is_stream : bool
        Whether nothing that was written can be changed; else it is standard output that leads to a file.
    pad_after_frames : int
        After so many frames a pad byte ends it; -1 for none.
    has_failed : bool
        Whether the writer could not write all of it.
    write_error : callable
        Makes the error of a message about writing.
    """

    def __init__(
        self,
        name: str,
        container: Container,
        sound_file: soundfile.SoundFile,
        descriptor: int,
        *,
        is_stream: bool,
        pad_after_frames: int,
        has_failed: bool,
        write_error: Callable[[str], FileError],
    ) -> None:
        self.failure: FileError | None = None
        """What went wrong."""
        self._name = name
        self._container = container
        self._sound_file = sound_file
        self._descriptor = descriptor
        self._is_stream = is_stream
        self._pad_after_frames = pad_after_frames
        self._has_failed = has_failed
        self._write_error = write_error

    def run(self, frames: int, *, keep_empty: bool) -> int:
        """Finish an output to which `frames` frames were written, and return how many it has."""
        try:
            return self._run(frames, keep_empty=keep_empty)
        except (soundfile.SoundFileError, OSError) as error:
            self._fail(reason_of(error))
            return frames

    def _run(self, frames: int, *, keep_empty: bool) -> int:
        if not frames and keep_empty:
            write_at_least_a_header(self._sound_file)
        if frames == self._pad_after_frames:
            relay.write_all(self._descriptor, b"\0")
        if not self._has_failed:
            frames, reason = self._container.fill_last_block(self._sound_file, frames)
            if reason is not None:
                self._fail(reason)
        if self._is_stream and self._container.file_type == "FLAC" and not self._has_failed:
            try:
                close_flac_stream(self._sound_file, self._descriptor, frames)
            except OSError as error:
                self.failure = self._write_error(f"cannot write {self._name}: {reason_of(error)}")
        self._sound_file.close()
        return frames if self._is_stream else self._finish_redirection(frames)

    def _finish_redirection(self, frames: int) -> int:
        """Finish the file that standard output leads to, if it can be opened again; return how many frames it has."""
        with suppress(OSError), open(f"/dev/fd/{standard_output()}", "r+b", buffering=0) as file:
            self._container.mend(file.fileno(), frames, is_whole=not self._has_failed)
            there, _ = measure(
                file.fileno(),
                frames,
                self._container.file_type,
                self._container.raw_words,
                has_failed=self._has_failed,
            )
            if there < frames and not self._has_failed:
                self._fail("its end could not be written")
            return there
        return frames

    def _fail(self, reason: str) -> None:
        self.failure = self.failure or FileError(f"cannot finish {self._name}: {reason}")
