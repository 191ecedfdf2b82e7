"""The pieces of one recording: numbered, planned, and the file of the next one made on a worker."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import NamedTuple

from pastream_cli.engine.files.missing_file import MissingFile
from pastream_cli.engine.files.output_file import OutputFile
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.take.file_maker import FileMaker
from pastream_cli.take.outputs import Output

File = OutputFile | MissingFile


class PlannedPiece(NamedTuple):
    """What is known of a piece before its file is made."""

    frames: int
    """How long it is."""
    first_frame: int | None = None
    """The frame of the timeline at which it is to begin, where that is by the clock."""
    begin: datetime | None = None
    """When that is."""


class Pieces:
    """What is known of pieces that have no file yet, and the file that is being made.

    Parameters
    ----------
    output : Output
        Where they go, and how they are split.
    maker : FileMaker
        Makes their files.
    worker : Worker
        What `make` is called on, since a disk may block.
    """

    def __init__(self, output: Output, maker: FileMaker, worker: Worker) -> None:
        self._output = output
        self._maker = maker
        self._worker = worker
        self._planned: dict[int, PlannedPiece] = {}
        self.last = 0
        """The number of the last piece that has a file."""
        self._named_for: datetime | None = None
        self._making: Task[File] | None = None
        self._is_misnamed = False  # the file that is being made will not begin when its name says

    # ---- plans ----

    def plan(self, piece: int, planned: PlannedPiece) -> None:
        """Say how a piece is to begin and end, unless its file is made already."""
        if self.last < piece:
            self._planned[piece] = planned

    def begin_soon(self, piece: int) -> None:
        """Take notice that a piece begins before the time that was planned."""
        if piece in self._planned:
            self._planned[piece] = PlannedPiece(self._planned[piece].frames)

    @property
    def knows_next(self) -> bool:
        """Whether it is known when the next piece begins, where that is by the clock."""
        return self._output.aligned_seconds is None or self.last + 1 in self._planned

    @property
    def are_made_for_times(self) -> bool:
        """Whether a file cannot begin at another time than it was made for."""
        return self._maker.has_time or self._output.aligned_seconds is not None

    # ---- files ----

    def make(self, first_frame: datetime, *, may_be_missing: bool) -> File:
        """Make the file of the next piece, whose first frame is captured at about that time; on the worker."""
        planned = self._planned.get(self.last + 1)
        begin = planned.begin if planned is not None else None
        may_be_missing |= self.last > 0 or self._output.is_triggered
        self._named_for = begin or first_frame
        return self._maker.make(self.last + 1, self._named_for, may_be_missing=may_be_missing)

    def start_making(self, first_frame: datetime, *, may_be_missing: bool = False) -> None:
        """Have the worker make it."""
        self._is_misnamed = False
        self._making = self._worker.start(lambda: self.make(first_frame, may_be_missing=may_be_missing))

    @property
    def is_making(self) -> bool:
        """Whether a file is being made, or is made and was not taken."""
        return self._making is not None

    def take_made(self) -> File | None:
        """Return the file that was made, once; `None` if it is not there, or was made for another time.

        Raises
        ------
        Exception
            Why it could not be made.
        """
        making = self._making
        if making is None or not making.is_done:
            return None
        self._making = None
        made = making.result()
        if self._is_misnamed:
            self._drop(made, self.last + 1)
            return None
        return made

    def numbered(self, made: File) -> File:
        """Return a file that was made as that of the next piece, which it begins and ends as planned."""
        self.last += 1
        made.piece = self.last
        if (planned := self._planned.pop(self.last, None)) is not None:
            made.limit(planned.frames)
            if planned.first_frame is not None:
                made.begin_at(planned.first_frame)
        return made

    def misname(self) -> None:
        """Take notice that the next piece begins at another time than the file that is being made was named for."""
        self._is_misnamed = True

    def give_back(self, file: File) -> None:
        """Remove the file of the last piece, which has not begun and will be made anew."""
        self._drop(file, self.last)
        self.last -= 1

    def _drop(self, file: File, piece: int) -> None:
        self._maker.forget(piece, file.path)
        self._worker.start(lambda: file.close(keep_empty=False), quietly=True)

    def start_over(self, first: File, begin: datetime) -> bool:
        """Have the first file made anew if it is named for another time than its begin; tell whether it is."""
        if self._named_for is None or not self._maker.names_differ(self._named_for, begin):
            return False
        self._maker.forget(1, first.path)
        if self._making is not None:
            self._worker.start(partial(self._remove, self._making), quietly=True)
        first.piece = self.last = 0
        self._named_for = begin
        self.start_making(begin)
        return True

    def remove_unused(self) -> None:
        """Remove the file that was made too late to be used; on the worker."""
        if self._making is not None:
            self._remove(self._making)

    def _remove(self, making: Task[File]) -> None:
        if making.error is None:
            made = making.result()
            self._maker.forget(self.last + 1, made.path)
            made.close(keep_empty=False)
