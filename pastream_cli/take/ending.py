"""The end of a run: the device stops, the writer drains, the files are finished, each within its time limit."""

from __future__ import annotations

import time
from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.states import StopReason
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import DeviceError, ErrorKind, FileError
from pastream_cli.take.outcome import Outcome
from pastream_cli.take.recording import Recording
from pastream_cli.take.signals import Requests
from pastream_cli.take.waiting import STEP_SECONDS, is_done_within, raise_if_given_up

_SHORTEST_POLL_SECONDS = 0.005
# A device that is asked to stop delivers the block in flight; no believable host takes longer for that.
_STOP_SECONDS = 3.0
# A loop that has made no progress for so long is blocked, in a stuck pipe. A disk may only be busy, or be waking up:
# what waits for it is given up much later, or when a second signal asks for it.
_BLOCKED_SECONDS = 2.0
_BLOCKED_DISK_SECONDS = 60.0
# Somebody who asked for a stop is told by then what it waits for.
_UNTOLD_SECONDS = 0.5
# What is left for the files of a run that is given up, for each step that their end takes.
_LAST_SECONDS = 0.1


class Ending:
    """Takes the steps of the end of one run. Each raises what keeps it from its aim, or `GivenUp`.

    Parameters
    ----------
    outcome : Outcome
        Why the run ends; the files go there.
    requests : Requests
        What signals ask for meanwhile.
    recording : Recording, optional
        The files.
    warn : callable
        Takes one line for people.
    """

    def __init__(
        self, outcome: Outcome, requests: Requests, recording: Recording | None, warn: Callable[[str], None]
    ) -> None:
        self._outcome = outcome
        self._requests = requests
        self._recording = recording
        self._warn = warn

    def stop_device(self, stream: Core, worker: Worker) -> None:
        """End the callbacks. A device that is lost, or does not answer, is shut out instead."""
        outcome, has_stopped = self._outcome, False
        try:
            if not outcome.device_is_lost:
                has_stopped = is_done_within(worker.start(stream.stop_device), self._requests, _STOP_SECONDS)
        finally:
            if not has_stopped:
                stream.detach()
        if not has_stopped and not outcome.device_is_lost and not outcome.is_complete:
            raise DeviceError("cannot stop the device: its host does not answer", ErrorKind.NOT_ANSWERING)

    def finish_loops(self, stream: Core, look_after_files: Callable[[], None]) -> None:
        """Let the writer drain. As long as it gets on, it has all the time that it needs."""
        frames, since, is_told = -1, time.monotonic(), False
        is_on_a_disk = self._recording is not None and self._recording.is_on_a_disk
        while not stream.finish(_SHORTEST_POLL_SECONDS):
            look_after_files()
            self._requests.wait(_SHORTEST_POLL_SECONDS)
            raise_if_given_up(self._requests)
            written = stream.written_until
            if written != frames:
                frames, since = written, time.monotonic()
            idle = time.monotonic() - since
            if not stream.is_writing() and idle > STEP_SECONDS:
                return  # only the reader is left, in a read that nothing ends
            if idle <= _untold_seconds(is_on_a_disk=is_on_a_disk) or self._recording is None:
                continue
            if not is_told and (is_on_a_disk or not self._is_stopped):
                is_told = True
                self._warn_of_waiting(self._recording.name, is_on_a_disk=is_on_a_disk)
            if self._has_waited(idle, is_on_a_disk=is_on_a_disk):
                return

    def finish_files(self, recording: Recording, stream: Core | None) -> None:
        """Have every file closed and on its disk, as far as what it is on answers."""
        outcome = self._outcome
        if stream is not None and stream.is_writing():
            outcome.files = recording.so_far()
            raise FileError(f"cannot finish {recording.name}: it takes no more data")
        name, is_on_a_disk = recording.name, recording.is_on_a_disk
        finished = recording.finish(is_complete=outcome.is_complete)
        untold_seconds = _untold_seconds(is_on_a_disk=is_on_a_disk)
        if finished is not None and not is_done_within(finished, self._requests, untold_seconds):
            self._warn_of_waiting(name, is_on_a_disk=is_on_a_disk)
            self._wait_for_files(finished, is_on_a_disk=is_on_a_disk)
        try:
            outcome.files, failure = recording.results()
        except Exception:
            outcome.files = recording.so_far()
            raise
        if failure is not None:
            raise failure

    def leave_files(self, recording: Recording, stream: Core) -> None:
        """End those files of a run that is given up that can be ended, and tell what can be read of the others."""
        if not stream.finish(_LAST_SECONDS):
            stream.stop_writing()
            stream.finish(_LAST_SECONDS)
        self._outcome.files = recording.so_far()  # should the next step fail
        if not stream.is_writing() and (finished := recording.finish(is_complete=False)) is not None:
            finished.wait(_LAST_SECONDS)
        self._outcome.files = recording.so_far()

    def _wait_for_files(self, task: Task[None], *, is_on_a_disk: bool) -> None:
        since = time.monotonic()
        while not task.is_done and not self._has_waited(time.monotonic() - since, is_on_a_disk=is_on_a_disk):
            raise_if_given_up(self._requests)
            self._requests.wait(STEP_SECONDS)

    def _has_waited(self, seconds: float, *, is_on_a_disk: bool) -> bool:
        """Tell whether what takes no more data has had its time.

        A disk has a minute. Whoever reads a pipe has all the time there is, and a moment from a stop on.
        """
        if is_on_a_disk:
            return seconds > _BLOCKED_DISK_SECONDS
        return self._is_stopped and min(seconds, self._requests.seconds_since_stop) > _BLOCKED_SECONDS

    @property
    def _is_stopped(self) -> bool:
        """Whether somebody has asked for the end, by a signal or by making a loss fatal."""
        return self._requests.stop or self._outcome.reason is StopReason.XRUN

    def _warn_of_waiting(self, name: str, *, is_on_a_disk: bool) -> None:
        what = f"the disk that {name} is on" if is_on_a_disk else f"the reader of {name} to take the rest"
        if self._requests.stop:
            way_out = "another Ctrl-C gives it up"
        else:
            way_out = "Ctrl-C twice gives it up" if is_on_a_disk else "Ctrl-C ends the wait"
        self._warn(f"waiting for {what}; {way_out}")


def _untold_seconds(*, is_on_a_disk: bool) -> float:
    """Return for how long nobody is told that something is waited for."""
    return _UNTOLD_SECONDS if is_on_a_disk else _BLOCKED_SECONDS
