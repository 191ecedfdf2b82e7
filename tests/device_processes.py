"""The processes in which the command has its devices, found as a system administrator would find them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def host_of(take: int) -> int | None:
    """Return the process of the device of a take; `None` while there is none."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            state, parent, *_ = (folder / "stat").read_text().rpartition(") ")[2].split()
            if int(parent) == take and state != "Z" and b"host_main.py" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None
