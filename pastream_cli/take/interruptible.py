"""Waiting on the main thread, in short steps, so that a signal is always answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pastream_cli.engine.worker import Task
from pastream_cli.take.signals import Requests

T = TypeVar("T")

STEP_SECONDS = 0.1


class Stopped(Exception):  # noqa: N818 - it is no error
    """A stop was asked for while something was still being opened."""


def result_of(task: Task[T], requests: Requests, seconds_after_a_stop: float = 0.0) -> T:
    """Return a task's result. If a stop is asked for meanwhile, raise `Stopped` and leave the task behind."""
    while not task.is_done:
        if requests.stop and not task.wait(seconds_after_a_stop):
            raise Stopped
        requests.wait(STEP_SECONDS)
    return task.result()


def is_done_within(task: Task[T], wait: Callable[[float], None], seconds: float) -> bool:
    """Wait for a task that may hang; tell whether it ended in time. While this process is stopped, no time counts."""
    left = seconds
    while not task.is_done and left > 0:
        began = time.monotonic()
        wait(min(STEP_SECONDS, left))
        left -= min(STEP_SECONDS, time.monotonic() - began)
    return task.is_done
