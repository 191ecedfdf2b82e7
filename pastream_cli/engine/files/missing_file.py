"""A file of a copy that could not be made: its frames go by, and the copy is tried again with the next file."""

from __future__ import annotations

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.files.writers_file import WritersFile
from pastream_cli.engine.native import ffi, lib
from pastream_cli.errors import FileError


class MissingFile(WritersFile):
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

    def __init__(self, path: str, channels: int, frame_limit: int | None, error: FileError) -> None:
        super().__init__(path, channels, frame_limit)
        self.path = path
        self._error = error
        self._new_handle(ffi.NULL, lib.FILE_INT32, 32, lib.HEADER_LEFT, -1, -1)
        lib.output_file_give_up(self.handle)

    def warning(self) -> str | None:
        """There is nothing to warn of beside the failure."""
        return None

    def failure(self) -> FileError | None:
        """Return why it could not be made."""
        return self._error

    writers_failure = failure

    def room_bytes(self) -> int | None:
        """Return nothing: it is on no disk."""
        return None

    def reserve_room(self) -> None:
        """Do nothing: it is on no disk."""

    def appear(self) -> None:
        """Do nothing: it never does."""

    def so_far(self) -> RecordedFile:
        """Describe what is there: nothing, and why."""
        return RecordedFile(
            self.path, self.start, self.first_frame or 0, 0, self.peaks, self.clips, failure=self._error.message
        )

    def close(self, *, keep_empty: bool, is_given_up: bool = False) -> RecordedFile | None:  # noqa: ARG002 - as a file's
        """Describe what is there, unless the writer never came to it."""
        return self.so_far() if self.first_frame is not None else None
