"""Puts the mend in `_alsa.c` in front of ALSA's plug-in for PulseAudio."""

from __future__ import annotations

import sys
from typing import Any

from pastream_cli.engine.native import ffi, module_path

_MADE_GLOBAL: list[Any] = []
"""The module as the linker lends it: closing that would take the mend away."""


def mend_pulse_plugin() -> None:
    """Have libraries that are loaded from now on, PortAudio among them, find what _alsa.c exports.

    Of the module they find nothing else: all but that is hidden. Without effect where PortAudio was loaded before.
    """
    if sys.platform == "linux" and not _MADE_GLOBAL:
        _MADE_GLOBAL.append(ffi.dlopen(module_path, ffi.RTLD_NOW | ffi.RTLD_GLOBAL))
