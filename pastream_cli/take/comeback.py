"""When a device that a run has lost is tried again, and for how long. Pure: time is passed in, in seconds."""

from __future__ import annotations

# The device is tried again after a tenth of the time for which it has been away, so that a gap is hardly longer than it
# has to be; but each try starts a process.
_SHARE_BETWEEN_TRIES = 0.1
_LEAST_SECONDS_BETWEEN_TRIES = 0.2
_MOST_SECONDS_BETWEEN_TRIES = 5.0
# How long the first callback of a device may take that is back: an idle sink of a sound server takes two seconds. If it
# does not come, the server may be suspended, and is then left alone for longer and longer.
_FIRST_PATIENCE_SECONDS = 3.0
_MOST_PATIENCE_SECONDS = 30.0
# How long a host may take for an answer while the device is opened again. A client of JACK that comes while its server
# is being started may wait for ever, and keep the server from running; a busy machine needs more time than an idle one.
_FIRST_ANSWER_SECONDS = 3.0
_MOST_ANSWER_SECONDS = 10.0
MOST_CRASHES = 3
"""So many crashes of a host library within a minute are the end of the device."""
_CRASH_SECONDS = 60.0


class Comeback:
    """Decides whether a run goes on without its device, and when that is tried again.

    Parameters
    ----------
    is_wanted : bool
        Whether a lost device is opened again at all.
    most_seconds : float, optional
        For how long it is tried, each time that the device is lost; `None`: for ever.
    """

    def __init__(self, *, is_wanted: bool, most_seconds: float | None) -> None:
        self._is_wanted = is_wanted
        self._most_seconds = most_seconds
        self._lost_at: float | None = None
        self._tries = 0
        self._tried_at = 0.0
        self._crashes: list[float] = []
        self._patience_seconds = _FIRST_PATIENCE_SECONDS
        self._answer_seconds = _FIRST_ANSWER_SECONDS if is_wanted else _MOST_ANSWER_SECONDS

    def lost(self, now: float, *, has_crashed: bool = False) -> bool:
        """Take notice that the device is lost, or that a try to open it has failed. Tell whether the run goes on.

        If it is its host library that has crashed, the device is tried once more in any case; but if that happens again
        and again, it counts as the end of the device.
        """
        self._crashes = [crash for crash in self._crashes if now - crash < _CRASH_SECONDS] + [now] * has_crashed
        goes_on = self._is_wanted or (has_crashed and len(self._crashes) < MOST_CRASHES)
        if goes_on and self._lost_at is None:
            self._lost_at = now
        return goes_on

    def tries(self, now: float) -> None:
        """Take notice that the device is tried."""
        self._tries += 1
        self._tried_at = now

    def fell_silent(self) -> None:
        """Take notice that the device was opened, and has delivered nothing."""
        self._patience_seconds = min(2 * self._patience_seconds, _MOST_PATIENCE_SECONDS)

    def did_not_answer(self) -> None:
        """Take notice that a host did not answer in time when the device was tried."""
        self._answer_seconds = min(2 * self._answer_seconds, _MOST_ANSWER_SECONDS)

    @property
    def answer_seconds(self) -> float:
        """How long a host may take for an answer when the device is tried."""
        return self._answer_seconds

    def is_back(self) -> None:
        """Take notice that the device delivers again."""
        self._lost_at = None
        self._tries = 0
        self._patience_seconds = _FIRST_PATIENCE_SECONDS

    @property
    def is_away(self) -> bool:
        """Whether the device has been lost, and does not deliver yet."""
        return self._lost_at is not None

    def seconds_away(self, now: float) -> float:
        """Return for how long it has been lost."""
        return now - self._lost_at if self._lost_at is not None else 0.0

    @property
    def patience_seconds(self) -> float:
        """How long a device that was opened again may be silent."""
        return self._patience_seconds

    def is_due(self, now: float) -> bool:
        """Whether to try the device now."""
        if not self._tries:
            return True
        pause = max(_LEAST_SECONDS_BETWEEN_TRIES, _SHARE_BETWEEN_TRIES * self.seconds_away(self._tried_at))
        return now - self._tried_at >= min(pause, _MOST_SECONDS_BETWEEN_TRIES)

    def is_over(self, now: float) -> bool:
        """Whether it has been away for too long."""
        has_limit = self._is_wanted and self._most_seconds is not None
        return has_limit and self.seconds_away(now) > (self._most_seconds or 0)
