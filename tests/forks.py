"""The pastream command in forks of one process that has loaded everything already: 10 ms a run instead of 200.

A fork is sound as long as the process has one thread; the server makes sure that it has. What a run does after that,
threads included, is what the command does in a process of its own.
"""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import pastream_cli
from tests.runner import Result
from tests.takes import handles

ROOT = Path(__file__).parents[1]

TIMEOUT_SECONDS = 60
"""After it a run is stuck, on however busy a machine."""

_BY_ALARM = -signal.SIGALRM

_FREE_DESCRIPTORS = 100
"""Of the first so many, a run finds none open but its standard streams."""

_LIMITS = {
    "memory": resource.RLIMIT_AS,
    "file_size": resource.RLIMIT_FSIZE,
    "descriptors": resource.RLIMIT_NOFILE,
}


class Forks:
    """Runs pastream, each time in a fork, from any thread; start it with `forks_of`.

    Parameters
    ----------
    environment : mapping
        The environment of every run that is given none of its own.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.forks", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
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
        """Run the command to its end, with a file as its input.

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
        limits = {"memory": memory, "file_size": file_size, "descriptors": descriptors}
        with open(stdin, "rb") as source:
            return self.run(
                *arguments, cwd=cwd, stdin=source, stop_after=stop_after, limits=limits, env=dict(env or {})
            )

    def run(
        self,
        *arguments: str,
        cwd: Path,
        stdin: bytes | int | IO[bytes],
        timeout: float = TIMEOUT_SECONDS,
        stop_after: float | None = None,
        **settings: Any,
    ) -> Result:
        """Run the command to its end, which no signal may be; that it hangs is told with the stack of every thread.

        Parameters
        ----------
        stdin : bytes, or as for Popen
            What it reads.
        settings
            What `_run` takes: ``limits``, ``env``, and ``environment`` for the whole of it.
        """
        request = {"arguments": arguments, "cwd": str(cwd), "timeout": timeout, **settings}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, _file() as words, _file() as stacks, ThreadPoolExecutor(3) as pool, ExitStack() as held:
            words.write(json.dumps(request).encode())
            with theirs, ExitStack() as ends:
                source = _source(stdin, pool, ends)
                (stdout, output), (stderr, errors) = _drained(pool, ends), _drained(pool, ends)
                descriptors = [words.fileno(), source, output, errors, stacks.fileno(), theirs.fileno()]
                socket.send_fds(self._requests, [b"+"], descriptors)
            pid, processes, *_ = socket.recv_fds(ours, 16, 1)
            assert pid, f"the server ended with {self._server.wait()}"
            held.callback(os.close, processes[0])
            if stop_after is not None:
                _stop(int(pid), processes[0], stop_after)
            returncode = int(ours.recv(16))
            result = Result(returncode, stdout.result(), stderr.result().decode(errors="replace"))
            stacks.seek(0)
            said = f"{result.stderr}\n{stacks.read().decode(errors='replace')}"
        assert returncode != _BY_ALARM, f"still running after {timeout:g} s: {said}"
        assert returncode >= 0, f"ended by signal {-returncode}: {said}"
        assert "Traceback" not in result.stderr, result.stderr
        return result

    def close(self) -> None:
        """End the server; a run that is under way ends with its alarm at the latest."""
        self._requests.close()
        self._server.kill()
        self._server.wait()


@contextmanager
def forks_of(environment: Mapping[str, str]) -> Iterator[Forks]:
    """Lend a server whose runs have this environment."""
    forks = Forks(environment)
    try:
        yield forks
    finally:
        forks.close()


def _file() -> IO[bytes]:
    return tempfile.TemporaryFile(buffering=0)


def _source(stdin: bytes | int | IO[bytes], pool: ThreadPoolExecutor, ends: ExitStack) -> int:
    """Give a descriptor of what the run reads, which is open until ``ends`` is."""
    if isinstance(stdin, bytes):
        source, end = os.pipe()
        pool.submit(_write, end, stdin)
    elif stdin == subprocess.DEVNULL:
        source = os.open(os.devnull, os.O_RDONLY)
    else:
        return stdin if isinstance(stdin, int) else stdin.fileno()
    ends.callback(os.close, source)
    return source


def _write(end: int, data: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(end, "wb") as pipe:
        pipe.write(data)


def _drained(pool: ThreadPoolExecutor, ends: ExitStack) -> tuple[Future[bytes], int]:
    """Give what comes out of a pipe, and the end to write into, which is open until ``ends`` is."""
    source, end = os.pipe()
    ends.callback(os.close, end)
    return pool.submit(_read, source), end


def _read(source: int) -> bytes:
    with os.fdopen(source, "rb") as pipe:
        return pipe.read()


def _stop(pid: int, process: int, seconds: float) -> None:
    """Ask a run to stop so many seconds after it began to listen; the alarm ends one that never does."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        while not select.select([process], [], [], 0.005)[0]:
            if handles(pid, signal.SIGTERM):
                if not select.select([process], [], [], seconds)[0] and handles(pid, signal.SIGTERM):
                    signal.pidfd_send_signal(process, signal.SIGTERM)
                return


def _serve(requests: socket.socket) -> None:
    """Begin a run for every request; answer with its number at once and its exit code at its end."""
    _load()
    gc.freeze()  # a fork then leaves the pages of what was loaded shared
    with selectors.DefaultSelector() as awaited:
        awaited.register(requests, selectors.EVENT_READ)
        while True:
            for key, _events in awaited.select():
                if key.data is not None:
                    awaited.unregister(key.fileobj)
                    _end(key.fd, *key.data)
                    continue
                _, descriptors, *_ = socket.recv_fds(requests, 1, 6, socket.MSG_CMSG_CLOEXEC)
                if not descriptors:
                    return
                process, pid, answers = _begin(*descriptors)
                awaited.register(process, selectors.EVENT_READ, (pid, answers))


def _load() -> None:
    """Load all that a run may need: not sounddevice, whose import starts every sound system, nor what checkers read."""
    for module in pkgutil.walk_packages(pastream_cli.__path__, "pastream_cli."):
        if not module.name.endswith(("._build", ".hints", ".native_stub", ".portaudio")):
            importlib.import_module(module.name)


def _begin(
    words: int, stdin: int, stdout: int, stderr: int, stacks: int, answers: int
) -> tuple[int, int, socket.socket]:
    """Fork a run."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert threads == 1, f"a fork of {threads} threads would be one that no command ever is"
    pid = os.fork()
    if not pid:
        _run(words, (stdin, stdout, stderr), stacks)
    for descriptor in (words, stdin, stdout, stderr, stacks):
        os.close(descriptor)
    process, client = os.pidfd_open(pid), socket.socket(fileno=answers)
    with suppress(OSError):  # it has gone
        socket.send_fds(client, [b"%d" % pid], [process])
    return process, pid, client


def _end(process: int, pid: int, client: socket.socket) -> None:
    """Answer with the exit code of a run that has ended."""
    os.close(process)
    with suppress(OSError), client:
        client.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _run(words: int, streams: tuple[int, int, int], stacks: int) -> NoReturn:
    """Be the command, in a fork."""
    try:
        request: dict[str, Any] = json.loads(os.pread(words, os.fstat(words).st_size, 0))
        stacks = fcntl.fcntl(stacks, fcntl.F_DUPFD_CLOEXEC, _FREE_DESCRIPTORS)
        faulthandler.enable(stacks)
        faulthandler.register(signal.SIGALRM, stacks, chain=True)
        signal.setitimer(signal.ITIMER_REAL, request["timeout"])
        for target, source in enumerate(streams):
            os.dup2(source, target)
        os.closerange(3, stacks)
        os.chdir(request["cwd"])
        if "environment" in request:
            os.environ.clear()
        os.environ.update({**request.get("environment", {}), **request.get("env", {})})
        if "FAULTS" in request.get("env", {}):
            ctypes.CDLL(None).read_rules()
        for name, value in request.get("limits", {}).items():
            if value is not None:
                resource.setrlimit(_LIMITS[name], (value, value))
        sys.argv = ["pastream", *request["arguments"]]
        from pastream_cli.__main__ import main

        main()
    except BaseException:  # noqa: BLE001 - the interpreter would say the same and end
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
