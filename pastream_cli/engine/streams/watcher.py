"""The thread that steps one run of a library stream, and the end of that run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.gate import Gate
from pastream_cli.engine.facts import Counts, Loss
from pastream_cli.engine.judge import BufferEmpty, OnLoss
from pastream_cli.engine.native import lib
from pastream_cli.engine.owner import Policy
from pastream_cli.engine.run import Run
from pastream_cli.engine.states import State, StopReason
from pastream_cli.engine.streams.endpoints import Endpoint
from pastream_cli.engine.streams.functions import Functions
from pastream_cli.engine.streams.sinks import Sink
from pastream_cli.engine.streams.sources import Source
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import FileError, PastreamError

_POLL_SECONDS = 0.02
_SHORTEST_POLL_SECONDS = 0.001
# A reader may be in a slow read. What it reads from must not be closed before that read returns.
_READER_SECONDS = 2.0
FUNCTION_SECONDS = 5.0
"""How long the end of a run waits for a function that neither returns nor takes what is left in its ring."""
# How long another call waits for one that is known to hang.
_LEAST_SECONDS = 0.5
# How long the interpreter, at its end, waits for such a function.
_LAST_SECONDS = 2.0

_LEFT_BEHIND: list[Any] = []
"""Leaked on purpose: a loop that never returned may still use it."""


class Watcher:
    """The owner of one run of a stream. It holds all that the run needs, but not the stream.

    Anybody may ask for the end of the run. Only the watcher's thread ends it, so that no two threads do. This thread is
    no daemon: the interpreter waits for it at its end, so the watcher then ends the run quickly.

    Parameters
    ----------
    core : Core
        What runs.
    gate : Gate
        Its device.
    source, sink : Endpoint, optional
        What the run plays from and records to.
    has_ended : callable, optional
        Called on the watcher's thread when all else has ended.
    """

    def __init__(
        self,
        core: Core,
        gate: Gate,
        source: Source | None,
        sink: Sink | None,
        has_ended: Callable[[], object] | None,
    ) -> None:
        self.run = Run(self)
        self._core, self._gate = core, gate
        self._source, self._sink = source, sink
        self._endpoints: list[Endpoint] = [end for end in (source, sink) if end is not None]
        self._has_ended = has_ended
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self.is_to_close = False
        """Whether the device is to be closed with the end of the run."""
        self._asked_at: float | None = None
        self._starting = threading.Lock()
        self._is_given_up = self._is_released = self._has_told_error = False
        self._functions = Functions(source, sink, self._fail, lambda: lib.reader_finish(self._core.engine))
        self._thread = DeafThread(target=self._watch, name="pastream watcher")
        self._are_loops_over = threading.Event()
        self.ended = threading.Event()
        """Set when everything has ended, and `has_ended` has returned."""

    # ---- for whoever starts it ----

    def hold(self) -> None:
        """Have whoever closes a file of the run end the run first. Called before the file is used."""
        for endpoint in self._endpoints:
            endpoint.hold(self._end_for_a_file)

    def connect(self, *, length_frames: int | None) -> None:
        """Give the run its core, which is connected at both ends and prepared for that length."""
        policy = Policy(
            plays=self._source is not None,
            captures=self._core.open_device.capture is not None,
            on_loss=OnLoss.FAIL,
            length_frames=length_frames,
            shortest_wait_seconds=_SHORTEST_POLL_SECONDS,
            capture_map=None,
            reader_seconds=_READER_SECONDS,
        )
        self.run.connect(self._core, policy)

    def give_up(self) -> None:
        """End a run that has not begun; threads that were started find that out and return."""
        self._is_given_up = True
        self.run.end(StopReason.ABORTED)
        self._release_endpoints()
        self.run.abandon()
        self.ended.set()
        self._are_loops_over.set()

    def start(self, stream: Any) -> None:
        """Start the loops, the endpoints' functions, whose threads hold `stream`, and the watcher's thread.

        None of them begins before all have been started, so that whoever ends the run knows every thread to wait for.
        The threads of functions are daemons, in case the interpreter ends and a function does not.

        Raises
        ------
        PastreamError
            Where a thread cannot be started. The run has then ended, and nothing of it has begun.
        """
        with self._starting:
            try:
                self._start_threads(stream)
            except BaseException as error:
                self.give_up()
                if isinstance(error, RuntimeError) and not isinstance(error, PastreamError):
                    raise PastreamError(f"cannot start the stream: {error}") from None
                raise

    def _start_threads(self, stream: Any) -> None:
        loops = self._core.new_loops(self._may_begin, self._wake.set)
        functions = self._functions.new_threads(stream, self._may_begin)
        for thread in (*loops, *functions, self._thread):
            thread.start()
        self.run.begin()

    def _may_begin(self) -> bool:
        """Wait until all threads have been started; tell whether the run begins."""
        with self._starting:
            return not self._is_given_up

    def start_device(self) -> None:
        """Start the device, unless the end has been asked for."""
        self.run.start_device(lambda: self._gate.start(self._core.start_device))

    # ---- for everybody ----

    def ask(self, *, abort: bool, close: bool = False) -> None:
        """Have the run end, and return at once."""
        with self._lock:
            self.is_to_close |= close
            self._asked_at = self._asked_at or time.monotonic()
        self.run.end(StopReason.ABORTED if abort else StopReason.STOPPED)
        self._wake.set()

    def end(self, *, abort: bool, raises: bool = True, function_seconds: float = FUNCTION_SECONDS) -> None:
        """Have the run end, and wait for that, but not on a thread that the end waits for; see `Stream.stop`."""
        if not self._gate.is_ours:
            return
        self.ask(abort=abort)
        if self.is_in_it:
            return
        if raises:
            self.await_end_and_raise(function_seconds)
        else:
            self.await_end(function_seconds)

    def _fail(self, error: BaseException) -> None:
        self.run.fail(error)
        self._wake.set()

    @property
    def finished(self) -> bool:
        """Whether device and loops have ended; functions may still run."""
        return self.run.state is State.ENDED

    @property
    def is_stuck(self) -> bool:
        """Whether the run has ended, but one of its loops has not and still uses its file and the engine."""
        return self.ended.is_set() and not self._is_released

    @property
    def aborted(self) -> bool:
        """Whether the run has ended, or is about to end, by an abort or a failure."""
        return self.run.reason in {StopReason.ABORTED, StopReason.FAILED}

    @property
    def is_in_it(self) -> bool:
        """Whether the current thread is one that the end of the run waits for."""
        return threading.current_thread() is self._thread or self._functions.are_here

    def take_error(self) -> BaseException | None:
        """Return what made the run fail, once."""
        with self._lock:
            if self._has_told_error or self.run.failure is None:
                return None
            self._has_told_error = True
            return self.run.failure

    def raise_error(self) -> None:
        """Raise what made the run fail, once."""
        error = self.take_error()
        if error is not None:
            raise error

    def _end_for_a_file(self) -> bool:
        """End the run before a file that it uses is closed; tell whether it may be closed."""
        if not self._gate.is_ours:
            return False
        self.ask(abort=False)
        if threading.current_thread() is not self._thread:
            self._are_loops_over.wait()
        return self._is_released

    def await_end(self, function_seconds: float = FUNCTION_SECONDS) -> PastreamError | None:
        """Wait until everything has ended; return what keeps it from that where it would take too long."""
        self._are_loops_over.wait()
        while not self.ended.wait(max(_LEAST_SECONDS, function_seconds - self._functions.quiet_seconds)):
            if self._functions.quiet_seconds >= function_seconds:
                return PastreamError(f"cannot end the stream: {self.what_goes_on}")
        return None

    def await_end_and_raise(self, function_seconds: float = FUNCTION_SECONDS) -> None:
        """Wait until everything has ended; raise what made the run fail, or what does not end."""
        what_hangs = self.await_end(function_seconds)
        self.raise_error()
        if what_hangs is not None:
            raise what_hangs

    @property
    def what_goes_on(self) -> str:
        """What keeps the stream from being at rest, in words."""
        if not self.finished:
            return "the stream is running"
        return f"{self._functions.running or 'finished_callback'} has not returned"

    # ---- the thread ----

    def _watch(self) -> None:
        if not self._may_begin():
            return
        for step in (self.run.drive, self.run.finish, self._end_functions):
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - a run must end, whatever happens
                self.run.fail(error)
        self._are_loops_over.set()
        self.ended.set()

    def _end_functions(self) -> None:
        """Wait for the caller's functions, then call `has_ended`."""
        self._functions.note_progress()
        self._are_loops_over.set()
        self._join_functions()
        self._functions.note_progress()
        try:
            if self._has_ended is not None:
                self._has_ended()
        finally:
            if self.is_to_close:
                self._gate.close()

    def _join_functions(self) -> None:
        """Wait for the functions, for ever unless the interpreter ends; a device that is to be closed need not wait."""
        ending_since: float | None = None
        for _ in self._functions.looks_until_all_return():
            if self.is_to_close and self._functions.quiet_seconds > FUNCTION_SECONDS:
                self._gate.close()
            if _interpreter_is_ending():
                ending_since = ending_since or time.monotonic()
                if time.monotonic() - ending_since > _LAST_SECONDS:
                    return

    # ---- for the run ----

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until somebody asks for the end or a loop has ended."""
        self._wake.wait(seconds)
        self._wake.clear()

    def longest_wait_seconds(self, *, is_silent: bool) -> float:  # noqa: ARG002 - it is never calm
        """Return how long may pass before a function or a file that fails is noticed."""
        return _POLL_SECONDS

    def look(self, counts: Counts, losses: Sequence[Loss]) -> None:  # noqa: ARG002 - they are there for whoever asks
        """End the run where the interpreter ends, or where a source or sink has failed."""
        if self.run.levels is not None:
            self.run.levels.poll()
        self.look_after_ends()
        for endpoint in self._endpoints:
            endpoint.poll()
            if failure := endpoint.failure():
                self.run.fail(failure)

    def look_after_ends(self) -> None:
        """End the run at once when the interpreter ends."""
        if _interpreter_is_ending():
            self.ask(abort=True, close=True)

    def told_of_silence(self) -> None:
        """Tell nobody: a silent device matters here only once it counts as dead."""

    def outlives_device(self, error: PastreamError) -> bool:  # noqa: ARG002 - whatever it is
        """Return false: a stream of the library's ends with its device."""
        return False

    def stop_device(self) -> bool:
        """End the callbacks, at once where the run is aborted; tell whether they have ended."""
        return self._gate.stop(abort=self.run.reason not in {StopReason.COMPLETE, StopReason.STOPPED})

    @property
    def is_on_a_disk(self) -> bool:
        """Whether what is recorded to is a regular file."""
        return self._sink is not None and self._sink.is_on_a_disk

    @property
    def seconds_since_asked(self) -> float | None:
        """Seconds since somebody first asked for the end; infinite where the run has failed."""
        if self._asked_at is not None:
            return time.monotonic() - self._asked_at
        return math.inf if self.run.reason is StopReason.FAILED else None

    def told_of_a_wait(self) -> None:
        """Tell nobody: whoever waits for the end waits for this too."""

    def look_at_the_rest(self, counts: Counts, losses: Sequence[Loss]) -> None:
        """Tell nobody: counts and losses are there for whoever asks."""

    def finish_ends(self) -> None:
        """Give all endpoints back, unless a loop still uses one."""
        if self.run.is_complete and self._source is not None and self._core.frame_count < self._source.needed_frames:
            self.run.fail(BufferEmpty("cannot go on playing: the source has ended before so many frames were played"))
        if self._core.finish(0):
            self._release_endpoints()
        else:
            _LEFT_BEHIND.append((self._core, self._endpoints))
            self.run.fail(FileError("cannot end the stream: a file takes or gives no more data"))

    def leave_ends(self) -> None:
        """Do nothing: nobody gives up a run of the library."""

    def _release_endpoints(self) -> None:
        """Give all endpoints back, whichever of them fails."""
        for endpoint in self._endpoints:
            try:
                if failure := endpoint.failure():
                    self.run.fail(failure)
            except Exception as error:  # noqa: BLE001 - it is raised where the stream's owner is
                self.run.fail(error)
            try:
                if self.run.reason not in {StopReason.COMPLETE, StopReason.STOPPED}:
                    endpoint.give_up()
                endpoint.release()
            except Exception as error:  # noqa: BLE001
                self.run.fail(error)
        self._is_released = True


def _interpreter_is_ending() -> bool:
    """Tell whether the interpreter waits for its threads, the watcher among them, to end."""
    return not threading.main_thread().is_alive()


def patience_after(error: BaseException | None) -> float:
    """Return for how many seconds functions that do not return are waited for: none after Ctrl-C, and its like."""
    is_interrupt = error is not None and not isinstance(error, (Exception, GeneratorExit))
    return 0.0 if is_interrupt else FUNCTION_SECONDS
