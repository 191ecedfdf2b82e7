"""The states of a run, what may follow what, and why a run ends."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a run is doing; docs/architecture.md draws the states."""

    OPENING = "opening"
    """Files and devices are being opened and connected."""
    WAITING = "waiting"
    """All is connected, and nothing runs yet."""
    PREBUFFERING = "prebuffering"
    """The loops run, and the device is started as soon as there is enough to play."""
    SETTLING = "settling"
    """The device was started; the first frame of the timeline is still to come."""
    RUNNING = "running"
    """Frames come and go."""
    PAUSED = "paused"
    """Frames go by, and are not on the timeline."""
    AWAY = "away"
    """The device is gone, and another one is awaited."""
    DRAINING = "draining"
    """No frame is added to the timeline: what was played is heard to its end, what was captured is written."""
    ENDED = "ended"
    """Device and loops have ended, and the files are as they will stay."""

    def may_become(self, other: State) -> bool:
        """Whether the run may be in the other state next."""
        return other in FOLLOWERS[self]


FOLLOWERS: dict[State, frozenset[State]] = {
    State.OPENING: frozenset({State.WAITING, State.DRAINING, State.ENDED}),
    State.WAITING: frozenset({State.PREBUFFERING, State.DRAINING, State.ENDED}),
    State.PREBUFFERING: frozenset({State.SETTLING, State.DRAINING}),
    State.SETTLING: frozenset({State.RUNNING, State.PAUSED, State.AWAY, State.DRAINING}),
    State.RUNNING: frozenset({State.PAUSED, State.AWAY, State.DRAINING}),
    State.PAUSED: frozenset({State.SETTLING, State.RUNNING, State.AWAY, State.DRAINING}),
    State.AWAY: frozenset({State.SETTLING, State.RUNNING, State.PAUSED, State.DRAINING}),
    State.DRAINING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
"""Which states may follow each. A run is polled, so a state that passes quickly may never be seen."""


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
    """Frames were lost in a run that ends with the first loss."""
    GIVEN_UP = "given-up"
    """Somebody would not wait for the end."""

    def may_become(self, other: StopReason) -> bool:
        """Whether another reason, if it comes later, replaces this one."""
        return other in BETTER_REASONS[self]


BETTER_REASONS: dict[StopReason, frozenset[StopReason]] = {
    StopReason.COMPLETE: frozenset(StopReason) - {StopReason.COMPLETE},
    StopReason.STOPPED: frozenset({StopReason.ABORTED, StopReason.FAILED, StopReason.GIVEN_UP}),
    StopReason.ABORTED: frozenset({StopReason.FAILED, StopReason.GIVEN_UP}),
    StopReason.FAILED: frozenset({StopReason.GIVEN_UP}),
    StopReason.XRUN: frozenset({StopReason.GIVEN_UP}),
    StopReason.GIVEN_UP: frozenset(),
}
"""Which reasons replace each one, if they come later."""
