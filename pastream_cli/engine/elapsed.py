"""How much time the timeline does not show: pauses and frames that never came, less frames that came too soon."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

# Older places are summed up, because nobody asks for a time that is more than minutes ago.
_MOST_PLACES = 1000


class _Place(NamedTuple):
    frame: int
    frames: int
    """Negative where the device ran ahead: so many frames of the timeline, from `frame` on, took no time."""

    def before(self, frame: int) -> int:
        return max(self.frames, self.frame - frame) if self.frames < 0 else self.frames


class Elapsed:
    """Frames that went by and are not on the timeline, each with its place on it."""

    def __init__(self) -> None:
        self._oldest_frames = 0
        self._places: deque[_Place] = deque()
        self._missing_at: int | None = None  # the last place, if frames never came there

    def pause(self, frame: int, frames: int) -> None:
        """Add a pause."""
        self._add(_Place(frame, frames))

    def lead(self, frame: int, frames: int) -> None:
        """Add a lead: so many frames of the timeline, from `frame` on, came ahead of the clock."""
        self._add(_Place(frame, -frames))

    def miss(self, frame: int, frames: int, *, merged_frames: int) -> None:
        """Add frames that never came. Less than `merged_frames` after others, they join the place of these."""
        if self._missing_at is not None and frame - self._missing_at < merged_frames:
            last = self._places.pop()
            self._places.append(last._replace(frames=last.frames + frames))
            return
        self._add(_Place(frame, frames))
        self._missing_at = frame

    def before(self, frame: int) -> int:
        """Return how many frames went by off the timeline before a frame that is on it."""
        return self._oldest_frames + sum(place.before(frame) for place in self._places if place.frame <= frame)

    @property
    def all_frames(self) -> int:
        """How many frames went by off the timeline in all."""
        return self._oldest_frames + sum(place.frames for place in self._places)

    def _add(self, place: _Place) -> None:
        self._places.append(place)
        self._missing_at = None
        if len(self._places) > _MOST_PLACES:
            self._oldest_frames += self._places.popleft().frames
