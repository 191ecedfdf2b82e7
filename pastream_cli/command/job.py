"""The job: all that was asked for on the command line, as one frozen value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.command.value_types import Pair, Route
from pastream_cli.units import Time

if TYPE_CHECKING:
    from pastream_cli.command.level import Level, Silence
    from pastream_cli.command.when import When

_NOTHING = Time(frames=0)


class Job(NamedTuple):
    """One run of the recorder or player.

    `input` and `output` are paths, `-` for the standard streams, or `None` for null.
    """

    input: str | None
    output: str | None
    duration: Time | None = None
    offset: Time = _NOTHING
    pad: Time | None = _NOTHING
    """Silence after the input; `None` fills up to the duration, or goes on for ever."""
    input_start: Time = _NOTHING
    """Where in the input playing begins, in frames of the input's own rate."""
    loop: bool = False
    rate: int | None = None
    channels: Pair[int] = Pair()
    device: str | None = None
    """As typed: whether a comma splits it depends on the devices that are there."""
    sample_format: Pair[str] = Pair()
    file_type: Pair[str] = Pair()
    encoding: Pair[str] = Pair()
    endian: Pair[str] = Pair()
    latency: Pair[float | str] = Pair()
    maps: tuple[tuple[Route, ...], ...] = ()
    channel_select: tuple[tuple[int, ...], ...] = ()
    block_frames: int = 0
    buffer_frames: int | None = None
    fatal_xruns: bool = False
    wait: Time | None = _NOTHING
    """How long a device that is not there, or is in use, is waited for at the start; `None` waits until stopped."""
    reconnect: Time | None = _NOTHING
    """How long a device that is lost is waited for, each time; `None` waits until stopped, nothing ends the run."""
    split: Time | None = None
    align: bool = False
    """Whether files end where the clock on the wall shows a multiple of `split`."""
    at: When | None = None
    until: When | None = None
    trigger: Level | None = None
    """What begins a file; `None`: the first frame does."""
    preroll: Time = _NOTHING
    silence: Silence | None = None
    """What ends a file, and without a trigger the run."""
    also: tuple[str, ...] = ()
    """Further places that the recording goes to, as `output` names one."""
    overwrite: bool = False
    part: bool = False
    verify: bool = False
    hook: str | None = None
    """What the shell is to run for each finished file."""
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    meter: bool | None = None
    warnings: tuple[str, ...] = ()
    """What is allowed but was probably not meant; each is one line."""

    @property
    def plays(self) -> bool:
        """Whether the playback side of a device is used."""
        return self.input is not None

    @property
    def captures(self) -> bool:
        """Whether the capture side of a device is used; without any file it feeds the meter."""
        return self.output is not None or self.input is None

    @property
    def reconnects(self) -> bool:
        """Whether a device that is lost is opened again."""
        return self.reconnect is None or not self.reconnect.is_zero()

    @property
    def waits(self) -> bool:
        """Whether a device that is not there, or is in use, is waited for at the start."""
        return self.wait is None or not self.wait.is_zero()

    @property
    def repeats(self) -> bool:
        """Whether there may be a file for each of several events."""
        return self.trigger is not None and self.silence is not None

    @property
    def has_several(self) -> bool:
        """Whether there may be several files, so that each has a name of its own."""
        return self.split is not None or self.repeats

    def offset_drops_all(self, rate: float) -> bool:
        """Tell whether, at `rate`, the offset drops all of the longest run that was asked for."""
        if self.duration is None or self.offset.is_zero():
            return False
        longest = self.duration.to_frames(rate) + (self.pad.to_frames(rate) if self.pad else 0)
        return self.offset.to_frames(rate) >= longest
