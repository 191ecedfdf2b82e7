"""The meter as text: what stays, what falls, what is told first, and that it shows what is in the file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli import args
from pastream_cli.command.job import Job
from pastream_cli.engine.facts import Counts, Loss, LossKind
from pastream_cli.screen.levels import Course, deflection, ranges, rms_decibels
from pastream_cli.screen.meter import Meter
from pastream_cli.take.file_list import FileList
from pastream_cli.take.report import CopySnapshot, Opening, Snapshot
from pastream_cli.take.session import Session
from pastream_cli.take.signals import Requests
from tests.screens import STANDING, levels, opening, running, shown, styles
from tests.sounds import RATE, make_noise, read

STEP = 0.1


def test_letters_stand_for_bars_where_the_locale_has_no_more() -> None:
    assert shown(running((0.5, 1.0), is_ascii=True, plays=True)).splitlines() == [
        "* REC > PLAY  00:00:01.0  nothing lost  take.wav  buffer  0%  load  0%",
        "  -60 -40     -30      -20          -10    -5     0   RMS  PEAK   MAX     CLIPS",
        "1 ##########################################         -6.0  -6.0  -6.0",
        "2 #################################################   0.0   0.0   0.0",
    ]


# ---- levels ----


def test_a_sine_that_reaches_full_scale_is_at_0_and_a_square_3_above() -> None:
    assert rms_decibels(RATE / 2, RATE) == 0.0
    assert rms_decibels(RATE, RATE) == pytest.approx(3.01, abs=0.005)


def test_the_scale_is_that_of_iec_60268_18() -> None:
    scale = {0: 100, -5: 87.5, -10: 75, -20: 50, -30: 30, -40: 15, -50: 7.5, -60: 2.5, -70: 0}
    assert {level: deflection(level) * 100 for level in scale} == pytest.approx(scale)
    assert (deflection(3.0), deflection(-math.inf)) == (1.0, 0.0)


@given(st.floats(-100, 10), st.floats(-100, 10))
def test_what_is_louder_is_never_lower_on_the_scale(one: float, other: float) -> None:
    assert deflection(min(one, other)) <= deflection(max(one, other))


def test_a_peak_is_held_for_two_seconds_while_the_bar_falls() -> None:
    meter = running((1.0,))
    bars = []
    for step in range(1, 24):
        meter.take(STANDING._replace(frames=RATE, levels=levels((1e-4,)), clips=(0,)), step * STEP)
        line = shown(meter).splitlines()[-1]
        bars.append((line.count("█") + line.count("▒"), line.count("│"), line.split()[-2]))
    assert [length for length, _, _ in bars] == sorted((length for length, _, _ in bars), reverse=True)
    assert bars[9][0] == pytest.approx(49 * deflection(-20), abs=1)  # 20 dB after a second
    assert [mark for _, mark, _ in bars] == [1] * 20 + [0] * 3
    assert [hold for _, _, hold in bars] == ["0.0"] * 20 + ["-80.0"] * 3


def test_the_rms_is_of_the_last_third_of_a_second() -> None:
    meter = running((1.0,))
    rms = []
    for step in range(1, 5):
        meter.take(STANDING._replace(levels=levels((0.1,)), clips=(0,)), step * STEP)
        rms.append(shown(meter).splitlines()[-1].split()[-3])
    assert rms == ["-3.0", "-4.7", "-20.0", "-20.0"]


def test_the_greatest_peak_and_the_clips_stay() -> None:
    meter = running((1.0, 0.5))
    for second in range(1, 60):
        meter.take(STANDING._replace(levels=levels((0.01, 0.01), 1.0), clips=(3, 0)), float(second))
    one, other = shown(meter).splitlines()[-2:]
    assert one.split()[-4:] == ["-40.0", "-40.0", "0.0", "3"]
    assert other.split()[-3:] == ["-40.0", "-40.0", "-6.0"]
    assert styles(meter, "        3") == {"bold red"}


def test_full_scale_is_marked_for_good_where_nothing_counts_clips() -> None:
    meter = Meter(opening(records=False), is_ascii=False)
    now = STANDING._replace(file_name=None)
    for second, peak in enumerate((32767 / 32768, 0.01, 0.01)):
        meter.take(now._replace(levels=levels((peak, 0.9), 1.0)), float(second))
    one, other = shown(meter).splitlines()[-2:]
    assert one.endswith(" over")
    assert "over" not in other


def test_a_channel_is_dead_after_ten_seconds_of_zeros_until_it_has_a_signal() -> None:
    meter = running((0.5, 0.0))
    for second in range(1, 12):
        assert ("dead" in shown(meter)) == (second > 10)
        meter.take(STANDING._replace(levels=levels((0.5, 0.0), 1.0), clips=(0, 0)), float(second))
    assert shown(meter).splitlines()[-1].startswith("2 dead: only zeros  ")
    assert "2 dead  " in shown(meter, 34)
    meter.take(STANDING._replace(levels=levels((0.5, 1e-7)), clips=(0, 0)), 13.0)
    assert "dead" not in shown(meter)


@pytest.mark.parametrize(("peak", "style"), [(0.2, "green"), (0.5, "yellow"), (0.9, "bold red")])
def test_a_bar_changes_its_colour_12_and_3_decibels_below_full_scale(peak: float, style: str) -> None:
    meter = running((peak,))
    bar = [(span, style) for span, style in meter.lines(80, 24)[-1] if "█" in span]
    assert bar[-1][1] == style
    assert [style for _, style in bar] == ["green", "yellow", "bold red"][: len(bar)]


# ---- the state ----


def test_losses_are_red_and_come_with_the_time_of_the_last() -> None:
    meter = running()
    assert styles(meter, "nothing lost") == {"green"}
    losses = (Loss(LossKind.DEVICE, 5 * RATE, 480, 0), Loss(LossKind.OVERRUN, 65 * RATE, 1000, 0))
    meter.take(
        STANDING._replace(
            counts=Counts(losses=2, lost_frames=1480), new_losses=losses, levels=levels((0.5, 0.5)), clips=(0, 0)
        ),
        1.0,
    )
    meter.take(
        STANDING._replace(counts=Counts(losses=2, lost_frames=1480), levels=levels((0.5, 0.5)), clips=(0, 0)), 2.0
    )
    assert "2 xruns, last at 00:01:05.0  1 480 frames lost" in shown(meter).splitlines()[0]
    assert styles(meter, "2 xruns") == styles(meter, "1 480") == {"bold red"}


def test_a_device_that_does_not_call_is_told_and_its_bars_fall() -> None:
    meter = running()
    for step in range(1, 51):
        meter.take(STANDING._replace(frames=RATE, clips=(0, 0)), step * STEP)
    first, *_, bar = shown(meter).splitlines()
    assert first.startswith("DEVICE SILENT for 5 s  00:00:01.0  take.wav")
    assert "█" not in bar
    assert styles(meter, "DEVICE SILENT") == {"bold red"}


def test_a_pause_is_told_with_the_key_that_ends_it() -> None:
    meter = running()
    meter.take(STANDING._replace(frames=RATE, is_paused=True, can_split=True, levels=levels((0, 0), 0.0)), 1.0)
    first, *_, last = shown(meter, keys=True).splitlines()
    assert first.startswith("PAUSED for 00:00:00  00:00:01.0")
    assert last == "space goes on, q stops, s splits"
    assert styles(meter, "PAUSED") == {"bold yellow reverse"}
    meter.take(STANDING._replace(frames=RATE, is_paused=True, levels=levels((0, 0), 0.0)), 3723.0)
    assert shown(meter).startswith("PAUSED for 01:02:02  00:00:01.0")
    meter.take(STANDING._replace(frames=2 * RATE, levels=levels((0.5, 0.5)), clips=(0, 0)), 3724.0)
    meter.take(STANDING._replace(frames=2 * RATE, is_paused=True, levels=levels((0, 0), 0.0)), 3725.0)
    assert shown(meter).startswith("PAUSED for 00:00:00  00:00:02.0")


@pytest.mark.parametrize(
    ("disk_seconds", "words", "style"),
    [
        (5.2, "disk 5 s", "bold red"),
        (90.0, "disk 90 s", "bold red"),
        (100.0, "disk 1 min", "bold red"),
        (1200.0, "disk 20 min", "yellow"),
        (2 * 3600.0, "disk 2 h 00 min", ""),
        (1e6, "disk 11 days", ""),
    ],
)
def test_a_disk_that_fills_up_is_told_in_time(disk_seconds: float, words: str, style: str) -> None:
    meter = running()
    meter.take(STANDING._replace(disk_seconds=disk_seconds, levels=levels((0.5, 0.5)), clips=(0, 0)), 1.0)
    assert words in shown(meter)
    assert styles(meter, words) == {style}


def test_a_copy_has_its_name_and_is_red_once_it_has_failed() -> None:
    meter = running()
    copies = (CopySnapshot("b.flac", has_failed=False), CopySnapshot("stick/c.wav", has_failed=True))
    meter.take(STANDING._replace(copies=copies, levels=levels((0.5, 0.5)), clips=(0, 0)), 1.0)
    assert "take.wav  b.flac  stick/c.wav FAILED" in shown(meter)
    assert (styles(meter, "b.flac"), styles(meter, "stick/c.wav")) == ({"cyan"}, {"bold red"})


def test_numbers_of_channels_are_told_as_ranges() -> None:
    assert ranges([1, 3, 4, 5, 9]) == "1, 3-5, 9"


# ---- the course of a take ----


def test_the_course_of_a_take_of_any_length_fits_and_keeps_its_peaks() -> None:
    course = Course(64)
    for second in range(10_000):
        course.add(1.0 if second == 5000 else 1e-4, (second + 1) * RATE)
    line = course.line(40, is_ascii=False)
    assert 20 <= len(line) <= 40
    assert line.count("█") == 1
    assert line.index("█") == pytest.approx(len(line) / 2, abs=1)
    assert course.line(40, is_ascii=True).count("#") == 1


def test_a_take_of_a_moment_has_no_course() -> None:
    course = Course()
    course.add(1.0, 100)
    assert course.line(80, is_ascii=False) == ""


# ---- the meter and the file ----


class Watcher:
    """Sees a run as the meter does."""

    is_live = True

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def opened(self, opening: Opening) -> None:
        """See nothing in it."""

    def waited(self, name: str, seconds: float) -> None:
        pass

    def noted(self, text: str) -> None:
        pass

    def warned(self, text: str) -> None:
        """See nothing in it."""

    def stated(self, standing: Snapshot | str) -> None:
        pass

    def quoted(self, text: str) -> None:
        pass

    def progressed(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def peaks(self) -> tuple[float, ...]:
        return tuple(map(max, zip(*(seen.levels.peaks for seen in self.snapshots if seen.levels), strict=True)))


def watched(*arguments: str | Path) -> tuple[Watcher, FileList]:
    """Run a session with these arguments; return what was seen of it, and the files that it wrote."""
    job, watcher = args.parse([*map(str, arguments)]), Watcher()
    assert isinstance(job, Job)
    with Requests() as requests:
        session = Session(job, watcher, requests)
        report = session.run()
        session.leave()
    assert report.error is None
    return watcher, report.files


def test_the_peaks_of_the_meter_are_those_of_the_file(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 3 * RATE, 4)
    watcher, (file,) = watched(tmp_path / "in.wav", tmp_path / "out.wav", "-D", "virtual:fast")
    assert watcher.peaks() == file.peaks == tuple(abs(read(tmp_path / "out.wav") / 2**31).max(axis=0))


def test_the_meter_shows_what_is_recorded_and_nothing_else(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE, 4)
    watcher, (file,) = watched(tmp_path / "in.wav", tmp_path / "out.wav", "-D", "virtual:fast", "-m", "4,0,2")
    peaks = abs(read(tmp_path / "in.wav") / 2**31).max(axis=0)
    assert watcher.peaks() == file.peaks == (peaks[3], 0.0, peaks[1])
    assert all(len(seen.clips) == 3 for seen in watcher.snapshots)
