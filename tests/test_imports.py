"""Imports point one way: the walls in docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.runner import Pastream
from tests.servers import JackServer

PACKAGE = Path(__file__).parent.parent / "pastream_cli"
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))

GROUND = {"errors", "spelling", "units"}
"""What every room may import."""


def walls() -> dict[str, set[str]]:
    """Return what a room, or a module in one, may import beside the ground: the table in docs/architecture.md."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("\n## The rooms\n")[2].partition("\n## ")[0]
    rows = (line.split("|") for line in table.splitlines() if line.startswith("| `"))
    return {name: set(re.findall("`(.+?)`", row[3])) for row in rows for name in re.findall("`(.+?)`", row[1])}


WALLS = walls()

IMPORTERS: dict[str, set[str]] = {
    "cffi": {"engine/_build.py"},
    # all but the last for type checkers alone
    "numpy": {"engine/hints.py", "engine/ringbuffer.py", "engine/streams/arrays.py"},
    "pastream_cli.engine._native": {"engine/native.py"},
    "rich": {
        "screen/device_table.py",
        "screen/fields.py",
        "screen/paint.py",
        "screen/status.py",
        "screen/wrapping.py",
    },
    "sounddevice": {"engine/devices/hosts.py"},
    "soundfile": {
        "engine/files/chain.py",
        "engine/files/container.py",
        "engine/files/finishing.py",
        "engine/files/flac.py",
        "engine/files/formats.py",
        "engine/files/input_file.py",
        "engine/files/libsndfile.py",
        "engine/files/repair.py",
        "engine/files/output_file.py",
        "engine/files/readback.py",
        "engine/files/special_finish.py",
        "engine/streams/soundfiles.py",
        "engine/files/without_numpy.py",
        "engine/hints.py",  # for type checkers alone
        "engine/files/verifying.py",
    },
}
"""Who alone may import what is slow to load, has a side effect or lends private names."""


def room_of(module: str) -> str:
    """Return the room that a module, as `engine/files/paths.py`, is in; the module itself where it is in none."""
    room = module.rpartition("/")[0]
    return f"{room}/" if room else module


@cache
def imports_of(module: str) -> set[str]:
    """Return what a file imports anywhere in it: ``a.b.c`` also for ``from a.b import c``, be that a module or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports_of(module: str) -> set[str]:
    """Return the modules of the package that a file imports, without the package's name."""
    return {_module_of(name) for name in imports_of(module) if name.startswith("pastream_cli.")}


def _module_of(name: str) -> str:
    path = name.removeprefix("pastream_cli.")
    parent = path.rpartition(".")[0]
    is_module = any((PACKAGE / f"{parent.replace('.', '/')}{suffix}").is_file() for suffix in (".py", ".pyi"))
    return parent if is_module else path


def test_every_room_has_its_row_and_every_row_is_of_something() -> None:
    rooms = {room_of(module) for module in MODULES}
    assert rooms <= set(WALLS) <= rooms | set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_keeps_to_its_room_and_those_below(module: str) -> None:
    room = room_of(module)
    allowed = WALLS[room] | WALLS.get(module, set()) | GROUND | {_dotted(room)}
    forbidden = {name for name in own_imports_of(module) if not {name, _parent(name)} & allowed}
    assert not forbidden, f"{module} imports {', '.join(sorted(forbidden))}, see docs/architecture.md"


def _dotted(room: str) -> str:
    return room.removesuffix("/").replace("/", ".")


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def test_nothing_imports_what_makes_the_pages() -> None:
    importers = {module for module in MODULES for name in own_imports_of(module) if f"{name}.".startswith("pages.")}
    assert {room_of(module) for module in importers} == {"pages/"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: {f"{name.replace('.', '/')}.py" for name in own_imports_of(module)} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())  # a CycleError names the circle


@pytest.mark.parametrize("library", sorted(IMPORTERS))
def test_a_library_has_no_other_importers(library: str) -> None:
    importers = {module for module in MODULES for name in imports_of(module) if f"{name}.".startswith(f"{library}.")}
    assert importers == IMPORTERS[library]


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("--man",), ("--completions=zsh",), ("-d", "ten", "in.wav"), ()]
)
def test_what_needs_no_sound_loads_no_audio_library(pastream: Pastream, arguments: tuple[str, ...]) -> None:
    result = pastream(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == (0 if "--" in "".join(arguments) else 2)
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "pastream_cli.args" in loaded
    assert "pastream_cli.engine" not in loaded
    assert not {name for name in loaded if name.split(".")[0] in IMPORTERS}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("--no-such-option",), ()])
def test_help_version_and_slips_load_nothing_that_takes_longer_than_they_do(arguments: tuple[str, ...]) -> None:
    run = subprocess.run(
        # -S: what a test environment adds to every start is not ours
        [sys.executable, "-S", "-c", "from pastream_cli.__main__ import main; main()", *arguments],
        cwd=PACKAGE.parent,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}
    assert "pastream_cli.args" in loaded
    slow = {"argparse", "dataclasses", "datetime", "difflib", "inspect", "pathlib", "re", "shlex", "typing"}
    assert not slow & loaded


def test_a_quiet_recording_loads_neither_arrays_nor_colours(pastream: Pastream) -> None:
    # -v: the program's own stderr is then that of its libraries too
    result = pastream("-v", "-D", "virtual", "-d", "0.01", "null", "take.wav", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "soundfile" in loaded
    assert not {"numpy", "rich", "sounddevice"} & loaded
    assert not {name for name in loaded if name.endswith(("_hints", ".spelling", ".synonyms"))}, "nothing was mistyped"


ASK_A_HOST = """
import sys
from pastream_cli.engine.devices import host_program
request = {"act": "choose", "text": %r, "sides": ["capture"], "rate_matters": True}
answer = host_program.Program().answer(request)
assert "result" in answer, answer
print(*sys.modules)
"""


@pytest.mark.parametrize("device", [None, "loopback", "loopback, JACK Audio Connection Kit"])
def test_a_recording_on_jack_asks_no_other_sound_server(jackd: JackServer, device: str | None) -> None:
    asked = [sys.executable, "-c", ASK_A_HOST % device]
    run = subprocess.run(asked, env=jackd.environment, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert "sounddevice" in loaded
    assert not {name for name in loaded if name.startswith("pastream_cli.engine.devices.pulse")}


def test_a_list_of_devices_loads_nothing_that_takes_longer_than_the_list(pastream: Pastream) -> None:
    result = pastream("-v", "-l", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "pastream_cli.take.listing" in loaded
    assert not {"dataclasses", "fractions", "numpy", "pastream_cli.take.report", "soundfile"} & loaded
