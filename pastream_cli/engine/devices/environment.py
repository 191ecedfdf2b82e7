"""The variables of the environment that lead to a sound server, and which cron and sudo leave out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_ADDRESSES = ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_SERVER", "PIPEWIRE_RUNTIME_DIR")
"""One of them leads to a user's sound server. cron, su and sudo hand down none."""


def way_to_servers(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return how to have the sound servers of this user found, where they cannot be; `None` elsewhere."""
    if sys.platform != "linux" or any(environment.get(name) for name in _ADDRESSES):
        return None
    return (
        "XDG_RUNTIME_DIR is not set, so that no PulseAudio or PipeWire is found:"
        f" put XDG_RUNTIME_DIR=/run/user/{os.getuid()} in front"
    )
