"""The room on the disk of one output: how long it will last, and when somebody should know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.units import format_clock

if TYPE_CHECKING:  # the plan, and with it soundfile, is loaded by whoever makes it
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.take.outputs import Output

_MEASURED_SECONDS = 10.0
_SCANT_SECONDS = 120.0


class DiskRoom:
    """How much more of a recording a disk takes.

    Parameters
    ----------
    output : Output
        What is recorded on it.
    rate : float
        Frames per second.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(self, output: Output, rate: float, warn: Callable[[str], None]) -> None:
        self._output = output
        self._rate = rate
        self._warn = warn
        self.disk = "the disk"
        """What the disk is called."""
        self._bytes: int | None = None
        self._has_warned = False

    def keep(self, file: OutputFile | MissingFile) -> None:
        """Reserve room for the file, and look how much there is. This may block with the disk."""
        file.reserve_room()
        self.measure(file)

    def measure(self, file: OutputFile | MissingFile) -> None:
        """Look how much room there is. This may block with the disk."""
        if (room := file.room_bytes()) is not None:
            self._bytes = room

    def frames_for(self, file: OutputFile | MissingFile | None) -> int | None:
        """Return how many frames of a file there was room for at the last look; `None` if that is unknown."""
        bytes_per_frame = self._bytes_per_frame(file) if file is not None else None
        return None if bytes_per_frame is None or self._bytes is None else int(self._bytes / bytes_per_frame)

    def _bytes_per_frame(self, file: OutputFile | MissingFile) -> float | None:
        """Return how many bytes a frame takes on the disk, measured if the file is compressed and long enough."""
        uncompressed = frame_bytes(self._output.encoding, self._output.channels)
        is_compressed = uncompressed is None or self._output.file_type == "FLAC"
        if is_compressed and file.size and file.frames > _MEASURED_SECONDS * self._rate:
            return file.size / file.frames
        return uncompressed

    def warn_if_too_small(self, file: OutputFile | MissingFile | None, frames: int | None) -> None:
        """Warn if a recording of so many frames will not fit."""
        free = self.frames_for(file)
        if frames is not None and free is not None and free < frames:
            there, wanted = format_clock(free, self._rate), format_clock(frames, self._rate)
            self._warn(f"{self.disk} has room for {there} of the {wanted}")
            self._has_warned = self._is_scant(free)

    def warn_if_nearly_full(self, file: OutputFile | MissingFile) -> None:
        """Warn, once, if there is little room left."""
        free = self.frames_for(file)
        if not self._has_warned and free is not None and self._is_scant(free):
            self._has_warned = True
            self._warn(f"{self.disk} is nearly full: room for {format_clock(free, self._rate)} is left")

    def _is_scant(self, frames: int) -> bool:
        return frames < _SCANT_SECONDS * self._rate
