"""Shows a run on stderr: plain lines, and on a terminal a meter below them that is kept up to date."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from pastream_cli.command.job import Job
from pastream_cli.errors import PROGRAM, UsageError, error_lines, printable
from pastream_cli.screen import terminal
from pastream_cli.screen.keys import Keys, in_foreground
from pastream_cli.screen.levels import Course
from pastream_cli.screen.lines import (
    INDENT,
    LEVEL,
    banner_line,
    banner_lines,
    useless_warning,
    warning_line,
)
from pastream_cli.screen.loss_lines import LossLines
from pastream_cli.screen.summary import buffer_line, summary_line, summary_lines
from pastream_cli.screen.wrapping import wrapped
from pastream_cli.take.report import Opening, Report, Snapshot

if TYPE_CHECKING:
    from typing_extensions import Self

    from pastream_cli.screen.meter import Meter
    from pastream_cli.screen.paint import Painter
    from pastream_cli.screen.waiting_line import WaitingLine

_LEAST_SECONDS_BETWEEN_DRAWINGS = 0.09
# Longer than the slowest terminal, tmux, takes to report the last of several new sizes.
_RESIZING_SECONDS = 0.3
_FINISH_SECONDS = 2.0


class Screen:
    """Shows a run, as its observer. When its context ends, the terminal is as it was before.

    Parameters
    ----------
    stream : TextIO
        Where the lines for people go; a stream with a file descriptor.
    job : Job
        Its `quiet`, `verbose` and `meter` say what to show.
    keys : Keys
        Polled each time that the run is shown.
    quotes : callable
        Returns what host libraries have printed since the last call.
    environment : mapping
        The environment, with TERM, NO_COLOR and the locale.

    Raises
    ------
    UsageError
        If the meter was asked for and there is no terminal.
    """

    def __init__(
        self,
        stream: TextIO,
        job: Job,
        keys: Keys,
        quotes: Callable[[], str],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._outlet = terminal.Outlet(stream)
        if job.meter and not self._outlet.is_terminal:
            raise UsageError("cannot use --meter: standard error is no terminal", "leave it out, or run in a terminal")
        self._job = job
        self._keys = keys
        self._quotes = quotes
        self._is_ascii = not terminal.speaks_utf8(environment, stream.encoding)
        self._moves_cursor = terminal.moves_its_cursor(environment)
        self._has_colours = terminal.has_colours(environment)
        self._is_live = self._outlet.is_terminal and not job.quiet and job.meter is not False
        self._area = terminal.Area(can_reflow=terminal.reflows(environment))
        self._painter: Painter | None = None
        self._meter: Meter | None = None
        self._status_width = 0
        self._drawn_at = 0.0
        self._size: tuple[int, int] | None = None
        self._resized_at = -_RESIZING_SECONDS
        self._loss_lines = LossLines()
        self._course = Course()
        self._peaks: tuple[float, ...] = ()
        self._peak_since_course = 0.0
        self._question, self._asked_until = "", 0.0

    def __enter__(self) -> Self:
        self._keys.on_rest = self._rest
        self._keys.on_question = self.asked
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outlet.write(self._away())
        self._outlet.finish(_FINISH_SECONDS)

    # ---- what it is told ----

    @property
    def is_live(self) -> bool:
        """Whether the meter is shown."""
        return self._is_live

    def opened(self, opening: Opening) -> None:
        """Show what is connected to what."""
        if not self._job.quiet:
            self._print(self._wrapped(banner_lines(opening) if self._outlet.is_terminal else [banner_line(opening)]))
        if not self._outlet.is_terminal and (warning := useless_warning(opening, reports=self._job.json)):
            self.warned(warning)
        if self._is_live:
            self._make_meter(opening)
        self._keys.asks = True
        self._keys.poll()

    def waited(self, name: str, seconds: float) -> None:
        """Show for how long a device has been waited for; keys act at once, as there is no take to spoil."""
        self._keys.poll()
        self._keys.asks = False
        if self._is_live:
            from pastream_cli.screen.waiting_line import WaitingLine

            self._show(WaitingLine(name, seconds), time.monotonic())

    def noted(self, text: str) -> None:
        """Show one line that is no warning."""
        if not self._job.quiet:
            self._print(self._wrapped([f"{PROGRAM}: {text}"]))

    def warned(self, text: str) -> None:
        """Show one warning."""
        self._print(self._wrapped([warning_line(text)]))

    def progressed(self, snapshot: Snapshot) -> None:
        """Show how the run stands."""
        now = time.monotonic()
        self._keys.poll()
        self._remember(snapshot)
        if self._meter is not None:
            self._meter.take(snapshot, now)
        lines = self._wrapped(self._loss_lines.lines(snapshot.new_losses, snapshot.rate, now))
        if self._job.verbose:
            lines += _quoted(self._quotes())
        if lines:
            self._print(lines)
        if self._meter is not None:
            self._show(self._meter, now)
        self._outlet.push()

    def stated(self, standing: Snapshot | str) -> None:
        """Show in one line how the run stands, or its wait in words."""
        from pastream_cli.screen.status_line import status_line

        words = standing if isinstance(standing, str) else status_line(standing)
        self._print(self._wrapped([f"{PROGRAM}: {words}"]))

    def asked(self, question: str, until: float) -> None:
        """Show a question about a key until a monotonic time: in the meter, or in a line where there is none."""
        self._question, self._asked_until = question, until
        self._drawn_at = 0.0
        if self._meter is None and self._outlet.is_terminal and time.monotonic() < until:
            self._print([f"{PROGRAM}: {question}"])

    def ended(self, report: Report) -> None:
        """Show how the run went, and why it failed."""
        lines = self._wrapped(self._loss_lines.rest(report.rate))
        if not self._job.quiet and (report.opening is not None or report.error is None):
            lines += self._summary(report)
        if self._job.verbose:
            lines = [
                *_quoted(self._quotes()),
                *lines,
                *([buffer_line(report)] if report.opening is not None else []),
            ]
        if report.error is not None:
            lines += error_lines(report.error, report.way_out)
        self._print(lines)
        self._outlet.finish(_FINISH_SECONDS)

    def quoted(self, text: str) -> None:
        """Show what a library, or another program, said."""
        self._print(_quoted(text))

    # ---- what it shows ----

    def _summary(self, report: Report) -> list[str]:
        if not self._outlet.is_terminal:
            return [summary_line(report)]
        course = self._course.line(self._outlet.size()[0] - len(INDENT + LEVEL), is_ascii=self._is_ascii)
        return self._wrapped(summary_lines(report, course, self._peaks))

    def _wrapped(self, lines: Iterable[str]) -> list[str]:
        """Return lines wrapped to the terminal; continuation lines are indented."""
        if not self._outlet.is_terminal:
            return list(lines)
        width = self._outlet.size()[0]
        return [part for line in lines for part in wrapped(printable(line), width, INDENT)]

    def _remember(self, snapshot: Snapshot) -> None:
        """Remember the levels for the summary."""
        if snapshot.levels is None or not snapshot.levels.frames:
            return
        peaks = snapshot.levels.peaks
        self._peaks = tuple(map(max, peaks, self._peaks)) if self._peaks else peaks
        self._peak_since_course = max(self._peak_since_course, *peaks)
        if not snapshot.is_paused:
            self._course.add(self._peak_since_course, snapshot.counts.position)
            self._peak_since_course = 0.0

    def _make_meter(self, opening: Opening) -> None:
        from pastream_cli.screen.meter import Meter

        self._meter = Meter(opening, is_ascii=self._is_ascii)

    def _show(self, meter: Meter | WaitingLine, now: float) -> None:
        """Draw the meter, if it was not drawn a moment ago."""
        from pastream_cli.screen.paint import Painter

        self._painter = self._painter or Painter(has_colours=self._has_colours)
        if now - self._drawn_at >= _LEAST_SECONDS_BETWEEN_DRAWINGS:
            self._drawn_at = now
            self._draw(meter, now)

    def _draw(self, meter: Meter | WaitingLine, now: float) -> None:
        """Draw the meter, unless the process is in the background or the last drawing is still being written."""
        if self._outlet.is_behind:
            return
        if not in_foreground(self._outlet.descriptor):
            self._area.forget()
            return
        width, height = self._outlet.size()
        if self._is_being_resized((width, height), now):
            return
        question = self._question if self._keys.are_read and now < self._asked_until else ""
        if not self._moves_cursor:
            status = meter.status(width, question=question)
            self._outlet.write("\r" + status.ljust(self._status_width))
            self._status_width = len(status)
            return
        assert self._painter is not None
        lines = meter.lines(width, height, keys=self._keys.are_read, question=question)
        painted = [self._painter.paint(line) for line in lines]
        self._outlet.write(self._area.draw(painted, [self._painter.width(line) for line in lines], width))

    def _is_being_resized(self, size: tuple[int, int], now: float) -> bool:
        """Tell whether the terminal had another size a moment ago.

        A meter drawn for the old size, before the terminal reports the new one, could not be erased.
        """
        if self._size is not None and size != self._size:
            self._resized_at = now
        self._size = size
        return now - self._resized_at < _RESIZING_SECONDS

    def _print(self, lines: Iterable[str]) -> None:
        """Print lines above the meter; control characters in them, as in a name, have no effect."""
        text = "".join(f"{printable(line)}\n" for line in lines)
        if text:
            self._outlet.write(self._away() + text)
            self._drawn_at = 0.0

    def _away(self) -> str:
        """Return the text that erases the meter."""
        if self._status_width:
            blank = " " * self._status_width
            self._status_width = 0
            return f"\r{blank}\r"
        return self._area.erase(self._outlet.size()[0]) if self._painter is not None else ""

    def _rest(self) -> None:
        """Erase the meter before the process is suspended and the shell gets the terminal."""
        self._outlet.write(self._away())
        self._outlet.finish(0.1)


def _quoted(text: str) -> list[str]:
    """Return what a host library said as lines."""
    return text.expandtabs().splitlines()
