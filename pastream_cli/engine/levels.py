"""The levels of a run, for whoever looks, and its dead channels."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pastream_cli.engine.core import Core
from pastream_cli.engine.dead_channels import DeadChannels
from pastream_cli.engine.facts import Levels


class RunLevels:
    """Peaks and sums of squares since the last look, and the channels that stay zero. Any thread may ask.

    Parameters
    ----------
    core : Core
        The core whose levels are taken. Nobody else may take them.
    captures : bool
        Whether the core captures. Only then are dead channels looked for: what is played may be silent.
    channel_map : sequence of int, optional
        For each channel to be measured, which channel of the device, zero-based, or -1 for one that is meant to be
        silent. By default all of the device's.
    """

    def __init__(self, core: Core, *, captures: bool, channel_map: Sequence[int] | None = None) -> None:
        self._core = core
        self._channel_map = channel_map
        self._lock = threading.Lock()
        self._newly_dead: list[int] = []
        self._not_taken: Levels | None = None
        self._last: Levels | None = None
        self._dead: DeadChannels | None = None
        if captures:
            meant = [number for number, source in enumerate(channel_map or (), 1) if source < 0]
            self._dead = DeadChannels(core.samplerate, meant)
        core.take_levels()  # asks for the levels of the first block

    @property
    def dead_channels(self) -> tuple[int, ...]:
        """Channels, one-based, that were exactly zero for 10 s at any time."""
        with self._lock:
            return tuple(sorted(self._dead.found)) if self._dead is not None else ()

    def take_newly_dead(self) -> list[int]:
        """Return the channels, one-based, that were found dead since the last call, once each."""
        with self._lock:
            found, self._newly_dead = self._newly_dead, []
        return found

    def poll(self) -> Levels | None:
        """Return the levels since the last poll; `None` where no callback has come since. Call it every second."""
        with self._lock:
            return self._poll()

    def take(self) -> Levels | None:
        """Return the levels since the last call. Where no frame has come since, return those of the last call again."""
        with self._lock:
            self._poll()
            self._last, self._not_taken = self._not_taken or self._last, None
            return self._last

    def _poll(self) -> Levels | None:
        levels = self._core.take_levels()
        if levels is None:
            return None
        if self._channel_map is not None:
            levels = levels.picked(self._channel_map)
        if levels.frames:
            self._not_taken = levels if self._not_taken is None else self._not_taken.and_then(levels)
        if self._dead is not None:
            self._newly_dead += self._dead.poll(levels)
        return levels
