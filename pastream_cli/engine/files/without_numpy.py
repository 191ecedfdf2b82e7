"""Loads soundfile without numpy for the command, which has no arrays: half of the time, and 20 MB less."""

from __future__ import annotations

import sys
from types import ModuleType


def load_soundfile() -> None:
    """Load soundfile with a stand-in for numpy: while it loads, it only needs two type aliases of it.

    A thread that imported numpy at that moment would get the stand-in. So this is for the command, which knows all its
    threads, and not for the library. If soundfile needs more, numpy is loaded as usual.
    """
    if "numpy" in sys.modules:
        return
    stand_in = ModuleType("numpy")
    # list[...] and list | list are types, as those of numpy's names are
    stand_in.__getattr__ = lambda _name: list  # type: ignore[method-assign]
    sys.modules["numpy"] = stand_in
    try:
        import soundfile  # noqa: F401
    except Exception:  # noqa: BLE001 - whatever it needs that the stand-in does not have
        sys.modules.pop("soundfile", None)
    finally:
        del sys.modules["numpy"]
