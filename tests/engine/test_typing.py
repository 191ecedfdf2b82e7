"""Type checkers see the library from outside as its users do, in whatever way it was installed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import need

USES = Path(__file__).parent.parent / "typed_uses.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that has nothing but the uses, so that the library is found where it is installed."""
    shutil.copy(USES, tmp_path)
    return tmp_path


def check(checker: str, *words: str, folder: Path) -> str:
    """Return what a checker says, whose exit code must be 0."""
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed (pip install .[lint])")
    done = subprocess.run(
        [sys.executable, "-m", checker, *words],
        cwd=folder,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},  # or it asks the network for a newer one
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_mypy_passes_the_right_uses_and_reports_each_wrong_one(folder: Path) -> None:
    # --strict also reports a comment that expects what is not reported
    assert "no issues found in 1 source file" in check("mypy", "--strict", USES.name, folder=folder)


def test_pyright_passes_the_right_uses_and_reports_each_wrong_one(folder: Path) -> None:
    settings = {"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": "error"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    need("node")
    said = check("pyright", "--pythonpath", sys.executable, "--outputjson", folder=folder)
    assert json.loads(said)["summary"]["filesAnalyzed"] == 1
