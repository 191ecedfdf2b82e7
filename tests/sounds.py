"""Sound files for the tests: made of noise, so that no two frames are alike, and read back without a change."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 48000

Samples: TypeAlias = NDArray[np.int32] | NDArray[np.float64]
"""Frames by channels: integers left-justified, as libsndfile gives them, else float."""

_FRAMES_AT_ONCE = 4096
_FLOAT_ENCODINGS = ("FLOAT", "DOUBLE", "VORBIS", "MPEG_LAYER_III")


def make_noise(
    path: Path,
    frames: int = RATE,
    channels: int = 2,
    *,
    encoding: str = "PCM_16",
    file_type: str | None = None,
    rate: int = RATE,
    lead_in: int = 0,
) -> Samples:
    """Write a file of noise after so many frames of silence, and return what it holds.

    The noise reaches full scale, and its first frame is silent on no channel.
    """
    noise = np.random.default_rng(frames + channels).integers(-(2**31), 2**31, (frames, channels), "int32")
    noise[:1] |= 1 << 30  # a bit that every encoding keeps
    sound = np.concatenate([np.zeros((lead_in, channels), "int32"), noise])
    # libsndfile would scale integers to the float's range of its own
    data: Any = (sound / 2**31).astype("float32") if encoding in _FLOAT_ENCODINGS else sound
    soundfile.write(path, data, rate, subtype=encoding, format=file_type)
    raw = {"format": "RAW", "samplerate": rate, "channels": channels, "subtype": encoding}
    return read(path, **raw if file_type == "RAW" else {})


def read(path: Path, **raw: Any) -> Samples:
    """Return every frame of a file; the rest is for one that has no header."""
    with soundfile.SoundFile(path, **raw) as file:
        dtype = "float64" if file.subtype in _FLOAT_ENCODINGS else "int32"
        samples: Samples = file.read(dtype=dtype, always_2d=True)
    return samples


def readable(path: Path, width: int, **raw: Any) -> Samples:
    """Return as many frames as libsndfile reads of a file, none of that many channels if it is no sound file."""
    chunks: list[NDArray[Any]] = []
    with suppress(soundfile.LibsndfileError), soundfile.SoundFile(path, **raw) as file:
        dtype = "float64" if file.subtype in _FLOAT_ENCODINGS else "int32"
        while len(chunk := file.read(_FRAMES_AT_ONCE, dtype, always_2d=True)):
            chunks.append(chunk)
    # its length may be what a disk has refused to write: that of the header is not believed
    samples: Samples = np.concatenate(chunks) if chunks else np.zeros((0, width), "int32")
    return samples


def from_the_first_sound(samples: Samples) -> Samples:
    """Return the frames from the first one on that is not silent."""
    heard = np.flatnonzero(samples.any(axis=1))
    assert heard.size, "nothing but silence"
    return samples[heard[0] :]


def assert_same(recorded: Samples, expected: Samples) -> None:
    """Fail with the first frames that differ, or the lengths where these do."""
    assert recorded.shape == expected.shape, f"{recorded.shape} is not {expected.shape}"
    if not np.array_equal(recorded, expected):
        frame = int(np.flatnonzero((recorded != expected).any(axis=1))[0])
        raise AssertionError(
            f"from frame {frame} on: {recorded[frame : frame + 3]} is not {expected[frame : frame + 3]}"
        )
