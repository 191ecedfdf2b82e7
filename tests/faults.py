"""A disk with faults: a library put before the program holds up, or refuses, what is written to one folder."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.homes import need

SOURCE = Path(__file__).with_suffix(".c")


@cache
def _build(folder: Path) -> Path:
    need("gcc")
    library = folder / "faults.so"
    command = ["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", str(SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread", "-o", str(library)], check=True)
    return library


def faulty_disk(
    build_folder: Path,
    folder: Path,
    *,
    refuse_after: int | None = None,
    is_gone: bool = False,
    refuses_sync: bool = False,
    stall_after: int | None = None,
    stall_seconds: float = 0.0,
) -> dict[str, str]:
    """Return what to add to the environment of a program that writes to `folder`.

    So far into a file, writing fails with EIO, if `is_gone` everywhere from then on; or it stalls once for so many
    seconds; or bringing data to the disk fails with EIO.
    """
    settings: dict[str, object] = {"LD_PRELOAD": _build(build_folder), "FAULTY_FOLDER": folder}
    if refuse_after is not None:
        settings["FAULTY_REFUSE_AFTER"] = refuse_after
    if is_gone:
        settings["FAULTY_GONE"] = 1
    if refuses_sync:
        settings["FAULTY_REFUSE_SYNC"] = 1
    if stall_after is not None:
        settings |= {"FAULTY_STALL_AFTER": stall_after, "FAULTY_STALL_SECONDS": stall_seconds}
    return {name: str(value) for name, value in settings.items()}
