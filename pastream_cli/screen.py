"""Shows a run on stderr: plain lines, and on a terminal one status line that is kept up to date."""

from __future__ import annotations

from typing import TextIO

from pastream_cli.lines import banner_line, buffer_line, error_lines, loss_line, status_line, summary_line, warning_line
from pastream_cli.report import Opening, Report, Snapshot

_CLEAR_LINE = "\r\x1b[K"


class Screen:
    """The observer of a run.

    Parameters
    ----------
    stream : TextIO
        Where people's lines go.
    quiet : bool
        Only warnings and errors.
    verbose : bool
        Also buffer levels and timing.
    """

    def __init__(self, stream: TextIO, *, quiet: bool, verbose: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._verbose = verbose
        self._has_status = stream.isatty() and not quiet
        self._status_is_shown = False

    def opened(self, opening: Opening) -> None:
        if not self._quiet:
            self._print(banner_line(opening))

    def warned(self, text: str) -> None:
        self._print(warning_line(text))

    def progressed(self, snapshot: Snapshot) -> None:
        for loss in snapshot.new_losses:
            self._print(loss_line(loss, snapshot.rate))
        if self._has_status:
            self._write(f"{_CLEAR_LINE}{status_line(snapshot)}")
            self._status_is_shown = True

    def ended(self, report: Report) -> None:
        """Show how the run went, and what it failed of."""
        if report.rate and not self._quiet:
            self._print(summary_line(report))
        if report.rate and self._verbose:
            self._print(buffer_line(report))
        if report.error is not None:
            self.failed(report.error, report.way_out)

    def quoted(self, text: str) -> None:
        """Show what somebody else said, a host library."""
        for line in text.splitlines():
            self._print(line)

    def failed(self, message: str, way_out: str | None) -> None:
        """Show a failure."""
        for line in error_lines(message, way_out):
            self._print(line)

    def _print(self, line: str) -> None:
        if self._status_is_shown:
            self._write(_CLEAR_LINE)
            self._status_is_shown = False
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads it; the take goes on
