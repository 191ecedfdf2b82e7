"""Loads soundfile without numpy for the command, which has no arrays: that saves a third of a start, and 11 MB."""

from __future__ import annotations

import sys
from types import ModuleType


def load_soundfile() -> None:
    """Load soundfile with a stand-in for numpy, of which it needs only two type aliases while it loads.

    A thread that imported numpy at that moment would get the stand-in. So this is for the command, which knows all its
    threads, and not for the library. If soundfile needs more, numpy is loaded as usual.
    """
    if "numpy" in sys.modules:
        return
    stand_in = ModuleType("numpy")
    # soundfile makes types of numpy's names, by [...] and |; of list they can be made too
    stand_in.__getattr__ = lambda _name: list  # type: ignore[method-assign]
    sys.modules["numpy"] = stand_in
    try:
        import soundfile  # noqa: F401
    except Exception:  # noqa: BLE001 - whatever it needs that the stand-in does not have
        sys.modules.pop("soundfile", None)
    finally:
        del sys.modules["numpy"]
