"""Takes that are logged: each is a run of the command, as long as its syncs need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pastream_cli.engine.files import formats
from tests.powercut.journal import Event, logged, read_journal

OLD = b"what was there before\n" * 500
_LATENESS = ("--latency", "5.0")  # the machine may be busy
_NOISE = "virtual:noise"


@dataclass(frozen=True)
class Kind:
    """What is recorded, and how.

    Parameters
    ----------
    name : str
        What OUTPUT is called.
    rate, channels : int
        Of the sound.
    words : sequence of str
        Further options.
    replaces : bool
        Whether there is an old file of that name.
    """

    name: str
    rate: int = 8000
    channels: int = 1
    words: Sequence[str] = ()
    replaces: bool = False
    raw: Mapping[str, object] = field(default_factory=dict, hash=False)
    label: str = ""

    def __str__(self) -> str:
        return self.label or f"{self.name.partition('.')[2]} {' '.join(self.words)}".strip()


@dataclass
class Take:
    """A take that has ended, with all that it did."""

    kind: Kind
    events: list[Event]
    folder_inode: int
    names_before: dict[str, int]
    names_after: dict[str, int]
    contents: dict[int, bytes]
    """Of the files that were there before, by inode."""
    finished: dict[int, bytes]
    """Of those that are there at the end."""


def kinds() -> list[Kind]:
    """Return every container that is recorded, and what more there is to a header."""
    plain = [_kind_of(file_type) for file_type in formats.recorded_types()]
    return [
        *plain,
        Kind("take.wav", 48000, 2, label="WAV of two channels"),
        Kind("take.wav", channels=80, words=("-e", "float"), label="WAV with a header of more than a sector"),
        Kind("take.aiff", channels=80, words=("-e", "float"), label="AIFF with a header of more than a sector"),
        Kind("take.wav", words=("-e", "ima_adpcm"), label="WAV of IMA ADPCM"),
        Kind("take.opus", 48000, 2, label="Opus"),
    ]


def replacing_kinds() -> list[Kind]:
    return [
        Kind(f"take.{suffix}", words=("-y",), replaces=True, label=f"{suffix.upper()} -y")
        for suffix in ("wav", "aiff", "caf", "au", "flac", "ogg")
    ]


def split_kinds() -> list[Kind]:
    plain = [_kind_of(file_type) for file_type in ("WAV", "W64", "AIFF", "RAW", "FLAC", "OGG")]
    return [replace(kind, words=(*kind.words, "--split", "1.7"), label=f"{kind} --split") for kind in plain]


def part_kinds() -> list[Kind]:
    plain = [_kind_of(file_type) for file_type in ("WAV", "AIFF", "FLAC")]
    return [
        *(replace(kind, words=(*kind.words, "--part"), label=f"{kind} --part") for kind in plain),
        replace(plain[0], words=(*plain[0].words, "--part", "-y"), replaces=True, label="WAV --part -y"),
        replace(plain[0], words=(*plain[0].words, "--part", "--split", "1.7"), label="WAV --part --split"),
    ]


def copied_kinds() -> list[Kind]:
    wav = _kind_of("WAV")
    words = (*wav.words, "--also", "copy.wav")
    return [
        replace(wav, words=words, label="WAV --also"),
        replace(wav, words=(*words, "--part", "--split", "1.7"), label="WAV --also --part --split"),
    ]


def _kind_of(file_type: str) -> Kind:
    encodings = formats.encodings(file_type)
    encoding = next(one for one in ("PCM_24", "PCM_16", *encodings) if one in encodings)
    rates = formats.rates(file_type, encoding)
    rate = 8000 if rates is None or 8000 in rates else rates[0]
    words = ("-t", file_type.lower(), "-e", encoding.lower())
    raw = {"format": "RAW", "subtype": encoding, "samplerate": rate, "channels": 1} if file_type == "RAW" else {}
    return Kind(f"take.{file_type.lower()}", rate, words=words, raw=raw, label=file_type)


def record(kinds: Iterable[Kind], folder: Path, seconds: float) -> list[Take]:
    """Record a take of each kind, all at once."""
    runs = [(kind, *_start(kind, folder, folder / str(number), seconds)) for number, kind in enumerate(kinds)]
    return [_ended(*run) for run in runs]


def _start(
    kind: Kind, build: Path, folder: Path, seconds: float
) -> tuple[Path, Path, dict[str, int], subprocess.Popen[bytes]]:
    place, log = folder / "disk", folder / "log"
    place.mkdir(parents=True)
    if kind.replaces:
        (place / kind.name).write_bytes(OLD)
    words = ["null", kind.name, "-d", str(seconds), "-r", str(kind.rate), "-c", str(kind.channels), *kind.words]
    command = [sys.executable, "-m", "pastream_cli", *words, "-q", "-D", _NOISE, *_LATENESS]
    process = subprocess.Popen(
        command,
        cwd=place,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), **logged(build, place, log)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return place, log, _names_in(place), process


def _ended(kind: Kind, place: Path, log: Path, names: dict[str, int], process: subprocess.Popen[bytes]) -> Take:
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, (str(kind), stderr.decode())
    after = _names_in(place)
    return Take(
        kind,
        read_journal(log),
        place.stat().st_ino,
        names,
        after,
        contents=dict.fromkeys(names.values(), OLD),
        finished={inode: (place / name).read_bytes() for name, inode in after.items()},
    )


def _names_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}
