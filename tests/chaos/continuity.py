"""Whether what was played on a real server and recorded there came back in one piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.sounds import Samples

SILENT, FOREIGN = -1, -2


@dataclass(frozen=True)
class Continuity:
    """How what came back relates to what was played."""

    foreign_frames: int
    """Frames that are neither silent nor of the source."""
    breaks: int
    """Places where the frame that follows is not the one that follows in the source."""


def continuity(take: Samples, source: Samples) -> Continuity:
    """Compare a take with its source, of which no two frames are alike; silence before and after is not looked at."""
    places = places_in(take, source)
    heard = np.flatnonzero(places >= 0)
    steps = np.diff(places[heard])
    gaps = np.diff(heard)
    breaks = int(np.count_nonzero((steps != 1) | (gaps != 1)))
    return Continuity(int(np.count_nonzero(places == FOREIGN)), breaks)


def places_in(take: Samples, source: Samples) -> NDArray[np.int64]:
    """Return which frame of the source each frame of a take is: `SILENT` for none, `FOREIGN` for another sound."""
    keys, known = _keys(take), _keys(source)
    order = np.argsort(known, kind="stable")
    indices = order[np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)]
    is_silent = (take == 0).all(axis=1)
    places = np.where(known[indices] == keys, indices, FOREIGN)
    return np.where(is_silent, SILENT, places)


def _keys(samples: Samples) -> NDArray[np.int64]:
    """Return one number for each frame of two channels of 24 bits."""
    left, right = (samples[:, channel].astype("int64") >> 8 for channel in (0, 1))
    return left << 24 | right & 0xFFFFFF
