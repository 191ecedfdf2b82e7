"""The pastream command as a user runs it: a process of its own, judged by what it prints, writes and returns."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.reports import checked
from tests.servers import Server

if TYPE_CHECKING:
    from tests.forks import Forks  # which gives results too


def have_programs_hear_signals() -> None:
    """Undo what nohup and a shell's background job hand down: programs under test would ignore them too."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)  # a handler, unlike an ignored signal, ends with exec


@dataclass(frozen=True)
class Result:
    """What a finished command leaves: its exit code and the bytes and lines that it printed."""

    returncode: int
    stdout: bytes
    stderr: str


@dataclass
class Pastream:
    """Runs pastream in a folder and an environment without sound servers, or on the server that is given.

    Parameters
    ----------
    folder : Path
        The working folder of commands that are given none.
    environment : mapping
        The environment of commands that are given no server.
    forks : Forks, optional
        Runs commands that are neither given a server nor something in their environment, nor started to go on: in forks
        they take a tenth of the time.
    """

    folder: Path
    environment: Mapping[str, str]
    forks: Forks | None = None
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes | int | IO[bytes] = subprocess.DEVNULL,
        timeout: float = 30.0,
        server: Server | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Result:
        """Run the command to its end; ``stdin`` is what it reads, as bytes or as for Popen."""
        if self.forks and server is None and env is None:
            words, environment = [*map(str, arguments)], dict(self.environment)
            result = self.forks.run(
                *words, cwd=cwd or self.folder, stdin=stdin, timeout=timeout, environment=environment
            )
            return _judged(result, "--json" in words)
        source, data = (subprocess.PIPE, stdin) if isinstance(stdin, bytes) else (stdin, None)
        process = self.start(*arguments, stdin=source, server=server, env=env, cwd=cwd)
        return self.finish(process, data, timeout=timeout)

    def start(
        self,
        *arguments: str | Path,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
        server: Server | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        module: str = "pastream_cli",
    ) -> subprocess.Popen[bytes]:
        """Start the command, with ``env`` added to its environment; the end of the test is its end."""
        prefix = server.prefix if server else ()
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", module, *map(str, arguments)],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd or self.folder,
            env={**(server.environment if server else self.environment), **(env or {})},
        )
        self._started.append(process)
        return process

    def finish(self, process: subprocess.Popen[bytes], data: bytes | None = None, timeout: float = 30.0) -> Result:
        """Wait for a started command; it must end within so many seconds, and without a traceback."""
        try:
            stdout, stderr = process.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            raise AssertionError(f"still running after {timeout:g} s: {_text(stderr)}") from None
        return _judged(Result(process.returncode, stdout or b"", _text(stderr)), "--json" in str(process.args))

    def close(self) -> None:
        """End what is still running."""
        for process in self._started:
            with process:
                process.kill()


def _judged(result: Result, has_report: bool) -> Result:
    assert "Traceback" not in result.stderr, result.stderr
    if has_report:
        _check_report(result)
    return result


def _check_report(result: Result) -> None:
    """Hold what --json printed against its schema; a killed command prints none, nor one whose reader has gone."""
    if result.stdout.startswith(b"{"):
        checked(result.stdout.decode())
    elif result.stderr.rstrip().rpartition("\n")[2].startswith("{"):
        checked(result.stderr.rstrip().rpartition("\n")[2] + "\n")


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")
