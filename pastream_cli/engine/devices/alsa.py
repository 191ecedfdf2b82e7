"""Lets `_alsa.c` and `_pulse.c` take the place of functions of ALSA and libpulse, for ALSA's plug-in for PulseAudio."""

from __future__ import annotations

import sys
from typing import Any

from pastream_cli.engine.native import ffi, module_path

_MADE_GLOBAL: list[Any] = []
"""The linker's handle of the module: if it were closed, the fix would be gone."""


def mend_pulse_plugin() -> None:
    """Have libraries that are loaded from now on, PortAudio among them, find what these two export.

    They find nothing else of the module, because all its other symbols are hidden. If PortAudio was loaded before, this
    has no effect.
    """
    if sys.platform == "linux" and not _MADE_GLOBAL:
        _MADE_GLOBAL.append(ffi.dlopen(module_path, ffi.RTLD_NOW | ffi.RTLD_GLOBAL))
