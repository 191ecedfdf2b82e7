"""The files of one recording that its writer has left: each is closed on a worker, and then added to a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING

from pastream_cli.engine.native import lib
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.take.file_list import FileList, FinishingFile, with_failure

if TYPE_CHECKING:
    from pastream_cli.engine.facts import RecordedFile
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.errors import PastreamError


class FinishedFiles:
    """Closes files in the order in which the writer has left them, and lists them.

    Parameters
    ----------
    worker : Worker
        Makes the files, and closes them too.
    channels : int
        How many they have.
    verifies_beside : bool
        Whether a worker in the background closes them, because they are read back and nothing is to wait for that.
    warn : callable
        Called with each warning, one line.
    finished : callable, optional
        Called with the number of each piece that is finished, and its file if that is on a disk and has all that was
        written to it.
    """

    def __init__(
        self,
        worker: Worker,
        channels: int,
        *,
        verifies_beside: bool,
        warn: Callable[[str], None],
        finished: Callable[[int, RecordedFile | None], None] | None,
    ) -> None:
        self._closer = Worker("verify", worker.wake) if verifies_beside else worker
        self._is_in_the_background = verifies_beside
        self._warn = warn
        self._finished = finished
        self._closing: deque[FinishingFile] = deque()
        self.list = FileList()
        """Those that are closed."""
        self.clips = (0,) * channels
        """The clips of each channel in all files that the writer has left."""
        self.has_any = False
        """Whether the writer has left a file."""
        self.failure: PastreamError | None = None
        """What went wrong first with any of them."""

    def close(self, file: OutputFile | MissingFile, *, keep_empty: bool, is_given_up: bool) -> None:
        """Have a file closed that the writer has left."""
        self.has_any = True
        self.clips = tuple(map(sum, zip(self.clips, file.clips, strict=True)))
        task = self._closer.start(lambda: self._close(file, keep_empty=keep_empty, is_given_up=is_given_up))
        self._closing.append(FinishingFile(file, task))

    def _close(self, file: OutputFile | MissingFile, *, keep_empty: bool, is_given_up: bool) -> RecordedFile | None:
        if self._is_in_the_background:
            lib.be_in_the_background()
        return file.close(keep_empty=keep_empty, is_given_up=is_given_up)

    def poll(self) -> None:
        """Add to the list what is closed by now."""
        while self._closing and self._closing[0].task.is_done:
            self._hand_on_first()

    def hand_on_all(self) -> None:
        """Add to the list all files, closed or not, with what can be read of them."""
        while self._closing:
            self._hand_on_first()

    def _hand_on_first(self) -> None:
        closing = self._closing.popleft()
        file, recorded, failure = closing.file, closing.recorded(), closing.failure()
        self.list.add(recorded, closing.frames)
        self.failure = self.failure or failure
        is_whole = failure is None and file.writers_failure() is None and file.is_regular
        if self._finished is not None:
            self._finished(file.piece, recorded if is_whole else None)
        if warning := file.warning():
            self._warn(warning)

    def give_up(self) -> None:
        """Have no file verified any more."""
        for closing in self._closing:
            closing.file.is_given_up = True

    def ends_after(self, last: Task[None]) -> Task[None]:
        """Return a task that is done when all files are closed, and a last task of the worker's is done too."""
        if not self._is_in_the_background:
            return last

        def wait() -> None:
            last.wait(TIMEOUT_MAX)

        return self._closer.start(wait)

    def so_far(self, still_open: Iterable[OutputFile | MissingFile], failure: PastreamError | None) -> FileList:
        """Return the files as far as they can be read by now, and behind them those that the writer still has.

        `failure` says why the writer still has them, if something is wrong.
        """
        there = FileList(before=self.list)
        files = [(closing.recorded(), closing.frames) for closing in self._closing]
        files += [(with_failure(file.so_far(), failure), file.frames + file.passed_frames) for file in still_open]
        for recorded, written_frames in files:
            # what was written may be on the disk, even if it cannot be read back yet
            is_there = recorded is not None and (recorded.frames or written_frames)
            there.add(recorded if is_there else None, written_frames)
        return there
