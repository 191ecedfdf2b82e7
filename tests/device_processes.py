"""The processes in which the command has its devices, found as a system administrator would find them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def hosts_of(take: int) -> list[int]:
    """Return the processes that serve a take, or served it: they are named after it, after its end too."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _name_of(folder) == f"host of {take}"]


def _name_of(folder: Path) -> str:
    with suppress(OSError):
        return (folder / "comm").read_text().rstrip()
    return ""


def host_of(take: int) -> int | None:
    """Return the process of the device of a take; `None` while there is none."""
    return next(filter(is_there, hosts_of(take)), None)


def is_there(process: int) -> bool:
    """Tell whether a process has not ended."""
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    return False
