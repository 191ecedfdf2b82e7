"""What people mistype, and what they are answered: the right command, at once.

The table is in `mistyped.txt`: what is typed, the exact lines on standard error, and the exit code where it is not 2.
Most lines are refused before anything is opened: these are asked in this process, and some of them by the command too.
"""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pastream_cli.args import parse
from pastream_cli.command.job import Job
from pastream_cli.errors import PastreamError, error_lines
from pastream_cli.take.checking import check_names
from pastream_cli.take.ways_out import told
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
    """A folder with two mono files, a stereo one, some that are no sound, and a folder of takes."""
    folder = tmp_path_factory.mktemp("folder")
    for name, channels in (("a", 1), ("b", 1), ("stereo", 2)):
        make_noise(folder / f"{name}.wav", 4800, channels)
    (folder / "takes").mkdir()
    for name, content in (
        ("noise.raw", bytes(range(256))),
        ("notes.txt", b"one two three\n"),
        ("list.m3u", b"#EXTM3U\na.wav\nb.wav\n"),
        ("list.pls", b"[playlist]\nFile1=a.wav\n"),
    ):
        (folder / name).write_bytes(content)
    return folder


def test_the_table_is_long_and_repeats_nothing() -> None:
    lines = [typed for typed, _, _ in answers()]
    assert len(lines) == len(set(lines)) > 200


def refused_at_once(words: Sequence[str]) -> tuple[list[str], int] | None:
    """Return what the command answers where it refuses a line before it opens anything, and the exit code."""
    try:
        job = parse(words)
    except PastreamError as error:
        return error_lines(error.message, error.way_out), error.exit_code
    assert isinstance(job, Job)
    try:
        check_names(job)
    except PastreamError as error:
        return error_lines(*told(error, job)), error.exit_code
    return None


def check(forks: Forks, folder: Path, words: Sequence[str], lines: list[str], code: int) -> None:
    """Run a line, and compare what is answered; only a recording leaves something in the folder."""
    before = contents(folder)
    result = forks(*words, cwd=folder)
    assert (result.stderr.splitlines(), result.returncode) == (lines, code)
    made = contents(folder).keys() - before.keys()
    for name in made:
        Path(name).unlink()
    assert bool(made) == any(line.startswith("pastream: recording ") for line in lines)
    after = contents(folder)
    assert {name: after[name][3] for name in after} == {name: before[name][3] for name in before}


def test_what_is_mistyped_is_answered_with_what_is_right(
    forks: Forks, folder: Path, campaign: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    table = answers()
    run = random.Random(1).sample(table, campaign(len(table)))
    for answer in table:
        typed, lines, code = answer
        words = shlex.split(typed)[1:]
        refused = refused_at_once(words)
        assert refused is None or refused == (lines, code), typed
        if refused is None or answer in run:
            check(forks, folder, words, lines, code)
