"""The caller's functions that a stream plays from and records to, each on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pastream_cli.engine.streams.endpoints import Endpoint
from pastream_cli.engine.streams.sinks import Sink
from pastream_cli.engine.streams.sources import Source
from pastream_cli.engine.threads import DeafThread

_LOOK_SECONDS = 0.1


class Functions:
    """The functions of one run, and for how long none of them has done anything.

    Parameters
    ----------
    source, sink : Endpoint, optional
        What the run plays from and records to; where it is no function, it counts for nothing here.
    has_failed : callable
        Called with what a function has raised, on its thread.
    source_has_ended : callable
        Called when the source's function has returned, on its thread.
    """

    def __init__(
        self,
        source: Source | None,
        sink: Sink | None,
        has_failed: Callable[[BaseException], object],
        source_has_ended: Callable[[], object],
    ) -> None:
        self._source = source if source is not None and source.function is not None else None
        self._sink = sink if sink is not None and sink.function is not None else None
        self._has_failed = has_failed
        self._source_has_ended = source_has_ended
        self._names: dict[threading.Thread, str] = {}
        self._quiet_since = time.monotonic()

    def new_threads(self, stream: Any, may_begin: Callable[[], bool]) -> list[threading.Thread]:
        """Return the threads, which hold `stream`. `may_begin` waits until they may, and tells whether."""
        for endpoint, role in ((self._source, "source"), (self._sink, "sink")):
            if endpoint is not None:
                serve = (stream, endpoint, may_begin)
                thread = DeafThread(target=self._serve, args=serve, name="pastream function", daemon=True)
                self._names[thread] = f"the {role}, {endpoint.function_name},"
        return list(self._names)

    def _serve(self, stream: Any, endpoint: Endpoint, may_begin: Callable[[], bool]) -> None:
        if not may_begin():
            return
        assert endpoint.function is not None
        try:
            endpoint.function(stream, endpoint.ring, *endpoint.args, **endpoint.kwargs)
        except BaseException as error:  # noqa: BLE001 - it is raised where the stream's owner is
            self._has_failed(error)
        finally:
            if endpoint is self._source:
                self._source_has_ended()

    @property
    def are_here(self) -> bool:
        """Whether the current thread is that of one of them."""
        return threading.current_thread() in self._names

    @property
    def running(self) -> str:
        """Those that have not returned, in words; empty if all have."""
        return " and ".join(name for thread, name in self._names.items() if thread.is_alive())

    def note_progress(self) -> None:
        """Take notice that the run has come nearer to its end."""
        self._quiet_since = time.monotonic()

    @property
    def quiet_seconds(self) -> float:
        """For how long nothing has come nearer to the end of the run, as far as is known."""
        return time.monotonic() - self._quiet_since

    def looks_until_all_return(self) -> Iterator[None]:
        """Wait for all of them; yield now and then. A sink that takes frames from its ring makes progress."""
        left: int | None = None
        while running := [thread for thread in self._names if thread.is_alive()]:
            running[0].join(_LOOK_SECONDS)
            before, left = left, self._sink.ring.read_available if self._sink is not None else None
            if left != before:
                self.note_progress()
            yield
