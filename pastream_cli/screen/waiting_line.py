"""What the terminal shows while a device is waited for, in the place of the meter. Pure."""

from __future__ import annotations

from pastream_cli.screen.bars import Line
from pastream_cli.screen.fields import field, first_that_fit

_STYLE = "bold yellow reverse"


class WaitingLine:
    """How long a device has been waited for; it is drawn as the meter is.

    Parameters
    ----------
    name : str
        What is waited for.
    seconds : float
        For how long so far.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds

    def lines(self, width: int, height: int, *, keys: bool = False, question: str = "") -> list[Line]:  # noqa: ARG002
        """Return one line for a terminal of this size, which always has room for it."""
        words = f"WAITING for {self._seconds:.0f} s"
        fields = [field(_STYLE, f"WAITING {self._seconds:.0f} s for {self._name}", words)]
        return [first_that_fit([*fields, *([field("dim", "q stops")] if keys else [])], width - 1)]

    def status(self, width: int, *, question: str = "") -> str:
        """Return the same for a terminal that cannot move its cursor."""
        return "".join(text for text, _ in self.lines(width, 2, question=question)[0])
