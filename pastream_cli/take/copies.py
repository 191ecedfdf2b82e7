"""The copies of a take: OUTPUT and what --also names, each recorded for itself, in pieces of the same frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import ExitCode, FileError, PastreamError
from pastream_cli.take.pieces import File, PlannedPiece
from pastream_cli.take.plan import Plan
from pastream_cli.take.recording import Recording
from pastream_cli.take.report import CopySnapshot
from pastream_cli.take.shared_names import SharedNames

if TYPE_CHECKING:
    from pastream_cli.take.aligning import Aligning
    from pastream_cli.take.file_list import FileList
    from pastream_cli.take.finished_pieces import FinishedPieces


class Copies:
    """All places that a take is recorded to. The plain case has one.

    With several, none waits for another, and the take goes on while one of them can be written.

    Parameters
    ----------
    plan : Plan
        What is recorded where.
    stream : Core
        Has a writer for each copy.
    worker : Worker
        Makes and finishes the files of OUTPUT. Each further copy has a worker of its own, since a disk may block.
    warn : callable
        Called with each warning, one line.
    wake : callable
        Called when something was done on another worker.
    finished : FinishedPieces, optional
        Is told of each file that is finished.
    """

    def __init__(
        self,
        plan: Plan,
        stream: Core,
        worker: Worker,
        warn: Callable[[str], None],
        wake: Callable[[], None],
        finished: FinishedPieces | None = None,
    ) -> None:
        assert plan.output is not None
        self._stream = stream
        self._warn = warn
        outputs = (plan.output, *plan.copies)
        names = SharedNames(outputs, plan.input_path) if plan.copies else None
        self.all: list[Recording] = []
        """OUTPUT first."""
        for number, output in enumerate(outputs):
            own_worker = Worker(f"files of copy {number}", wake) if number else worker
            told = partial(finished.note, number) if finished is not None else None
            recording = Recording(output, plan.input_path, stream, own_worker, warn, told)
            if names is not None:
                recording.share(names, number)
            self.all.append(recording)
        self._finished = finished
        self._aligning = _aligning(stream, plan)
        self._planned = 0, PlannedPiece(0)
        """The last piece that was planned, by its number."""
        self._wants_cut = False
        self._told: set[Recording] = set()
        self.failure: PastreamError | None = None
        """What went wrong first with one of several copies, and did not end the take."""

    @property
    def output(self) -> Recording:
        """The recording to OUTPUT."""
        return self.all[0]

    @property
    def has_several(self) -> bool:
        """Whether there is more than one."""
        return len(self.all) > 1

    # ---- what is known of them ----

    @property
    def can_cut(self) -> bool:
        """Whether a new file may be started on request."""
        return self.output.can_cut

    @property
    def is_between_files(self) -> bool:
        """Whether a next file is being made, or is ready while a writer still has the present one."""
        return any(copy.is_between_files for copy in self.all)

    @property
    def piece_seconds(self) -> float:
        """How long each file takes: 0 on a fast device, infinite if nothing says when it ends."""
        output = self.output.output
        if self._stream.is_fast and (output.is_split or output.is_triggered):
            return 0.0
        return output.piece_seconds(self._stream.samplerate)

    @property
    def name(self) -> str:
        """Name of the present file of OUTPUT, for people."""
        return self.output.name

    @property
    def is_on_a_disk(self) -> bool:
        """Whether a file that is still written is a regular one, and no pipe or device."""
        return any(copy.is_on_a_disk and not copy.has_failed for copy in self._written)

    @property
    def verifies(self) -> bool:
        """Whether each file is read back when it is finished."""
        return self.output.output.verify

    def give_up(self) -> None:
        """Have no file verified any more."""
        for copy in self.all:
            copy.left.give_up()

    @property
    def waited_for(self) -> str:
        """The name of a file that is still written."""
        return self._written[0].name

    @property
    def _written(self) -> list[Recording]:
        """The copies whose writers are still at work, or all if none is."""
        return [copy for copy in self.all if copy.is_writing] or self.all

    @property
    def size(self) -> int:
        """Bytes in the present file of OUTPUT, as of the last look; 0 where it is on no disk."""
        return self.output.size

    @property
    def standings(self) -> tuple[CopySnapshot, ...]:
        """How the further copies stand, for whoever looks."""
        return tuple(CopySnapshot(copy.name, copy.has_failed) for copy in self.all[1:])

    @property
    def clips(self) -> tuple[int, ...]:
        """Clipped samples of each channel in all files of OUTPUT so far."""
        return self.output.clips

    @property
    def disk_seconds(self) -> float | None:
        """How many seconds of sound there is room for, on the disk that has room for the least."""
        known = [copy.room.seconds_for(copy.present) for copy in self.all if not copy.has_failed]
        return min((seconds for seconds in known if seconds is not None), default=None)

    # ---- what they do ----

    def make_first(self) -> None:
        """Make the first files; on the worker of OUTPUT, since a disk may block.

        A FIFO waits for its reader. One of several copies does so for itself, while the take begins.
        """
        made: list[Recording] = []
        try:
            for copy in self.all:
                copy.make_first()
                made.append(copy)
        except BaseException:
            for copy in made:
                copy.drop_first()
            raise

    def connect(self, plan: Plan) -> None:
        """Have a writer record to each place."""
        for number, copy in enumerate(self.all):
            if self._finished is not None and not copy.makes_files:
                self._finished.leave_out(number)
            copy.connect(plan.capture_map, outlives_failures=self.has_several)
        if plan.rules is not None:
            self._stream.obey(plan.rules)

    def poll(self, now: float, *, is_ending: bool = False) -> None:
        """Put finished files away, have the next ones made in time, watch the disks.

        Raises
        ------
        FileError
            If the last copy that was written, or its next file, failed.
        """
        for copy in self.all:
            try:
                copy.poll(now)
            except PastreamError as error:
                self._note(copy, error)
            if not copy.has_failed:
                self._told.discard(copy)
            if is_ending and self.has_several:
                copy.give_up_waiting()
        if self._wants_cut:
            self._cut_if_ready()
        elif self._aligning is not None:
            self._align(self._aligning)

    def _note(self, copy: Recording, error: PastreamError) -> None:
        """Tell of a copy that has failed; raise if there is no other."""
        if not self.has_several or all(other.has_failed for other in self.all):
            raise error
        if copy in self._told:
            return
        self._told.add(copy)
        self._warn(f"{error.message}; the other {'copies are' if len(self.all) > 2 else 'copy is'} not affected")
        if error.exit_code is not ExitCode.PIPE_CLOSED and not copy.lost_its_reader:
            self.failure = self.failure or error

    def cut(self) -> None:
        """Start the next file of each copy, at one frame, as soon as one is made."""
        if not self.can_cut:
            self._warn("no next file to start: OUTPUT has no {n}, and there is no --split")
            return
        self._wants_cut = True
        for copy in self.all:
            copy.wants_next = True
            copy.pieces.begin_soon(copy.present.piece + 1 if copy.present is not None else 1)
        self._cut_if_ready()

    def forget_cut(self) -> None:
        """Start no next file, since the present one has ended by itself."""
        self._wants_cut = False
        for copy in self.all:
            copy.wants_next = False

    def _cut_if_ready(self) -> None:
        newest = self._newest()
        if newest is None or not any(copy.has_next for copy in self.all):
            return
        self._wants_cut = False
        self._end_piece(newest, newest.frame_limit)
        for copy in self.all:
            copy.wants_next = False

    def _newest(self) -> File | None:
        """Return the present file of the copy that is ahead of the others, if it has begun."""
        present = [copy.present for copy in self.all if copy.present is not None]
        newest = max(present, key=lambda file: file.piece, default=None)
        begun = newest.first_frame if newest is not None else None
        # a writer takes its file before there is a frame
        return newest if begun is not None and begun < self._stream.frame_count else None

    def _end_piece(self, newest: File, most_frames: int | None, end_frame: int = 0) -> int:
        """End the piece of a file at one frame in all copies; return how many frames it has."""
        assert newest.first_frame is not None
        files = [file for copy in self.all if (file := copy.file_of(newest.piece)) is not None]
        frames = self._stream.cut(files, newest.first_frame, most_frames, end_frame)
        for copy in self.all:
            copy.pieces.plan(newest.piece, PlannedPiece(frames))
        return frames

    def begin(self) -> None:
        """Say where the first piece ends, before anything runs."""
        if self._aligning is not None:
            frames = self._aligning.first_frames()
            for copy in self.all:
                copy.begin(self._at_most(frames))

    def begin_at(self, moment: Fraction) -> None:
        """Take notice that the take begins at another time than was planned, because the clock was set."""
        for copy in self.all:
            copy.begin_at(moment)
        if self._aligning is not None:
            self._aligning.begin_at(moment)
            self.begin()

    def _at_most(self, frames: int) -> int:
        most = self.output.output.most_frames
        return frames if most is None else min(frames, most)

    def _align(self, aligning: Aligning) -> None:
        """Say anew where the present piece ends by the clock, and how the next one begins."""
        newest, most_frames = self._newest(), self.output.output.most_frames
        # a first file that is made anew, for another day, takes no frames
        if newest is None or newest.first_frame is None or not newest.frame_limit:
            return
        begun = newest.first_frame
        frames = self._end_piece(newest, most_frames, aligning.end_frame(begun))
        if frames == most_frames:  # what follows it begins off the clock
            planned = PlannedPiece(frames)
        else:
            following = aligning.piece_after(begun + frames)
            planned = following._replace(frames=self._at_most(following.frames))
        before, self._planned = self._planned, (newest.piece + 1, planned)
        is_moved = before[0] == newest.piece + 1 and before[1].begin != planned.begin
        for copy in self.all:
            if is_moved:  # the machine slept, or the device was away
                copy.make_next_anew()
            copy.pieces.plan(newest.piece + 1, planned)

    def hold(self, is_held: bool, losses: Sequence[Loss] = ()) -> None:
        """Make no next file while the device is away; `losses` are those since the last call."""
        for loss in losses:
            if self._aligning is not None and loss.kind is LossKind.AWAY and not loss.copy:
                self._aligning.pass_over(loss.frame + (loss.frames or 0))
                self._align(self._aligning)
        for copy in self.all:
            copy.hold(is_held=is_held)

    def warn_of_a_small_disk(self, frames: int | None) -> None:
        """Warn if a recording of so many frames will not fit."""
        for copy in self.all:
            copy.room.warn_if_too_small(copy.present, frames)

    # ---- the end ----

    def finish(self, *, is_complete: bool, is_given_up: bool = False) -> list[Task[None]]:
        """Have every file finished whose writer has ended. Return a task for each copy that has any."""
        ended = [copy for copy in self.all if not copy.is_writing]
        tasks = [copy.finish(is_complete=is_complete, is_given_up=is_given_up) for copy in ended]
        return [task for task in tasks if task is not None]

    def results(self) -> tuple[list[FileList], PastreamError | None]:
        """Return the files of each copy, and the first failure of the only one."""
        lists: list[FileList] = []
        failures = []
        for copy in self.all:
            stuck = FileError(f"cannot finish {copy.name}: it takes no more data") if copy.is_writing else None
            files, failure = copy.results() if stuck is None else (copy.so_far(stuck), stuck)
            lists.append(files)
            failures.append(failure)
        if self._finished is not None:
            self._finished.end()
        for copy, failure in zip(self.all, failures, strict=True):
            if failure is not None and self.has_several and copy not in self._told:
                if not all(failures):
                    self._note(copy, failure)
                elif copy is not self.output:  # whose failure is that of the run
                    self._warn(failure.message)
        return lists, failures[0] if all(failures) else None

    def so_far(self) -> list[FileList]:
        """Return the files of each copy as far as they can be read by now."""
        return [copy.so_far() for copy in self.all]


def _aligning(stream: Core, plan: Plan) -> Aligning | None:
    """Return what ends the pieces by the clock, if that is asked for."""
    if plan.output is None or plan.output.aligned_seconds is None:
        return None
    from pastream_cli.take.aligning import Aligning

    return Aligning(stream, plan.output, plan.offset)
