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
_PROBE_FRAMES = 256


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


def in_place(sound: Samples, taken: Samples, begin: int, gaps: Sequence[Place], most_frames: int) -> Samples:
    """Return the sound as a device goes on with it behind each gap: as many frames from its place as a clock may err.

    Parameters
    ----------
    sound : array
        The whole sound, and `most_frames` more.
    taken : array
        What was recorded of it, which tells how far from its place it goes on.
    begin : int
        The frame of the timeline at which `taken` begins.
    gaps : sequence of Place
        When there was no device.
    most_frames : int
        How far it may be from its place.
    """
    shifted = sound.copy()
    for first, length in gaps:
        at = max(first + length, begin)
        heard = np.flatnonzero(taken[max(0, at - begin) :].any(axis=1))
        if not len(heard):
            continue
        at += int(heard[0])
        lowest = max(0, at - most_frames)
        near = sound[lowest : at + most_frames + 1]
        probe = taken[at - begin :][:_PROBE_FRAMES]
        places = lowest + np.flatnonzero((near == probe[0]).all(axis=1))
        # one frame of a sine in few bits is like many others of it; another loss may follow at once
        whole = [place for place in places if np.array_equal(sound[place : place + len(probe)], probe)]
        shift = int(min((place - at for place in whole or places), key=abs, default=0))
        shifted[at : len(sound) - max(0, shift)] = sound[at + shift : len(sound) + min(0, shift)]
    return shifted


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
