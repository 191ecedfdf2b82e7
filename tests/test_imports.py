"""Imports point one way: the table of the architecture, held against the code."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.runner import Pastream

PACKAGE = Path(__file__).parent.parent / "pastream_cli"
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))

ENGINE = "engine"
"""In the table: every module of the engine but the compiled one and its wall."""

ALLOWED: dict[str, set[str]] = {
    "__init__.py": set(),
    "__main__.py": {"*"},
    "args.py": {"errors", "job", "options", "units", "values"},
    "errors.py": set(),
    "generate.py": {"__version__", "args", "manual", "options"},
    "job.py": {"errors", "units"},
    "lines.py": {"job", "report", "units"},
    "listing.py": {"report", "units"},
    "manual.py": {"options"},
    "naming.py": {"errors"},
    "noise.py": set(),
    "options.py": set(),
    "plan.py": {ENGINE, "errors", "job", "report"},
    "recording.py": {ENGINE, "errors", "job", "naming", "plan", "report", "units", "worker"},
    "report.py": {"errors"},
    "screen.py": {"lines", "report"},
    "session.py": {
        ENGINE,
        "engine.native",  # arms the exit code against hosts that abort
        "errors",
        "job",
        "naming",
        "plan",
        "recording",
        "report",
        "signals",
        "watch",
        "worker",
    },
    "signals.py": set(),
    "units.py": {"errors"},
    "values.py": {"errors", "job", "options", "units"},
    "watch.py": {"report"},
    "worker.py": set(),
    "engine/__init__.py": {ENGINE, "errors", "report"},
    "engine/_build.py": set(),
    "engine/files.py": {"engine.native", "errors", "report"},
    "engine/matching.py": {"errors", "report"},
    "engine/native.py": {"engine._native", "errors"},
    "engine/portaudio.py": {"engine.native", "engine.sides", "errors", "report"},
    "engine/ringbuffer.py": {"engine.native"},
    "engine/sides.py": {"engine.native", "report"},
    "engine/stream.py": {ENGINE, "engine.native", "errors", "report"},
    "engine/virtual.py": {"engine.native", "errors", "report", "units"},
}

ONLY_IMPORTER = {
    "cffi": "engine/_build.py",
    "rich": "meter.py",
    "sounddevice": "engine/portaudio.py",
    "soundfile": "engine/files.py",
}

HEAVY = {"cffi", "numpy", "rich", "sounddevice", "soundfile"}


def imports_of(module: str) -> set[str]:
    """Return what a module imports anywhere in it, by full names, ``a.b.c`` for ``from a.b import c``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports_of(module: str) -> set[str]:
    """Return the modules of the package that a module imports, as the table names them."""
    return {_module_of(name) for name in imports_of(module) if name.startswith("pastream_cli.")}


def _module_of(name: str) -> str:
    path = name.removeprefix("pastream_cli.")
    for candidate in (path, path.rpartition(".")[0]):
        if (PACKAGE / f"{candidate.replace('.', '/')}.py").exists() or candidate == "engine._native":
            return candidate
    return path


def allows(row: set[str], imported: str) -> bool:
    """Tell whether a row of the table allows the import of a module."""
    is_engine = imported.startswith("engine.") and imported not in {"engine.native", "engine._native"}
    return "*" in row or imported in row or (is_engine and ENGINE in row)


def test_every_module_has_its_row() -> None:
    assert sorted(ALLOWED) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_the_table_allows(module: str) -> None:
    forbidden = {name for name in own_imports_of(module) if not allows(ALLOWED[module], name)}
    assert not forbidden, f"{module} imports {forbidden}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    def file_of(name: str) -> str:
        return f"{name.replace('.', '/')}.py"

    graph = {module: {file_of(name) for name in own_imports_of(module)} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())  # a CycleError names the circle


@pytest.mark.parametrize("library", sorted(ONLY_IMPORTER))
def test_a_library_has_one_importer(library: str) -> None:
    importers = {module for module in MODULES for name in imports_of(module) if name.split(".")[0] == library}
    assert importers <= {ONLY_IMPORTER[library]}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("-d", "ten", "in.wav"), ()])
def test_what_needs_no_sound_loads_no_audio_library(pastream: Pastream, arguments: tuple[str, ...]) -> None:
    result = pastream(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == (0 if arguments and arguments[0].startswith("--") else 2)
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "pastream_cli.args" in loaded
    assert not {name for name in loaded if name.split(".")[0] in HEAVY}
    assert "pastream_cli.engine" not in loaded
