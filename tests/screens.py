"""What a screen shows of runs of every kind, as text and as a picture. `make screens` stores it to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from pastream_cli.engine.facts import Counts, Levels, Loss, LossKind
from pastream_cli.screen.bars import Line
from pastream_cli.screen.lines import banner_lines
from pastream_cli.screen.meter import Meter
from pastream_cli.take.report import Opening, Snapshot
from tests.sounds import RATE

FOLDER = Path(__file__).parent / "cli" / "screens"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PICTURED_WINDOWS = {"meter": (80, 24), "meter-narrow": (20, 10), "meter-large": (120, 50)}
"""The windows that the README and the guide show, each by the name of its picture."""
WIDTHS = (20, 40, 80, 120, 200)
HEIGHTS = (5, 10, 24, 50)


def opening(*, plays: bool = False, records: bool = True, channels: int = 2) -> Opening:
    """Return what is connected to what; nothing but these three shows in a meter."""
    return Opening(
        rate=RATE,
        playback_name="in.wav" if plays else None,
        playback_device="virtual" if plays else None,
        playback_format="int32" if plays else None,
        playback_channels=channels if plays else 0,
        capture_name="take.wav" if records else None,
        capture_device="virtual" if records else None,
        capture_format="int32" if records else None,
        capture_channels=channels if records else 0,
        file_type="WAV" if records else None,
        encoding="PCM_24" if records else None,
        file_channels=channels if records else 0,
        latency=0.5,
        length_frames=None,
    )


STANDING = Snapshot(
    rate=RATE,
    frames=0,
    length_frames=None,
    counts=Counts(),
    missing_frames=0,
    new_losses=(),
    buffer_fill=0.0,
    device_load=0.0,
    is_paused=False,
    can_split=False,
    file_name="take.wav",
    file_bytes=0,
    disk_seconds=None,
    levels=None,
    clips=(),
)


def levels(peaks: Sequence[float], seconds: float = 0.1, crest: float = 1.0) -> Levels:
    """Return the levels of sounds with these peaks, whose RMS is lower than that of sines by a factor."""
    frames = round(seconds * RATE)
    return Levels(tuple(peaks), tuple((peak / crest) ** 2 / 2 * frames for peak in peaks), frames)


def text(lines: Sequence[Line]) -> list[str]:
    return ["".join(span for span, _ in line).rstrip() for line in lines]


def shown(meter: Meter, width: int = 80, height: int = 24, *, keys: bool = False, question: str = "") -> str:
    return "\n".join(text(meter.lines(width, height, keys=keys, question=question)))


def styles(meter: Meter, words: str) -> set[str]:
    """Return how the words are drawn."""
    return {style for line in meter.lines(80, 24) for span, style in line if words in span}


def running(peaks: Sequence[float] = (0.5, 0.5), *, is_ascii: bool = False, plays: bool = False) -> Meter:
    """Return the meter of a recording in its first second."""
    meter = Meter(opening(channels=len(peaks), plays=plays), is_ascii=is_ascii)
    meter.take(STANDING._replace(frames=RATE, levels=levels(peaks), clips=(0,) * len(peaks)), 0.0)
    return meter


def peaks_of(channels: int) -> list[float]:
    """Return levels from full scale down to silence, the last channel but one exactly zero where there are some."""
    peaks = [10 ** (-(index * 7 % 64) / 20) for index in range(channels)]
    if channels > 2:
        peaks[-2] = 0.0
    return peaks


class Scene(NamedTuple):
    """A run as it stands after twelve minutes less a second."""

    plays: bool = False
    records: bool = True
    channels: int = 2
    lasts_minutes: int | None = None
    """How long it is to last, `None` if until it is stopped."""
    has_lost: bool = False
    has_clipped: bool = False
    paused_seconds: int = 0
    away_seconds: int = 0
    question: str = ""
    can_split: bool = False
    can_seek: bool = False
    file_name: str = "take.wav"
    peaks: tuple[float, ...] = (0.35, 0.2)
    falls_to: float = 0.3
    """How loud the last second is, by the one before it."""

    def meter(self, *, is_ascii: bool = False) -> Meter:
        meter = Meter(opening(plays=self.plays, records=self.records, channels=self.channels), is_ascii=is_ascii)
        peaks = peaks_of(self.channels) if self.channels > 2 else [*self.peaks]
        if self.has_clipped:
            peaks[0] = 1.0
        loss = Loss(LossKind.DEVICE, 3 * RATE, 4096, 0)
        stands = self._standing()
        for second in range(12 * 60):
            lost = (loss,) if self.has_lost and second == 3 else ()
            levels_now = levels([peak * self.falls_to for peak in peaks] if second % 2 else peaks, 1.0, crest=2.0)
            meter.take(stands._replace(frames=second * RATE, levels=levels_now, new_losses=lost), float(second))
        for second in range(719, 720 + self.paused_seconds):
            paused = stands._replace(frames=719 * RATE, levels=levels([0.0] * self.channels, 0.0), is_paused=True)
            if self.paused_seconds:
                meter.take(paused, float(second))
        for second in range(self.away_seconds):
            away = stands._replace(frames=719 * RATE, away_seconds=float(second + 1))
            meter.take(away, float(720 + second))
        return meter

    def _standing(self) -> Snapshot:
        return STANDING._replace(
            length_frames=self.lasts_minutes * 60 * RATE if self.lasts_minutes else None,
            counts=Counts(lost_frames=4096, losses=1) if self.has_lost else Counts(),
            buffer_fill=0.07,
            device_load=0.01,
            can_split=self.can_split,
            can_seek=self.can_seek,
            file_name=self.file_name if self.records else None,
            file_bytes=209_000_000 if self.records else 0,
            disk_seconds=5.3 * 3600 if self.records else None,
            clips=(1234567 * self.has_clipped,) + (0,) * (self.channels - 1) if self.records else (),
        )


SCENES = {
    "recording": Scene(),
    "playing": Scene(plays=True, records=False, lasts_minutes=20, can_seek=True),
    "playing-pipe": Scene(plays=True, records=False),
    "duplex": Scene(plays=True, lasts_minutes=20, channels=8),
    "paused": Scene(paused_seconds=83, can_split=True),
    "away": Scene(away_seconds=83, can_split=True, lasts_minutes=20),
    "losses": Scene(lasts_minutes=20, has_lost=True),
    "clipped": Scene(lasts_minutes=20, has_clipped=True, channels=8),
    "asking": Scene(question="q again to stop"),
    "64-channels": Scene(channels=64, has_clipped=True, has_lost=True),
}

PICTURED = Scene(file_name="concert.wav", peaks=(0.79, 0.5), falls_to=0.6)
# rich's own frame asks another server for its font, which a page that shows the picture may not do
_PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<!-- made by make screens -->
<style>
text {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px }}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
{matrix}
</g>
</svg>
"""


def screens(scene: Scene) -> str:
    """Return what each window shows of a run."""
    meter = scene.meter()
    return "".join(
        f"==== {width} x {height}\n{shown}\n\n"
        for width in WIDTHS
        for height in HEIGHTS
        for shown in ["\n".join(text(meter.lines(width, height, keys=True, question=scene.question)))]
    )


def picture(name: str) -> str:
    """Return a recording in a window as SVG; in the one of usual size with how it was started."""
    width, height = PICTURED_WINDOWS[name]
    lines = PICTURED.meter().lines(width, height, keys=True)
    if name == "meter":
        banner = banner_lines(opening()._replace(capture_name="concert.wav", capture_device="Mixer"))
        lines = [[("$ pastream null concert.wav", "bold")], *([(line, "")] for line in banner), *lines]
    console = Console(record=True, file=StringIO(), width=width)
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)
    return console.export_svg(title="", code_format=_PICTURE, unique_id="meter")


def store() -> None:
    """Store what is shown."""
    FOLDER.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        (FOLDER / f"{name}.txt").write_text(screens(scene), encoding="utf-8")
    for name in PICTURED_WINDOWS:
        (PICTURES / f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    store()
