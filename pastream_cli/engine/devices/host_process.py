"""The host process of a take, as the take sees it: started, asked within time limits, and killed if need be.

A host library may crash, abort, or hang for minutes. So all of PortAudio is in a process of its own, in which there is
nothing that the take needs: the engine and its rings are in memory that both processes have.
"""

from __future__ import annotations

import _socket  # socket itself takes milliseconds to load
import fcntl
import os
import select
import signal
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import Any, NoReturn

from pastream_cli.engine.devices.host_words import (
    END_OF_LINE,
    LIFE,
    MEMORY,
    REQUESTS,
    MovedStream,
    error_of,
    line_of,
    value_of,
)
from pastream_cli.engine.native import lib
from pastream_cli.errors import DeviceError, ErrorKind

_MOST_BYTES_AT_ONCE = 65536
_STANDARD_ERROR = 2
_STEP_SECONDS = 0.002
_SECONDS_TO_DIE = 0.2
_SECONDS_TO_BE_KILLED = 2.0
# A process that is told to end kills itself before that.
_SECONDS_TO_END = 0.5
_LEAST_DESCRIPTOR = 10
"""Above those that a host process has."""


class HostProcess:
    """A process that holds PortAudio and one stream.

    Start it on a thread that lives as long as this process does: the kernel takes the end of that thread for the end of
    the take. One thread at a time may call `ask`; any thread may call the other methods meanwhile.

    Parameters
    ----------
    memory : int
        Descriptor of the memory that the engine is in.
    """

    def __init__(self, memory: int) -> None:
        try:
            self._begin(memory)
        except OSError as error:  # too many processes or descriptors: there may be fewer in a moment
            raise DeviceError(f"cannot start the process of a device: {error.strerror}", ErrorKind.BUSY) from None
        # not before: another thread may be about to look at them
        weakref.finalize(self, _close, self._socket, self.life).atexit = False
        self._lock = threading.Lock()
        """Held by whoever looks for the end of the process."""
        self._told = b""
        self._has_ended = False
        self._was_ended = False
        """Whether it was told to end."""

    def _begin(self, memory: int) -> None:
        self._socket, theirs = _socket.socketpair()
        self.life, its_life = os.pipe()
        """Can be read from when the process has told of a move, or the stream has ended by itself, or the process."""
        try:
            start = _fork if _is_single_threaded() else _spawn
            self.pid = start({REQUESTS: theirs.fileno(), MEMORY: memory, LIFE: its_life})
        except BaseException:
            os.close(self.life)
            raise
        finally:
            theirs.close()
            os.close(its_life)

    def ask(self, act: str, seconds: float, failure: str, **values: Any) -> Any:
        """Have the process do something, and return its answer.

        Parameters
        ----------
        act : str
            What to do: a method of `host_program.Program`.
        seconds : float
            For how long to wait. If that is over, the process is killed.
        failure : str
            What could not be done then, for the message.
        **values
            Plain values for that method.

        Raises
        ------
        DeviceError
            Where the process has ended, or does not answer in time.
        PastreamError
            Whatever the method raises.
        """
        answer = b""
        with suppress(OSError):  # the process has ended
            self._socket.sendall(line_of({"act": act, **values}))
            answer = self._answer(time.monotonic() + seconds)
        if not answer:
            self.is_gone_within(_SECONDS_TO_DIE)  # by itself, so that this is no end that was asked for
            self.end(0)
            raise DeviceError(f"{failure}: the host library has crashed", ErrorKind.CRASHED)
        if not answer.endswith(END_OF_LINE):
            self.end(0)
            raise DeviceError(f"{failure}: its host does not answer", ErrorKind.NOT_ANSWERING)
        value = value_of(answer)
        if "error" in value:
            raise error_of(value["error"])
        return value["result"]

    def _answer(self, deadline: float) -> bytes:
        """Return the next line, without its end where the time is over; nothing where the process has ended."""
        line = b" "  # which means nothing in front of a plain value
        poll = select.poll()  # select() has no descriptors beyond 1023
        poll.register(self._socket, select.POLLIN)
        while not line.endswith(END_OF_LINE):
            is_there = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            data = self._socket.recv(_MOST_BYTES_AT_ONCE) if is_there else None
            if not data:
                return line if data is None else b""
            line += data
        return line

    def hears(self) -> bool:
        """Take in what the process tells, which is there; false if it has ended, or the stream by itself."""
        data = os.read(self.life, _MOST_BYTES_AT_ONCE)
        self._told += data
        return bool(data)

    def moves(self) -> list[MovedStream]:
        """Return the moves that it has told of since the last call. On the thread that calls `hears`."""
        *lines, self._told = self._told.split(END_OF_LINE)
        return [MovedStream(*value_of(line)) for line in lines]

    @property
    def is_alive(self) -> bool:
        """Whether the process is there. Never blocks."""
        with self._lock:
            if not self._has_ended:
                try:
                    self._has_ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
                except ChildProcessError:  # somebody else has waited for it
                    self._has_ended = True
            return not self._has_ended

    @property
    def has_crashed(self) -> bool:
        """Whether it has ended by itself."""
        return not self.is_alive and not self._was_ended

    def is_gone_within(self, seconds: float) -> bool:
        """Wait for the end of the process; tell whether it has come."""
        deadline = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_STEP_SECONDS)
        return True

    def begin_to_end(self) -> None:
        """Have the process close its stream and end, and do not wait for that."""
        self._was_ended = True
        with suppress(OSError):
            self._socket.shutdown(_socket.SHUT_RDWR)

    def end(self, seconds: float) -> None:
        """Have the process close its stream and end, and kill it after so many seconds.

        On return it is gone; if a driver holds it in the kernel, it is not, and runs no more callbacks all the same.
        """
        if not self.is_alive:
            return
        self.begin_to_end()
        if not self.is_gone_within(seconds):
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.is_gone_within(_SECONDS_TO_BE_KILLED)


def _close(requests: Any, life: int) -> None:
    requests.close()
    os.close(life)


def _is_single_threaded() -> bool:
    """Tell whether this process may be forked; false where that cannot be known, and where libraries forbid it."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - pathlib takes longer to load
    except OSError:
        return False


def _fork(descriptors: dict[int, int]) -> int:
    """Serve this process in a fork of it, which has its modules loaded already; return the id of that.

    A take starts its first host process like this, before it has threads: an interpreter would need 50 ms.
    """
    take = os.getpid()
    # the handlers of the take would tell the take of a signal to the fork
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _be_host(take, descriptors)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _be_host(take: int, descriptors: dict[int, int]) -> NoReturn:
    try:
        os.setpgid(0, 0)
        for new, old in _above(descriptors).items():
            os.dup2(old, new)
        from pastream_cli.engine.devices.host_program import serve

        serve(take)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on in the program of the take
        from traceback import format_exc

        os.write(_STANDARD_ERROR, format_exc().encode())
    finally:
        os._exit(1)


def _spawn(descriptors: dict[int, int]) -> int:
    """Start an interpreter that serves this process; return its id."""
    above = _above(descriptors)
    folder = os.path.dirname(__file__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(folder)))
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", f"{folder}/host_main.py", str(os.getpid()), *sys.path, root],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, old, new) for new, old in above.items()],
            setpgroup=0,
            setsigmask=(),
        )
    finally:
        for descriptor in above.values():
            os.close(descriptor)


def _above(descriptors: dict[int, int]) -> dict[int, int]:
    """Return copies of what a host process gets, and of the null device, above the numbers that it has them by.

    So none of them is overwritten before it has its new number.
    """
    null = os.open(os.devnull, os.O_RDWR)
    try:
        wanted = {0: null, 1: null, **descriptors}
        return {new: fcntl.fcntl(old, fcntl.F_DUPFD_CLOEXEC, _LEAST_DESCRIPTOR) for new, old in wanted.items()}
    finally:
        os.close(null)


class Host:
    """The host process of a take, and those that replace it."""

    def __init__(self) -> None:
        self.memory: int = lib.shared_memory_new()
        """Descriptor of the memory that the take's engine is in."""
        if self.memory < 0:
            raise DeviceError("cannot use a sound device: the system shares no memory", ErrorKind.REFUSED)
        self.process = HostProcess(self.memory)

    def end(self) -> None:
        """Have the process close its stream and end its host libraries; if that takes too long, kill it."""
        self.process.end(_SECONDS_TO_END)

    def renew(self) -> None:
        """Replace the process by one that has not looked for devices yet."""
        self.process.end(0)
        self.process = HostProcess(self.memory)
