"""The tools of the other tests: the command's runner, the size of a campaign, and the ban on skips."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner import Pastream

ROOT = Path(__file__).parent.parent

SKIPS = """
import pytest

def test_that_passes(): pass

def test_that_skips(): pytest.skip("no drum kit")

@pytest.mark.xfail
def test_that_is_known_to_fail(): assert False
"""


@pytest.mark.parametrize(
    ("ci", "exit_code", "summary"),
    [("true", pytest.ExitCode.TESTS_FAILED, "1 failed, 1 passed, 1 xfailed"), ("", pytest.ExitCode.OK, "1 skipped")],
)
def test_a_skip_is_a_failure_where_ci_says_so(tmp_path: Path, ci: str, exit_code: int, summary: str) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), str(tmp_path)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}
    completed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == exit_code, completed.stdout
    assert summary in completed.stdout
    assert "no drum kit" in completed.stdout or not ci


def test_a_campaign_runs_a_tenth_of_its_cases_without_soak(
    campaign: Callable[[int], int], request: pytest.FixtureRequest
) -> None:
    full = request.config.getoption("--soak")
    assert (campaign(1000), campaign(5)) == ((1000, 5) if full else (100, 1))


def test_the_command_gives_its_output_and_exit_code(pastream: Pastream) -> None:
    result = pastream("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(b"pastream ")


def test_a_command_that_does_not_end_in_time_fails_the_test(pastream: Pastream) -> None:
    with pytest.raises(AssertionError, match="still running after 1 s"):
        pastream("null", "-D", "virtual", timeout=1)


def test_a_traceback_fails_the_test(pastream: Pastream) -> None:
    process = subprocess.Popen([sys.executable, "-c", "1 / 0"], stderr=subprocess.PIPE)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        pastream.finish(process)
