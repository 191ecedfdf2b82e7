"""Dead channels: those that stay exactly zero, as with an unplugged cable. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pastream_cli.engine.facts import DEAD_CHANNEL_SECONDS, Levels


class DeadChannels:
    """Finds channels that stay exactly zero: an unplugged cable, the wrong input.

    Parameters
    ----------
    rate : float
        Frames per second.
    meant : collection of int, optional
        Channels, one-based, that are meant to be silent.
    """

    def __init__(self, rate: float, meant: Collection[int] = ()) -> None:
        self._limit = DEAD_CHANNEL_SECONDS * rate
        self._meant = meant
        self._silent_frames: list[int] = []
        self.found: set[int] = set()
        """Channels, one-based, that were dead at any time."""

    def poll(self, levels: Levels) -> list[int]:
        """Return the channels, one-based, that have been zero for ten seconds now, once each."""
        if not self._silent_frames:
            self._silent_frames = [0] * len(levels.peaks)
        newly = []
        for index, peak in enumerate(levels.peaks):
            self._silent_frames[index] = 0 if peak > 0 else self._silent_frames[index] + levels.frames
            number = index + 1
            if self._silent_frames[index] >= self._limit and number not in self.found and number not in self._meant:
                self.found.add(number)
                newly.append(number)
        return newly
