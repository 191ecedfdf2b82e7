"""Whether what was played on a real server and recorded there came back in one piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.sounds import Samples


@dataclass(frozen=True)
class Continuity:
    """How what came back relates to what was played."""

    foreign_frames: int
    """Frames that are neither silent nor of the source."""
    breaks: int
    """Places where the frame that follows is not the one that follows in the source."""


def continuity(take: Samples, source: Samples) -> Continuity:
    """Compare a take with its source, of which no two frames are alike; silence before and after is not looked at."""
    keys, known = _keys(take), _keys(source)
    order = np.argsort(known, kind="stable")
    places = np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)
    indices = order[places]
    is_silent = (take == 0).all(axis=1)
    is_known = (known[indices] == keys) & ~is_silent
    heard = np.flatnonzero(is_known)
    steps = np.diff(indices[heard])
    gaps = np.diff(heard)
    breaks = int(np.count_nonzero((steps != 1) | (gaps != 1)))
    return Continuity(int(np.count_nonzero(~is_known & ~is_silent)), breaks)


def _keys(samples: Samples) -> NDArray[np.int64]:
    """Return one number for each frame of two channels of 24 bits."""
    left, right = (samples[:, channel].astype("int64") >> 8 for channel in (0, 1))
    return left << 24 | right & 0xFFFFFF
