"""What the system refuses to a process, and what we get wrong ourselves: told in a line, and no take is lost by it."""

from __future__ import annotations

import errno
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.reports import checked
from tests.runner import Pastream, Result
from tests.sounds import RATE, make_noise, read
from tests.takes import RAMP, gaps_in_ramp, report_of, told

TAKES = {
    "recorded": ("null", "take.wav", "-d", "0.2", "-D", "virtual:sine:fast"),
    "in pieces": ("null", "take.flac", "-d", "0.5", "--split", "0.1", "-D", "virtual:sine"),
    "played and recorded": ("in.wav", "take.wav", "-D", "virtual:fast"),
    "played from a pipe": ("-", "take.wav", "-D", "virtual"),
    "recorded into a pipe": ("null", "-", "-t", "flac", "-d", "0.2", "-D", "virtual:sine:fast"),
    "not recorded": ("null", "-d", "0.2", "-D", "virtual:sine:fast"),
}
NO_MEMORY = Path(__file__).parent.with_name("no_memory.c")
MOST_DESCRIPTORS = 24
MOST_THREADS = 8


def check(result: Result, folder: Path) -> None:
    """Refused in a line and with a report, or done; and what is there is told."""
    assert result.returncode in {0, 1, 4}, result
    report = checked(result.stderr.splitlines()[-1] + "\n" if b"{" not in result.stdout[:1] else result.stdout.decode())
    assert bool(report["error"]) == (result.returncode != 0)
    files = {path.name: len(read(path)) for path in folder.glob("take*")}
    assert files == {file["name"]: file["frames"] for file in report["files"] if file["name"] != "-"}, result


@pytest.mark.parametrize(
    ("size", "words", "what"),
    [(131072, ("null", "take.wav", "-D"), "write take.wav"), (16384, ("in.wav", "-D"), "read in.wav")],
)
def test_a_loop_that_gets_no_memory_is_told(
    pastream: Pastream, build: Path, tmp_path: Path, size: int, words: tuple[str, ...], what: str
) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    library = build / "no_memory.so"
    flags = ("-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", "-Wall", "-Werror")
    subprocess.run(["gcc", *flags, str(NO_MEMORY), "-ldl", "-o", str(library)], check=True)
    env = {"LD_PRELOAD": str(library), "NO_BYTES": str(size)}
    result = pastream(*words, "virtual:noise", "-d", "0.5", "-b", "100", env=env)
    assert result.returncode == 4, result
    assert f"pastream: cannot {what}: Cannot allocate memory\n" in result.stderr


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("times", [1, None], ids=["a thread", "every thread"])
def test_a_thread_that_cannot_be_started_is_told_and_leaves_nothing_behind(
    disk: Forks, tmp_path: Path, build: Path, take: str, times: int | None
) -> None:
    make_noise(tmp_path / "in.wav", RATE // 10)
    codes = []
    for skip in range(MOST_THREADS):
        rule = Rule(calls="thread", error=errno.EAGAIN, skip=skip, times=times)
        env = faulty_disk(build, tmp_path, rule)
        result = disk(*TAKES[take], "--json", cwd=tmp_path, stdin=tmp_path / "in.wav", env=env)
        check(result, tmp_path)
        codes.append(result.returncode)
        if result.returncode:
            assert "cannot start a thread: the system refuses one more" in result.stderr
        for path in tmp_path.glob("take*"):
            path.unlink()
    assert codes[0] == 1
    assert codes[-1] == 0


@pytest.mark.parametrize("take", TAKES)
def test_a_process_with_too_few_descriptors_says_so_and_leaves_nothing_behind(
    forks: Forks, tmp_path: Path, campaign: Callable[[int], int], take: str
) -> None:
    make_noise(tmp_path / "in.wav", RATE // 10)
    too_few = range(5, MOST_DESCRIPTORS)
    for descriptors in (*random.Random(take).sample(too_few, campaign(len(too_few))), MOST_DESCRIPTORS):
        result = forks(*TAKES[take], "--json", cwd=tmp_path, stdin=tmp_path / "in.wav", descriptors=descriptors)
        check(result, tmp_path)
        for path in tmp_path.glob("take*"):
            path.unlink()
    assert result.returncode == 0


def test_a_process_with_little_memory_says_so(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(1)
    for _ in range(campaign(30)):
        kilobytes = dice.randint(45_000, 200_000)
        words = [sys.executable, "-m", "pastream_cli", *TAKES["recorded"], "--json"]
        limited = ["bash", "-c", f'ulimit -v {kilobytes}; exec "$@"', "bash", *words]
        run = subprocess.run(limited, capture_output=True, cwd=tmp_path, env=dict(pastream.environment), check=False)
        result = Result(run.returncode, run.stdout, run.stderr.decode())
        assert "Traceback" not in result.stderr, (kilobytes, result)
        check(result, tmp_path)
        (tmp_path / "take.wav").unlink(missing_ok=True)


WITH_A_MISTAKE = """
import sys
from pastream_cli.{module} import {name} as spoilt

calls = iter(range({skip}, -1, -1))
real = spoilt.{method}

def mistaken(*args, **kwargs):
    if next(calls, 0) == 0:
        raise KeyError("spoilt")
    return real(*args, **kwargs)

spoilt.{method} = mistaken
from pastream_cli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "method", "skip", "is_recorded"),
    [
        ("engine.losses", "Losses", "take", 3, True),
        ("take.recording", "Recording", "poll", 3, True),
        ("take.recording", "Recording", "results", 0, True),
        ("engine.files.output_file", "OutputFile", "close", 0, True),
        ("screen.screen", "Screen", "ended", 0, True),
        ("screen.screen", "Screen", "progressed", 1, True),
        ("take.session", "Session", "_open", 0, False),
        ("take.signals", "Requests", "__enter__", 0, False),
    ],
)
def test_a_mistake_of_ours_costs_no_take_and_prints_the_report(
    pastream: Pastream, tmp_path: Path, module: str, name: str, method: str, skip: int, is_recorded: bool
) -> None:
    code = WITH_A_MISTAKE.format(module=module, name=name, method=method, skip=skip)
    words = ["null", "take.wav", "-e", "pcm_24", "-d", "0.5", "-D", RAMP, "--json"]
    run = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        cwd=tmp_path,
        env=dict(pastream.environment),
        check=False,
    )
    result = Result(run.returncode, run.stdout, run.stderr.decode())
    report = checked(run.stdout.decode())
    assert result.returncode == report["exit_code"] == 1, result
    assert report["error"]["message"] == "cannot go on: KeyError: 'spoilt'"
    assert "Traceback" in result.stderr
    assert (tmp_path / "take.wav").exists() == is_recorded
    if is_recorded:
        samples = read(tmp_path / "take.wav")
        assert told(result) == {"take.wav": len(samples)}
        assert gaps_in_ramp(samples) == []
        assert 0 < len(samples) <= report_of(result)["frames"]
