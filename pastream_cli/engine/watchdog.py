"""The watchdog: tells a device that has stalled or died from one that is only late. Pure: time is passed in."""

from __future__ import annotations

from enum import Enum

_LEAST_SILENCE_SECONDS = 1.0
# An idle sink of a sound server may fill its buffer at once, and then take nothing for two seconds.
_LEAST_SILENCE_OF_PLAYBACK_SECONDS = 3.0
_LATENCIES_OF_SILENCE = 4
_SECONDS_TO_RESUME = 10.0
SECONDS_TO_BEGIN = 10.0
# Before a poll that is later than this, silence proves nothing: the process was stopped or starved.
_LATE_POLL_SECONDS = 0.5


class Pulse(Enum):
    """What the callbacks say about the device."""

    BEATING = "beating"
    STALLED = "stalled"
    DEAD = "dead"


class Watchdog:
    """Tells a device that is silent from one that is slow, and from a process that did not poll.

    Parameters
    ----------
    latency : float
        The stream's latency in seconds; 0 if what the host reports cannot be true.
    captures : bool, optional
        Whether the device captures; one that only plays has more time.
    patience_seconds : float, optional
        How long it may be silent at the least, whatever else is said.
    """

    def __init__(self, latency: float, *, captures: bool = True, patience_seconds: float = 0.0) -> None:
        least = _LEAST_SILENCE_SECONDS if captures else _LEAST_SILENCE_OF_PLAYBACK_SECONDS
        self._stall_after = max(least, _LATENCIES_OF_SILENCE * latency, patience_seconds)
        self._silent_seconds = 0.0
        self._polled: float | None = None
        self._last_callback_ns = 0

    @property
    def is_stalled(self) -> bool:
        """Whether no callback has come for longer than it should take."""
        return self._last_callback_ns != 0 and self._silent_seconds > self._stall_after

    def poll(self, now: float, last_callback_ns: int, waited: float = 0.0) -> Pulse:
        """Judge by the time of the last callback, 0 for none yet; `now` is monotonic, in seconds.

        Silence counts only up to a poll that comes on time: at most half a second later than the `waited` seconds that
        the caller meant to wait since the last one.
        """
        since_poll = 0.0 if self._polled is None else now - self._polled
        self._polled = now
        if last_callback_ns != self._last_callback_ns:
            self._last_callback_ns = last_callback_ns
            self._silent_seconds = 0.0
        elif since_poll <= waited + _LATE_POLL_SECONDS:
            self._silent_seconds += since_poll
        if last_callback_ns == 0:
            return Pulse.DEAD if self._silent_seconds > SECONDS_TO_BEGIN else Pulse.BEATING
        if self._silent_seconds > self._stall_after + _SECONDS_TO_RESUME:
            return Pulse.DEAD
        return Pulse.STALLED if self.is_stalled else Pulse.BEATING
