"""The files of one recording: each is made before the writer needs it, and finished when the writer has left it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.output_file import OutputFile
from pastream_cli.engine.files.paths import BeingRecordedError, ExistsError, are_one_file, is_special
from pastream_cli.engine.files.size_limits import most_frames
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.engine.writer import Writer
from pastream_cli.errors import FileError, PastreamError, failure_of
from pastream_cli.take.file_list import FileList, FinishingFile
from pastream_cli.take.naming import NameMemory, Names
from pastream_cli.take.plan import Plan
from pastream_cli.units import format_clock

# The next file is made this long before its first frame: longer than anything should delay Python.
_AHEAD_SECONDS = 5.0
_DISK_CHECK_SECONDS = 5.0
# By then each deficit before the first frame of a file has been found, so that the time of that frame is final.
_SECONDS_UNTIL_A_START_IS_KNOWN = 10.0
# If other takes seem to hold more names than this, it is the disk that refuses locks.
_MOST_TAKES = 100
_MEASURED_SECONDS = 10.0
_SCANT_DISK_SECONDS = 120.0


class Recording:
    """OUTPUT, as one file or as many.

    Parameters
    ----------
    plan : Plan
        Where OUTPUT is, and how it is written.
    stream : Core
        Its writer fills the files.
    worker : Worker
        Makes and finishes the files, since a disk may block.
    warn : callable
        Called with each warning, one line.
    finished : callable, optional
        Called with each file on a disk that was finished and has all that was written to it.
    """

    def __init__(
        self,
        plan: Plan,
        stream: Core,
        worker: Worker,
        warn: Callable[[str], None],
        finished: Callable[[RecordedFile], None] | None = None,
    ) -> None:
        assert plan.output is not None
        output = self._output = plan.output
        self._input_path = plan.input_path
        self._stream = stream
        self._worker = worker
        self._warn = warn
        self._finished = finished
        self._rate = stream.samplerate
        self._most_frames = most_frames(output.file_type, output.encoding, output.channels)
        self._names = Names(output.path, is_split=output.split_frames is not None)
        self._open: list[OutputFile] = []  # the present one first, then the next one if it is made
        self._made = NameMemory()
        self._making: Task[OutputFile] | None = None
        self._is_held = False
        self._misnamed: Task[OutputFile] | None = None
        """Makes a file that will not begin when its name says."""
        self._is_making_first = self._waits_for_a_reader = False
        self._finishing: deque[FinishingFile] = deque()
        self._files = FileList()  # those that are finished
        self._has_left_a_file = False
        self._failure: PastreamError | None = None
        self._wants_cut = self._is_offered = False
        self._asking: Task[None] | None = None
        self._disk_checked_at = 0.0
        self._room_bytes: int | None = None
        self._has_warned_of_disk = False
        self._clips_before = [0] * output.channels

    @property
    def can_cut(self) -> bool:
        """Whether a new file may be started on request."""
        return self._output.split_frames is not None or self._names.template.has_number

    @property
    def is_between_files(self) -> bool:
        """Whether the next file is being made, or is ready while the writer still has the present one."""
        return self._making is not None or self._wants_cut or len(self._open) > 1

    @property
    def piece_seconds(self) -> float:
        """How long each file takes: 0 on a fast device, infinite without --split."""
        if self._output.split_frames is None:
            return math.inf
        return 0.0 if self._stream.is_fast else self._output.split_frames / self._rate

    @property
    def name(self) -> str:
        """Name of the present file, for people."""
        return self._open[0].name if self._open else self._output.path

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
        clips = self._clips_before
        for file in self._open:
            clips = [sum(pair) for pair in zip(clips, file.clips, strict=True)]
        return tuple(clips)

    @property
    def disk_seconds(self) -> float | None:
        """How many seconds of sound the disk has room for, as of the last look a few seconds ago."""
        free = self._free_frames
        return None if free is None else free / self._rate

    @property
    def _writer(self) -> Writer:
        return self._stream.writers[0]

    # ---- making files ----

    def make_first(self) -> OutputFile:
        """Make the first file; on the worker, since opening a FIFO waits for its reader."""
        self._is_making_first = True
        self._waits_for_a_reader = is_special(self._output.path)
        try:
            first = self._make(datetime.now(timezone.utc))
            self._measure_room(first)
            self._open.append(first)
        finally:
            self._is_making_first = False
        return first

    @property
    def _waits_for_a_disk(self) -> bool:
        """Whether the first file is still being made, on a disk that takes its time."""
        return self._is_making_first and not self._waits_for_a_reader

    def _make(self, first_frame: datetime) -> OutputFile:
        limits = [limit for limit in (self._output.split_frames, self._most_frames) if limit is not None]
        taken: FileError | None = None
        others = 0
        for path in self._names.candidates(first_frame):
            if self._names.template.has_fields:
                self._make_folder(Path(path).parent)
            if self._is_ours(path):
                continue
            try:
                self._made.add(path)
                return OutputFile(
                    path,
                    rate=round(self._rate),
                    channels=self._output.channels,
                    file_type=self._output.file_type,
                    encoding=self._output.encoding,
                    endian=self._output.endian,
                    overwrite=self._output.overwrite,
                    part=self._output.part,
                    frame_limit=min(limits, default=None),
                    expected_frames=self._output.frames,
                )
            except ExistsError as error:
                taken = error
                others += isinstance(error, BeingRecordedError)
                if others == _MOST_TAKES:
                    break
        raise taken or FileError(f"cannot create {self._output.path}: every number is taken")

    def _is_ours(self, path: str) -> bool:
        """Whether the path is a piece of this take or the file that it plays: not even `-y` replaces these."""
        played = self._input_path
        is_made = self._output.overwrite and path in self._made
        return is_made or (played is not None and are_one_file(played, path))

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot create the folder {folder}: {error.strerror}") from None

    # ---- while it runs ----

    def poll(self, now: float) -> None:
        """Put finished files away, have the next one made in time, watch the disk.

        Raises
        ------
        FileError
            If a file cannot be written or made.
        """
        while len(self._open) > 1 and self._open[0].is_done:
            self._finish_first(keep_empty=False)
        current = self._open[0]
        self._note_start(current)
        if warning := current.warning():
            self._warn(warning)
        failure = self._failure_behind() or current.failure()
        if failure is None:
            self._ask_the_disk(current, now)
        if (
            current.writers_failure() is None and not self._is_held
        ):  # even if an earlier file has failed, the next one may get frames
            self._make_next_in_time(current)
        if failure is not None:
            raise failure

    def _ask_the_disk(self, current: OutputFile, now: float) -> None:
        """Have the worker make the calls that a disk may hang in, unless it hangs in the last one."""
        if self._asking is not None and not self._asking.is_done:
            return
        self._warn_of_a_full_disk()
        if current.is_to_appear:
            self._asking = self._worker.start(current.appear, quietly=True)
        elif now - self._disk_checked_at > _DISK_CHECK_SECONDS:
            self._disk_checked_at = now
            self._asking = self._worker.start(lambda: self._keep_room(current), quietly=True)

    def _keep_room(self, file: OutputFile) -> None:
        file.reserve_room()
        self._measure_room(file)

    def _measure_room(self, file: OutputFile) -> None:
        if (room := file.room_bytes()) is not None:
            self._room_bytes = room

    def _failure_behind(self) -> PastreamError | None:
        """Return the first failure of the files that the writer has left."""
        while self._finishing and self._finishing[0].task.is_done:
            self._hand_on_first()
        return self._failure

    def _hand_on_first(self) -> None:
        """Move the first of the files that are being finished to the list, with what can be read of it."""
        finishing = self._finishing.popleft()
        recorded, failure = finishing.recorded(), finishing.failure()
        self._files.add(recorded, finishing.file.frames)
        self._failure = self._failure or failure
        is_whole = failure is None and finishing.file.writers_failure() is None
        if self._finished is not None and recorded is not None and is_whole and finishing.file.is_regular:
            self._finished(recorded)
        if warning := finishing.file.warning():
            self._warn(warning)

    def cut(self) -> None:
        """Start the next file as soon as it is made."""
        if not self.can_cut:
            self._warn("no next file to start: OUTPUT has no {n}, and there is no --split")
        else:
            self._wants_cut = True
            self._cut_present()

    def _cut_present(self) -> None:
        """End the present file where that was asked for, if it has begun and the next one is there."""
        if not (self._wants_cut and self._is_offered and len(self._open) > 1):
            return
        current = self._open[0]
        if current.first_frame is not None and current.first_frame < self._stream.frame_count:
            self._wants_cut = False
            self._stream.cut([current], current.first_frame, current.frame_limit)

    def hold(self, is_held: bool) -> None:
        """Make no next file while the device is away; one that was made is made anew if its name has a time."""
        if is_held and not self._is_held and self._names.template.has_time:
            self._misnamed = self._making
            if self._is_offered and len(self._open) > 1 and self._writer.withdraw():
                self._is_offered = False
                self._drop(self._open.pop())
        self._is_held = is_held

    def _drop(self, file: OutputFile) -> None:
        self._worker.start(lambda: file.close(keep_empty=False), quietly=True)

    def _make_next_in_time(self, current: OutputFile) -> None:
        if self._making is not None:
            self._offer_when_made(self._making)
        elif len(self._open) > 1:
            self._cut_present() if self._is_offered else self._offer_next()
        elif len(self._open) == 1 and (self._wants_cut or current.frame_limit is not None):
            ahead = self._frames_ahead(current)
            if ahead <= _AHEAD_SECONDS * self._rate:
                if not self.can_cut:
                    self._warn(f"{current.name} is about to hold the most that its type can; going on in another file")
                first_frame = datetime.now(timezone.utc) + timedelta(seconds=ahead / self._rate)
                self._making = self._worker.start(lambda: self._make(first_frame))

    def _frames_ahead(self, current: OutputFile) -> int:
        """Return how many frames from now the next file begins; fewer than 0 if it is late, as behind a gap."""
        if self._wants_cut or current.frame_limit is None:
            return 0
        if current.first_frame is None:
            return current.frame_limit
        ahead = current.first_frame + current.frame_limit - self._stream.frame_count
        return ahead if ahead >= 0 else -(-ahead % current.frame_limit)

    def _offer_when_made(self, making: Task[OutputFile]) -> None:
        if not making.is_done:
            return
        self._making = None
        if making is self._misnamed and making.error is None:
            self._drop(making.result())
            return
        try:
            self._open.append(making.result())
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the take
            self._go_on_without(failure_of(error))
            return
        self._offer_next()

    def _offer_next(self) -> None:
        """Offer the next file to the writer, which refuses while it has not begun the one before it."""
        self._is_offered = self._writer.offer(self._open[-1])
        self._cut_present()

    def _go_on_without(self, error: PastreamError) -> None:
        """Go on in the present file if the next one cannot be made."""
        self._wants_cut = False
        current = self._open[0]
        if current.frame_limit is not None and current.frame_limit == self._most_frames:
            self._writer.stop()
            raise error
        current.unlimit()
        self._warn(f"{error.message}; going on in {current.name}")

    def _finish_first(self, *, keep_empty: bool, is_given_up: bool = False) -> None:
        """Have the worker close the first of the open files, which the writer has left."""
        file = self._open.pop(0)
        self._failure = self._failure or file.writers_failure()
        self._note_start(file)
        self._has_left_a_file = True
        self._clips_before = [sum(pair) for pair in zip(self._clips_before, file.clips, strict=True)]
        task = self._worker.start(lambda: file.close(keep_empty=keep_empty, is_given_up=is_given_up))
        self._finishing.append(FinishingFile(file, task))

    def _note_start(self, file: OutputFile) -> None:
        """Note when the first frame of a file was captured. Later calls correct it for some seconds."""
        first_frame = file.first_frame
        if first_frame is None:
            return
        if file.start is None or self._stream.frame_count - first_frame < _SECONDS_UNTIL_A_START_IS_KNOWN * self._rate:
            file.start = self._stream.time_of_capture(first_frame)

    # ---- disk ----

    def warn_of_a_small_disk(self, frames: int | None) -> None:
        """Warn if a recording of so many frames will not fit."""
        free = self._free_frames
        if frames is not None and free is not None and free < frames:
            self._warn(
                f"the disk has room for {format_clock(free, self._rate)} of the {format_clock(frames, self._rate)}"
            )
            self._has_warned_of_disk = free < _SCANT_DISK_SECONDS * self._rate

    def _warn_of_a_full_disk(self) -> None:
        free = self._free_frames
        if not self._has_warned_of_disk and free is not None and free < _SCANT_DISK_SECONDS * self._rate:
            self._has_warned_of_disk = True
            self._warn(f"the disk is nearly full: room for {format_clock(free, self._rate)} is left")

    @property
    def _free_frames(self) -> int | None:
        """How many frames the disk had room for at the last look; `None` if that is unknown."""
        bytes_per_frame = self._bytes_per_frame()
        if bytes_per_frame is None or self._room_bytes is None:
            return None
        return int(self._room_bytes / bytes_per_frame)

    def _bytes_per_frame(self) -> float | None:
        """Return how many bytes a frame takes on the disk, measured if the file is compressed and long enough."""
        if not self._open:
            return None
        current, uncompressed = self._open[0], frame_bytes(self._output.encoding, self._output.channels)
        is_compressed = uncompressed is None or self._output.file_type == "FLAC"
        if is_compressed and current.size and current.frames > _MEASURED_SECONDS * self._rate:
            return current.size / current.frames
        return uncompressed

    # ---- the end ----

    def finish(self, *, is_complete: bool, is_given_up: bool = False) -> Task[None] | None:
        """Have every file finished, after the writer has ended. Return a task that is done when all files are.

        Return `None` if no file was ever made: the worker may wait for the reader of a FIFO, which may never come.

        A file without a frame is removed, unless the run was complete and it is the only file.
        """
        is_still_making = self._waits_for_a_disk  # asked first: the worker may add the file in between
        while self._open:
            keep_empty = is_complete and not self._has_left_a_file
            self._finish_first(keep_empty=keep_empty, is_given_up=is_given_up)
        if not self._has_left_a_file and not is_still_making:
            return None
        return self._worker.start(self._remove_unused)  # comes after the closing of all others

    def _remove_unused(self) -> None:
        """Remove the file that was made too late to be used."""
        for first in self._open:
            first.close(keep_empty=False)
        if self._making is not None and self._making.error is None:
            self._making.result().close(keep_empty=False)

    def results(self) -> tuple[FileList, PastreamError | None]:
        """Return the files that are kept, and the first failure, if there was one."""
        if self._waits_for_a_disk:
            self._failure = self._failure or FileError(f"cannot create {self.name}: the disk does not answer")
        while self._finishing:
            self._hand_on_first()
        return self._files, self._failure

    def so_far(self) -> FileList:
        """Return the files as far as they can be read by now, for a run that leaves some of them unfinished."""
        there = FileList(before=self._files)
        files = [(finishing.recorded(), finishing.file.frames) for finishing in self._finishing]
        for file in self._open:
            self._note_start(file)
            files.append((file.so_far(), file.frames))
        for recorded, written_frames in files:
            # what was written may be on the disk, even if it cannot be read back yet
            is_there = recorded is not None and (recorded.frames or written_frames)
            there.add(recorded if is_there else None, written_frames)
        return there
