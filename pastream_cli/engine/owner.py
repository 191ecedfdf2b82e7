"""The owner of a run: whoever steps it, and is told of it; and what it has decided about the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pastream_cli.engine.facts import Counts, Loss
from pastream_cli.engine.judge import OnLoss
from pastream_cli.errors import PastreamError


class GivenUp(Exception):  # noqa: N818 - it is no error
    """Nobody waits for the end of the run any more. The run's owner may raise it in `wait`."""


class Policy(NamedTuple):
    """What a run is for, and what its owner has decided about it."""

    plays: bool
    captures: bool
    on_loss: OnLoss
    length_frames: int | None
    """The length of the timeline, where it is known."""
    shortest_wait_seconds: float
    """How long to wait between two polls at the beginning and before the end."""
    capture_map: tuple[int, ...] | None
    """For each recorded channel, the device's channel, zero-based, or -1 for silence; `None` for all channels."""
    reader_seconds: float
    """How long a reader is waited for, once everything is written."""


class Owner(Protocol):
    """Whoever steps a run and is told of it. The run calls it only on the thread that steps the run."""

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until something happens. Raise `GivenUp` to leave the rest of the end undone."""

    def longest_wait_seconds(self, *, is_silent: bool) -> float:
        """Return how long may pass before the next poll; `is_silent`: no callback came between the last two polls."""

    def look(self, counts: Counts, losses: Sequence[Loss]) -> None:
        """Look around, with each poll, and `end` or `fail` the run if it is to end. `losses` are new ones."""

    def told_of_silence(self) -> None:
        """Take notice of a device that is silent; what it has delivered is being made safe."""

    def outlives_device(self, error: PastreamError) -> bool:
        """Take the device away, which has died as the error says, and return true; or let the run fail."""

    def stop_device(self) -> bool:
        """End the callbacks within a time limit; return whether they have ended."""

    def look_after_ends(self) -> None:
        """Do what files need while the last frames are written."""

    @property
    def is_on_a_disk(self) -> bool:
        """Whether what is recorded to is a regular file."""

    @property
    def seconds_since_asked(self) -> float | None:
        """How long ago somebody asked for the end; `None` where nobody has."""

    def told_of_a_wait(self) -> None:
        """Take notice that the end waits for the file or pipe that is recorded to."""

    def look_at_the_rest(self, counts: Counts, losses: Sequence[Loss]) -> None:
        """Look at what came after the last poll, and at what only the whole run shows."""

    def finish_ends(self) -> None:
        """Finish the files that were played and recorded, except those that a loop still uses."""

    def leave_ends(self) -> None:
        """Finish what can be finished at once, in a run that is given up."""
