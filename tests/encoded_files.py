"""Files of MP3, Ogg and FLAC, made by the tools that people use for them, and played."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.homes import need
from tests.runner import Pastream, Result

Encode = Callable[[str, Path], Path]

ENCODERS = {
    "mp3": ("lame", "--quiet", "-V2", "IN", "OUT"),
    "ogg": ("oggenc", "-Q", "-o", "OUT", "IN"),
    "opus": ("opusenc", "--quiet", "IN", "OUT"),
    "flac": ("flac", "-s", "-f", "-o", "OUT", "IN"),
    "oga": ("flac", "-s", "-f", "--ogg", "-o", "OUT", "IN"),
}


def encoded(path: Path, *, rate: int = 44100, channels: int = 2, seconds: float = 1.0, seed: int = 1) -> Path:
    """Encode noise with the tool that people use for files of this suffix."""
    program, *arguments = ENCODERS[path.suffix[1:]]
    need(program)
    wav = path.with_suffix(".wav")
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (int(rate * seconds), channels))
    soundfile.write(wav, noise, rate, "PCM_16")
    words = {"IN": wav, "OUT": path}
    subprocess.run([program, *(words.get(word, word) for word in arguments)], check=True, stderr=subprocess.DEVNULL)
    return path


def decoded(path: Path) -> NDArray[np.float32]:
    if path.suffix == ".oga":  # FLAC in Ogg, which loses nothing, and which libsndfile does not know
        path = path.with_suffix(".wav")
    samples: NDArray[np.float32] = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


def play(pastream: Pastream, path: Path, *options: str, is_piped: bool = False) -> tuple[NDArray[np.float32], Result]:
    """Play a file on the virtual device; return what was heard, and how the command ended."""
    heard = path.with_name("heard.wav")
    words = ("-" if is_piped else path, heard, "-e", "float", "-y", "-D", "virtual:fast", *options)
    result = pastream(*words, stdin=path.read_bytes()) if is_piped else pastream(*words)
    assert result.returncode == 0, result.stderr
    return decoded(heard), result


def flac_of(path: Path, frames: int, *, seed: int = 1) -> bytes:
    """Return a FLAC of noise."""
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, frames), 44100, "PCM_16", format="FLAC")
    return path.read_bytes()
