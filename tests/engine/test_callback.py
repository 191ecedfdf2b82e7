"""The C core: clean under every warning, and a callback that calls nothing which could block."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pastream_cli.engine import _build, native
from tests.homes import need

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")

# What copies and fills memory, and the one clock read, by a system call that the kernel maps into the process.
HARMLESS = {"memcpy", "memmove", "memset", "clock_gettime"}
# What compilers add of their own, for position-independent code.
ADDED = {"_GLOBAL_OFFSET_TABLE_"}


def compile_source(name: str, folder: Path) -> Path:
    need("gcc")
    target = folder / f"{name}.o"
    command = ["gcc", *_build.GNU_FLAGS, *WARNINGS, "-fPIC", "-c", str(_build.HERE / name), "-o", str(target)]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    assert compiled.stderr == ""
    return target


@pytest.mark.parametrize("name", _build.SOURCES)
def test_a_source_compiles_without_a_warning(tmp_path: Path, name: str) -> None:
    compile_source(name, tmp_path)


def test_every_c_file_is_built() -> None:
    # cffi writes _native.c beside them
    assert {path.name for path in _build.HERE.glob("*.c")} - {"_native.c"} == set(_build.SOURCES)


def test_the_callback_calls_nothing_that_could_block(tmp_path: Path) -> None:
    need("nm")
    objects = [compile_source(name, tmp_path) for name in _build.REAL_TIME_SOURCES]
    linked = tmp_path / "real_time.o"
    subprocess.run(["gcc", "-nostdlib", "-r", *objects, "-o", linked], check=True)
    listing = subprocess.run(
        ["nm", "--undefined-only", "--format=just-symbols", linked], capture_output=True, text=True, check=True
    )
    called = {symbol.partition("@")[0] for symbol in listing.stdout.split()}
    assert called - ADDED <= HARMLESS
    assert "memcpy" in called


@pytest.mark.skipif(sys.platform != "linux", reason="other linkers have no such options")
def test_the_module_is_hardened() -> None:
    need("nm", "readelf")
    listing = subprocess.run(
        ["readelf", "--wide", "--dynamic", "--program-headers", native.module_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "BIND_NOW" in listing.stdout
    assert "GNU_RELRO" in listing.stdout
    symbols = subprocess.run(["nm", "--dynamic", native.module_path], capture_output=True, text=True, check=True)
    assert "__stack_chk_fail" in symbols.stdout
