"""What a take must hold, frame for frame, by what was captured or played and by the losses that were reported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.chaos.scenarios import BITS, SINE_HZ
from tests.sounds import Samples

Place = tuple[int, int]
"""A first frame and a length."""

_STEP_FRAMES = 1 << 20


@lru_cache(maxsize=8)
def _sine(rate: int, frames: int) -> NDArray[np.float64]:
    # math's, because numpy's own sine may differ from the C library's in the last bit
    return np.array([0.5 * math.sin(2 * math.pi * math.fmod(i * SINE_HZ / rate, 1.0)) for i in range(frames)])


def sine(rate: int, frames: int, channels: int, encoding: str) -> Samples:
    """Return what the virtual device's sine sounds like in a file, as `tests.sounds.read` would read it."""
    tone = _sine(rate, -(-frames // _STEP_FRAMES) * _STEP_FRAMES)[:frames]
    return np.repeat(_encoded(tone, encoding)[:, np.newaxis], channels, axis=1)


def _encoded(tone: NDArray[np.float64], encoding: str) -> NDArray[Any]:
    if encoding in {"float", "double"}:
        return tone.astype("float32").astype("float64")
    codes = np.rint(tone * 2**31).astype("int64")
    unused_bits = 32 - BITS[encoding]
    half = 1 << unused_bits >> 1
    return ((codes + half) >> unused_bits << unused_bits).astype("int32")


def played(source: Samples, frames: int, underruns: Sequence[Place], *, loops: bool) -> Samples:
    """Return what a loop back captures of a source: an underrun is silence, and delays what follows."""
    sound = np.zeros((frames, source.shape[1]), source.dtype)
    position = index = 0
    for first, length in (*underruns, (frames, 0)):
        count = max(0, min(first, frames) - position)
        indices = np.arange(index, index + count)
        indices = indices % len(source) if loops else indices[indices < len(source)]
        sound[position : position + len(indices)] = source[indices]
        index += count
        position = first + length
    return sound


def with_silence(sound: Samples, losses: Iterable[Place]) -> Samples:
    """Return the sound with silence in the place of what was lost."""
    silenced = sound.copy()
    for first, length in losses:
        silenced[first : first + length] = 0
    return silenced


def first_difference(recorded: Samples, expected: Samples) -> str | None:
    """Return where two recordings differ first, and how; `None` where they do not."""
    if recorded.shape != expected.shape:
        return f"{recorded.shape} is not {expected.shape}"
    differs = np.flatnonzero((recorded != expected).any(axis=1))
    if not differs.size:
        return None
    frame = int(differs[0])
    return f"{differs.size} frames differ from frame {frame} on: {recorded[frame]} is not {expected[frame]}"
