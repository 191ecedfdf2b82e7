"""The commands in the README do what it says, as they are printed; it fits a screen, and leads to what is there."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.homes import need
from tests.printed import INSTALLED_IN, plug_in_what_a_reader_has, run_as_printed
from tests.servers import PulseServer

README = Path(__file__).parents[1] / "README.md"


def printed_commands() -> list[str]:
    """Return the command lines of the README."""
    lines = re.findall(r"^    (\S.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.split(r"\s{2,}", line)[0] for line in lines]  # what it does stands beside it


def test_the_readme_fits_a_screen_and_has_two_commands_and_five_examples() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 50
    assert len(printed_commands()) == 2 + 5


def test_the_readme_leads_to_nothing_that_is_not_there() -> None:
    links = re.findall(r"\]\(([^)#]+)", README.read_text(encoding="utf-8"))
    assert len(links) > 10
    assert not [link for link in links if not (README.parent / link).exists()]


def test_every_command_in_the_readme_runs_as_printed(tmp_path: Path, fresh_pulseaudio: PulseServer) -> None:
    need("bash", "sox")
    plug_in_what_a_reader_has(fresh_pulseaudio)
    environment = {**fresh_pulseaudio.environment, "PATH": f"{INSTALLED_IN}{os.pathsep}{os.environ['PATH']}"}
    commands = printed_commands()

    def run(number: int) -> tuple[int, str]:
        folder = tmp_path / str(number)
        folder.mkdir()
        return run_as_printed(commands[number], folder, environment)

    with ThreadPoolExecutor(4) as pool:
        results = dict(zip(commands, pool.map(run, range(len(commands))), strict=True))
    assert {words: result for words, result in results.items() if result[0] != 0} == {}
