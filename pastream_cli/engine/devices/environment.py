"""The environment variables by which a sound server, and a source or sink of it, is found."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_ADDRESSES = ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_SERVER", "PIPEWIRE_RUNTIME_DIR")
"""Any one of them leads to a user's sound server. cron, su and sudo pass on none."""


def way_to_servers(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return what to do if no sound server of this user can be found for want of a variable; else `None`."""
    if sys.platform != "linux" or any(environment.get(name) for name in _ADDRESSES):
        return None
    return (
        "XDG_RUNTIME_DIR is not set, so that no PulseAudio or PipeWire is found:"
        f" put XDG_RUNTIME_DIR=/run/user/{os.getuid()} in front"
    )


_lock = threading.Lock()


@contextmanager
def set_for_a_while(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, for C libraries too, and put back what was there.

    As long as one caller hangs with its variables set, another waits and sets none.
    """
    with _lock:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
