"""Loads sounddevice without its search for PortAudio, which costs as much processor time as all else in its import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_PORTAUDIO = "libportaudio.so.2"
"""What the search finds on Linux: the linker's own name for it."""


@contextmanager
def without_search() -> Iterator[None]:
    """Have sounddevice take the linker's PortAudio, if it is loaded in this context.

    It searches by `ctypes.util`, which runs a program, and loads two modules only for systems where nothing was found.
    All of them have stand-ins here. A thread that imported one at that moment would get the stand-in, so this is for a
    host process, which knows all its threads. Where the linker has no PortAudio, loading fails; without the context it
    may still succeed.
    """
    stand_ins = {name: ModuleType(name) for name in ("ctypes", "ctypes.util", "platform", "sysconfig")}
    if sys.platform != "linux" or not stand_ins.keys().isdisjoint(sys.modules):
        yield
        return
    vars(stand_ins["ctypes.util"])["find_library"] = lambda _name: _PORTAUDIO
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]
