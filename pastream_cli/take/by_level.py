"""Begins and ends the files of a run by how loud it is, or by a key: what is asked of the trigger, and told of it."""

from __future__ import annotations

from collections.abc import Callable

from pastream_cli.engine.core import Core


class ByLevel:
    """The trigger of one run.

    Parameters
    ----------
    stream : Core
        Its device and loops; it has a trigger.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(self, stream: Core, warn: Callable[[str], None]) -> None:
        assert stream.trigger is not None
        self._trigger = stream.trigger
        self._warn = warn
        self._has_warned = False

    @property
    def is_armed(self) -> bool:
        """Whether it waits for the beginning of a file."""
        return self._trigger.state.is_armed

    @property
    def level(self) -> float | None:
        """The amplitude that it waits for, infinity for none; `None` if it does not wait."""
        return self._trigger.rules.level if self.is_armed else None

    def tell(self) -> None:
        """Tell of a level that is so low that it says nothing."""
        if not self._has_warned and self._trigger.state.is_at_once:
            self._has_warned = True
            self._warn("the first frame reaches the level of --trigger already")

    def begin(self) -> bool:
        """Have a file begin with the next frame; tell whether the trigger was armed."""
        return self._trigger.begin()
