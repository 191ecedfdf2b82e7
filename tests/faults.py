"""A disk with faults: a library put before the program refuses, or holds up, what it asks of files in one folder."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.homes import need

SOURCES = (Path(__file__).with_suffix(".c"), Path(__file__).with_name("fault_rules.c"))

CALLS = (
    "open", "close", "read", "pread", "write", "pwrite", "lseek", "ftruncate", "fsync", "fdatasync", "fstat", "stat",
    "fstatvfs", "statvfs", "rename", "unlink", "dup", "fcntl", "flock", "mkdir",
)  # fmt: skip
"""What can be refused, whichever of the C library's names for it a program was linked with."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which calls a disk refuses or holds up, from when on, and how often.

    Parameters
    ----------
    calls : str
        Of `CALLS`, separated by commas; ``thread`` is the start of a thread, which is no call of a disk.
    error : int
        What they fail with; 0: they do not.
    hang_seconds : float
        For how long they hang before.
    after_bytes : int, optional
        The rule holds once a file was to be so long, and from then on; else from the beginning.
    beyond_bytes : int, optional
        It holds for what is to be written behind so many bytes of a file.
    skip : int
        So many calls are passed over.
    times : int, optional
        It holds so often; `None`: for ever.
    switch : Path, optional
        It holds only while there is such a file.
    """

    calls: str
    error: int = 0
    hang_seconds: float = 0.0
    after_bytes: int | None = None
    beyond_bytes: int | None = None
    skip: int = 0
    times: int | None = None
    switch: Path | None = None

    def __str__(self) -> str:
        words = {
            "calls": self.calls,
            "errno": self.error or None,
            "hang": self.hang_seconds or None,
            "after": self.after_bytes,
            "beyond": self.beyond_bytes,
            "skip": self.skip or None,
            "times": self.times,
            "while": self.switch,
        }
        return " ".join(f"{name}={value}" for name, value in words.items() if value is not None)


@cache
def _build(folder: Path) -> Path:
    need("gcc")
    library, built = folder / "faults.so", folder / f"faults-{threading.get_ident()}.so"
    command = ["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, *map(str, SOURCES), "-ldl", "-lpthread", "-o", str(built)], check=True)
    built.rename(library)  # several tests may come at once
    return library


def faulty_disk(build_folder: Path, folder: Path, *rules: Rule, log: Path | None = None) -> dict[str, str]:
    """Return what to add to the environment of a program whose calls for files in `folder` go by these rules.

    Each call that is struck, be it only held up for no time at all, has a line in `log`: its name, its error, ``main``
    or ``another`` for the thread, and the path of the file.
    """
    settings = {
        "LD_PRELOAD": _build(build_folder),
        "FAULTY_FOLDER": folder.resolve(),
        "FAULTS": ";".join(map(str, rules)),
    }
    if log is not None:
        settings["FAULTS_LOG"] = log
    return {name: str(value) for name, value in settings.items()}
