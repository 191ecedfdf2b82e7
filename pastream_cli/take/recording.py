"""The files of one recording: each is made before the writer needs it, and finished when the writer has left it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.files.missing_file import MissingFile
from pastream_cli.engine.files.output_file import OutputFile
from pastream_cli.engine.files.paths import is_fifo, is_special
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.engine.writer import Writer
from pastream_cli.errors import STANDARD_STREAM, FileError, PastreamError, failure_of
from pastream_cli.take.aligning import PlannedPiece
from pastream_cli.take.disk_room import DiskRoom
from pastream_cli.take.file_list import FileList
from pastream_cli.take.file_maker import FileMaker
from pastream_cli.take.finished_files import FinishedFiles
from pastream_cli.take.outputs import Output
from pastream_cli.take.shared_names import SharedNames

# The next file is made this long before its first frame: longer than anything should delay Python.
_AHEAD_SECONDS = 5.0
_DISK_CHECK_SECONDS = 5.0
# By then each deficit before the first frame of a file has been found, so that the time of that frame is final.
_SECONDS_UNTIL_A_START_IS_KNOWN = 10.0


class Recording:
    """One place that is recorded to, as one file or as many: OUTPUT, or a further copy.

    Parameters
    ----------
    output : Output
        Where that is, and how it is written.
    input_path : str, optional
        What is played, which no recording replaces.
    stream : Core
        Its writer fills the files.
    worker : Worker
        Makes and finishes the files, since a disk may block.
    warn : callable
        Called with each warning, one line.
    finished : callable, optional
        Called with the number of each piece that is finished, and its file if that is on a disk and has all that was
        written to it.
    """

    def __init__(
        self,
        output: Output,
        input_path: str | None,
        stream: Core,
        worker: Worker,
        warn: Callable[[str], None],
        finished: Callable[[int, RecordedFile | None], None] | None = None,
    ) -> None:
        self.output = output
        """Where it goes, and how it is written."""
        self._stream = stream
        self._worker = worker
        self._warn = warn
        # on a fast device nothing is left behind that waits to be verified: the next file waits for that
        is_beside = output.verify and not stream.is_fast
        self.left = FinishedFiles(worker, output.channels, verifies_beside=is_beside, warn=warn, finished=finished)
        """The files that the writer has left."""
        self._rate = stream.samplerate
        self._maker = FileMaker(output, input_path, round(self._rate))
        self._open: list[OutputFile | MissingFile] = []  # the present one first, then the next one if it is made
        self._making: Task[OutputFile | MissingFile] | None = None
        self._is_held = False
        self._is_going_on = False
        """Whether the next file goes on from the present one, and not with what a trigger records next."""
        self._misnamed: Task[OutputFile | MissingFile] | None = None
        """Makes a file that will not begin when its name says."""
        self._is_making_first = self._waits_for_a_reader = False
        self._is_offered = False
        self.wants_next = False
        """Whether a next file is to be made, since the present one will be cut."""
        self.writer: Writer | None = None
        """Its writer, once all is connected."""
        self._is_shared = False
        self._pieces = 0
        self._planned: dict[int, PlannedPiece] = {}
        """What is known of pieces whose files are not made."""
        self.lost_its_reader = False
        """Whether it failed because nobody reads it any more."""
        self._asking: Task[None] | None = None
        self._disk_checked_at = 0.0
        self.room = DiskRoom(output, self._rate, warn)

    @property
    def can_cut(self) -> bool:
        """Whether a new file may be started on request."""
        return self.output.is_split or self._maker.has_number

    @property
    def is_between_files(self) -> bool:
        """Whether the next file is being made, or is ready while the writer still has the present one."""
        return self._making is not None or self.wants_next or len(self._open) > 1

    @property
    def piece_seconds(self) -> float:
        """How long each file takes: 0 on a fast device, infinite if nothing says when it ends."""
        if not (self.output.is_split or self.output.is_triggered):
            return math.inf
        if self._stream.is_fast:
            return 0.0
        if not self.output.is_split:
            return math.inf
        return float(self.output.aligned_seconds or (self.output.split_frames or 0) / self._rate)

    @property
    def name(self) -> str:
        """Name of the present file, for people."""
        return self._open[0].name if self._open else self.output.path

    @property
    def is_on_a_disk(self) -> bool:
        """Whether the present file is a regular one, and no pipe or device."""
        return self._waits_for_a_disk or (bool(self._open) and self._open[0].is_regular)

    @property
    def size(self) -> int:
        """Bytes in the present file, as of the last look; 0 where it is on no disk."""
        return self._open[0].size if self._open else 0

    @property
    def clips(self) -> tuple[int, ...]:
        """Clipped samples of each channel in all files so far."""
        clips = (self.left.clips, *(file.clips for file in self._open))
        return tuple(map(sum, zip(*clips, strict=True)))

    @property
    def disk_seconds(self) -> float | None:
        """How many seconds of sound the disk has room for, as of the last look a few seconds ago."""
        free = self.room.frames_for(self._open[0] if self._open else None)
        return None if free is None else free / self._rate

    @property
    def has_failed(self) -> bool:
        """Whether the present file takes no frames."""
        return bool(self._open) and self._open[0].failure() is not None

    @property
    def is_writing(self) -> bool:
        """Whether its writer is at work."""
        return self.writer is not None and self.writer.is_running

    # ---- several copies ----

    def share(self, names: SharedNames, number: int) -> None:
        """Be one of several copies, by its number: it shares their names, and a file that fails is not its end."""
        self._is_shared = True
        self._maker.share(names, number)
        self.room.disk = f"the disk of {self.output.path}"

    @property
    def present_piece(self) -> int:
        """The number of the piece that is being written, from 1; 0 before there is a file."""
        return self._open[0].piece if self._open else 0

    @property
    def first_frame(self) -> int | None:
        """Where on the timeline the present file begins."""
        return self._open[0].first_frame if self._open else None

    @property
    def frame_limit(self) -> int | None:
        """How many frames the present file takes, where there is a limit."""
        return self._open[0].frame_limit if self._open else None

    @property
    def has_next(self) -> bool:
        """Whether the writer has the next file already."""
        return self._is_offered and len(self._open) > 1

    def file_of(self, piece: int) -> OutputFile | MissingFile | None:
        """Return the file of a piece, if it is made and not finished."""
        return next((file for file in self._open if file.piece == piece), None)

    def begin(self, frames: int) -> None:
        """Say how long the first piece is, before anything runs."""
        if self._open:
            self._open[0].limit(frames)
        self.plan(1, PlannedPiece(frames))

    def plan(self, piece: int, planned: PlannedPiece) -> None:
        """Say how a piece is to begin and end, unless its file is made already."""
        if self._pieces < piece:
            self._planned[piece] = planned

    def begin_soon(self, piece: int) -> None:
        """Take notice that a piece begins before the time that was planned."""
        if piece in self._planned:
            self._planned[piece] = PlannedPiece(self._planned[piece].frames)

    def give_up_waiting(self) -> None:
        """At the end of the take, do not wait for a reader that has never come."""
        if self.writer is not None and not self._open and self._waits_for_a_reader:
            self.writer.stop()

    def stuck(self) -> FileError:
        """Return the failure of a copy that takes no more data."""
        return FileError(f"cannot finish {self.name}: it takes no more data")

    # ---- making files ----

    def make_first(self) -> None:
        """Make the first file; on the worker. A FIFO waits for its reader, but one of several copies in background."""
        begin = self._stream.times.now()
        if self.output.begin is not None:
            begin = datetime.fromtimestamp(float(self.output.begin), tz=timezone.utc)
        self._waits_for_a_reader = is_special(self.output.path)
        if self._awaits_a_trigger:
            self._maker.check()
            return
        if self._is_shared and is_fifo(self.output.path):
            self._making = self._worker.start(lambda: self._make(begin))
            return
        self._is_making_first = True
        try:
            first = self._make(begin)
            self.room.measure(first)
            self._add(first)
        finally:
            self._is_making_first = False

    def drop_first(self) -> None:
        """Remove the first file, since the take does not begin."""
        while self._open:
            self._open.pop().close(keep_empty=False)

    def connect(self, channel_map: Sequence[int] | None, *, outlives_failures: bool) -> None:
        """Have a writer of the stream's write the files."""
        is_pipe = self._open[0].is_stream if self._open else not self._awaits_a_trigger
        self.writer = self._stream.connect_output(
            self.output.channels, channel_map=channel_map, is_pipe=is_pipe, outlives_failures=outlives_failures
        )
        if self._open:
            self.writer.offer(self._open[0])

    def _add(self, file: OutputFile | MissingFile) -> None:
        """Add a file that was made, behind the others."""
        self._pieces += 1
        file.piece = self._pieces
        if (planned := self._planned.pop(file.piece, None)) is not None:
            file.limit(planned.frames)
            if planned.first_frame is not None:
                file.begin_at(planned.first_frame)
        self._open.append(file)

    @property
    def _waits_for_a_disk(self) -> bool:
        """Whether the first file is still being made, on a disk that takes its time."""
        return self._is_making_first and not self._waits_for_a_reader

    def _make(self, first_frame: datetime) -> OutputFile | MissingFile:
        may_be_missing = self._pieces > 0 or self._waits_for_a_reader or self.output.is_triggered
        planned = self._planned.get(self._pieces + 1)
        begin = planned.begin if planned is not None else None
        return self._maker.make(self._pieces + 1, begin or first_frame, may_be_missing=may_be_missing)

    def warn_of_a_small_disk(self, frames: int | None) -> None:
        """Warn if a recording of so many frames will not fit."""
        self.room.warn_if_too_small(self._open[0] if self._open else None, frames)

    # ---- while it runs ----

    def poll(self, now: float) -> None:
        """Put finished files away, have the next one made in time, watch the disk.

        Raises
        ------
        FileError
            If a file cannot be written or made.
        """
        if self.output.is_triggered:
            self._follow_the_trigger()
        if not self._open:
            if self._making is not None:
                self._offer_when_made(self._making)
            self.left.poll()
            self._raise(self.left.failure)
            return
        while len(self._open) > 1 and self._open[0].is_done:
            self._finish_first(keep_empty=False)
        current = self._open[0]
        self._note_start(current)
        if warning := current.warning():
            self._warn(warning)
        self.left.poll()
        failure = self.left.failure or current.failure()
        if failure is None:
            self._ask_the_disk(current, now)
        can_go_on = self._is_shared or current.writers_failure() is None
        if can_go_on and not self._is_held:  # even if an earlier file has failed, the next one may get frames
            self._make_next_in_time(current)
        self._raise(failure)

    def _raise(self, failure: PastreamError | None) -> None:
        if failure is None:
            return
        if self._is_shared:  # it was told, and the next file is another one
            self.left.failure = None
            self.lost_its_reader = self._waits_for_a_reader
        raise failure

    # ---- a trigger ----

    @property
    def _awaits_a_trigger(self) -> bool:
        """Whether a file is made only when a trigger says so. A pipe is opened before."""
        is_pipe = self._waits_for_a_reader or self.output.path == STANDARD_STREAM
        return self.output.is_triggered and not is_pipe

    def _follow_the_trigger(self) -> None:
        """Put the last file of what was recorded away, and make the first one of what is recorded next."""
        while self._open and self._open[0].is_done:
            self._finish_first(keep_empty=False)
        if self._open and self._open[0].first_frame is not None:
            return
        if self._is_going_on:  # from something that has ended
            self._is_going_on = False
            self._misnamed = self._making
            if self._open:
                self._give_back()
        if self._open or self._making is not None or self.writer is None:
            return
        frame = self.writer.awaits
        if frame is not None and (first_frame := self._stream.time_of_capture(frame)) is not None:
            self._making = self._worker.start(lambda: self._make(first_frame))

    def _give_back(self) -> None:
        """Remove the next file, which was made for another time, unless the writer has begun it."""
        if not self._is_offered or (self.writer is not None and self.writer.withdraw()):
            self._is_offered = False
            self._drop(self._open.pop())
            self._pieces -= 1

    def _ask_the_disk(self, current: OutputFile | MissingFile, now: float) -> None:
        """Have the worker make the calls that a disk may hang in, unless it hangs in the last one."""
        if self._asking is not None and not self._asking.is_done:
            return
        self.room.warn_if_nearly_full(current)
        if current.is_to_appear:
            self._asking = self._worker.start(current.appear, quietly=True)
        elif now - self._disk_checked_at > _DISK_CHECK_SECONDS:
            self._disk_checked_at = now
            self._asking = self._worker.start(lambda: self.room.keep(current), quietly=True)

    def hold(self, *, is_held: bool) -> None:
        """Make no next file while the device is away; one that was made is made anew if it was made for a time."""
        if is_held and not self._is_held and (self._maker.has_time or self.output.aligned_seconds is not None):
            self._misnamed = self._making
            if self._is_offered and len(self._open) > 1:
                self._give_back()
        self._is_held = is_held

    def _drop(self, file: OutputFile | MissingFile) -> None:
        self._maker.forget(file.piece)
        self._worker.start(lambda: file.close(keep_empty=False), quietly=True)

    def _make_next_in_time(self, current: OutputFile | MissingFile) -> None:
        if self._making is not None:
            self._offer_when_made(self._making)
        elif len(self._open) > 1 and not self._is_offered:
            self._offer_next()
        elif self.output.is_triggered and current.first_frame is None:
            return
        elif len(self._open) == 1 and (self.wants_next or current.frame_limit is not None) and self._may_make_next:
            ahead = self._frames_ahead(current)
            if ahead <= _AHEAD_SECONDS * self._rate:
                if not self.can_cut:
                    self._warn(f"{current.name} is about to hold the most that its type can; going on in another file")
                first_frame = self._stream.times.now() + timedelta(seconds=ahead / self._rate)
                self._is_going_on = self.output.is_triggered and self._maker.has_time
                self._making = self._worker.start(lambda: self._make(first_frame))

    @property
    def _may_make_next(self) -> bool:
        """Whether it is known when the next file begins, where that is by the clock."""
        return self.output.aligned_seconds is None or self._pieces + 1 in self._planned

    def _frames_ahead(self, current: OutputFile | MissingFile) -> int:
        """Return how many frames from now the next file begins; fewer than 0 if it is late, as behind a gap."""
        if self.wants_next or current.frame_limit is None:
            return 0
        if current.first_frame is None:
            return current.frame_limit
        ahead = current.first_frame + current.frame_limit - self._stream.frame_count
        return ahead if ahead >= 0 else -(-ahead % current.frame_limit)

    def _offer_when_made(self, making: Task[OutputFile | MissingFile]) -> None:
        if not making.is_done:
            return
        self._making = None
        if making is self._misnamed and making.error is None:
            self._drop(making.result())
            return
        try:
            self._add(making.result())
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the take
            self._go_on_without(failure_of(error))
            return
        if self._is_going_on:
            self._open[-1].go_on()
        self._offer_next()

    def _offer_next(self) -> None:
        """Offer the next file to the writer, which refuses while it has not begun the one before it."""
        self._is_offered = self.writer is not None and self.writer.offer(self._open[-1])

    def _go_on_without(self, error: PastreamError) -> None:
        """Go on in the present file if the next one cannot be made."""
        self.wants_next = False
        if not self._open:
            self._stream.stop_writing()
            raise error
        current = self._open[0]
        if current.frame_limit is not None and current.frame_limit == self.output.most_frames:
            self._stream.stop_writing()
            raise error
        current.limit(None)
        self._warn(f"{error.message}; going on in {current.name}")

    def _finish_first(self, *, keep_empty: bool, is_given_up: bool = False) -> None:
        """Have the worker close the first of the open files, which the writer has left."""
        file = self._open.pop(0)
        if not self._is_shared:
            self.left.failure = self.left.failure or file.writers_failure()
        self._note_start(file)
        self.left.close(file, keep_empty=keep_empty, is_given_up=is_given_up)

    def _note_start(self, file: OutputFile | MissingFile) -> None:
        """Note when the first frame of a file was captured. Later calls correct it for some seconds."""
        first_frame = file.first_frame
        if first_frame is None:
            return
        if file.start is None or self._stream.frame_count - first_frame < _SECONDS_UNTIL_A_START_IS_KNOWN * self._rate:
            file.start = self._stream.time_of_capture(first_frame)
            file.start_uncertainty_seconds = self._stream.times.uncertainty_seconds

    # ---- the end ----

    def finish(self, *, is_complete: bool, is_given_up: bool = False) -> Task[None] | None:
        """Have every file finished, after the writer has ended. Return a task that is done when all files are.

        Return `None` if no file was ever made: the worker may wait for the reader of a FIFO, which may never come.

        A file without a frame is removed, unless the run was complete and it is the only file.
        """
        is_still_making = self._waits_for_a_disk  # asked first: the worker may add the file in between
        while self._open:
            keep_empty = is_complete and not self.left.has_any and not self._awaits_a_trigger
            self._finish_first(keep_empty=keep_empty, is_given_up=is_given_up)
        if not self.left.has_any and not is_still_making:
            return None
        return self.left.ends_after(self._worker.start(self._remove_unused))  # comes after the closing of all others

    def _remove_unused(self) -> None:
        """Remove the file that was made too late to be used."""
        for first in self._open:
            first.close(keep_empty=False)
        if self._making is not None and self._making.error is None:
            self._making.result().close(keep_empty=False)

    def results(self) -> tuple[FileList, PastreamError | None]:
        """Return the files that are kept, and the first failure, if there was one."""
        if self._waits_for_a_disk:
            unmade = FileError(f"cannot create {self.name}: the disk does not answer")
            self.left.failure = self.left.failure or unmade
        self.left.hand_on_all()
        return self.left.list, self.left.failure

    def so_far(self, failure: PastreamError | None = None) -> FileList:
        """Return the files as far as they can be read by now, for a run that leaves some of them unfinished."""
        for file in self._open:
            self._note_start(file)
        return self.left.so_far(self._open, failure)
