"""The commands in the guide do what it says, as they are printed, page by page."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pastream_cli import args
from pastream_cli.errors import PastreamError
from tests.homes import need
from tests.printed import INSTALLED_IN, make_what_it_plays, plug_in_what_a_reader_has, run_as_printed
from tests.servers import PulseServer, Server

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name not in {"architecture.md", "benchmarks.md"})
AT_ONCE = 8

STAND_INS = {
    "ssh": 'while [ "${1#-}" != "$1" ]; do shift; done\nshift\nexec bash -c "$*"',
    "systemd-inhibit": 'exec "$@"',
    "systemctl": "exit 0",
    "loginctl": "exit 0",
}
"""Programs that a reader has and a machine for tests has not, each with what the rest of its line does."""

OTHER_SERVERS = {"JACK": "jackd", "PipeWire": "pipewire"}
"""The titles of sections whose commands do not run on PulseAudio, each with the fixture of their server."""

NEEDED = ("bash", "ffmpeg", "jq", "sox")
FOLDERS_AT_HOME = ("backup", "log")
GIVEN = ("a.wav", "b.wav", "broken.flac", "broken.wav", "in.mp3")
"""Files that the guide speaks of, and that none of its commands makes."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CRON_LINE = re.compile(r"^(?:(?:[\d*/,-]+ ){5}|@\w+ )(.+)$", re.MULTILINE)
_CRON_VARIABLE = re.compile(r"^([A-Z_]+)=(.+)$", re.MULTILINE)
_UNIT_COMMAND = re.compile(r"^ExecStart=(.+)$", re.MULTILINE)


def sections(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the title and text of each section of a page."""
    _, *parts = re.split(r"^#+ (.+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    yield from zip(parts[::2], parts[1::2], strict=True)


def commands(page: Path) -> list[tuple[str, str]]:
    """Return the command lines of a page, each with the title of its section."""
    found = []
    for title, text in sections(page):
        for language, block in _FENCE.findall(text):
            if language == "sh":
                found += [(title, line) for line in block.replace("\\\n", "").splitlines()]
            elif language == "ini":
                found += [(title, line.replace("%h", "$HOME")) for line in _UNIT_COMMAND.findall(block)]
            elif language == "text":
                variables = " ".join(f"{name}={value}" for name, value in _CRON_VARIABLE.findall(block))
                found += [(title, f"env -i HOME=$HOME {variables} {line}") for line in _CRON_LINE.findall(block)]
    return found


def here(words: str, environment: dict[str, str]) -> str:
    """Return a command line with the paths of this machine where cron and systemd have those of the reader's."""
    own_path = f"PATH={environment['PATH']}"
    own_folder = f"XDG_RUNTIME_DIR={environment['XDG_RUNTIME_DIR']}"
    words = words.replace("/usr/local/bin/pastream", "pastream").replace("XDG_RUNTIME_DIR=/run/user/1000", own_folder)
    return words.replace("PATH=/usr/local/bin:/usr/bin:/bin", own_path)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The folder in which a reader has what the guide takes for granted."""
    need(*NEEDED)
    given = tmp_path / "given"
    given.mkdir()
    for name in GIVEN:
        make_what_it_plays(given, f"pastream {name}")
    encode = ["ffmpeg", "-v", "error", "-i", "a.wav", "talk.m4a"]
    subprocess.run(encode, cwd=given, check=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in STAND_INS.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    return tmp_path


def follow(page: Path, reader: Path, servers: dict[str, Server]) -> list[tuple[str, int, str]]:
    """Type the commands of a page one after the other, in one folder; return those that failed."""
    folder = reader / page.stem
    shutil.copytree(reader / "given", folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    failed = []
    for title, printed in commands(page):
        server = servers.get(title, servers[""])
        path = os.pathsep.join((str(reader / "bin"), INSTALLED_IN, os.environ["PATH"]))
        environment = {**server.environment, "PATH": path}
        code, said = run_as_printed(here(printed, environment), folder, environment)
        if code:
            failed.append((printed, code, said))
    return failed


def test_the_guide_has_commands_on_every_page_of_a_task() -> None:
    assert all(commands(page) for page in PAGES if page.parent.name == "tasks")
    assert sum(len(commands(page)) for page in PAGES) > 50


def test_every_command_in_the_guide_runs_as_printed(
    request: pytest.FixtureRequest, reader: Path, fresh_pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    plug_in_what_a_reader_has(fresh_pulseaudio)
    for name in FOLDERS_AT_HOME:
        (fresh_pulseaudio.home / name).mkdir()
    pages = [page for page in PAGES if commands(page)]
    pages = random.Random(4).sample(pages, min(len(pages), campaign(3 * len(pages))))
    titles = {title for page in pages for title, _ in commands(page)}
    servers = {title: request.getfixturevalue(name) for title, name in OTHER_SERVERS.items() if title in titles}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda page: follow(page, reader, {**servers, "": fresh_pulseaudio}), pages)
        assert {page.name: failed for page, failed in zip(pages, results, strict=True) if failed} == {}
    assert not list(reader.glob("*/~")), "a ~ in quotes is a folder of that name"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "`pastream " in page.read_text()], ids=lambda page: page.stem
)
def test_every_command_that_is_named_in_passing_can_be_typed(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\|", "|")
    for line in re.findall(r"`pastream ([^`\n]+)`", text):
        words = shlex.split(line.partition(" | ")[0])
        try:
            args.parse(words)
        except PastreamError as error:
            pytest.fail(f"pastream {line}: {error}")
