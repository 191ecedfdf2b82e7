"""A file as the writer of the C engine has it: what it is offered, and what it has counted of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.native import ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import OutputCounts, OutputFileHandle


class WritersFile:
    """What every file has that a writer is offered, whether it could be made or not.

    Parameters
    ----------
    name : str
        For people.
    channels : int
        How many it has.
    frame_limit : int, optional
        Frames after which the writer goes on to the next file.
    """

    handle: OutputFileHandle
    """The C engine's record of the file, alive as long as this object."""

    def __init__(self, name: str, channels: int, frame_limit: int | None) -> None:
        self.name = name
        self.channels = channels
        self.frame_limit = frame_limit
        """Frames that it takes, where there is a limit."""
        self.start: datetime | None = None
        """When its first frame was captured, as far as that is known; set by its owner."""
        self.start_uncertainty_seconds: float | None = None
        """How far that may be off; likewise."""
        self.piece = 0
        """Which piece of the recording it holds, from 1; set by its owner."""
        self.is_given_up = False
        """Whether nobody waits for its end: it is not read back then, and keeps the name of an incomplete file."""

    def _new_handle(
        self, sound_file: Any, sample_code: int, bits: int, header_care: int, descriptor: int, folder: int
    ) -> None:
        """Have the engine make its record. The descriptors are those to sync; -1 for none."""
        limit = -1 if self.frame_limit is None else self.frame_limit
        new = lib.output_file_new(sound_file, sample_code, bits, self.channels, header_care, descriptor, folder, limit)
        if not new:
            raise MemoryError("not enough memory")
        self.handle = ffi.gc(new, lib.output_file_free)

    def _counts(self) -> OutputCounts:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self.handle, counts)
        return counts

    def go_on(self) -> None:
        """Go on from another file: what a trigger records next does not begin with this one."""
        lib.output_file_goes_on(self.handle)

    @property
    def is_done(self) -> bool:
        """Whether the writer has left this file."""
        return bool(self._counts().done)

    @property
    def first_frame(self) -> int | None:
        """Where on the timeline it begins; `None` before the writer has begun it."""
        first_frame = self._counts().first_frame
        return first_frame if first_frame >= 0 else None

    @property
    def frames(self) -> int:
        """Frames written so far, silence for losses included."""
        return self._counts().frames

    @property
    def passed_frames(self) -> int:
        """Frames that it was to have, and did not take, because it had failed or could not be made."""
        return self._counts().passed_frames

    @property
    def clips(self) -> tuple[int, ...]:
        """Clipped samples of each channel so far."""
        return tuple(lib.output_file_clips(self.handle, i) for i in range(self.channels))

    @property
    def peaks(self) -> tuple[float, ...]:
        """The greatest sample of each channel so far."""
        return tuple(lib.output_file_peak(self.handle, i) for i in range(self.channels))

    def begin_at(self, frame: int) -> None:
        """Begin at a frame, if only silence of a device that was away comes before; for a file that is not offered."""
        lib.output_file_begin_at(self.handle, frame)

    def limit(self, frames: int | None) -> None:
        """Have the writer go on to the next file after so many frames; without a limit there can be no next one."""
        self.frame_limit = frames
        lib.output_file_limit(self.handle, -1 if frames is None else frames)
