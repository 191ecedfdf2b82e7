"""Waits for a device that is not there at the start, or is in use: when it is tried again, how long, what is told."""

from __future__ import annotations

from pastream_cli.command.job import Job
from pastream_cli.errors import DeviceError, ErrorKind
from pastream_cli.take.report import Observer

_SECONDS_BETWEEN_TRIES = (1.0, 1.0, 2.0, 3.0, 5.0)
_MAY_CHANGE = frozenset(
    {
        ErrorKind.ABSENT,
        ErrorKind.MISTYPED,
        ErrorKind.NO_DEVICE,
        ErrorKind.NO_SERVER,
        ErrorKind.BUSY,
        ErrorKind.CRASHED,
        ErrorKind.NOT_ANSWERING,
    }
)
"""What another try may find otherwise."""


class Waiting:
    """The wait for the devices of a job. Time is passed in: monotonic, in seconds.

    Parameters
    ----------
    job : Job
        Says whether to wait, and for how long.
    observer : Observer
        Is told when the wait begins, how it goes, and when it ends.
    """

    def __init__(self, job: Job, observer: Observer) -> None:
        self._is_wanted = job.waits
        self._most_seconds = float(job.wait.seconds or 0) if job.wait is not None else None
        self._name = job.device or "a device"
        self._observer = observer
        self._begun_at: float | None = None
        self._tries = 0
        self._due_at = 0.0

    def goes_on(self, error: DeviceError, now: float) -> bool:
        """Take notice of a try that failed; tell whether there is to be another one."""
        if not self._is_wanted or error.kind not in _MAY_CHANGE:
            return False
        if self._begun_at is None:
            self._begun_at = now
            self._observer.noted(f"waiting for {self._name}: {error.message}")
        if self._most_seconds is not None and now - self._begun_at >= self._most_seconds:
            return False
        self._due_at = now + _SECONDS_BETWEEN_TRIES[min(self._tries, len(_SECONDS_BETWEEN_TRIES) - 1)]
        if self._most_seconds is not None:
            self._due_at = min(self._due_at, self._begun_at + self._most_seconds)
        self._tries += 1
        return True

    def is_due(self, now: float) -> bool:
        """Tell whether to try again now, and show that there is a wait."""
        assert self._begun_at is not None
        self._observer.waited(self._name, now - self._begun_at)
        return now >= self._due_at

    def state(self, now: float) -> None:
        """Say in one line how long the wait is, since somebody has asked for it."""
        assert self._begun_at is not None
        self._observer.stated(f"waiting for {self._name} for {now - self._begun_at:.0f} s")

    def is_over(self, now: float) -> None:
        """Take notice that the devices are open."""
        if self._begun_at is not None:
            self._observer.noted(f"{self._name} is there, after {now - self._begun_at:.0f} s")
