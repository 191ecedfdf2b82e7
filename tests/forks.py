"""The pastream command in forks of one process that has loaded everything already: 10 ms a run instead of 200.

A fork is sound as long as the process has one thread; the server makes sure that it has. What a run does after that,
threads included, is what the command does in a process of its own.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pastream_cli
from tests.runner import Result
from tests.takes import handles

ROOT = Path(__file__).parents[1]

TIMEOUT_SECONDS = 60
"""After it a run is stuck, on however busy a machine."""

_BY_ALARM = -signal.SIGALRM


class Forks:
    """Runs pastream, each time in a fork; start it with `forks_of`.

    Parameters
    ----------
    environment : mapping
        The environment of every run.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**environment, "OPENBLAS_NUM_THREADS": "1"},
        )

    def __call__(
        self,
        *arguments: str,
        cwd: Path,
        stdin: Path | str = os.devnull,
        stop_after: float | None = None,
        memory: int | None = None,
        file_size: int | None = None,
        descriptors: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run the command to its end; it must not hang, which is told with the stack of every thread.

        Parameters
        ----------
        arguments : str
            What is typed after the command's name.
        cwd, stdin : Path
            Its working folder, and the file that is its standard input.
        stop_after : float, optional
            Seconds after which it gets a TERM, counted from when it listens to one.
        memory, file_size : int, optional
            Limits of its address space and of the files that it writes, in bytes.
        descriptors : int, optional
            How many files may be open at once.
        env : mapping, optional
            What is added to its environment; rules of a faulty disk count if the server was started on one.
        """
        with tempfile.TemporaryDirectory(prefix="pastream-") as folder:
            request = {
                "arguments": arguments,
                "cwd": str(cwd),
                "stdin": str(stdin),
                "folder": folder,
                "stop_after": stop_after,
                "memory": memory,
                "file_size": file_size,
                "descriptors": descriptors,
                "env": dict(env or {}),
            }
            stdin_of_server, stdout_of_server = self._server.stdin, self._server.stdout
            assert stdin_of_server is not None
            assert stdout_of_server is not None
            stdin_of_server.write(json.dumps(request).encode() + b"\n")
            stdin_of_server.flush()
            answer = stdout_of_server.readline()
            assert answer, f"the server ended with {self._server.wait()}"
            returncode = int(answer)
            stderr = (Path(folder) / "stderr").read_text(errors="replace")
            stacks = (Path(folder) / "stacks").read_text(errors="replace")
            assert returncode != _BY_ALARM, f"still running after {TIMEOUT_SECONDS} s: {stderr}\n{stacks}"
            assert returncode >= 0, f"ended by signal {-returncode}: {stderr}\n{stacks}"
            assert "Traceback" not in stderr, stderr
            return Result(returncode, (Path(folder) / "stdout").read_bytes(), stderr)

    def close(self) -> None:
        """End the server; a run that is under way ends with its alarm at the latest."""
        self._server.kill()
        with suppress(BrokenPipeError), self._server:
            pass  # it closes the pipes and waits


@contextmanager
def forks_of(environment: Mapping[str, str]) -> Iterator[Forks]:
    """Lend a server whose runs have this environment."""
    forks = Forks(environment)
    try:
        yield forks
    finally:
        forks.close()


def _serve() -> None:
    """Answer every request, a line of JSON, with a line that holds the exit code."""
    _load()
    gc.freeze()  # a fork then leaves the pages of what was loaded shared
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    for line in requests:
        request = json.loads(line)
        threads = len(list(Path("/proc/self/task").iterdir()))
        assert threads == 1, f"a fork of {threads} threads would be one that no command ever is"
        pid = os.fork()
        if not pid:
            requests.detach()
            _run(request)
        if request["stop_after"] is not None:
            _stop(pid, request["stop_after"])
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _load() -> None:
    """Load all that a run may need: not sounddevice, whose import starts every sound system, nor what checkers read."""
    for module in pkgutil.walk_packages(pastream_cli.__path__, "pastream_cli."):
        if not module.name.endswith(("._build", ".hints", ".native_stub", ".portaudio")):
            importlib.import_module(module.name)


def _stop(pid: int, seconds: float) -> None:
    """Ask a run to stop so many seconds after it began to listen; the alarm ends one that never does."""
    process = os.pidfd_open(pid)
    try:
        while not select.select([process], [], [], 0.005)[0]:
            if handles(pid, signal.SIGTERM):
                if not select.select([process], [], [], seconds)[0] and handles(pid, signal.SIGTERM):
                    signal.pidfd_send_signal(process, signal.SIGTERM)
                return
    finally:
        os.close(process)


def _run(request: dict[str, Any]) -> NoReturn:
    """Be the command, in a fork."""
    try:
        folder = Path(request["folder"])
        flags = os.O_CREAT | os.O_WRONLY
        stacks = os.open(folder / "stacks", flags)
        faulthandler.enable(stacks)
        faulthandler.register(signal.SIGALRM, stacks, chain=True)
        signal.alarm(TIMEOUT_SECONDS)
        for target, source in enumerate(
            (
                os.open(request["stdin"], os.O_RDONLY),
                os.open(folder / "stdout", flags),
                os.open(folder / "stderr", flags | os.O_APPEND),
            )
        ):
            os.dup2(source, target)
            os.close(source)
        os.chdir(request["cwd"])
        os.environ.update(request["env"])
        if "FAULTS" in request["env"]:
            ctypes.CDLL(None).read_rules()
        limits = {
            resource.RLIMIT_AS: request["memory"],
            resource.RLIMIT_FSIZE: request["file_size"],
            resource.RLIMIT_NOFILE: request["descriptors"],
        }
        for limit, value in limits.items():
            if value is not None:
                resource.setrlimit(limit, (value, value))
        sys.argv = ["pastream", *request["arguments"]]
        from pastream_cli.__main__ import main

        main()
    except BaseException:  # noqa: BLE001 - the interpreter would say the same and end
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    _serve()
