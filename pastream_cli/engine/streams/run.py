"""One run of a stream, from its start to its end, and the thread that watches over it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices.gate import Gate
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.streams.endpoints import Endpoint, Sink, Source
from pastream_cli.engine.threads import DeafThread
from pastream_cli.engine.watch import Pulse, Watchdog
from pastream_cli.errors import DeviceError, ErrorKind, FileError, PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_POLL_SECONDS = 0.02
_SHORTEST_POLL_SECONDS = 0.001
# A loop that has made no progress for so long is blocked: a stuck pipe, a dead network disk.
_BLOCKED_SECONDS = 2.0
# What the interpreter's end waits for a function that goes on.
_LAST_SECONDS = 2.0

_LEFT_BEHIND: list[Any] = []
"""What a loop that never came back may still use: it must not be freed."""


class BufferFull(PastreamError):  # noqa: N818 - the name that it has always had
    """Captured frames found no room in the buffer: the sink was too slow, and the stream aborted."""


class BufferEmpty(PastreamError):  # noqa: N818 - the name that it has always had
    """The buffer ran out of frames to play: the source was too slow, and the stream aborted."""


class Run:
    """One run of a stream. It holds all that the run needs, and not the stream.

    Whoever wants the run to end asks; its watcher alone ends it, so that no two threads do. The
    watcher is no daemon: an interpreter that ends waits for it, and it sees to that quickly.

    Parameters
    ----------
    engine : EngineHandle
        What the device's callback and the loops work on.
    gate : Gate
        The device.
    source, sink : Endpoint, optional
        What they serve.
    latency : float
        Seconds that the device goes on after its last block.
    has_ended : callable, optional
        Called on the watcher's thread when all has ended.
    """

    def __init__(
        self,
        engine: EngineHandle,
        gate: Gate,
        source: Source | None,
        sink: Sink | None,
        latency: float,
        has_ended: Callable[[], object] | None,
    ) -> None:
        self._engine, self._gate = engine, gate
        self._source, self._sink = source, sink
        self._endpoints: list[Endpoint] = [end for end in (source, sink) if end is not None]
        self._latency = latency
        self._has_ended = has_ended
        self._lock = threading.Lock()
        self._device_lock = threading.Lock()
        self._wake = threading.Event()
        self._is_asked = self._is_to_abort = self._is_to_close = False
        self._may_start = True
        self._starting = threading.Lock()
        self._is_given_up = False
        self._watchdog = Watchdog(latency)
        self._drained_since: float | None = None
        self._loops: list[threading.Thread] = []
        self._functions: list[threading.Thread] = []
        self._watcher = DeafThread(target=self._watch, name="pastream watcher")
        self.device_is_started = False
        self.finished = False
        """Whether device and loops have ended; functions may still be about to."""
        self._is_released = False
        self._are_loops_over = threading.Event()
        self.ended = threading.Event()
        """Set when everything has, `has_ended` too."""
        self._error: BaseException | None = None

    # ---- for whoever starts it ----

    def hold(self) -> None:
        """Have whoever closes a file of the run end the run first; before anything is made of the file."""
        for endpoint in self._endpoints:
            endpoint.hold(self._end_for_a_file)

    def give_up(self) -> None:
        """Be over; threads that were started find out that they are not to begin."""
        self._is_given_up = True
        self.ask(abort=True)
        self._release_endpoints()
        self.finished = True
        self._are_loops_over.set()
        self.ended.set()

    def start(self, stream: Any, new_loops: Callable[[Callable[[], bool]], list[threading.Thread]]) -> None:
        """Start the loops, the endpoints' functions, whose threads hold the stream, and the watcher.

        None of them begins before all are there, so that whoever ends the run finds every thread
        that it has to wait for. Functions run on daemons for the case that the interpreter ends and
        a function does not.

        Parameters
        ----------
        stream : Stream
            Prepared, its rings and endpoints connected.
        new_loops : callable
            Returns the threads of the reader and the writer, not started, each of which first asks
            what it is given whether to begin.

        Raises
        ------
        PastreamError
            Where a thread cannot be started. The run is over then, and nothing of it has begun.
        """
        with self._starting:
            try:
                self._start_threads(stream, new_loops)
            except BaseException as error:
                self.give_up()
                if isinstance(error, RuntimeError) and not isinstance(error, PastreamError):
                    raise PastreamError(f"cannot start the stream: {error}") from None
                raise

    def _start_threads(self, stream: Any, new_loops: Callable[[Callable[[], bool]], list[threading.Thread]]) -> None:
        self._loops = new_loops(self._may_begin)
        for endpoint in self._endpoints:
            if endpoint.function is not None:
                call = (endpoint.function, (stream, endpoint.ring, *endpoint.args), endpoint.kwargs)
                is_source = endpoint is self._source
                self._functions.append(
                    DeafThread(target=self._serve, args=(*call, is_source), name="pastream function", daemon=True)
                )
        for thread in (*self._loops, *self._functions, self._watcher):
            thread.start()

    def _may_begin(self) -> bool:
        """Wait until all threads are there; tell whether the run begins."""
        with self._starting:
            return not self._is_given_up

    def start_device(self, start: Callable[[], None]) -> None:
        """Start the device, unless the end has been asked for."""
        with self._device_lock:
            if self._may_start and not self._is_asked:
                self._gate.start(start)
                self.device_is_started = True

    def _serve(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], is_source: bool
    ) -> None:
        if not self._may_begin():
            return
        try:
            function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - it is raised where the stream's owner is
            self.ask(abort=True, error=error)
        finally:
            if is_source:
                lib.reader_finish(self._engine)

    # ---- for everybody ----

    def ask(self, *, abort: bool, error: BaseException | None = None, close: bool = False) -> None:
        """Have the run end, and return at once. The first error asked with is the one that counts."""
        with self._lock:
            self._is_asked = True
            self._is_to_abort |= abort and not self.finished
            self._is_to_close |= close
            if self._error is None:
                self._error = error
        self._wake.set()

    @property
    def is_asked(self) -> bool:
        """Whether the end was asked for."""
        return self._is_asked

    @property
    def is_to_close(self) -> bool:
        """Whether the device is to be closed with the end of the run."""
        return self._is_to_close

    @property
    def is_stuck(self) -> bool:
        """Whether the run has ended and a loop of it has not, which still uses its file and the engine."""
        return self.ended.is_set() and not self._is_released

    @property
    def aborted(self) -> bool:
        """Whether the run has finished, and not of itself or by a stop."""
        return self.finished and self._is_to_abort

    @property
    def is_in_it(self) -> bool:
        """Whether the current thread is one that the end of the run waits for."""
        return threading.current_thread() in {self._watcher, *self._functions}

    def take_error(self) -> BaseException | None:
        """Return what made the run fail, once."""
        with self._lock:
            error, self._error = self._error, None
        return error

    def _end_for_a_file(self) -> bool:
        """End the run before a file that it uses is closed; tell whether it may be closed."""
        if not self._gate.is_ours:
            return False
        self.ask(abort=False)
        if not self.is_in_it:
            self.ended.wait()
        elif threading.current_thread() is not self._watcher:
            self._are_loops_over.wait()  # not for the end, which waits for this thread
        return self._is_released

    # ---- the watcher ----

    def _watch(self) -> None:
        if not self._may_begin():
            return
        try:
            started = time.monotonic()
            while not self._is_asked:
                # short at first, so that short runs are not held up
                elapsed = time.monotonic() - started
                self._wake.wait(max(_SHORTEST_POLL_SECONDS, min(_POLL_SECONDS, elapsed / 10)))
                self._poll()
        except BaseException as error:  # noqa: BLE001 - a run must end, whatever happens
            self.ask(abort=True, error=error)
        try:
            self._end()
        except BaseException as error:  # noqa: BLE001
            self.ask(abort=True, error=error)
        finally:
            self.finished = True
            self._are_loops_over.set()
            self.ended.set()

    def _poll(self) -> None:
        if _interpreter_is_ending():
            self.ask(abort=True, close=True)
            return
        for endpoint in self._endpoints:
            if failure := endpoint.failure():
                self.ask(abort=True, error=failure)
                return
        if self.device_is_started:
            self._judge()

    def _judge(self) -> None:
        """Ask for the end where the run is complete, has failed, or has lost its device."""
        is_active = self._gate.active  # first: a device that ended after its last block is not dead
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self._engine, counts)
        now = time.monotonic()
        if counts.overran:
            self.ask(abort=True, error=BufferFull("cannot go on recording: the buffer is full"))
        elif counts.ran_dry:
            self.ask(abort=True, error=BufferEmpty("cannot go on playing: the buffer is empty"))
        elif counts.drained:
            self._drained_since = self._drained_since or now
            is_over = now - self._drained_since > min(self._latency, 2.0) + 0.5
            if self._source is None or not is_active or is_over:
                self.ask(abort=False)
        elif not is_active:
            self.ask(abort=True, error=DeviceError("cannot go on: the device has ended", ErrorKind.ENDED))
        elif not self._gate.device.stream.is_fast and self._watchdog.poll(now, counts.last_callback_ns) is Pulse.DEAD:
            self.ask(abort=True, error=DeviceError("cannot go on: the device is silent for good", ErrorKind.SILENT))

    def _end(self) -> None:
        with self._device_lock:
            self._may_start = False
        if (self.device_is_started or self._gate.is_lost) and not self._gate.stop(abort=self._is_to_abort):
            failure = DeviceError("cannot stop the device: its host does not answer", ErrorKind.NOT_ANSWERING)
            self.ask(abort=True, error=failure)
        lib.engine_finish(self._engine)
        lib.reader_stop(self._engine)
        have_ended = [self._join(loop) for loop in self._loops]
        if all(have_ended):
            self._release_endpoints()
        else:
            _LEFT_BEHIND.append((self._engine, self._endpoints))
            self.ask(abort=True, error=FileError("cannot end the stream: a file takes or gives no more data"))
        with self._lock:
            self.finished = True
        self._are_loops_over.set()
        for function in self._functions:
            _join_function(function)
        try:
            if self._has_ended is not None:
                self._has_ended()
        finally:
            if self._is_to_close:
                self._gate.close()

    def _release_endpoints(self) -> None:
        """Give all endpoints back, whichever of them fails."""
        for endpoint in self._endpoints:
            try:
                if failure := endpoint.failure():
                    self.ask(abort=True, error=failure)
            except Exception as error:  # noqa: BLE001 - it is raised where the stream's owner is
                self.ask(abort=True, error=error)
            try:
                endpoint.release()
            except Exception as error:  # noqa: BLE001
                self.ask(abort=True, error=error)
        self._is_released = True

    def _join(self, loop: threading.Thread) -> bool:
        """Wait for a loop as long as it gets on; tell whether it has ended."""
        progress, since = -1, time.monotonic()
        while loop.is_alive():
            loop.join(0.1)
            now = sum(endpoint.progress() for endpoint in self._endpoints)
            if now != progress:
                progress, since = now, time.monotonic()
            if time.monotonic() - since > _BLOCKED_SECONDS:
                return False
        return True


def _join_function(function: threading.Thread) -> None:
    """Wait for a function, for ever unless the interpreter ends."""
    ending_since: float | None = None
    while function.is_alive():
        function.join(0.1)
        if _interpreter_is_ending():
            ending_since = ending_since or time.monotonic()
            if time.monotonic() - ending_since > _LAST_SECONDS:
                return


def _interpreter_is_ending() -> bool:
    """Tell whether the interpreter waits for its threads, the watcher among them, to end."""
    return not threading.main_thread().is_alive()
