"""The library on an engine that was built with a sanitizer: threads that start, abort and close what others use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from pastream_cli.engine import _build
from tests.engine.test_sanitizers import BUILDS, COMMON_FLAGS, SANITIZER_OPTIONS, SCATTERED_MEMORY
from tests.homes import need

THRASH = Path(__file__).resolve().parent / "thrash.py"
# The runtime library comes first in a process, before an interpreter that was built without it.
RUNTIMES = {"address-undefined": "libasan.so", "thread": "libtsan.so"}
# The loader frees what a thread had of its own when the next one takes over its stack; how it knows of the end of the
# first one is not to be seen from outside.
NO_RACES_OF_OURS = "race:_dl_deallocate_tls\n"


def build_package(build: str, folder: Path) -> Path:
    """Copy the package, with its engine compiled with a sanitizer; cffi's part of it goes without."""
    need("gcc")
    package = folder / "pastream_cli"
    shutil.copytree(_build.HERE.parent, package, ignore=shutil.ignore_patterns("_native.*", "__pycache__"))
    engine = package / "engine"
    glue = engine / "_native.c"
    _build.ffibuilder.emit_c_code(str(glue))
    includes = (f"-I{sysconfig.get_path('include')}", f"-I{engine}")
    shared = ("-fPIC", "-shared", "-lm", "-o", str(engine / "_native.abi3.so"))
    objects = folder / "glue.o"
    sources = [str(engine / name) for name in _build.SOURCES]
    for command in (
        ["gcc", "-O0", "-fPIC", "-c", *includes, str(glue), "-o", str(objects)],
        # without optimisation, in half the time
        ["gcc", *COMMON_FLAGS, *BUILDS[build], "-O0", *includes, *sources, str(objects), *shared],
    ):
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
    return package.parent


@pytest.mark.parametrize("build", RUNTIMES)
def test_threads_that_know_nothing_of_each_other_break_neither_streams_nor_files(
    build: str, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    folder = build_package(build, tmp_path)
    runtime = subprocess.run(
        ["gcc", f"-print-file-name={RUNTIMES[build]}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    command = [sys.executable, str(THRASH), str(tmp_path), str(campaign(20))]
    suppressions = tmp_path / "suppressions"
    suppressions.write_text(NO_RACES_OF_OURS)
    environment = {
        **os.environ,
        **SANITIZER_OPTIONS,
        "TSAN_OPTIONS": f"{SANITIZER_OPTIONS['TSAN_OPTIONS']} suppressions={suppressions}",
        "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps much of its memory to the end
        "LD_PRELOAD": runtime,
        "PYTHONPATH": str(folder),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if SCATTERED_MEMORY in done.stderr:
        need("setarch")
        command = ["setarch", "--addr-no-randomize", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    turns = [int(number) for number in done.stdout.split()]
    assert min(turns) > 0
