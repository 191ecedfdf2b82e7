"""Time limits for calls of a sound host, which may never return."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from pastream_cli.engine.threads import DeafThread
from pastream_cli.engine.worker import Task
from pastream_cli.errors import DeviceError, ErrorKind

T = TypeVar("T")

ANSWER_SECONDS = 10.0
"""How long a host may take to find, open or start a device."""

STOP_SECONDS = 3.0
"""How long a healthy host may take to stop a device, which first plays what it holds."""

NO_LOCK: AbstractContextManager[Any] = nullcontext()
"""For calls that need no lock: several of them may be made at once."""


def within(seconds: float, call: Callable[[], T], lock: AbstractContextManager[Any]) -> Task[T]:
    """Make a call that may hang; return its task when it is done, or after `seconds`.

    The time counts from when the lock is held. The lock is released in either case. When the interpreter is ending and
    starts no more threads, there is no limit.
    """
    task = Task(call)
    with lock:
        _make(task, seconds)
    return task


def _make(task: Task[Any], seconds: float) -> None:
    if starts(DeafThread(target=task.run, name="device", daemon=True)):
        task.wait(seconds)
    else:
        task.run()


def leave_hosts() -> None:
    """Let the process exit without ending PortAudio's hosts, because one of them does not answer."""
    from pastream_cli.engine.devices import hosts

    hosts.leave()


def answer(
    seconds: float,
    call: Callable[[], T],
    failure: str,
    leave: Callable[[], None] = leave_hosts,
    lock: AbstractContextManager[Any] = NO_LOCK,
) -> T:
    """Return the result of a call that may hang.

    Parameters
    ----------
    seconds : float
        How long to wait for it.
    call : callable
        Made on a thread of its own.
    failure : str
        The message of the error if it does not return in time.
    leave : callable
        Called if it does not return in time, or if the caller is interrupted meanwhile.
    lock : context manager, optional
        Held during the call, where only one may be made at a time.

    Raises
    ------
    DeviceError
        Where it has not returned in time.
    Exception
        Whatever the call raises.
    """
    task: Task[T] | None = None
    try:
        task = within(seconds, call, lock)
    finally:
        if task is None or not task.is_done:
            leave()
    if not task.is_done:
        raise DeviceError(failure, ErrorKind.NOT_ANSWERING)
    return task.result()


def starts(thread: threading.Thread) -> bool:
    """Start a thread; false where the interpreter is ending and starts no more."""
    if sys.is_finalizing():  # it would never run
        return False
    try:
        thread.start()
    except RuntimeError:  # Python 3.12, while the interpreter waits for its last threads
        return False
    return True
