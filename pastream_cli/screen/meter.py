"""The live meter: how a run stands, laid out for the lines and columns of a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from pastream_cli.errors import printable
from pastream_cli.screen.bars import Channels, Line, Span, bridge, rows, scale
from pastream_cli.screen.levels import decibels, format_level, ranges
from pastream_cli.screen.lines import loss_words
from pastream_cli.take.report import Opening, Snapshot
from pastream_cli.units import format_clock

_MOST_ROWS = 16
_LEAST_WIDTH = 30
_PROGRESS_WIDTH = 20
# A device that has not called for this long is silent: it has stopped, or it has not begun.
_SILENT_SECONDS = 1.5
_SCANT_DISK_SECONDS, _SHORT_DISK_SECONDS = 120.0, 1800.0
_MOST_CHANNELS_NAMED = 8
_MOST_NAME = 32


class Meter:
    """What the terminal shows of a run.

    Parameters
    ----------
    opening : Opening
        What is connected to what.
    is_ascii : bool
        Whether to draw with ASCII characters only.
    """

    def __init__(self, opening: Opening, *, is_ascii: bool) -> None:
        self._opening = opening
        self._is_ascii = is_ascii
        self._channels = Channels(opening.rate)
        self._snapshot: Snapshot | None = None
        self._estimated = 0
        self._last_xrun_frame: int | None = None
        self._called_at: float | None = None
        self._now = 0.0

    def take(self, snapshot: Snapshot, now: float) -> None:
        """Take how the run stands; `now` is monotonic, in seconds."""
        before, self._snapshot, self._now = self._snapshot, snapshot, now
        if snapshot.levels is not None or self._called_at is None:
            self._called_at = now
        if snapshot.levels is not None:
            self._channels.move(snapshot.levels, now)
        elif self._silent_seconds():
            self._channels.rest(now)
        self._channels.clips = snapshot.clips
        self._estimated += sum(loss.kind.is_estimated for loss in snapshot.new_losses)
        if snapshot.new_losses:
            self._last_xrun_frame = snapshot.new_losses[-1].frame
        elif before is not None and snapshot.counts.xruns > before.counts.xruns:
            self._last_xrun_frame = snapshot.frames

    def lines(self, width: int, height: int, *, keys: bool = False) -> list[Line]:
        """Return the meter for a terminal of this size, at most `height` - 1 lines; `keys` adds one about the keys."""
        if self._snapshot is None:
            return []
        if width < _LEAST_WIDTH or height <= 2:
            return [_cut([(self.status(width), "bold")], width - 1)]
        header = _flow(self._status_fields(self._snapshot, width - 1), width - 1)
        footer = [_cut([(self._key_words(self._snapshot), "dim")], width - 1)] if keys else []
        room = height - 1 - len(header)
        count = len(self._channels.all)
        if not count:
            return header[: height - 1]
        if count <= min(_MOST_ROWS, room):
            body = rows(self._channels, width, is_ascii=self._is_ascii)
            if room > count:
                body.insert(0, scale(count, width))
        else:
            header = header[: max(1, height - 2)]
            body = self._compact(width, height - 1 - len(header))
        drawn = [*header, *body]
        return drawn + footer[: height - 1 - len(drawn)]

    def status(self, width: int) -> str:
        """Return the state of the run in one line, for a terminal that cannot move its cursor."""
        if self._snapshot is None:
            return ""
        snapshot = self._snapshot
        shown = [self._state(snapshot)[0], format_clock(snapshot.frames, snapshot.rate)]
        shown += [text for text, _ in self._losses(snapshot)]
        if self._channels.all:
            loudest = self._channels.all[self._channels.loudest()]
            shown.append(f"peak {format_level(loudest.hold)} dBFS")
        if clips := sum(snapshot.clips):
            shown.append(f"{clips} clips")
        return "  ".join(shown)[: width - 1]

    # ---- how it stands ----

    def _status_fields(self, snapshot: Snapshot, width: int) -> list[Line]:
        """Return the fields of the header, the most important first; none is wider than `width`."""
        vital = (self._state(snapshot), (self._clock_words(snapshot), "bold"), *self._losses(snapshot))
        fields: list[Line] = [[span] for span in vital]
        if snapshot.length_frames:
            fields.append(_progress(snapshot, width, is_ascii=self._is_ascii))
        if snapshot.file_name is not None:
            size = f" {_bytes_words(snapshot.file_bytes)}" if snapshot.file_bytes else ""
            fields.append([(f"{self._shortened(printable(snapshot.file_name))}{size}", "cyan")])
        if snapshot.disk_seconds is not None:
            scant = _degree(-snapshot.disk_seconds, -_SHORT_DISK_SECONDS, -_SCANT_DISK_SECONDS)
            fields.append([(f"disk {_span_words(snapshot.disk_seconds)}", scant)])
        fields.append([(f"buffer {snapshot.buffer_fill:3.0%}", _degree(snapshot.buffer_fill, 0.5, 0.8))])
        fields.append([(f"load {snapshot.device_load:3.0%}", _degree(snapshot.device_load, 0.5, 0.8))])
        return fields

    def _silent_seconds(self) -> float:
        """Return for how long the device has been silent; 0 if it calls as it should."""
        seconds = self._now - self._called_at if self._called_at is not None else 0.0
        return seconds if seconds > _SILENT_SECONDS else 0.0

    def _state(self, snapshot: Snapshot) -> Span:
        """Return the state of the run in a word or two."""
        if silent_seconds := self._silent_seconds():
            words = f"DEVICE SILENT for {silent_seconds:.0f} s" if snapshot.frames else "WAITING for the device"
            return words, "bold red"
        if snapshot.is_paused:
            return "PAUSED", "bold yellow"
        record, play, listen = ("*", ">", "o") if self._is_ascii else ("●", "▶", "○")
        acts = [f"{record} REC"] if snapshot.file_name is not None else []
        if self._opening.playback_device is not None:
            acts.append(f"{play} PLAY")
        return " ".join(acts) or f"{listen} LISTEN", "bold red" if snapshot.file_name is not None else "bold green"

    def _clock_words(self, snapshot: Snapshot) -> str:
        clock = format_clock(snapshot.frames, snapshot.rate)
        if snapshot.length_frames is None:
            return clock
        return f"{clock} of {format_clock(snapshot.length_frames, snapshot.rate)}"

    def _losses(self, snapshot: Snapshot) -> list[Span]:
        """Return what is known to be lost. A silent device may be losing more, so it never has "nothing lost"."""
        count = snapshot.counts.xruns + self._estimated
        if not count:
            return [] if self._silent_seconds() else [("nothing lost", "green")]
        words = f"{count} xrun{'' if count == 1 else 's'}"
        if self._last_xrun_frame is not None:
            words += f", last at {format_clock(self._last_xrun_frame, snapshot.rate)}"
        return [(text, "bold red") for text in (words, *loss_words(snapshot))]

    def _shortened(self, name: str) -> str:
        """Return a long name without its beginning, since its end tells more."""
        if cell_len(name) <= _MOST_NAME:
            return name
        while cell_len(name) >= _MOST_NAME:
            name = name[1:]
        return ("..." if self._is_ascii else "…") + name

    def _key_words(self, snapshot: Snapshot) -> str:
        words = ["space goes on" if snapshot.is_paused else "space pauses", "q stops"]
        return ", ".join([*words, "s splits"] if snapshot.can_split else words)

    # ---- many channels ----

    def _compact(self, width: int, room: int) -> list[Line]:
        """Return narrow bars of all channels, and words about those that stand out."""
        words = _flow(self._notes(), width - 1) if room > 1 else []
        words = words[: max(0, room - 1)]
        return [*bridge(self._channels, width, room - len(words), is_ascii=self._is_ascii), *words]

    def _notes(self) -> list[Line]:
        channels = self._channels
        index = channels.loudest()
        loudest = channels.all[index]
        greatest = format_level(decibels(loudest.greatest))
        numbers = f"RMS {format_level(loudest.rms)} peak {format_level(loudest.hold)} max {greatest}"
        notes: list[Line] = [[(f"loudest {index + 1}: {numbers}", "")]]
        if over := channels.numbers_of_over():
            notes.append([(f"over: {ranges(over)}", "bold red")])
        clipped = [(number, clips) for number, clips in enumerate(channels.clips, 1) if clips]
        notes += [[(f"clips {number}: {clips}", "bold red")] for number, clips in clipped[:_MOST_CHANNELS_NAMED]]
        if len(clipped) > _MOST_CHANNELS_NAMED:
            notes.append([(f"and on {len(clipped) - _MOST_CHANNELS_NAMED} more", "bold red")])
        if dead := channels.numbers_of_dead():
            notes.append([(f"dead: {ranges(dead)}", "bold magenta")])
        return notes


def _progress(snapshot: Snapshot, width: int, *, is_ascii: bool) -> Line:
    assert snapshot.length_frames
    share = min(1.0, snapshot.frames / snapshot.length_frames)
    left = format_clock(max(0, snapshot.length_frames - snapshot.frames), snapshot.rate)
    words = f" {int(share * 100):3}% {left} left"
    bar_width = max(0, min(_PROGRESS_WIDTH, width - len(words)))
    done = round(share * bar_width)
    full, empty = "#." if is_ascii else "━─"
    return [(full * done, "cyan"), (empty * (bar_width - done), "dim"), (words, "")]


def _degree(value: float, doubtful: float, bad: float) -> str:
    """Return the style for a value that should be low."""
    return "bold red" if value >= bad else "yellow" if value >= doubtful else ""


def _bytes_words(count: int) -> str:
    """Return a size in units of thousands, as disks are sold."""
    size, unit = count / 1e6, "MB"
    if size >= 1000:
        size, unit = size / 1000, "GB"
    return f"{size:.1f} {unit}"


def _span_words(seconds: float) -> str:
    """Return a long time, roughly."""
    minutes = int(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // (24 * 60)} days"


# ---- lines ----


def _flow(fields: Iterable[Line], width: int) -> list[Line]:
    """Return fields beside each other, on as many lines as that takes."""
    lines: list[Line] = []
    free = 0
    for field in fields:
        needed = cell_len(_text(field))
        if lines and needed + 2 <= free:
            lines[-1] += [("  ", ""), *field]
            free -= needed + 2
        else:
            lines.append(_cut(field, width))
            free = width - needed
    return lines


def _text(line: Line) -> str:
    return "".join(text for text, _ in line)


def _cut(line: Line, width: int) -> Line:
    """Return as much of a line as fits."""
    if cell_len(_text(line)) <= width:
        return list(line)
    cut: Line = []
    for text, style in line:
        if cell_len(text) > width:
            return [*cut, (set_cell_size(text, width), style)]
        cut.append((text, style))
        width -= cell_len(text)
    return cut
