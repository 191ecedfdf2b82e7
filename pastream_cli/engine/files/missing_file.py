"""A file of a copy that could not be made: its frames go by, and the copy is tried again with the next file."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.errors import FileError

if TYPE_CHECKING:
    from pastream_cli.engine.native import OutputCounts


class MissingFile:
    """Stands where an `OutputFile` would, for one piece of a recording of several copies.

    Parameters
    ----------
    path : str
        What the file was to be called.
    channels : int
        How many channels it was to have.
    frame_limit : int, optional
        Frames after which the writer goes on to the next file.
    error : FileError
        Why it could not be made.
    """

    is_regular = is_stream = is_to_appear = False
    size = 0
    unfinished: FileError | None = None
    is_given_up = False

    def __init__(self, path: str, channels: int, frame_limit: int | None, error: FileError) -> None:
        self.path = self.name = path
        self.channels = channels
        self.frame_limit = frame_limit
        self.start: datetime | None = None
        self.start_uncertainty_seconds: float | None = None
        self.piece = 0
        self._error = error
        limit = -1 if frame_limit is None else frame_limit
        new = lib.output_file_new(ffi.NULL, lib.FILE_INT32, 32, channels, lib.HEADER_LEFT, -1, -1, limit)
        self.handle = ffi.gc(check_memory(new, "cannot go on without a file"), lib.output_file_free)
        lib.output_file_give_up(self.handle)

    def _counts(self) -> OutputCounts:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self.handle, counts)
        return counts

    @property
    def is_done(self) -> bool:
        """Whether the writer has left it."""
        return bool(self._counts().done)

    @property
    def first_frame(self) -> int | None:
        """Where on the timeline it would begin; `None` before the writer has come there."""
        first_frame = self._counts().first_frame
        return first_frame if first_frame >= 0 else None

    @property
    def passed_frames(self) -> int:
        """Frames that have gone by."""
        return self._counts().passed_frames

    @property
    def frames(self) -> int:
        """None are in it."""
        return 0

    @property
    def clips(self) -> tuple[int, ...]:
        """None are in it."""
        return (0,) * self.channels

    def warning(self) -> str | None:
        """There is nothing to warn of beside the failure."""
        return None

    def failure(self) -> FileError | None:
        """Return why it could not be made."""
        return self._error

    writers_failure = failure

    def limit(self, frames: int | None) -> None:
        """Have the writer go on to the next file after so many frames."""
        self.frame_limit = frames
        lib.output_file_limit(self.handle, -1 if frames is None else frames)

    def go_on(self) -> None:
        """Be one for the middle of what a trigger records."""
        lib.output_file_goes_on(self.handle)

    def room_bytes(self) -> int | None:
        """Return nothing: it is on no disk."""
        return None

    def reserve_room(self) -> None:
        """Do nothing: it is on no disk."""

    def appear(self) -> None:
        """Do nothing: it never does."""

    def so_far(self) -> RecordedFile:
        """Describe what is there: nothing, and why."""
        zeros = (0.0,) * self.channels
        return RecordedFile(
            self.path, self.start, self.first_frame or 0, 0, zeros, self.clips, failure=self._error.message
        )

    def close(self, *, keep_empty: bool, is_given_up: bool = False) -> RecordedFile | None:  # noqa: ARG002 - as a file's
        """Describe what is there, unless the writer never came to it."""
        return self.so_far() if self.first_frame is not None else None
