"""The C core without Python: hours of its life in seconds, under the sanitizers, from one seed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pastream_cli.engine import _build

HERE = Path(__file__).resolve().parent
COMPILERS = ("gcc", "clang")
COMMON_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-pthread", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
CHECKED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all")
BUILDS = {
    "plain": tuple(_build.GNU_FLAGS),
    "address-undefined": (*CHECKED, "-fsanitize=address,undefined"),
    "thread": (*CHECKED, "-fsanitize=thread"),
}
SANITIZER_OPTIONS = {"TSAN_OPTIONS": "halt_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
THREAD_SANITIZER_FAILED = 66
SEED = 1
# What ThreadSanitizer says where the kernel scatters memory more widely than it can follow.
SCATTERED_MEMORY = "unexpected memory mapping"


@cache
def compiler_for(flags: tuple[str, ...]) -> str | None:
    """Return the first compiler that is installed and has the runtime libraries that `flags` need."""
    for compiler in COMPILERS:
        if shutil.which(compiler):
            command = [compiler, *flags, "-x", "c", "-", "-o", os.devnull]
            linked = subprocess.run(
                command, input="int main(void) { return 0; }", text=True, check=False, stderr=subprocess.DEVNULL
            )
            if linked.returncode == 0:
                return compiler
    return None


def build_stress(build: str, target: Path, engine: Path = _build.HERE) -> Path:
    """Compile and link the stress program with the core that is in `engine`."""
    flags = BUILDS[build]
    compiler = compiler_for(flags)
    if compiler is None:
        pytest.skip(f"neither {' nor '.join(COMPILERS)} can link with {flags[-1]}")
    sources = [*sorted(HERE.glob("stress*.c")), *(engine / name for name in _build.SOURCES)]
    folders = (f"-I{engine}", f"-I{HERE}")
    command = [compiler, *COMMON_FLAGS, *flags, *folders, *map(str, sources), "-lm", "-o", str(target)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return target


def run_stress(program: Path, part: str, cases: int) -> subprocess.CompletedProcess[str]:
    """Run so many cases of one part; the last line of its output gives the arguments that repeat the last case."""
    command = [str(program), part, str(cases), str(SEED)]
    environment = {**os.environ, **SANITIZER_OPTIONS}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if SCATTERED_MEMORY in result.stderr:
        orderly = ["setarch", "--addr-no-randomize", *command]
        if not shutil.which("setarch"):
            pytest.skip("ThreadSanitizer needs setarch on this kernel (Debian package util-linux)")
        result = subprocess.run(orderly, capture_output=True, text=True, check=False, env=environment)
        if "setarch: failed" in result.stderr:
            pytest.skip(f"ThreadSanitizer cannot run on this kernel: {result.stderr.strip()}")
    return result


def folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the workers of a test run share, which its next run does not."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="module")
def stress(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the program once: the worker that comes first does, and the others wait for it."""
    program = folder_of_the_run(tmp_path_factory) / f"stress-{request.param}"
    with open(f"{program}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        return program if program.exists() else build_stress(request.param, program)


@pytest.mark.parametrize("stress", BUILDS, indirect=True)
@pytest.mark.parametrize(
    ("part", "cases"),
    [
        ("ring", 150),
        ("formats", 10000),
        ("samples", 600),
        ("device", 2500),
        ("virtual", 2000),
        ("attach", 300),
        ("scan", 2000),
        ("seek", 300),
        ("copies", 300),
        ("trigger", 300),
    ],
)
def test_no_stress_breaks_a_promise_of_the_core(
    stress: Path, part: str, cases: int, campaign: Callable[[int], int]
) -> None:
    result = run_stress(stress, part, campaign(cases))
    assert result.returncode == 0, f"stress {result.stdout.splitlines()[-1]}\n{result.stderr}"
    assert result.stderr == ""


@pytest.mark.parametrize("function", ["ring_publish", "ring_consume"])
def test_a_broken_memory_order_in_the_ring_is_caught(tmp_path: Path, function: str) -> None:
    engine = tmp_path / "engine"
    shutil.copytree(_build.HERE, engine, ignore=shutil.ignore_patterns("_native.*", "*.py", "__pycache__"))
    header = engine / "_ring.h"
    text = header.read_text(encoding="utf-8")
    body = re.search(rf"\b{function}\s*\([^)]*\)\s*\{{[^}}]*\}}", text)
    assert body, f"{function} is not in _ring.h any more"
    assert body[0].count("memory_order_release") == 1
    header.write_text(text.replace(body[0], body[0].replace("memory_order_release", "memory_order_relaxed")), "utf-8")
    result = run_stress(build_stress("thread", tmp_path / "stress", engine), "ring", 5)
    assert result.returncode == THREAD_SANITIZER_FAILED, result.stderr
    assert "data race" in result.stderr


def test_a_callback_that_says_too_late_that_it_is_there_is_caught(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    shutil.copytree(_build.HERE, engine, ignore=shutil.ignore_patterns("_native.*", "*.py", "__pycache__"))
    header = engine / "_attachment.h"
    text = header.read_text(encoding="utf-8")
    in_order = "    atomic_store(&a->in_callback, 1);\n    return atomic_load(&a->engine);\n"
    # the nap makes it certain that an engine goes in between
    too_late = (
        "    engine *e = atomic_load(&a->engine);\n    nap(50000);\n"
        "    atomic_store(&a->in_callback, 1);\n    return e;\n"
    )
    assert text.count(in_order) == 1
    header.write_text(text.replace(in_order, too_late), encoding="utf-8")
    result = run_stress(build_stress("thread", tmp_path / "stress", engine), "attach", 300)
    assert result.returncode == THREAD_SANITIZER_FAILED, result.stderr
    # the callback meets an engine that is being freed, has been freed, or is gone from the address space
    caught = ("data race", "heap-use-after-free", "SEGV")
    assert any(fault in result.stderr for fault in caught), result.stderr
