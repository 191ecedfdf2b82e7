"""What one run of the campaign is: a command line, and the faults that it meets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.chaos.faults import DeviceFault, Fault

SINE_HZ = 997.37
"""Of the sound that the virtual device captures: no two frames of a second are alike."""

BITS = {"pcm_s8": 8, "pcm_u8": 8, "pcm_16": 16, "pcm_24": 24, "pcm_32": 32, "float": 32, "double": 64}

# Not 8 bits in AIFF: libsndfile takes the byte that pads an odd number of them for one more frame.
ENCODINGS = {
    "wav": ("pcm_u8", "pcm_16", "pcm_24", "pcm_32", "float", "double"),
    "rf64": ("pcm_16", "pcm_24", "pcm_32", "float"),
    "w64": ("pcm_16", "pcm_24", "pcm_32", "float"),
    "aiff": ("pcm_16", "pcm_24", "float"),
    "au": ("pcm_s8", "pcm_16", "pcm_24", "pcm_32", "float", "double"),
    "caf": ("pcm_16", "pcm_24", "pcm_32", "float"),
    "flac": ("pcm_16", "pcm_24"),
    "ogg": ("vorbis",),
    "raw": ("pcm_16", "pcm_24", "float"),
}
FED_TYPES = ("au", "wav")


class Host(Enum):
    """Where the device is."""

    VIRTUAL = "virtual"
    JACK = "JACK"
    PULSE = "PulseAudio"
    PIPEWIRE = "PipeWire"


TURNS = (*[Host.VIRTUAL] * 5, Host.JACK, Host.PULSE, Host.PIPEWIRE)
"""Whose turn a number is."""


def host_of(number: int) -> Host:
    """Return on what host a run takes place."""
    return TURNS[number % len(TURNS)]


class Source(Enum):
    """What is captured: what the device hears, or what is played from a file or from a pipe."""

    DEVICE = "device"
    FILE = "file"
    PIPE = "pipe"


class Sink(Enum):
    """Where the recording goes, if there is one."""

    FILE = "file"
    STDOUT = "stdout"
    FIFO = "fifo"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One run, before it begins; lengths in frames."""

    number: int
    host: Host
    seconds: float
    """For how long it is meant to take."""
    source: Source = Source.DEVICE
    sink: Sink = Sink.FILE
    file_type: str = "wav"
    encoding: str = "pcm_24"
    channels: int = 2
    rate: int = 48000
    block: int = 0
    buffer: int | None = None
    duration: int | None = None
    offset: int = 0
    split: int | None = None
    source_frames: int = 0
    loops: bool = False
    is_patient: bool = True
    is_fatal: bool = False
    overwrites: bool = False
    waits: bool = False
    """Whether its device is waited for at the start."""
    wants_it_back: bool = False
    """Whether a lost device is to be opened again."""
    strikes_early: bool = False
    """Whether faults count from when it listens to signals, and not from its first frames."""
    faults: tuple[Fault, ...] = ()

    @property
    def output(self) -> str:
        """OUTPUT, as typed."""
        return "-" if self.sink is Sink.STDOUT else "take" if self.sink is Sink.FIFO else f"take.{self.file_type}"

    @property
    def input(self) -> str:
        """INPUT, as typed."""
        return {Source.DEVICE: "null", Source.FILE: "in.wav", Source.PIPE: "-"}[self.source]

    @property
    def fed_type(self) -> str:
        """What is written into standard input."""
        return FED_TYPES[self.number % len(FED_TYPES)]

    @property
    def device(self) -> str:
        """What -D takes."""
        if self.host is not Host.VIRTUAL:
            loopback = "system" if self.source is Source.DEVICE else "loopback"
            return {Host.JACK: loopback, Host.PULSE: "pulse"}.get(self.host, "virt, JACK")
        sound = f":sine={SINE_HZ}" if self.source is Source.DEVICE else ""
        faults = "".join(fault.word for fault in self.faults if isinstance(fault, DeviceFault))
        return f"virtual{sound}{faults}"

    @property
    def has_end(self) -> bool:
        """Whether it would end without being asked to."""
        return self.duration is not None or (self.source is not Source.DEVICE and not self.loops)

    @property
    def is_lossless(self) -> bool:
        return self.encoding in BITS

    @property
    def reconnects(self) -> bool:
        """Whether its device is opened again when it was lost."""
        return self.wants_it_back or any(isinstance(fault, DeviceFault) and fault.goes_away for fault in self.faults)

    @property
    def frame_bytes(self) -> int:
        """Of a frame in the file, where nothing is compressed; else 1, of which any number may be a frame."""
        is_plain = self.is_lossless and self.file_type != "flac"
        return BITS[self.encoding] // 8 * self.channels if is_plain else 1

    @property
    def arguments(self) -> list[str]:
        """The command line, without the program's name."""
        words = [self.input, *([] if self.sink is Sink.NONE else [self.output]), "--json", "-D", self.device]
        words += ["-r", str(self.rate), "-c", str(self.channels)]
        if self.sink is not Sink.NONE:
            words += ["-e", f"null,{self.encoding}", "-t", f"null,{self.file_type}"]
        options: dict[str, int | str | None] = {
            "-b": self.block or None,
            "--buffersize": self.buffer,
            "-d": None if self.duration is None else f"{self.duration}s",
            "-o": f"{self.offset}s" if self.offset else None,
            "--split": None if self.split is None else f"{self.split}s",
            "--latency": "5" if self.is_patient and self.host is Host.VIRTUAL else None,
        }
        words += [str(word) for option, value in options.items() if value is not None for word in (option, value)]
        flags = {
            "--loop": self.loops,
            "--fatal-xruns": self.is_fatal,
            "-y": self.overwrites,
            "--reconnect": self.reconnects,
            "--wait": self.waits,
            "-v": self.host is not Host.VIRTUAL,
        }
        return words + [flag for flag, is_set in flags.items() if is_set]

    def had(self, *kinds: type[Fault]) -> bool:
        """Tell whether such a fault is among the faults."""
        return any(isinstance(fault, kinds) for fault in self.faults)
