"""The writer of one copy of what is captured: its ring, its loop, and the files that it is given."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from pastream_cli.engine.facts import CopyCounts
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer

if TYPE_CHECKING:
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.engine.native import (
        CopyHandle,
        EngineHandle,
        Int32Array,
        OutputFileHandle,
        SndfileFunctions,
    )

_all_fields = attrgetter(*CopyCounts._fields)


class Writer:
    """Empties the ring of one copy into one file after another.

    A run has one writer for each place that it records to. None of them waits for another.

    Parameters
    ----------
    engine : EngineHandle
        The engine, whose capture is connected to the ring of the first copy.
    ring : RingBuffer
        The ring of this copy.
    is_first : bool
        Whether it is the first copy, which each engine has; else it is made here.
    """

    def __init__(self, engine: EngineHandle, ring: RingBuffer, *, is_first: bool) -> None:
        self._engine = engine  # kept alive, since the copy is in its memory
        self._ring = ring
        new = lib.engine_first_copy(engine) if is_first else lib.engine_add_copy(engine, ring.handle)
        self._copy: CopyHandle = check_memory(new, "cannot record another copy")
        self.preroll_frames = 0
        """How many frames it leaves in the ring while it waits for a trigger."""
        self.thread: threading.Thread | None = None
        """What its loop runs on, in a run."""

    def configure(
        self,
        functions: SndfileFunctions,
        channels: int,
        channel_map: Int32Array,
        nap_ns: int,
        *,
        outlives_failures: bool,
    ) -> None:
        """Say what its files are written with; `outlives_failures`: a file that fails is not its end."""
        status = lib.writer_configure(self._copy, functions, channel_map, channels, nap_ns)
        check_memory(status == lib.LOOP_OK, "cannot start the writer")
        if outlives_failures:
            lib.writer_outlive_failures(self._copy)
        lib.writer_withdraw(self._copy)

    def run(self) -> None:
        """Write until all is written. To be called on a thread of its own."""
        lib.writer_run(self._copy)

    def offer(self, sink: OutputFile | MissingFile) -> bool:
        """Hand over the next file; return false while another one still waits."""
        return self.offer_handle(sink.handle)

    def offer_handle(self, handle: OutputFileHandle) -> bool:
        """Hand over the next file by its handle; return false while another one still waits."""
        return bool(lib.writer_offer(self._copy, handle))

    def withdraw(self) -> bool:
        """Take back the offered file, unless the writer has begun it; tell whether it was taken back."""
        return bool(lib.writer_withdraw(self._copy) != ffi.NULL)

    def sync(self) -> None:
        """Have the header of the present file updated, and its data synced to disk."""
        lib.writer_sync(self._copy)

    def stop(self) -> None:
        """Give up the frames that wait for a file, because none will come."""
        lib.writer_stop(self._copy)

    @property
    def place(self) -> int:
        """The place on the timeline of the next frame to be written."""
        return lib.writer_place(self._copy)

    @property
    def busy_seconds(self) -> float:
        """How long it has been at work so far, and not waited for frames."""
        return lib.writer_busy_ns(self._copy) / 1e9

    @property
    def is_running(self) -> bool:
        """Whether its loop still runs; until it has ended, its file must not be closed."""
        return self.thread is not None and self.thread.is_alive()

    @property
    def ring_frames(self) -> int:
        """How many frames may wait for it, beside a pre-roll."""
        return self._ring.size - self.preroll_frames

    @property
    def waiting_frames(self) -> int:
        """How many frames wait for it, beside a pre-roll."""
        return max(0, self._ring.read_available - self.preroll_frames)

    @property
    def awaits(self) -> int | None:
        """Where a file begins, by a trigger, that it was not offered; `None`: nowhere."""
        frame = lib.writer_awaits(self._copy)
        return frame if frame >= 0 else None

    @property
    def dropped_frames(self) -> int:
        """How many frames it has dropped, because a trigger says that they are in no file."""
        return lib.writer_dropped(self._copy)

    def counts(self) -> CopyCounts:
        """Return what the callback has counted of this copy."""
        counts = ffi.new("struct copy_counts *")
        lib.copy_read_counts(self._copy, counts)
        return CopyCounts._make(_all_fields(counts))


def cut(
    engine: EngineHandle,
    files: Sequence[OutputFile | MissingFile],
    first_frame: int,
    most_frames: int | None,
    end_frame: int = 0,
) -> int:
    """End one piece of a recording at one frame in all copies, and have the next one begin there.

    Parameters
    ----------
    engine : EngineHandle
        The engine of all writers.
    files : sequence of OutputFile
        The files of that piece.
    first_frame : int
        Where on the timeline it begins.
    most_frames : int, optional
        How many frames it may have at the most.
    end_frame : int, optional
        Where on the timeline it is to end; as soon as it can by default. The last frame that a writer has begun to
        write stays the last one.

    Returns
    -------
    int
        How many frames the piece has.
    """
    handles = ffi.new("output_file *[]", [file.handle for file in files])
    limit = files[0].frame_limit if files else None
    present, most = (-1 if frames is None else frames for frames in (limit, most_frames))
    frames = lib.engine_cut(engine, handles, len(files), first_frame, end_frame, present, most)
    for file in files:
        file.frame_limit = frames
    return frames
