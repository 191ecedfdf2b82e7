"""Facts about a run as frozen values: losses, counts, levels, pauses, recorded files."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


DEAD_CHANNEL_SECONDS = 10.0
"""A channel that has been exactly zero for so long is reported: its cable may be unplugged, or the input wrong."""


class LossKind(Enum):
    """What went wrong at a place on the timeline; the value is the word that reports use."""

    OVERRUN = "overrun"
    DEVICE = "device"
    HOST_CAPTURE = "host-capture"
    DEFICIT = "deficit"
    SLEEP = "machine-asleep"
    AHEAD = "ahead"
    AWAY = "device-away"
    UNDERRUN = "underrun"
    HOST_PLAYBACK = "host-playback"

    @property
    def is_of_capture(self) -> bool:
        return self not in {LossKind.UNDERRUN, LossKind.HOST_PLAYBACK}

    @property
    def is_estimated(self) -> bool:
        """Whether the number of frames is an estimate by the clock."""
        return self in {LossKind.DEFICIT, LossKind.SLEEP, LossKind.AHEAD, LossKind.AWAY}

    @property
    def comes_in_parts(self) -> bool:
        """Whether a loss may go on and on, so that it is told in parts, and not counted by the callback."""
        return self in {LossKind.DEFICIT, LossKind.SLEEP, LossKind.AHEAD}


class Loss(NamedTuple):
    """One place where capture lost frames, where playback ran dry, or where the device ran ahead of the clock."""

    kind: LossKind
    """What went wrong."""
    frame: int
    """Where it begins on the timeline."""
    frames: int | None
    """How many: exact, or an estimate by the clock (`LossKind.is_estimated`); `None` where not even the host knows."""
    monotonic_ns: int
    """When, by the monotonic clock."""
    left_out_frames: int = 0
    """How many of the frames that came ahead of the clock are lost; the others are not."""
    input_frame: int | None = None
    """If the device was away and something is played: the frame of the input at which that went on."""
    copy: int = 0
    """Which copy of the recording it is of, from 0; all have what the device lost, and it is told of the first."""


class Debt(NamedTuple):
    """How far behind the clock a device was, over about a tenth of a second.

    `frames` is the least debt after any callback of that time. The other fields are those of its first callback.
    """

    frame: int
    frames: int
    block_frames: int
    monotonic_ns: int


class Counts(NamedTuple):
    """What the callback has counted so far: the fields of `struct engine_counts`, which _counters.h explains."""

    callbacks: int = 0
    position: int = 0
    time_zero_ns: int = 0
    clock_zero_ns: int = 0
    waited_frames: int = 0
    last_callback_ns: int = 0
    stored_frames: int = 0
    lost_frames: int = 0
    away_frames: int = 0
    underrun_frames: int = 0
    losses: int = 0
    underruns: int = 0
    host_capture_flags: int = 0
    host_playback_flags: int = 0
    paused_frames: int = 0
    unlisted_losses: int = 0
    capture_high_water: int = 0
    ahead_frames: int = 0
    left_out_frames: int = 0
    settled: int = 0
    settling_gave_up: int = 0
    input_ended: int = 0
    complete: int = 0
    drained: int = 0
    overran: int = 0
    ran_dry: int = 0

    @property
    def host_flags(self) -> int:
        return self.host_capture_flags + self.host_playback_flags

    @property
    def xruns(self) -> int:
        """How many places there are at which capture or playback went wrong."""
        return self.losses + self.underruns + self.host_flags


class CopyCounts(NamedTuple):
    """What the callback has counted of one copy: the fields of `struct copy_counts`; see _copy_counters.h."""

    stored_frames: int = 0
    lost_frames: int = 0
    losses: int = 0
    capture_high_water: int = 0
    overran: int = 0


class Levels(NamedTuple):
    """Levels of every channel since they were last taken: of the capture or, without one, of the playback."""

    peaks: tuple[float, ...]
    """The greatest sample of each channel; full scale is 1.0."""
    square_sums: tuple[float, ...]
    """The sum of the squared samples of each channel."""
    frames: int
    """How many frames these are of."""

    def and_then(self, later: Levels) -> Levels:
        """Return the levels of these frames and of later ones together."""
        return Levels(
            tuple(map(max, self.peaks, later.peaks)),
            tuple(map(sum, zip(self.square_sums, later.square_sums, strict=True))),
            self.frames + later.frames,
        )

    def picked(self, sources: Sequence[int]) -> Levels:
        """Return the levels of these channels, zero-based, -1 for silence."""
        peaks, square_sums = (
            tuple(values[source] if source >= 0 else 0.0 for source in sources)
            for values in (self.peaks, self.square_sums)
        )
        return Levels(peaks, square_sums, self.frames)


class Pause(NamedTuple):
    """A pause at `frame` of the timeline: `frames` went by and are not in the files."""

    frame: int
    frames: int


class Move(NamedTuple):
    """A sound server moved a side of the run, near `frame` of the timeline, from one source or sink to another."""

    side: str
    frame: int
    monotonic_ns: int
    before: str
    now: str


class OwnClock(NamedTuple):
    """The clock of a device that has no other than the system's: its frame 0 was at `started_ns`."""

    started_ns: int
    block_frames: int


class ClockStep(NamedTuple):
    """The wall clock was set, near `frame` of the timeline: by so many seconds, fewer than 0 where it was set back."""

    frame: int
    seconds: float


class Synchronisation(NamedTuple):
    """What the kernel says of the wall clock."""

    is_synchronised: bool
    error_seconds: float
    """How far it may be off at most, if it is synchronised."""


class ClockFacts(NamedTuple):
    """What a run has found about the clocks of its device and of the machine."""

    drift: float | None = None
    """How much faster than its rate the device is by the machine's clock, as a share of it, if that is known."""
    synchronisation: Synchronisation | None = None
    """`None` where the kernel says nothing."""
    epoch_ns: int | None = None
    """What the wall clock showed when the monotonic clock showed 0, as of the first frame."""


class TriggerState(NamedTuple):
    """How a trigger stands."""

    is_armed: bool
    """Whether it waits for the beginning of a file."""
    is_at_once: bool
    """Whether the first frame of the run reached the level."""
    files: int
    """How many files have begun; pieces of one file do not count."""
    end_frame: int | None
    """Where the recording ends, if that is known."""
    greatest: float
    """The greatest sample that was met while it waited."""


class RecordedFile(NamedTuple):
    """One file of a recording; `frames` holds what can be read back."""

    name: str
    start: datetime | None
    """When its first frame was captured."""
    first_frame: int
    """Its first frame, on the timeline."""
    frames: int
    peaks: tuple[float, ...]
    clips: tuple[int, ...]
    start_uncertainty_seconds: float | None = None
    """How far `start` may be off from this machine's clock."""
    lost_frames: int = 0
    """How many of the frames are silence that stands for lost ones."""
    failure: str | None = None
    """Why it is not complete, if it is not."""
    verified: bool | None = None
    """Whether what was read back is what was written; `None` if it was not read back."""
    sha256: str | None = None
    """Of the bytes of the file, if it was read back."""
    cache_dropped: bool | None = None
    """Whether it was certainly read from its disk, and not from memory."""
