"""Imports point one way: the walls of the architecture, held against the code."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.runner import Pastream

PACKAGE = Path(__file__).parent.parent / "pastream_cli"
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))

ENGINE = "engine"
"""In the table: every module of the engine, whose own row is one for all of them."""

ALLOWED: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {
        "__version__",
        ENGINE,
        "args",
        "completing",
        "errors",
        "job",
        "jsonreport",
        "keys",
        "listing",
        "noise",
        "report",
        "screen",
        "session",
        "signals",
        "worker",
    },
    "args": {"errors", "job", "line", "options", "units", "values"},
    "bars": {"levels", "report"},
    "completing": {ENGINE, "errors", "noise", "worker"},
    "deviceinfo": set(),
    ENGINE: {ENGINE, "deviceinfo", "errors", "report", "threads", "units", "watch", "worker"},
    "ending": {ENGINE, "errors", "outcome", "recording", "signals", "waiting", "worker"},
    "errors": set(),
    "generate": {"__version__", "args", "manual", "options", "shells"},
    "job": {"errors", "units"},
    "jsonreport": {"__version__", "deviceinfo", "errors", "job", "report", "units"},
    "keys": {"signals"},
    "levels": set(),
    "line": {"errors", "options", "units"},
    "lines": {"errors", "job", "levels", "report", "units"},
    "listing": {ENGINE, "deviceinfo", "errors", "signals", "worker"},
    "manual": {"recipes"},
    "meter": {"bars", "errors", "levels", "lines", "report", "units"},
    "naming": {"errors"},
    "noise": set(),
    "opening": {ENGINE, "errors", "job", "plan", "recording", "report"},
    "options": set(),
    "outcome": {ENGINE, "errors", "report", "tally", "waiting"},
    "paint": {"bars"},
    "plan": {ENGINE, "deviceinfo", "errors", "job", "units"},
    "recipes": set(),
    "recording": {ENGINE, "errors", "job", "naming", "plan", "report", "units", "worker"},
    "report": {"errors"},
    "screen": {"errors", "job", "keys", "levels", "lines", "meter", "paint", "report", "terminal"},
    "session": {
        ENGINE,
        "ending",
        "errors",
        "job",
        "naming",
        "opening",
        "outcome",
        "plan",
        "recording",
        "report",
        "signals",
        "tally",
        "units",
        "waiting",
        "watch",
        "worker",
    },
    "shells": {"args", "options"},
    "signals": set(),
    "tally": {ENGINE, "plan", "recording", "report", "watch"},
    "terminal": set(),
    "threads": {"errors"},
    "units": {"errors"},
    "values": {"errors", "job", "options", "units"},
    "waiting": {"signals", "worker"},
    "watch": {"report"},
    "worker": {"threads"},
}

IMPORTERS: dict[str, set[str]] = {
    "cffi": {"engine/_build.py"},
    "numpy": {"engine/buffers.py"},
    "pastream_cli.engine._native": {"engine/native.py"},
    "rich": {"listing.py", "meter.py", "paint.py"},
    "sounddevice": {"engine/portaudio.py"},
    "soundfile": {
        "engine/container.py",
        "engine/finishing.py",
        "engine/formats.py",
        "engine/input_file.py",
        "engine/libsndfile.py",
        "engine/mending.py",
        "engine/output_file.py",
        "engine/readback.py",
        "engine/soundfiles.py",
        "engine/without_numpy.py",
    },
}
"""Who alone may import what is slow to load, has a side effect or lends private names."""


def row_of(module: str) -> str:
    """Return the name of the row of the table that a file belongs to."""
    return ENGINE if module.startswith("engine/") else module.removesuffix(".py")


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
    return parent if f"{parent.replace('.', '/')}.py" in MODULES else path


def test_every_module_has_its_row() -> None:
    assert set(ALLOWED) == {row_of(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_the_table_allows(module: str) -> None:
    allowed = ALLOWED.get(row_of(module), set())
    forbidden = {name for name in own_imports_of(module) if not {name, name.split(".")[0]} & allowed}
    assert not forbidden, f"{module} imports {', '.join(forbidden)}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: {f"{name.replace('.', '/')}.py" for name in own_imports_of(module)} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())  # a CycleError names the circle


@pytest.mark.parametrize("library", sorted(IMPORTERS))
def test_a_library_has_no_other_importers(library: str) -> None:
    importers = {module for module in MODULES for name in imports_of(module) if f"{name}.".startswith(f"{library}.")}
    assert importers == IMPORTERS[library]


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("-d", "ten", "in.wav"), ()])
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


def test_a_list_of_devices_loads_nothing_that_takes_longer_than_the_list(pastream: Pastream) -> None:
    result = pastream("-v", "-l", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "pastream_cli.take.listing" in loaded
    assert not {"dataclasses", "fractions", "numpy", "pastream_cli.take.report", "soundfile"} & loaded
