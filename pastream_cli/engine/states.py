"""Why a run ends."""

from __future__ import annotations

from enum import Enum


class StopReason(Enum):
    """Why a run ends; the value is the word that reports use."""

    COMPLETE = "complete"
    """It has come to its own end: the input is over, or the length that was asked for is reached."""
    STOPPED = "stopped"
    """Somebody has asked for the end; every frame that was captured is kept."""
    ABORTED = "aborted"
    """Somebody has asked for the end at once."""
    FAILED = "failed"
    """Something went wrong."""
    XRUN = "xrun"
    """Frames were lost in a run that was to end then."""
    GIVEN_UP = "given-up"
    """Somebody would not wait for the end."""

    def may_become(self, other: StopReason) -> bool:
        """Whether a run that ends for this reason may yet come to end for another one."""
        return other in _MAY_BECOME[self]


_MAY_BECOME: dict[StopReason, frozenset[StopReason]] = {
    StopReason.COMPLETE: frozenset(StopReason) - {StopReason.COMPLETE},
    StopReason.STOPPED: frozenset({StopReason.ABORTED, StopReason.FAILED, StopReason.GIVEN_UP}),
    StopReason.ABORTED: frozenset({StopReason.FAILED, StopReason.GIVEN_UP}),
    StopReason.FAILED: frozenset({StopReason.GIVEN_UP}),
    StopReason.XRUN: frozenset({StopReason.GIVEN_UP}),
    StopReason.GIVEN_UP: frozenset(),
}
