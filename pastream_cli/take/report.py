"""Frozen values that flow out of a run: what is connected, how it goes, how it went."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pastream_cli.errors import ExitCode, PastreamError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class LossKind(Enum):
    """What went wrong at a place on the timeline; the value is the word that reports use."""

    OVERRUN = "overrun"
    DEVICE = "device"
    HOST_CAPTURE = "host-capture"
    DEFICIT = "deficit"
    AHEAD = "ahead"
    UNDERRUN = "underrun"
    HOST_PLAYBACK = "host-playback"

    @property
    def is_of_capture(self) -> bool:
        return self not in {LossKind.UNDERRUN, LossKind.HOST_PLAYBACK}

    @property
    def is_estimated(self) -> bool:
        """Whether the clock tells how many frames it was about."""
        return self in {LossKind.DEFICIT, LossKind.AHEAD}


class Loss(NamedTuple):
    """One place where capture lost frames, where playback ran dry, or where the device ran ahead of the clock.

    `frames` is exact, but for what is estimated by the clock; `None` where not even the host can
    tell. What came ahead of the clock is no loss, but for the `left_out_frames` of it.
    """

    kind: LossKind
    frame: int
    frames: int | None
    monotonic_ns: int
    left_out_frames: int = 0


class Debt(NamedTuple):
    """How far behind the clock a device was for about a tenth of a second.

    `frames` were owed after the callback that owed least; the rest is of the first one: its place, its block, its time.
    """

    frame: int
    frames: int
    block_frames: int
    monotonic_ns: int


class Counts(NamedTuple):
    """What the callback has counted so far: `struct engine_counts` of _engine.h, field by field."""

    callbacks: int
    position: int
    time_zero_ns: int
    last_callback_ns: int
    stored_frames: int
    lost_frames: int
    underrun_frames: int
    losses: int
    underruns: int
    host_capture_flags: int
    host_playback_flags: int
    settling_flags: int
    paused_frames: int
    unlisted_losses: int
    capture_high_water: int
    ahead_frames: int
    left_out_frames: int
    settled: int
    settling_gave_up: int
    input_ended: int
    complete: int
    drained: int

    @property
    def host_flags(self) -> int:
        return self.host_capture_flags + self.host_playback_flags

    @property
    def xruns(self) -> int:
        """Places where capture or playback went wrong."""
        return self.losses + self.underruns + self.host_flags


class Opening(NamedTuple):
    """What is connected to what, once all is open and before anything runs."""

    rate: float
    playback_name: str | None
    playback_device: str | None
    playback_format: str | None
    playback_channels: int
    capture_name: str | None
    capture_device: str | None
    capture_format: str | None
    capture_channels: int
    file_type: str | None
    encoding: str | None
    file_channels: int
    latency: float | None
    length_frames: int | None


class Levels(NamedTuple):
    """Levels of every channel since the last look; of what is recorded if anything is, else of what is played.

    `peaks` are of full scale (1.0); `square_sums` are sums of squared samples over `frames`.
    """

    peaks: tuple[float, ...]
    square_sums: tuple[float, ...]
    frames: int

    def picked(self, sources: Sequence[int]) -> Levels:
        """Return the levels of these channels, zero-based, -1 for silence."""
        peaks, square_sums = (
            tuple(values[source] if source >= 0 else 0.0 for source in sources)
            for values in (self.peaks, self.square_sums)
        )
        return Levels(peaks, square_sums, self.frames)


class Pause(NamedTuple):
    """A pause: `frames` went by at the place `frame` of the timeline, and are not in the files."""

    frame: int
    frames: int


class Snapshot(NamedTuple):
    """How a run stands at one moment; all frames are of the timeline."""

    rate: float
    frames: int
    length_frames: int | None
    lost_frames: int
    losses: int
    underrun_frames: int
    underruns: int
    host_flags: int
    missing_frames: int
    """Frames that never came, by the clock; about."""
    new_losses: tuple[Loss, ...]
    buffer_fill: float
    """Of the buffer that is nearer to trouble, 0 to 1."""
    device_load: float
    """Share of the available time that the callback takes, where the host measures it."""
    is_paused: bool
    can_split: bool
    file_name: str | None
    """The file that is being written, `None` where there is none."""
    file_bytes: int
    """In it so far; 0 where that is not known."""
    disk_seconds: float | None
    """For how long the disk has room, where that can be told."""
    levels: Levels | None
    """`None` where no callback has come since the last snapshot."""
    clips: tuple[int, ...]
    """Clipped samples of each channel of the file so far."""
    ahead_frames: int = 0
    """Frames that came faster than the clock; about."""


class RecordedFile(NamedTuple):
    """One file of a recording; `frames` holds what can be read back."""

    name: str
    start: datetime | None
    """When its first frame was captured."""
    first_frame: int
    """Where on the timeline that is."""
    frames: int
    peaks: tuple[float, ...]
    clips: tuple[int, ...]


class Report(NamedTuple):
    """How a run went."""

    exit_code: ExitCode
    stop_reason: str
    rate: float
    frames: int
    files: tuple[RecordedFile, ...]
    lost_frames: int
    losses: int
    missing_frames: int
    """Frames that the device never delivered, by the clock; estimated, and not filled in."""
    unwritten_frames: int
    """Frames that were captured and are in no file, behind the end of the last one."""
    underrun_frames: int
    underruns: int
    host_flags: int
    buffer_frames: int
    """Size of the capture buffer; 0 where nothing is recorded."""
    buffer_high_water_frames: int
    callbacks: int
    ahead_frames: int = 0
    """Frames that came faster than the clock, estimated by it."""
    left_out_frames: int = 0
    """Of these, captured and not stored; nothing stands for them, and they are not on the timeline."""
    loss_list: tuple[Loss, ...] = ()
    pauses: tuple[Pause, ...] = ()
    opening: Opening | None = None
    dead_channels: tuple[int, ...] = ()
    """Channels, one-based, that were exactly zero for 10 s or more."""
    error: str | None = None
    way_out: str | None = None

    def failed(self, failure: PastreamError) -> Report:
        """Return the report of the same run, of which something went wrong after its end."""
        if self.error is not None:
            return self
        is_complete = self.exit_code is ExitCode.COMPLETE
        return self._replace(
            exit_code=failure.exit_code if is_complete else self.exit_code,
            stop_reason="failed" if is_complete else self.stop_reason,
            error=failure.message,
            way_out=failure.way_out,
        )


class Observer(Protocol):
    """Whoever shows a run; it is told, and never asks."""

    @property
    def is_live(self) -> bool:
        """Whether somebody watches the run go on: then it is told ten times per second, else about once."""

    def opened(self, opening: Opening) -> None:
        """Show what is connected to what."""

    def warned(self, text: str) -> None:
        """Show one warning."""

    def progressed(self, snapshot: Snapshot) -> None:
        """Show how the run stands."""
