"""Watches whether a sound server moves the streams of this process to another source or sink, on a thread of its own.

The server tells by itself: as long as nothing happens to a stream, the thread sleeps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

from pastream_cli.engine.devices.host_words import MovedStream
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


class MoveWatch:
    """Notices moves from when it is made. If the server ends, so does the watch.

    Parameters
    ----------
    names : dict
        For each side that is watched, the full name of the source or sink where it was last, or that it was opened
        with; `None` for the one where the server puts it.
    tell : callable
        Is told of each, on the thread of the watch.
    """

    def __init__(self, names: dict[str, str | None], tell: Callable[[MovedStream], None]) -> None:
        self._names = names
        self._tell = tell
        self._event_ns = 0
        """When the latest event came."""
        self._sightings: dict[str, MovedStream] = {}
        """For each side, a place that one look has seen and that the next has to confirm."""
        with suppress(NoThreadError):  # a take does without it
            DeafThread(target=self._watch, name="moves", daemon=True).start()

    def _watch(self) -> None:
        with connected(time.monotonic() + _SECONDS) as client:
            if client is not None:
                client.subscribe(sum(_MASKS[side] for side in self._names), self._note)
                self._follow(client)

    def _follow(self, client: PulseClient) -> None:
        self._note()
        seen_ns = 0
        while client.is_connected:
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
            client.reaches(time.monotonic() + seconds, lambda: not client.is_connected)
            if not client.is_connected:
                return
            self._look(client)
            if number >= len(_SECONDS_BETWEEN_LOOKS) and not self._sightings:
                return

    def _look(self, client: PulseClient) -> None:
        """See where each side is now: where two looks find it at the same new place, it has moved there."""
        for side, before in self._names.items():
            now = _place(client, side)
            sighting = self._sightings.pop(side, None)
            if now is None or now == before:
                continue
            moved = MovedStream(side, self._event_ns, before, now)
            if before is not None and (sighting is None or sighting.now != now):
                self._sightings[side] = moved
                continue
            self._tell(sighting or moved)
            self._names[side] = now


def _place(client: PulseClient, side: str) -> str | None:
    """Return the full name of the source or sink where this process's stream of a side is; `None` if it is nowhere."""
    deadline = time.monotonic() + _SECONDS
    stream, struct = _STREAMS[side]
    process = b"%d" % os.getpid()

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
