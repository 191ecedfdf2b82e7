"""The environment variables by which a sound server is found; cron and sudo do not pass them on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

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
