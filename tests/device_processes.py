"""The processes in which the command has its devices, found as a system administrator would find them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def hosts_of(take: int) -> list[int]:
    """Return the processes that serve a take, or served it: they know its number after its end too."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _serves(folder, take)]


def _serves(folder: Path, take: int) -> bool:
    with suppress(OSError):
        words = (folder / "cmdline").read_bytes().split(b"\0")
        return any(word.endswith(b"host_main.py") and words[n + 1] == b"%d" % take for n, word in enumerate(words))
    return False


def host_of(take: int) -> int | None:
    """Return the process of the device of a take; `None` while there is none."""
    return next(filter(is_there, hosts_of(take)), None)


def is_there(process: int) -> bool:
    """Tell whether a process has not ended."""
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    return False
