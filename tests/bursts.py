"""Sounds of bursts with random gaps, for tests of --trigger, and where a plain model has their files begin and end."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.01
"""-40 dBFS."""

Spans = list[tuple[int, int]]


class Bursts(NamedTuple):
    """A sound of bursts with random gaps, each frame of which has a value of its own, and where it is loud."""

    samples: NDArray[np.int32]
    is_loud: NDArray[np.bool_]


def bursts(seed: int, count: int = 100, most_gap: int = 900, most_burst: int = 300) -> Bursts:
    """Make so many bursts; between them, the sound stays below the level by little."""
    dice = random.Random(seed)
    lengths = [(dice.randint(1, most_gap), dice.randint(1, most_burst)) for _ in range(count)]
    is_loud = np.concatenate([np.repeat([False, True], pair) for pair in lengths] + [np.zeros(most_gap, bool)])
    numbers = np.arange(1, len(is_loud) + 1, dtype="int64") << 8
    top = int(LEVEL * 2**31)
    quiet, loud = top - (1 << 24) + numbers % (1 << 23), top + (1 << 24) + numbers
    samples = np.where(is_loud, loud, quiet) * np.where(np.arange(len(is_loud)) % 3, 1, -1)
    # a burst is on one channel, the other stays silent
    return Bursts(np.column_stack([np.zeros_like(samples), samples]).astype("int32") & ~0xFF, is_loud)


def spans_of(is_loud: NDArray[np.bool_], preroll: int, silence: int | None) -> Spans:
    """Return first frame and end of each file, as CLI.md has it: a plain model, frame by frame."""
    spans: Spans = []
    end, begin, silent = 0, None, 0
    for frame, loud in enumerate(is_loud):
        if begin is None and not loud:
            continue
        if begin is None:
            begin, silent = max(end, frame - preroll), 0
        silent = 0 if loud else silent + 1
        if silent == silence:
            end = frame + 1
            spans.append((begin, end))
            begin = None
    return spans if begin is None else [*spans, (begin, len(is_loud))]
