"""Loads soundfile without numpy for the command, which has no arrays: half of the time, and 20 MB less."""

from __future__ import annotations

import sys
from types import ModuleType


def load_soundfile() -> None:
    """Load soundfile alone, which takes two type aliases from numpy when it is loaded, and arrays from it only later.

    Whoever loads numpy meanwhile would get the stand-in: this is for a program that knows all its threads, and for no
    library. Where soundfile wants more, numpy is loaded as ever.
    """
    if "numpy" in sys.modules:
        return
    stand_in = ModuleType("numpy")
    # list[...] and list | list are types, as those of numpy's names are
    stand_in.__getattr__ = lambda _name: list  # type: ignore[method-assign]
    sys.modules["numpy"] = stand_in
    try:
        import soundfile  # noqa: F401
    except Exception:  # noqa: BLE001 - whatever it wants of the stand-in
        sys.modules.pop("soundfile", None)
    finally:
        del sys.modules["numpy"]
