"""The files of one recording: each is made before the writer needs it, and finished when the writer has left it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.files.paths import is_fifo, is_special
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.engine.writer import Writer
from pastream_cli.errors import STANDARD_STREAM, FileError, PastreamError, failure_of
from pastream_cli.take.disk_room import DiskRoom
from pastream_cli.take.file_list import FileList
from pastream_cli.take.file_maker import FileMaker
from pastream_cli.take.finished_files import FinishedFiles
from pastream_cli.take.outputs import Output
from pastream_cli.take.pieces import File, Pieces, PlannedPiece
from pastream_cli.take.shared_names import SharedNames
from pastream_cli.take.window import in_utc

# The next file is made this long before its first frame: longer than anything should delay Python.
_AHEAD_SECONDS = 5.0
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
        self.pieces = Pieces(output, self._maker, worker)
        """What is known of those to come."""
        self._open: list[File] = []  # the present one first, then the next one if it is made
        self._is_held = False
        self._is_going_on = False
        """Whether the next file goes on from the present one, and not with what a trigger records next."""
        self._is_making_first = self._waits_for_a_reader = False
        self._is_offered = self._has_given_up_waiting = False
        self.wants_next = False
        """Whether a next file is to be made, since the present one will be cut."""
        self.writer: Writer | None = None
        """Its writer, once all is connected."""
        self._is_shared = False
        self.lost_its_reader = False
        """Whether it failed because nobody reads it any more."""
        self.room = DiskRoom(output, self._rate, worker, warn)
        """What is left of its disk."""

    @property
    def can_cut(self) -> bool:
        """Whether a new file may be started on request."""
        return self.output.is_split or self._maker.has_number

    @property
    def is_between_files(self) -> bool:
        """Whether the next file is being made, or is ready while the writer still has the present one."""
        return self.pieces.is_making or self.wants_next or len(self._open) > 1

    @property
    def name(self) -> str:
        """Name of the present file, for people."""
        return self._open[0].name if self._open else self.output.path

    @property
    def is_on_a_disk(self) -> bool:
        """Whether the present file is a regular one, and no pipe or device; false until a trigger has begun one."""
        return self._waits_for_a_disk or (bool(self._open) and self._open[0].is_regular)

    @property
    def makes_files(self) -> bool:
        """Whether it records to regular files; what a trigger has made later is taken for one."""
        return self.is_on_a_disk or self._awaits_a_trigger

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
    def present(self) -> File | None:
        """The file that is being written."""
        return self._open[0] if self._open else None

    @property
    def has_next(self) -> bool:
        """Whether the writer has the next file already."""
        return self._is_offered and len(self._open) > 1

    def file_of(self, piece: int) -> File | None:
        """Return the file of a piece, if it is made and not finished."""
        return next((file for file in self._open if file.piece == piece), None)

    def begin(self, frames: int) -> None:
        """Say how long the first piece is, before anything runs."""
        if self._open and self.pieces.last:  # else it is made anew
            self._open[0].limit(frames)
        self.pieces.plan(1, PlannedPiece(frames))

    def give_up_waiting(self) -> None:
        """At the end of the take, do not wait for a reader that has never come, and tell of that once."""
        if self.writer is None or self._open or not self._waits_for_a_reader:
            return
        self.writer.stop()
        if not self.left.has_any and not self._has_given_up_waiting:
            self._has_given_up_waiting = True
            self._warn(f"nobody has read {self.output.path}: nothing is written to it")

    # ---- making files ----

    def make_first(self) -> None:
        """Make the first file; on the worker. A FIFO waits for its reader, but one of several copies in background."""
        begin = self._stream.times.now() if self.output.begin is None else in_utc(self.output.begin)
        self._waits_for_a_reader = is_special(self.output.path)
        if self._awaits_a_trigger:
            self._maker.check()
            return
        if self._is_shared and is_fifo(self.output.path):
            self.pieces.start_making(begin, may_be_missing=True)
            return
        self._is_making_first = True
        try:
            first = self.pieces.make(begin, may_be_missing=self._waits_for_a_reader)
            self.room.measure(first)
            self._open.append(self.pieces.numbered(first))
        finally:
            self._is_making_first = False

    def begin_at(self, moment: Fraction) -> None:
        """Have the first file, which has no frame yet, made anew if it is named for another time."""
        if self._open and self.pieces.start_over(self._open[0], in_utc(moment)):
            self._open[0].limit(0)  # the writer leaves it for the next one

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

    @property
    def _waits_for_a_disk(self) -> bool:
        """Whether the first file is still being made, on a disk that takes its time."""
        return self._is_making_first and not self._waits_for_a_reader

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
            if self.pieces.is_making:
                self._offer_when_made()
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
            self.room.look_after(current, now)
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
            self.pieces.misname()
            if self._open:
                self._give_back()
        if self._open or self.pieces.is_making or self.writer is None:
            return
        frame = self.writer.awaits
        if frame is not None and (first_frame := self._stream.time_of_capture(frame)) is not None:
            self.pieces.start_making(first_frame)

    def _give_back(self) -> None:
        """Remove the next file, which was made for another time, unless the writer has begun it."""
        if not self._is_offered or (self.writer is not None and self.writer.withdraw()):
            self._is_offered = False
            self.pieces.give_back(self._open.pop())

    def hold(self, *, is_held: bool) -> None:
        """Make no next file while the device is away; one that was made is made anew if it was made for a time."""
        if is_held and not self._is_held and self.pieces.are_made_for_times:
            self.make_next_anew()
        self._is_held = is_held

    def make_next_anew(self) -> None:
        """Make another next file, since the next piece begins at another time, unless the writer has begun it."""
        self.pieces.misname()
        if self._is_offered and len(self._open) > 1:
            self._give_back()

    def _make_next_in_time(self, current: File) -> None:
        if self.pieces.is_making:
            self._offer_when_made()
        elif len(self._open) > 1 and not self._is_offered:
            self._offer_next()
        elif self.output.is_triggered and current.first_frame is None:
            return
        elif len(self._open) == 1 and (self.wants_next or current.frame_limit is not None) and self.pieces.knows_next:
            ahead = self._frames_ahead(current)
            if ahead <= _AHEAD_SECONDS * self._rate:
                if not self.can_cut:
                    self._warn(f"{current.name} is about to hold the most that its type can; going on in another file")
                first_frame = self._stream.times.now() + timedelta(seconds=ahead / self._rate)
                self._is_going_on = self.output.is_triggered and self._maker.has_time
                self.pieces.start_making(first_frame)

    def _frames_ahead(self, current: File) -> int:
        """Return how many frames from now the next file begins; fewer than 0 if it is late, as behind a gap."""
        if self.wants_next or current.frame_limit is None:
            return 0
        if current.first_frame is None:
            return current.frame_limit
        ahead = current.first_frame + current.frame_limit - self._stream.frame_count
        return ahead if ahead >= 0 else -(-ahead % current.frame_limit)

    def _offer_when_made(self) -> None:
        try:
            if (made := self.pieces.take_made()) is None:
                return
            self._open.append(self.pieces.numbered(made))
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

    def _note_start(self, file: File) -> None:
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
            may_be_empty = not self._awaits_a_trigger and self.output.begin is None  # else its time went by before
            keep_empty = is_complete and not self.left.has_any and may_be_empty
            self._finish_first(keep_empty=keep_empty, is_given_up=is_given_up)
        if not self.left.has_any and not is_still_making:
            return None
        return self.left.ends_after(self._worker.start(self._remove_unused))  # comes after the closing of all others

    def _remove_unused(self) -> None:
        """Remove the file that was made too late to be used."""
        for first in self._open:
            first.close(keep_empty=False)
        self.pieces.remove_unused()

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
