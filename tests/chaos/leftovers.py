"""What a take must not leave behind: processes of its devices, and what libjack keeps in shared memory for a client."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.device_processes import hosts_of, is_there
from tests.takes import SLACK

_SECONDS_TO_BE_GONE = 0.5 * SLACK
_STEP_SECONDS = 0.02
_SHARED = Path("/dev/shm")  # noqa: S108 - where the kernel has semaphores

_SEMAPHORE = "jack_sem."


def semaphores(server_name: str | None) -> set[str]:
    """Return the semaphores of the clients that a JACK server has, or had."""
    if server_name is None:
        return set()
    return {path.name for path in _SHARED.glob(f"{_SEMAPHORE}{os.getuid()}_{server_name}_*")}


def semaphores_left(server_name: str | None, before: set[str], starved_seconds: float) -> list[str]:
    """Return those that are new, once a server has had the time to notice that its client has gone."""
    deadline = time.monotonic() + _SECONDS_TO_BE_GONE + starved_seconds
    while (left := semaphores(server_name) - before) and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    return sorted(left)


def is_semaphore(name: str) -> bool:
    """Tell a semaphore from a process. A server that is killed leaves its own: only the next one removes them."""
    return name.startswith(_SEMAPHORE)


def processes_left_by(take: int, starved_seconds: float) -> list[str]:
    """Wait as long as the processes of a take may outlive it, and return those that are still there."""
    deadline = time.monotonic() + _SECONDS_TO_BE_GONE + starved_seconds
    while left := list(filter(is_there, hosts_of(take))):
        if time.monotonic() > deadline:
            return [f"process {pid}: {Path(f'/proc/{pid}/wchan').read_text()}" for pid in left]
        time.sleep(_STEP_SECONDS)
    return []
