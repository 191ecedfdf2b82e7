"""The name that a way out records to: one that is free. Loaded for mistakes only."""

from __future__ import annotations

import os
from pathlib import PurePath

from pastream_cli.errors import typed


def output_words(name: str) -> str:
    """Return a name to record to, for a shell: with a number that is counted up where there is such a file already."""
    if os.path.isfile(name):  # noqa: PTH113 - a name may be too long for a Path
        path = PurePath(name)
        name = str(path.with_name(f"{path.stem}-{{n}}{path.suffix}"))
    return typed(name)
