"""A worker thread for calls that may block for ever, so that the main thread never does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pastream_cli.engine.threads import DeafThread

T = TypeVar("T")


class Task(Generic[T]):
    """One call, and its result or error."""

    def __init__(self, function: Callable[[], T], *, is_quiet: bool = False) -> None:
        self.is_quiet = is_quiet
        self._function = function
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001 - `result` raises it
            self._error = error
        self._done.set()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the call to be done, and tell whether it is."""
        return self._done.wait(seconds)

    @property
    def error(self) -> BaseException | None:
        """What the call raised, if anything. Only once it is done."""
        return self._error

    def result(self) -> T:
        """Return what the call returned, or raise what it raised. Only once it is done."""
        if self._error is not None:
            raise self._error
        result: T = self._result
        return result


class Worker:
    """Runs calls one after the other on a daemon thread of its own.

    Parameters
    ----------
    name : str
        Name of the thread.
    wake : callable
        Called on that thread after each call that was not started quietly.
    """

    def __init__(self, name: str, wake: Callable[[], None]) -> None:
        self.wake = wake
        self._tasks: queue.SimpleQueue[Task[Any]] = queue.SimpleQueue()
        self._thread = DeafThread(target=self._run, name=name, daemon=True)

    def start(self, function: Callable[[], T], *, quietly: bool = False) -> Task[T]:
        """Queue a call of `function`; `wake` is called when it is done, unless it is to run quietly."""
        task = Task(function, is_quiet=quietly)
        self._tasks.put(task)
        if self._thread.ident is None:
            self._thread.start()
        return task

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            task.run()
            if not task.is_quiet:
                self.wake()
