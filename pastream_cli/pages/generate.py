"""Writes all generated files: the man page, completions, the list of files, pictures, the types of the C module.

`make generate` runs it. The files are in the repository; man page and completions are installed as they are. The
command imports nothing of this folder, and a wheel does not have it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pastream_cli.pages import completions, native_stub
from pastream_cli.pages.file_list import architecture
from pastream_cli.pages.man_page import man_page
from pastream_cli.pages.pictures import data_path_picture, states_picture

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

GENERATED: dict[str, Callable[[], str]] = {
    "man/pastream.1": man_page,
    "completions/pastream.bash": completions.bash,
    "completions/_pastream": completions.zsh,
    "completions/pastream.fish": completions.fish,
    "docs/architecture.md": architecture,
    "docs/pictures/data-path.svg": data_path_picture,
    "docs/pictures/states.svg": states_picture,
    "pastream_cli/engine/_native.pyi": native_stub.stub,
}
"""Each generated file, by its path below the root of the checkout, and the function that makes it."""


def write(root: Path) -> None:
    """Write every generated file below `root`."""
    for name, make in GENERATED.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")


def outdated(root: Path) -> list[str]:
    """Return the names of the generated files below `root` that are missing or out of date."""
    return [name for name, make in GENERATED.items() if not _says(root / name, make())]


def _says(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


if __name__ == "__main__":
    write(ROOT)
