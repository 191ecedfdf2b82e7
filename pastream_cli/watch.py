"""Is the device still there, and has it kept up with the clock? Pure: time is passed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from enum import Enum
from itertools import takewhile

from pastream_cli.report import Debt, Levels, Loss, LossKind

_LEAST_SILENCE_SECONDS = 1.0
# A server's sink that was idle may take what fills a buffer and then nothing for the two seconds of its own turn.
_LEAST_SILENCE_OF_PLAYBACK_SECONDS = 3.0
_LATENCIES_OF_SILENCE = 4
_SECONDS_TO_RESUME = 10.0
_SECONDS_TO_BEGIN = 10.0
# A poll that is later than this has not been watching: the process was stopped or starved.
_LATE_POLL_SECONDS = 0.5


class Pulse(Enum):
    """What the callbacks say about the device."""

    BEATING = "beating"
    STALLED = "stalled"
    DEAD = "dead"


class Watchdog:
    """Tells a device that is silent from one that is slow, and from a process that was not looking.

    Parameters
    ----------
    latency : float
        Of the stream in seconds, as far as it can be believed.
    captures : bool, optional
        Whether the device captures; one that only plays has more time.
    """

    def __init__(self, latency: float, *, captures: bool = True) -> None:
        least = _LEAST_SILENCE_SECONDS if captures else _LEAST_SILENCE_OF_PLAYBACK_SECONDS
        self._stall_after = max(least, _LATENCIES_OF_SILENCE * latency)
        self._silent_seconds = 0.0
        self._polled: float | None = None
        self._last_callback_ns = 0

    @property
    def is_stalled(self) -> bool:
        """Whether no callback has come for longer than it should take."""
        return self._last_callback_ns != 0 and self._silent_seconds > self._stall_after

    def poll(self, now: float, last_callback_ns: int, waited: float = 0.0) -> Pulse:
        """Judge by the time of the last callback, 0 for none yet; `now` is monotonic, in seconds.

        Silence is counted only over polls that came on time: not much later than after the `waited` seconds, if they
        were put off for so long.
        """
        since_poll = 0.0 if self._polled is None else now - self._polled
        self._polled = now
        if last_callback_ns != self._last_callback_ns:
            self._last_callback_ns = last_callback_ns
            self._silent_seconds = 0.0
        elif since_poll <= waited + _LATE_POLL_SECONDS:
            self._silent_seconds += since_poll
        if last_callback_ns == 0:
            return Pulse.DEAD if self._silent_seconds > _SECONDS_TO_BEGIN else Pulse.BEATING
        if self._silent_seconds > self._stall_after + _SECONDS_TO_RESUME:
            return Pulse.DEAD
        return Pulse.STALLED if self.is_stalled else Pulse.BEATING


class Deficit:
    """Finds frames that a device swallowed: it fell behind the clock at once, and did not catch up.

    A callback that comes late owes more for a moment, so the least that was owed over a window counts.
    A sudden rise is a loss; slow drift between the device's clock and the system's is none.

    Parameters
    ----------
    rate : float
        Frames per second.
    block_seconds : float
        What a host may hold back and deliver later; no less is ever called a loss.
    """

    WINDOW_SECONDS = 1.5
    LEAST_SECONDS = 0.1
    LAST_SECONDS = 0.35
    """At the end of a run there is no whole window behind a loss to wait for."""

    def __init__(self, rate: float, block_seconds: float) -> None:
        self._least_frames = max(self.LEAST_SECONDS, block_seconds) * rate
        self._debts: deque[Debt] = deque()
        self._settled_frames: int | None = None

    def add(self, debt: Debt) -> Loss | None:
        """Return the loss, with about how many frames are missing, that has stood for a window now."""
        self._debts.append(debt)
        if self._seconds_since(self._debts[0]) < self.WINDOW_SECONDS:
            return None
        found = self._judge(self._debts)
        while self._seconds_since(self._debts[0]) > self.WINDOW_SECONDS:
            self._debts.popleft()
        return found

    def end(self) -> Loss | None:
        """Judge by what there is, at the end of a run."""
        last = [debt for debt in self._debts if self._seconds_since(debt) <= self.LAST_SECONDS]
        return self._judge(last) if last else None

    def _seconds_since(self, debt: Debt) -> float:
        return (self._debts[-1].monotonic_ns - debt.monotonic_ns) / 1e9

    def _judge(self, debts: Iterable[Debt]) -> Loss | None:
        least = min(debt.frames for debt in debts)
        before, self._settled_frames = self._settled_frames, least
        if before is None or least - before < self._least_frames:
            return None
        *_, first = takewhile(lambda debt: debt.frames - before >= self._least_frames, reversed(self._debts))
        return Loss(LossKind.DEFICIT, first.frame, least - before, first.monotonic_ns)


class DeadChannels:
    """Finds channels that stay exactly zero: an unplugged cable, the wrong input.

    Parameters
    ----------
    rate : float
        Frames per second.
    meant : collection of int, optional
        Channels, one-based, that are meant to be silent.
    """

    SECONDS = 10.0

    def __init__(self, rate: float, meant: Collection[int] = ()) -> None:
        self._limit = self.SECONDS * rate
        self._meant = meant
        self._silent_frames: list[int] = []
        self.found: set[int] = set()
        """Channels, one-based, that were dead at any time."""

    def poll(self, levels: Levels) -> list[int]:
        """Return the channels, one-based, that have been zero for ten seconds now, once each."""
        if not self._silent_frames:
            self._silent_frames = [0] * len(levels.peaks)
        newly = []
        for index, peak in enumerate(levels.peaks):
            self._silent_frames[index] = 0 if peak > 0 else self._silent_frames[index] + levels.frames
            number = index + 1
            if self._silent_frames[index] >= self._limit and number not in self.found and number not in self._meant:
                self.found.add(number)
                newly.append(number)
        return newly
