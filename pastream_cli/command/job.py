"""The job: all that was asked for on the command line, as one frozen value, checked across options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pastream_cli.errors import STANDARD_STREAM, UsageError
from pastream_cli.units import HIGHEST_RATE, Time

if TYPE_CHECKING:
    from fractions import Fraction

    from typing_extensions import Self

    from pastream_cli.command.level import Level, Silence
    from pastream_cli.command.when import When

_NULL_WORDS = ("null", "^", "")
_NOTHING = Time(frames=0)
_DAY_SECONDS = 86_400

T = TypeVar("T")


class Name(str):
    """A name of libsndfile's, in upper case; `typed` is what was typed for it, which messages quote."""

    __slots__ = ("typed",)

    typed: str

    def __new__(cls, name: str, typed: str) -> Self:
        self = super().__new__(cls, name)
        self.typed = typed
        return self


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """A value for each side of the stream; `None` leaves a side at its default.

    `lone` tells that one value was typed for both sides; some options then treat it differently.
    """

    playback: T | None = None
    capture: T | None = None
    lone: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One channel of a map, both ends one-based; `source` 0 is silence."""

    source: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
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

    def __post_init__(self) -> None:
        self._check_words()
        self._check_finishing()
        self._check_lengths()
        self._check_trigger()
        self._check_alignment()
        self._check_sides()
        self._check_devices()
        self._check_screen()

    def _check_words(self) -> None:
        """Refuse what needs an INPUT or OUTPUT that was not given."""
        if self.input is None and (self.pad is None or not self.pad.is_zero()):
            raise UsageError("cannot use --pad: there is no INPUT to follow", "a recording is as long as -d TIME says")
        if self.input is None and self.loop:
            raise UsageError(
                "cannot use --loop: there is no INPUT to repeat", "it repeats what is played: pastream in.wav --loop"
            )
        if self.input is None and not self.input_start.is_zero():
            raise UsageError("cannot use --from: there is no INPUT to begin in", "--from TIME begins INPUT at TIME")
        if self.output is None and not self.offset.is_zero():
            raise UsageError("cannot use --offset: there is no OUTPUT", "-o drops TIME from the start of a recording")
        if self.split is not None and self.output in (None, STANDARD_STREAM):
            raise UsageError(
                "cannot use --split: OUTPUT is not a file", "it is for recordings: pastream null out.wav --split 10:00"
            )
        if self.split is not None and STANDARD_STREAM in self.also:
            raise UsageError("cannot use --split: the output of --also - is not a file", "leave out one of the two")
        if self.output == STANDARD_STREAM and self.file_type.capture is None:
            raise UsageError(
                "cannot write to standard output: no file type was given",
                "-t au suits every length and most readers; -t wav, rf64, flac, ogg, mp3 and raw work too",
            )

    def _check_finishing(self) -> None:
        """Refuse what is done with finished files where there is no file."""
        if self.verify and self.output in (None, STANDARD_STREAM) and not self.also:
            raise UsageError("cannot use --verify: OUTPUT is not a file", "it reads files back: pastream null out.wav")
        if self.hook is not None and self.output in (None, STANDARD_STREAM):
            raise UsageError(
                "cannot use --exec: OUTPUT is not a file",
                "it is called for files: pastream null out.wav --exec 'ls \"$1\"'",
            )
        if self.also and self.output is None:
            raise UsageError(
                "cannot use --also: there is no OUTPUT", "it names a further copy: pastream null out.wav --also b.flac"
            )
        if any(is_null(path) for path in self.also):
            raise UsageError("cannot use --also null: it names a further file", "leave it out")

    def _check_lengths(self) -> None:
        """Refuse lengths that leave nothing, at whatever rate."""
        # Frames grow in proportion to the rate: what holds at both ends holds at every rate between.
        if self.offset_drops_all(1) and self.offset_drops_all(HIGHEST_RATE):
            raise UsageError("cannot use --offset: it drops the whole recording", "make -o shorter than -d")
        if self.split is not None and self.split.is_zero():
            raise UsageError("cannot use --split 0: a file holds at least one frame", "leave it out for a single file")
        if self.buffer_frames == 0:
            raise UsageError(
                "cannot use --buffersize 0: a buffer holds at least one frame", "without it a buffer holds ten seconds"
            )

    def _check_trigger(self) -> None:
        """Refuse what contradicts itself about files that begin and end by themselves."""
        for name, wanted in (("--trigger", self.trigger), ("--silence", self.silence)):
            if wanted is not None and self.output is None:
                raise UsageError(
                    f"cannot use {name}: there is no OUTPUT", f"it is for recordings: pastream null out.wav {name} ..."
                )
        if self.trigger is None and not self.preroll.is_zero():
            raise UsageError("cannot use --preroll: there is no --trigger to come before", "leave it out")
        if self.trigger is not None and not self.offset.is_zero():
            raise UsageError(
                "cannot use --offset: --trigger says where the recording begins", "leave out one of the two"
            )
        if self.trigger is not None and self.align:
            raise UsageError("cannot use --align: --trigger says where files begin", "leave out one of the two")
        if self.repeats and STANDARD_STREAM in (self.output, *self.also):
            raise UsageError(
                "cannot use --silence: after --trigger there may be a second file, and standard output takes one",
                "leave it out, or record to a file",
            )

    def _check_alignment(self) -> None:
        """Refuse pieces that the clock on the wall cannot end."""
        if not self.align:
            return
        if self.split is None:
            raise UsageError(
                "cannot use --align: there is no --split", "it says where pieces end: --split 1:00:00 --align"
            )
        if self.split.seconds is None:
            raise UsageError(
                "cannot use --align: --split is a number of frames", "say a time, as in --split 1:00:00 --align"
            )
        if _DAY_SECONDS % self.split.seconds:
            raise UsageError(
                f"cannot use --align: --split {float(self.split.seconds):g} does not divide a day evenly",
                f"--split {_divisor_below(self.split.seconds)} does",
            )

    def _check_sides(self) -> None:
        """Refuse a second value for a side that is not there."""
        duplex = self.plays and self.captures
        for name, values in (("--map", self.maps), ("--channel-select", self.channel_select)):
            if len(values) > 1 and not duplex:
                raise UsageError(f"cannot use {name} twice: this run has only one side", "give it once")

    def _check_devices(self) -> None:
        """Refuse what contradicts itself about a device that comes and goes."""
        if self.reconnects and self.fatal_xruns:
            raise UsageError(
                "cannot use --reconnect: --fatal-xruns ends the take with the loss that it would be",
                "leave out one of the two",
            )
        if self.wait is not None and self.wait.frames:
            raise UsageError(
                "cannot use --wait: frames have no length before there is a device", "say seconds, as in --wait 60"
            )

    def _check_screen(self) -> None:
        """Refuse --quiet with an option whose output it would hide."""
        for name, wanted in (("--verbose", self.verbose), ("--meter", self.meter)):
            if self.quiet and wanted:
                raise UsageError(f"cannot use {name}: --quiet says the opposite", "leave out one of the two")
        if self.input is None and self.output is None and self.quiet:
            raise UsageError("cannot listen quietly: without an OUTPUT there is nothing but the screen", "leave out -q")


def _divisor_below(seconds: Fraction) -> int:
    """Return the greatest number of whole seconds up to so many that divides a day evenly; 1 if there is none."""
    most = max(1, min(int(seconds), _DAY_SECONDS))
    return next(divisor for divisor in range(most, 0, -1) if _DAY_SECONDS % divisor == 0)


def is_null(word: str) -> bool:
    """Tell whether `word` stands for nothing: ``null`` in any case, ``^``, or the empty string."""
    return word.lower() in _NULL_WORDS
