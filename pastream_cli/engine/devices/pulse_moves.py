"""Watches whether a sound server moves the streams of a process to another source or sink, on a thread of its own.

The server tells by itself: as long as nothing happens to a stream, the thread sleeps.
"""

from __future__ import annotations

import threading
import time
from itertools import chain, repeat
from queue import SimpleQueue
from typing import Any, NamedTuple

from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.pulse import KINDS, full_name, names_of
from pastream_cli.engine.devices.pulse_client import PulseClient, connected
from pastream_cli.engine.devices.pulse_structs import DeviceStruct, SinkInput, SourceOutput
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import NoThreadError

_SECONDS = 10.0
_SECONDS_BETWEEN_LOOKS = (0.1, 0.2, 0.7, 1.0)
"""Behind an event the watch looks several times: PipeWire may tell of a change before it moves a stream, not after."""
_FOR_EVER = -1
_STREAMS: dict[str, Any] = {CAPTURE: ("source_output", SourceOutput), PLAYBACK: ("sink_input", SinkInput)}
_MASKS = {CAPTURE: 0x8, PLAYBACK: 0x4}  # pa_subscription_mask_t
_PROCESS = b"application.process.id"


class MovedStream(NamedTuple):
    """A side of a stream that is no longer at the source or sink where it was."""

    side: str
    monotonic_ns: int
    before: str
    now: str


class MoveWatch:
    """Notices moves from when it is made until it is ended. If the server ends, so does the watch.

    Parameters
    ----------
    names : dict
        For each side that is watched, the full name of the source or sink where it was last, or that it was opened
        with; `None` for the one where the server puts it. It is kept up to date, for the watch that follows.
    process : int
        The process whose streams they are.
    """

    def __init__(self, names: dict[str, str | None], process: int) -> None:
        self._names = names
        self._process = str(process).encode()
        self._lock = threading.Lock()
        """Held while the client is woken, and while it is taken away to be closed."""
        self._client: PulseClient | None = None
        self._is_ended = False
        self._event_ns = 0
        """When the latest event came."""
        self._sightings: dict[str, MovedStream] = {}
        """For each side, a place that one look has seen and that the next has to confirm."""
        self.moves: SimpleQueue[MovedStream] = SimpleQueue()
        """Those that nobody has taken yet."""
        try:
            DeafThread(target=self._watch, name="moves", daemon=True).start()
        except NoThreadError:
            self._is_ended = True  # a take does without it

    def end(self) -> None:
        """Have the thread end; it is not waited for."""
        self._is_ended = True
        with self._lock:
            if self._client is not None:
                self._client.wake()

    def _watch(self) -> None:
        with connected(time.monotonic() + _SECONDS) as client:
            if client is None:
                return
            client.subscribe(sum(_MASKS[side] for side in self._names), self._note)
            self._client = client
            try:
                self._follow(client)
            finally:  # else end() would wake a client that is closed
                with self._lock:
                    self._client = None

    def _follow(self, client: PulseClient) -> None:
        self._note()
        seen_ns = 0
        while client.is_connected and not self._is_ended:
            if self._event_ns != seen_ns:
                seen_ns = self._event_ns
                self._look_for_a_while(client)
            elif not client.turns(_FOR_EVER):
                break

    def _note(self, *_event: int) -> None:
        self._event_ns = time.monotonic_ns()

    def _look_for_a_while(self, client: PulseClient) -> None:
        seconds_to_looks = chain(_SECONDS_BETWEEN_LOOKS, repeat(_SECONDS_BETWEEN_LOOKS[-1]))
        for number, seconds in enumerate(seconds_to_looks, 1):
            client.reaches(time.monotonic() + seconds, lambda: self._is_ended)
            if self._is_ended or not client.is_connected:
                return
            self._look(client)
            if number >= len(_SECONDS_BETWEEN_LOOKS) and not self._sightings:
                return

    def _look(self, client: PulseClient) -> None:
        """See where each side is now: where two looks find it at the same new place, it has moved there."""
        for side, before in self._names.items():
            now = _place(client, side, self._process)
            sighting = self._sightings.pop(side, None)
            if now is None or now == before:
                continue
            if before is None:
                self._names[side] = now
            elif sighting is not None and sighting.now == now:
                self.moves.put(sighting)
                self._names[side] = now
            else:
                self._sightings[side] = MovedStream(side, self._event_ns, before, now)


def _place(client: PulseClient, side: str, process: bytes) -> str | None:
    """Return the full name of the source or sink where a process's stream of a side is; `None` if it is nowhere."""
    deadline = time.monotonic() + _SECONDS
    stream, struct = _STREAMS[side]

    def device_of(info: Any) -> int | None:
        its_process = client.library.pa_proplist_gets(info.properties, _PROCESS)
        return int(info.device) if its_process == process else None

    devices = client.ask(f"pa_context_get_{stream}_info_list", struct, device_of, deadline)
    device = next((device for device in devices if device is not None), None)
    if device is None:
        return None
    function = f"pa_context_get_{KINDS[side]}_info_by_index"
    names = client.ask(function, DeviceStruct, lambda info: full_name(*names_of(info)), deadline, device)
    return names[0] if names else None
