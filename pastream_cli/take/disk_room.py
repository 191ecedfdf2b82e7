"""The room on the disk of one output: how long it will last, and when somebody should know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.units import format_clock

if TYPE_CHECKING:  # the plan, and with it soundfile, is loaded by whoever makes it
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.take.outputs import Output

_MEASURED_SECONDS = 10.0
_SCANT_SECONDS = 120.0
_SECONDS_BETWEEN_LOOKS = 5.0


class DiskRoom:
    """How much more of a recording a disk takes.

    Parameters
    ----------
    output : Output
        What is recorded on it.
    rate : float
        Frames per second.
    worker : Worker
        Makes the calls that a disk may hang in.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(self, output: Output, rate: float, worker: Worker, warn: Callable[[str], None]) -> None:
        self._output = output
        self._rate = rate
        self._worker = worker
        self._warn = warn
        self.disk = "the disk"
        """What the disk is called."""
        self._bytes: int | None = None
        self._has_warned = False
        self._asking: Task[None] | None = None
        self._looked_at = 0.0

    def look_after(self, file: OutputFile | MissingFile, now: float) -> None:
        """Have the worker give the file its name, and room, when it is time for that; warn if there is little left."""
        if self._asking is not None and not self._asking.is_done:  # the disk may hang in the last call
            return
        self._warn_if_nearly_full(file)
        if file.is_to_appear:
            self._asking = self._worker.start(file.appear, quietly=True)
        elif now - self._looked_at > _SECONDS_BETWEEN_LOOKS:
            self._looked_at = now
            self._asking = self._worker.start(lambda: self._keep(file), quietly=True)

    def _keep(self, file: OutputFile | MissingFile) -> None:
        """Reserve room for the file, and look how much there is. This may block with the disk."""
        file.reserve_room()
        self.measure(file)

    def measure(self, file: OutputFile | MissingFile) -> None:
        """Look how much room there is. This may block with the disk."""
        if (room := file.room_bytes()) is not None:
            self._bytes = room

    def _frames_for(self, file: OutputFile | MissingFile | None) -> int | None:
        """Return how many frames of a file there was room for at the last look; `None` if that is unknown."""
        bytes_per_frame = self._bytes_per_frame(file) if file is not None else None
        return None if bytes_per_frame is None or self._bytes is None else int(self._bytes / bytes_per_frame)

    def seconds_for(self, file: OutputFile | MissingFile | None) -> float | None:
        """Return the same in seconds of sound."""
        free = self._frames_for(file)
        return None if free is None else free / self._rate

    def _bytes_per_frame(self, file: OutputFile | MissingFile) -> float | None:
        """Return how many bytes a frame takes on the disk, measured if the file is compressed and long enough."""
        uncompressed = frame_bytes(self._output.encoding, self._output.channels)
        is_compressed = uncompressed is None or self._output.file_type == "FLAC"
        if is_compressed and file.size and file.frames > _MEASURED_SECONDS * self._rate:
            return file.size / file.frames
        return uncompressed

    def warn_if_too_small(self, file: OutputFile | MissingFile | None, frames: int | None) -> None:
        """Warn if a recording of so many frames will not fit."""
        free = self._frames_for(file)
        if frames is not None and free is not None and free < frames:
            there, wanted = format_clock(free, self._rate), format_clock(frames, self._rate)
            self._warn(f"{self.disk} has room for {there} of the {wanted}")
            self._has_warned = self._is_scant(free)

    def _warn_if_nearly_full(self, file: OutputFile | MissingFile) -> None:
        """Warn, once, if there is little room left."""
        free = self._frames_for(file)
        if not self._has_warned and free is not None and self._is_scant(free):
            self._has_warned = True
            self._warn(f"{self.disk} is nearly full: room for {format_clock(free, self._rate)} is left")

    def _is_scant(self, frames: int) -> bool:
        return frames < _SCANT_SECONDS * self._rate
