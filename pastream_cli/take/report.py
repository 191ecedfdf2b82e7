"""Frozen values that flow out of a run of the command: what is connected, how it goes, how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pastream_cli.engine.facts import ClockFacts, ClockStep, CopyCounts, Counts, Levels, Loss, Move, Pause, TriggerState
from pastream_cli.engine.loss_list import LossList
from pastream_cli.engine.spool import Spool
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import ExitCode, PastreamError
from pastream_cli.take.file_list import FileList

if TYPE_CHECKING:
    from pastream_cli.take.hook import HookCalls


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
    begin: str | None = None
    """The time of day at which the run is to begin, in words."""
    awaited_level: float | None = None
    """The amplitude with which a file begins, infinity: at a key; `None` if it begins at once."""
    frames_from_there: int | None = None
    """How long the recording is from the beginning of its first file on, where that is limited."""
    end: str | None = None
    """The time of day at which it ends at the latest, in words."""
    pieces: str | None = None
    """How often a file ends by the clock on the wall, and when that is for the first time, in words."""
    copies: tuple[tuple[str, str, str], ...] = ()
    """Name, type and encoding of each further copy."""
    ends_with_input: bool = True
    """Whether the run, if it plays and has no length, ends with the input: not with --loop or an endless --pad."""

    @property
    def only_plays(self) -> bool:
        """Whether nothing is captured."""
        return self.capture_device is None


class CopySnapshot(NamedTuple):
    """How a further copy of the recording stands."""

    name: str
    """Its present file."""
    has_failed: bool
    """Whether that takes no more frames."""


class Snapshot(NamedTuple):
    """How a run stands at one moment."""

    rate: float
    frames: int
    """Of the timeline, with those that seeks have skipped or repeated; as it is heard, if nothing is captured."""
    length_frames: int | None
    counts: Counts
    missing_frames: int
    """Frames that never came, estimated by the clock."""
    new_losses: tuple[Loss, ...]
    buffer_fill: float
    """How near a ring is to an overrun or underrun, from 0 to 1; of two rings, the nearer one."""
    device_load: float
    """Share of the available time that the callback takes, where the host measures it."""
    is_paused: bool
    can_split: bool
    file_name: str | None
    """The file that is being written, `None` where there is none."""
    file_bytes: int
    """The size of that file so far; 0 if it is not known."""
    disk_seconds: float | None
    """How many seconds of sound the disk has room for, if that is known."""
    levels: Levels | None
    """`None` where no callback has come since the last snapshot."""
    clips: tuple[int, ...]
    """Clipped samples of each channel of the file so far."""
    copies: tuple[CopySnapshot, ...] = ()
    """The further copies of the recording."""
    can_seek: bool = False
    """Whether the arrow keys move what is played."""
    wait_seconds: float | None = None
    """How long it is to the time of day at which the run begins; `None` once it has begun."""
    armed_level: float | None = None
    """The amplitude that a file waits for, infinity: a key; `None` if none waits."""
    away_seconds: float | None = None
    """How long the device has been away; `None` if it is there."""


class CopyReport(NamedTuple):
    """How one further copy of the recording went."""

    name: str
    """As it was typed."""
    files: FileList
    counts: CopyCounts
    unwritten_frames: int
    """Frames that were captured and are in none of its files."""
    buffer_frames: int
    writer_seconds: float
    """How long its writer was at work."""


class Report(NamedTuple):
    """How a run went."""

    exit_code: ExitCode
    stop_reason: StopReason
    rate: float
    frames: int
    files: FileList
    counts: Counts
    missing_frames: int
    """Frames that the device never delivered, estimated by the clock. No silence stands for them in the files."""
    unwritten_frames: int
    """Frames that were captured after the last frame that a file could take, and are in no file."""
    buffer_frames: int
    """Size of the capture buffer; 0 where nothing is recorded."""
    hook_calls: HookCalls | None = None
    """How often the command for finished files was called; `None` if there is none."""
    loss_list: LossList = LossList()
    pauses: Spool[Pause] = Spool()
    moves: Spool[Move] = Spool()
    clock: ClockFacts = ClockFacts()
    clock_steps: Spool[ClockStep] = Spool()
    """Where the wall clock was set."""
    opening: Opening | None = None
    armed_frames: int = 0
    """Frames that are in no file, because nothing had begun one, or something had ended the last one."""
    trigger: TriggerState | None = None
    """How what begins the files stands at the end; `None` if nothing is waited for."""
    trigger_level: float | None = None
    """The amplitude that was waited for."""
    input_frame: int | None = None
    """The first frame of the input that was not heard, where something was played."""
    ended_away: bool = False
    """Whether the device was away at the end, so that the run ends where the device went."""
    writer_seconds: float = 0.0
    """How long the writer of OUTPUT was at work."""
    copies: tuple[CopyReport, ...] = ()
    """The further copies of the recording."""
    dead_channels: tuple[int, ...] = ()
    """Channels, one-based, that were exactly zero for 10 s or more."""
    error: str | None = None
    way_out: str | None = None

    def failed(self, failure: PastreamError) -> Report:
        """Return the report with a failure that came after the end of the run. An earlier failure stays."""
        if self.error is not None:
            return self
        is_complete = self.exit_code is ExitCode.COMPLETE
        return self._replace(
            exit_code=failure.exit_code if is_complete else self.exit_code,
            stop_reason=StopReason.FAILED if is_complete else self.stop_reason,
            error=failure.message,
            way_out=failure.way_out,
        )


class Observer(Protocol):
    """Whoever shows a run; it is told, and never asks."""

    @property
    def is_live(self) -> bool:
        """Whether somebody watches: the observer is then told ten times per second, else about once."""

    def opened(self, opening: Opening) -> None:
        """Show what is connected to what."""

    def waited(self, name: str, seconds: float) -> None:
        """Show for how long a device has been waited for, before anything is open."""

    def noted(self, text: str) -> None:
        """Show one line that is no warning."""

    def warned(self, text: str) -> None:
        """Show one warning."""

    def stated(self, standing: Snapshot | str) -> None:
        """Show in one line how the run stands, or its wait in words, since somebody has asked for it."""

    def quoted(self, text: str) -> None:
        """Show lines that are another program's, or a library's."""

    def progressed(self, snapshot: Snapshot) -> None:
        """Show how the run stands."""
