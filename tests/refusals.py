"""Commands that must be refused: with their exit code, in one line and the way out, and nothing made or changed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pastream_cli.errors import ExitCode
from tests.forks import Forks
from tests.homes import need
from tests.runner import Pastream, Result
from tests.servers import Server

DEVICE, USAGE_ERROR, FILE = ExitCode.DEVICE, ExitCode.USAGE, ExitCode.FILE

FAST = ("-D", "virtual:fast")

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and give up rights")

has_sound = pytest.mark.usefixtures("sound")


def contents(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return what is in a folder: mode, inode, time and content of every file by its path."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root, name)
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns if content else 0, content)
    return found


class Refused:
    """Runs commands that must end in a code, say exactly what is expected, and leave the folder as it was."""

    def __init__(self, pastream: Pastream, forks: Forks) -> None:
        self._pastream = pastream
        self._forks = forks

    def __call__(
        self,
        *arguments: str,
        code: ExitCode,
        says: str,
        way_out: str | None = None,
        run: Callable[..., Result] | None = None,
        server: Server | None = None,
        stdin: bytes | int | None = None,
    ) -> None:
        """Run a command, by `run` where it is given, and judge it."""
        folder = self._pastream.folder
        before = contents(folder)
        if run is not None:
            result = run(*arguments)
        elif server is not None or stdin is not None:
            result = self._pastream(*arguments, server=server, stdin=subprocess.DEVNULL if stdin is None else stdin)
        else:
            result = self._forks(*arguments, cwd=folder)
        assert result.stderr == "".join(f"pastream: {line}\n" for line in (says, way_out) if line)
        assert result.returncode == code
        assert result.stdout == b""
        assert contents(folder) == before


def run_behind(pastream: Pastream, *prefix: str) -> Callable[..., Result]:
    """Give a runner of the command behind words that change what it finds."""

    def run(*arguments: str) -> Result:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pastream_cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=pastream.folder,
            env=pastream.environment,
        )
        return pastream.finish(process)

    return run


def without_rights(pastream: Pastream) -> Callable[..., Result]:
    """Give a runner for whom permissions count, although it is root's."""
    need("setpriv")
    return run_behind(pastream, "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
