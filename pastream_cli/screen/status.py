"""How a run stands, in words: its state and time, what is lost, what is left, the file and the disk. Pure."""

from __future__ import annotations

from math import isinf

from rich.cells import cell_len

from pastream_cli.errors import printable
from pastream_cli.screen.bars import Line
from pastream_cli.screen.fields import Field, field
from pastream_cli.screen.levels import decibels, format_level
from pastream_cli.screen.lines import loss_words, xrun_words
from pastream_cli.take.report import Opening, Snapshot
from pastream_cli.units import format_clock

_PROGRESS_WIDTH = 20
_MOST_NAME = 32
# A device that has not called for this long is silent: it has stopped, or it has not begun.
_SILENT_SECONDS = 1.5
_SCANT_DISK_SECONDS, _SHORT_DISK_SECONDS = 120.0, 1800.0
_DOUBTFUL_SHARE, _BAD_SHARE = 0.5, 0.8


class Status:
    """How a run stands, and how it has stood since it began.

    Parameters
    ----------
    opening : Opening
        What is connected to what.
    is_ascii : bool
        Whether to use ASCII characters only.
    """

    def __init__(self, opening: Opening, *, is_ascii: bool) -> None:
        self._plays = opening.playback_device is not None
        self._only_plays = opening.only_plays
        self._is_ascii = is_ascii
        self._snapshot: Snapshot | None = None
        self._estimated = 0
        self._last_xrun_frame: int | None = None
        self._called_at: float | None = None
        self._paused_at: float | None = None
        self._now = 0.0

    def take(self, snapshot: Snapshot, now: float) -> None:
        """Take how the run stands; `now` is monotonic, in seconds."""
        before, self._snapshot, self._now = self._snapshot, snapshot, now
        if snapshot.levels is not None or self._called_at is None:
            self._called_at = now
        if not snapshot.is_paused:
            self._paused_at = None
        elif self._paused_at is None:
            self._paused_at = now
        self._estimated += sum(loss.kind.comes_in_parts for loss in snapshot.new_losses)
        if snapshot.new_losses:
            self._last_xrun_frame = snapshot.new_losses[-1].frame
        elif before is not None and snapshot.counts.xruns > before.counts.xruns:
            self._last_xrun_frame = snapshot.frames

    @property
    def snapshot(self) -> Snapshot:
        """The last snapshot."""
        assert self._snapshot is not None
        return self._snapshot

    def silent_seconds(self) -> float:
        """Return for how long the device has been silent; 0 if it calls as it should."""
        seconds = self._now - self._called_at if self._called_at is not None else 0.0
        return seconds if seconds > _SILENT_SECONDS else 0.0

    def xruns(self) -> int:
        """Return how often something was lost."""
        return self.snapshot.counts.xruns + self._estimated

    # ---- what matters most ----

    def vital(self, *, is_short: bool) -> list[Field]:
        """Return the state, the time and what is lost; in fewer words for a window of few lines."""
        return [
            self._countdown() or self._awaited() or self._state(is_short=is_short),
            self._clock(is_short=is_short),
            *self._losses(is_short=is_short),
        ]

    def _countdown(self) -> Field | None:
        """Return how long it is to the time of day at which the run begins, until it does."""
        seconds = self.snapshot.wait_seconds
        return None if seconds is None else field("bold yellow", f"STARTS in {_whole_seconds(seconds)}")

    def _awaited(self) -> Field | None:
        """Return what a file waits for, while the device is there."""
        level = self.snapshot.armed_level
        if level is None or self.snapshot.away_seconds is not None or self.silent_seconds() or self.snapshot.is_paused:
            return None
        words = "" if isinf(level) else f" {format_level(decibels(level))} dBFS"
        return field("bold yellow", f"ARMED{words}", "ARMED")

    def _state(self, *, is_short: bool) -> Field:
        """Return the state of the run in a word or two."""
        snapshot = self.snapshot
        if snapshot.away_seconds is not None:
            words = "AWAY" if is_short else "DEVICE AWAY for"
            return field("bold red", f"{words} {snapshot.away_seconds:.0f} s")
        if silent_seconds := self.silent_seconds():
            if not snapshot.frames:
                return field("bold red", "WAITING" if is_short else "WAITING for the device")
            words = "SILENT" if is_short else "DEVICE SILENT for"
            return field("bold red", f"{words} {silent_seconds:.0f} s")
        if self._paused_at is not None:
            clock = _whole_seconds(self._now - self._paused_at)
            return field("bold yellow reverse", f"PAUSED {'' if is_short else 'for '}{clock}")
        record, play, listen = ("*", ">", "o") if self._is_ascii else ("●", "▶", "○")
        if self._only_plays:
            return field("bold green", f"{play} PLAYING")
        acts = [f"{record} REC"] if snapshot.file_name is not None else []
        if self._plays:
            acts.append(f"{play} PLAY")
        style = "bold red" if snapshot.file_name is not None else "bold green"
        return field(style, " ".join(acts) or f"{listen} LISTEN")

    def _clock(self, *, is_short: bool) -> Field:
        """Return where on the timeline the run is."""
        snapshot = self.snapshot
        clock = format_clock(snapshot.frames, snapshot.rate)
        if snapshot.length_frames is None or is_short:
            return field("bold", clock)
        return field("bold", f"{clock} of {format_clock(snapshot.length_frames, snapshot.rate)}", clock)

    def _losses(self, *, is_short: bool) -> list[Field]:
        """Return what is known to be lost.

        A silent device may be losing more, so it never has "nothing lost". Nor has a player, which stores nothing.
        """
        snapshot, count = self.snapshot, self.xruns()
        if not count:
            return [] if self.silent_seconds() or self._only_plays else [field("green", "nothing lost")]
        words = xrun_words(count, is_player=self._only_plays)
        if self._last_xrun_frame is not None and not is_short:
            words += f", last at {format_clock(self._last_xrun_frame, snapshot.rate)}"
        return [field("bold red", text) for text in (words, *loss_words(snapshot))]

    def clips(self) -> list[Field]:
        """Return how many samples were clipped."""
        count = sum(self.snapshot.clips)
        return [field("bold red", f"{count} clip{'' if count == 1 else 's'}")] if count else []

    def whole_clock(self) -> str:
        """Return the time as ``hh:mm:ss``."""
        return _whole_seconds(self.snapshot.frames / self.snapshot.rate)

    def style_of_clock(self) -> str:
        """Return the style of the time: it shows from afar whether something is lost, or the run is paused."""
        if self.xruns() or self.silent_seconds():
            return "bold red"
        return "bold yellow" if self.snapshot.is_paused else "bold"

    # ---- and the rest ----

    def progress(self, width: int) -> list[Field]:
        """Return how much is done and how much is left, where the length is known."""
        snapshot = self.snapshot
        if not snapshot.length_frames:
            return []
        share = min(1.0, snapshot.frames / snapshot.length_frames)
        left = f"{format_clock(max(0, snapshot.length_frames - snapshot.frames), snapshot.rate)} left"
        words = f" {int(share * 100):3}% {left}"
        bar_width = max(0, min(_PROGRESS_WIDTH, width - len(words)))
        done = round(share * bar_width)
        full, empty = "#." if self._is_ascii else "━─"
        bar: Line = [(full * done, "cyan"), (empty * (bar_width - done), "dim"), (words, "")]
        return [(bar, [(left, "")])]

    def file_and_disk(self, width: int) -> list[Field]:
        """Return the file and its copies, the time until a disk is full, and how near the buffer is to its end."""
        snapshot, fields = self.snapshot, []
        if snapshot.file_name is not None:
            size = f" {bytes_words(snapshot.file_bytes)}" if snapshot.file_bytes else ""
            name = self._shortened(printable(snapshot.file_name), min(_MOST_NAME, width - len(size)))
            fields.append(field("cyan", f"{name}{size}"))
        for copy in snapshot.copies:
            state = " FAILED" if copy.has_failed else ""
            name = self._shortened(printable(copy.name), min(_MOST_NAME, width - len(state)))
            fields.append(field("bold red" if copy.has_failed else "cyan", f"{name}{state}"))
        if snapshot.disk_seconds is not None:
            scant = _degree(-snapshot.disk_seconds, -_SHORT_DISK_SECONDS, -_SCANT_DISK_SECONDS)
            fields.append(field(scant, f"disk {span_words(snapshot.disk_seconds)}"))
        if not self._only_plays or snapshot.buffer_fill >= _DOUBTFUL_SHARE:
            fields.append(self._strain())
        return fields

    def _strain(self) -> Field:
        """Return how near the buffer and the device's callback are to their limits; a player shows the buffer alone."""
        snapshot = self.snapshot
        buffer: Line = [(f"buffer {snapshot.buffer_fill:3.0%}", _degree_of_share(snapshot.buffer_fill))]
        if self._only_plays:
            return (buffer,)
        load = (f"load {snapshot.device_load:3.0%}", _degree_of_share(snapshot.device_load))
        return [*buffer, ("  ", ""), load], buffer

    def _shortened(self, name: str, width: int) -> str:
        """Return a long name without its beginning, since its end tells more."""
        if cell_len(name) <= width:
            return name
        mark = "..." if self._is_ascii else "…"
        while name and cell_len(mark + name) > width:
            name = name[1:]
        return mark + name


def _whole_seconds(seconds: float) -> str:
    """Return a length of time as ``hh:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _degree(value: float, doubtful: float, bad: float) -> str:
    """Return the style for a value that should be low."""
    return "bold red" if value >= bad else "yellow" if value >= doubtful else ""


def _degree_of_share(share: float) -> str:
    return _degree(share, _DOUBTFUL_SHARE, _BAD_SHARE)


def bytes_words(count: int) -> str:
    """Return a size in units of thousands, as disks are sold."""
    size, unit = count / 1e6, "MB"
    if size >= 1000:
        size, unit = size / 1000, "GB"
    return f"{size:.1f} {unit}"


def span_words(seconds: float) -> str:
    """Return a length of time roughly: the longer it is, the more so."""
    if seconds < 100:
        return f"{int(seconds)} s"
    minutes = int(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // (24 * 60)} days"
