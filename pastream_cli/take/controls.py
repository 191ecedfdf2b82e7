"""What is asked of a take while it runs, by keys and signals: a pause, another place, a file or the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts
from pastream_cli.take.by_the_clock import ByTheClock
from pastream_cli.take.copies import Copies
from pastream_cli.take.place import Place
from pastream_cli.take.signals import Requests

if TYPE_CHECKING:
    from pastream_cli.take.by_level import ByLevel


class Controls:
    """Does what was asked for, where that can be done.

    Parameters
    ----------
    requests : Requests
        What signals and keys have asked for.
    stream : Core
        The device and loops of the run.
    place : Place
        Where it is in what is played.
    by_the_clock : ByTheClock
        Knows whether it still waits for its time.
    by_level : ByLevel, optional
        Knows whether a file waits for its beginning.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(
        self,
        requests: Requests,
        stream: Core,
        place: Place,
        by_the_clock: ByTheClock,
        by_level: ByLevel | None,
        warn: Callable[[str], None],
    ) -> None:
        self._requests = requests
        self._stream = stream
        self._place = place
        self._by_the_clock = by_the_clock
        self._by_level = by_level
        self._warn = warn

    def move(self, counts: Counts) -> None:
        """Pause or go on, and go to another place of what is played."""
        requests, stream = self._requests, self._stream
        if self._by_the_clock.wait_seconds(counts) is not None:
            requests.pause = False  # there is nothing to pause yet
        if requests.pause:
            requests.pause = False
            (stream.resume if stream.is_paused else stream.pause)()
            requests.is_paused = stream.is_paused
        if requests.steps:
            steps, requests.steps = requests.steps, 0
            self._place.move(steps, counts)

    def divide(self, recording: Copies, *, is_away: bool) -> None:
        """Begin a file, where one waits for that, or the next one. `is_away`: there is no device."""
        cut, self._requests.cut = self._requests.cut, False
        begin, self._requests.begin = self._requests.begin, False
        waits = self._by_the_clock.waits
        if self._by_level is not None and self._by_level.is_armed:
            recording.forget_cut()
            if (begin or cut) and not is_away and not waits and self._by_level.begin():
                return
        if cut and is_away:
            self._warn("no next file to start: the device is away")
        elif cut and waits:
            self._warn("no next file to start: the take has not begun")
        elif cut:
            recording.cut()
