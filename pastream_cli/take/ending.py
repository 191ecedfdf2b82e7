"""Finishes the files of a run: closes them and waits for their disk, or finds what can be read of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pastream_cli.engine.core import Core
from pastream_cli.engine.run import Run
from pastream_cli.errors import PastreamError
from pastream_cli.take.copies import Copies
from pastream_cli.take.file_list import FileList
from pastream_cli.take.interruptible import STEP_SECONDS
from pastream_cli.take.signals import Requests

if TYPE_CHECKING:
    from pastream_cli.take.hook import Hook

# How long each step may take at the end of the files when the run is given up.
_LAST_SECONDS = 0.1
_UNTOLD_SECONDS = 2.0


class Ending:
    """Finishes the files of one run.

    Parameters
    ----------
    run : Run
        The run that recorded them.
    stream : Core
        Its writer has filled them.
    recording : Copies
        The files.
    requests : Requests
        What signals ask for.
    warn : callable
        Called with each warning, one line.
    hook : Hook, optional
        Is called for each file.
    wait : callable
        Waits so many seconds, and raises `GivenUp` if the run is given up.
    """

    def __init__(
        self,
        run: Run,
        stream: Core,
        recording: Copies,
        requests: Requests,
        warn: Callable[[str], None],
        hook: Hook | None,
        wait: Callable[[float], None],
    ) -> None:
        self._requests = requests
        self._warn = warn
        self._run = run
        self._stream = stream
        self._recording = recording
        self._hook = hook
        self._wait = wait
        self.files: list[FileList] = []
        """The files that are kept of each copy, as far as that is known."""

    def finish(self) -> None:
        """Close every file and wait for its disk, within limits; then wait for the hook, until the run is given up."""
        try:
            self._finish_files()
        finally:
            self._wait_for_the_hook()

    def _finish_files(self) -> None:
        recording = self._recording
        name, is_on_a_disk = recording.waited_for, recording.is_on_a_disk  # asked while there still is a present file
        finished = recording.finish(is_complete=self._run.is_complete)
        if recording.verifies:
            self._wait_until(lambda: all(task.is_done for task in finished), lambda: f"{name} to be verified")
        tell = partial(self.tell_of_a_wait, name, is_on_a_disk=is_on_a_disk)
        self._run.wait_patiently(
            lambda: all(task.is_done for task in finished), tell, is_on_a_disk=lambda: is_on_a_disk
        )
        try:
            self.files, failure = recording.results()
        except Exception:
            self.files = recording.so_far()
            raise
        if failure is not None:
            self._tell_if_not_first(failure)
            raise failure

    def _tell_if_not_first(self, failure: PastreamError) -> None:
        """Say why a file failed, where the run ends with another failure: nobody would be told of this one."""
        first = self._run.failure
        if first is not None and str(first) != str(failure):
            self._warn(failure.message)

    def _wait_for_the_hook(self) -> None:
        if (hook := self._hook) is None:
            return

        def is_done() -> bool:
            hook.poll()
            return hook.present is None

        self._wait_until(is_done, lambda: f"the command of --exec, which is at {hook.present}")
        hook.end()

    def _wait_until(self, is_done: Callable[[], bool], what: Callable[[], str]) -> None:
        """Wait for what the user has asked for, for as long as it takes, or until the run is given up."""
        since, is_told = time.monotonic(), False
        while not is_done():
            self._wait(STEP_SECONDS)
            if not is_told and time.monotonic() - since > _UNTOLD_SECONDS and not is_done():
                is_told = True
                self._warn(f"waiting for {what()}; {self._how_to_give_up()}")

    def leave(self) -> None:
        """End a run that was given up: finish the files that can be, and find what can be read of the others."""
        if self._hook is not None:
            self._hook.give_up()
        self._recording.give_up()
        stream, recording = self._stream, self._recording
        if not stream.finish(_LAST_SECONDS):
            stream.stop_writing()
            stream.finish(_LAST_SECONDS)
        self.files = recording.so_far()  # should the next step fail
        for task in recording.finish(is_complete=False, is_given_up=True):
            task.wait(_LAST_SECONDS)
        self.files = recording.so_far()

    def tell_of_a_wait(self, name: str, *, is_on_a_disk: bool) -> None:
        """Say what the end of the run waits for, and how to end the wait."""
        what = f"the disk that {name} is on" if is_on_a_disk else f"the reader of {name} to take the rest"
        ends_at_once = not is_on_a_disk and not self._requests.stop
        self._warn(f"waiting for {what}; {'Ctrl-C ends the wait' if ends_at_once else self._how_to_give_up()}")

    def _how_to_give_up(self) -> str:
        return "another Ctrl-C gives it up" if self._requests.stop else "Ctrl-C twice gives it up"
