"""The files that a recording leaves, with their totals: frames, peaks, clips."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.spool import Spool
from pastream_cli.errors import FileError, PastreamError, failure_of

if TYPE_CHECKING:  # the screen imports this module before soundfile is loaded
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.engine.worker import Task

_FILES_BETWEEN_COLLECTIONS = 20


class FinishingFile(NamedTuple):
    """A file that the writer has left, and the task that closes it."""

    file: OutputFile | MissingFile
    task: Task[RecordedFile | None]

    @property
    def frames(self) -> int:
        """The frames that it was to have: those that were written, and those that it did not take."""
        return self.file.frames + self.file.passed_frames

    def recorded(self) -> RecordedFile | None:
        """Return what was recorded, `None` if the file is gone. Until it is closed, that is what can be read so far."""
        if self.task.is_done and self.task.error is None:
            return _with_failure(self.task.result(), self.failure() or self.file.writers_failure())
        return _with_failure(self.file.so_far(), self.failure())

    def failure(self) -> PastreamError | None:
        """Return why the file lacks some of what was written to it; `None` if it has all."""
        if not self.task.is_done:
            return FileError(f"cannot finish {self.file.name}: the disk does not answer")
        return failure_of(self.task.error) if isinstance(self.task.error, Exception) else self.file.unfinished


def _with_failure(recorded: RecordedFile | None, failure: PastreamError | None) -> RecordedFile | None:
    return recorded if recorded is None or failure is None else recorded._replace(failure=failure.message)


class FileList:
    """Files in the order in which they were recorded.

    Parameters
    ----------
    files : iterable of RecordedFile, optional
        The first files to add.
    before : FileList, optional
        A list of the files before them; it is not changed.
    """

    def __init__(self, files: Iterable[RecordedFile] = (), before: FileList | None = None) -> None:
        self.files: Spool[RecordedFile] = Spool(before=before.files if before else None)
        self.names: tuple[str, ...] = before.names if before else ()
        """The names of the first and the last file; one name if there is one file."""
        self.frames: int = before.frames if before else 0
        """The frames of all files together."""
        self.unreadable_frames: int = before.unreadable_frames if before else 0
        """Frames that were written to a file and cannot be read back from any."""
        self.verified: int = before.verified if before else 0
        """How many files were read back and are what was written."""
        self.peaks: tuple[float, ...] = before.peaks if before else ()
        """The greatest peak of each channel."""
        self.clips: tuple[int, ...] = before.clips if before else ()
        """The clips of each channel."""
        for file in files:
            self.add(file, file.frames)

    def add(self, file: RecordedFile | None, written_frames: int) -> None:
        """Add the next file, to which `written_frames` were written; `None` if it is gone."""
        self.unreadable_frames += max(0, written_frames - (file.frames if file is not None else 0))
        if file is None:
            return
        self.files.append(file)
        if len(self.files) % _FILES_BETWEEN_COLLECTIONS == 0:
            # gives back what CPython keeps of small objects that were freed: 15 kB an hour, for days
            gc.collect()
        self.names = (*self.names[:1], file.name)
        self.frames += file.frames
        self.verified += file.verified is True
        self.peaks = tuple(map(max, self.peaks or file.peaks, file.peaks))
        self.clips = tuple(map(sum, zip(self.clips, file.clips, strict=True))) if self.clips else file.clips

    @property
    def unlisted(self) -> int:
        """How many files are in the totals and not in the list, which had no room for them."""
        return self.files.dropped

    def __iter__(self) -> Iterator[RecordedFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)
