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


def sources_of(engine: Path) -> list[Path]:
    """Return the files of the stress program and of the core that is in `engine`."""
    return [*sorted(HERE.glob("stress*.c")), *(engine / name for name in _build.SOURCES)]


def compiler_command(build: str, engine: Path) -> list[str]:
    """Return the beginning of what compiles or links for a build."""
    flags = BUILDS[build]
    compiler = compiler_for(flags)
    if compiler is None:
        pytest.skip(f"neither {' nor '.join(COMPILERS)} can link with {flags[-1]}")
    return [compiler, *COMMON_FLAGS, *flags, f"-I{engine}", f"-I{HERE}"]


def build_stress(build: str, target: Path, engine: Path = _build.HERE, objects: dict[str, Path] | None = None) -> Path:
    """Compile and link the stress program with the core that is in `engine`; some may have been compiled already.

    The objects are left beside the program.
    """
    command = compiler_command(build, engine)
    folder = target.parent / f"{target.name}-objects"
    folder.mkdir(exist_ok=True)
    ready = objects or {}
    new = [source for source in sources_of(engine) if source.name not in ready]
    run_compiler([*command, "-c", *map(str, new)], folder)
    linked = [ready.get(source.name, folder / f"{source.stem}.o") for source in sources_of(engine)]
    run_compiler([*command, *map(str, linked), "-lm", "-o", str(target)], folder)
    return target


def run_compiler(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects_without(header: str, program: Path, build: str) -> dict[str, Path]:
    """Return the objects of a program whose sources do not include a header, by the names of these sources."""
    folder = program.parent / f"{program.name}-objects"
    found = {}
    command = [*compiler_command(build, _build.HERE), "-MM", *map(str, sources_of(_build.HERE))]
    for rule in run_compiler(command, folder).replace("\\\n", " ").splitlines():
        object_name, _, files = rule.partition(":")
        if header not in {Path(file).name for file in files.split()}:
            found[Path(object_name).with_suffix(".c").name] = folder / object_name
    assert 0 < len(found) < len(sources_of(_build.HERE))
    return found


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
    """The program, in the build that a test asks for."""
    return built_once(request.param, tmp_path_factory)


def built_once(build: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the program once: the worker that comes first does, and the others wait for it."""
    program = folder_of_the_run(tmp_path_factory) / f"stress-{build}"
    with open(f"{program}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        return program if program.exists() else build_stress(build, program)


def build_broken(header: str, engine: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the program with a core in `engine` whose header was changed: what does not include it stays as it is."""
    ready = objects_without(header, built_once("thread", tmp_path_factory), "thread")
    return build_stress("thread", tmp_path / "stress", engine, ready)


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
def test_a_broken_memory_order_in_the_ring_is_caught(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, function: str
) -> None:
    engine = tmp_path / "engine"
    shutil.copytree(_build.HERE, engine, ignore=shutil.ignore_patterns("_native.*", "*.py", "__pycache__"))
    header = engine / "_ring.h"
    text = header.read_text(encoding="utf-8")
    body = re.search(rf"\b{function}\s*\([^)]*\)\s*\{{[^}}]*\}}", text)
    assert body, f"{function} is not in _ring.h any more"
    assert body[0].count("memory_order_release") == 1
    header.write_text(text.replace(body[0], body[0].replace("memory_order_release", "memory_order_relaxed")), "utf-8")
    result = run_stress(build_broken(header.name, engine, tmp_path, tmp_path_factory), "ring", 5)
    assert result.returncode == THREAD_SANITIZER_FAILED, result.stderr
    assert "data race" in result.stderr


def test_a_callback_that_says_too_late_that_it_is_there_is_caught(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
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
    result = run_stress(build_broken(header.name, engine, tmp_path, tmp_path_factory), "attach", 300)
    assert result.returncode == THREAD_SANITIZER_FAILED, result.stderr
    # the callback meets an engine that is being freed, has been freed, or is gone from the address space
    caught = ("data race", "heap-use-after-free", "SEGV")
    assert any(fault in result.stderr for fault in caught), result.stderr
