"""The place in what is played: how keys move it, and what is shown of it."""

from __future__ import annotations

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts
from pastream_cli.take.plan import Plan

_STEP_SECONDS = 5


class Place:
    """Where a run is, as it is shown: frames since its beginning, with those that were skipped or repeated.

    What is shown is what is heard, so it lags behind the timeline by the latency of a device that only plays.

    Parameters
    ----------
    stream : Core
        The device, and the loop that reads the input.
    plan : Plan
        The plan of the run.
    """

    def __init__(self, stream: Core, plan: Plan) -> None:
        self._stream = stream
        self._plan = plan
        is_late = plan.capture is None and not stream.open_device.is_virtual
        self._latency_frames = round(stream.longest_latency * stream.samplerate) if is_late else 0
        self._coming_frames = 0  # by seeks that have not taken effect yet
        self.has_moved = False
        """Whether keys have moved what is played."""

    @property
    def can_move(self) -> bool:
        """Whether keys can move what is played."""
        return self._stream.can_seek

    def move(self, steps: int, counts: Counts) -> None:
        """Have what is heard jump by so many steps of 5 s, but not before the beginning, nor behind the end.

        At the end, playing ends, or the next pass of a loop begins.
        """
        if not self.can_move or counts.input_ended:
            return
        frames = steps * round(_STEP_SECONDS * self._stream.samplerate)
        self._coming_frames = (self._coming_frames if self._stream.is_seeking else 0) + frames
        self._stream.seek(frames)
        self.has_moved = True

    def shown(self, counts: Counts) -> int:
        """Return the place to show; of a seek that is under way, where it will lead."""
        stream, latency_frames = self._stream, 0 if counts.complete else self._latency_frames
        place = counts.position + stream.skipped_frames - latency_frames
        if stream.is_seeking:
            place += self._coming_frames
            place = place if self.shown_length is None else min(place, self.shown_length)
        return max(0, place)

    @property
    def shown_length(self) -> int | None:
        """How far the run will come, as it is shown, if that is known."""
        plan = self._plan
        if plan.length is None or plan.duration is None:
            return plan.length
        # a duration counts what is played, and a seek does not change it
        end = plan.duration + self._stream.skipped_frames
        if plan.pad is None:
            return end  # silence fills up to it
        if not plan.loop and plan.input is not None and plan.input.frames is not None:
            end = min(end, plan.input.frames - plan.input_start)
        return end + plan.pad

    @property
    def input_frame(self) -> int | None:
        """The first frame of the input that was not heard; `None` where nothing is played."""
        if self._plan.input is None:
            return None
        is_over = self._stream.counts().complete
        return self._stream.heard_frame(0 if is_over else self._latency_frames)
