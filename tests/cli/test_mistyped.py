"""What people mistype, and what they are answered: the right command, at once.

The table is in `mistyped.txt`: what is typed, the exact lines on standard error, and the exit code where it is not 2.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.forks import Forks
from tests.refusals import contents
from tests.sounds import make_noise

TABLE = Path(__file__).parent / "mistyped.txt"
PROMPT = "$ "
USAGE = 2


def answers() -> list[tuple[str, list[str], int]]:
    """Return what is typed, the lines of the answer, and the exit code."""
    found = []
    for block in re.split(r"^\$ ", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        typed, *lines = block.partition("\n\n")[0].splitlines()
        code = int(lines.pop().removeprefix("exit ")) if lines[-1].startswith("exit ") else USAGE
        found.append((typed, lines, code))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two mono files, a stereo one and a folder of takes."""
    folder = tmp_path_factory.mktemp("folder")
    for name, channels in (("a", 1), ("b", 1), ("stereo", 2)):
        make_noise(folder / f"{name}.wav", 4800, channels)
    (folder / "takes").mkdir()
    return folder


def test_the_table_is_long_and_repeats_nothing() -> None:
    lines = [typed for typed, _, _ in answers()]
    assert len(lines) == len(set(lines)) > 200


@pytest.mark.parametrize(("typed", "lines", "code"), answers(), ids=lambda value: str(value)[:40])
def test_what_is_mistyped_is_answered_with_what_is_right(
    forks: Forks, folder: Path, typed: str, lines: list[str], code: int
) -> None:
    before = contents(folder)
    result = forks(*shlex.split(typed)[1:], cwd=folder)
    assert (result.stderr.splitlines(), result.returncode) == (lines, code)
    made = contents(folder).keys() - before.keys()
    for name in made:
        Path(name).unlink()
    assert bool(made) == any(line.startswith("pastream: recording ") for line in lines)
    after = contents(folder)
    assert {name: after[name][3] for name in after} == {name: before[name][3] for name in before}
