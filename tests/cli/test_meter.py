"""The meter as text: every width and number of channels, what stays, what falls, what is told first."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pastream_cli import args
from pastream_cli.command.job import Job
from pastream_cli.engine.facts import Counts, Loss, LossKind
from pastream_cli.screen.levels import Course, deflection, ranges, rms_decibels
from pastream_cli.screen.meter import Meter
from pastream_cli.take.file_list import FileList
from pastream_cli.take.report import Opening, Snapshot
from pastream_cli.take.session import Session
from pastream_cli.take.signals import Requests
from tests.screens import FOLDER, PICTURE, SCENES, STANDING, levels, opening, peaks_of, picture, screens, text
from tests.sounds import RATE, make_noise, read

STEP = 0.1
README = Path(__file__).parents[2] / "README.md"


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


# ---- screens ----


@pytest.mark.parametrize("name", SCENES)
def test_screens_look_as_they_were_last_looked_at(name: str) -> None:
    assert screens(SCENES[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), "run make screens"


def test_every_screen_is_of_a_run_that_is_shown() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_no_word_is_broken_or_left_alone_at_any_width(name: str) -> None:
    meter, question = SCENES[name].meter(), SCENES[name].question
    words = {"WAITING", *words_of(shown(meter, 200, keys=True)), *words_of(question), *words_of("clips dead k")}
    for width in range(20, 200):
        lines = shown(meter, width, keys=True, question=question).splitlines()
        assert {word for line in lines for word in words_of(line)} <= words
        assert not [line for line in lines if line.startswith("load")]


def test_the_picture_in_the_readme_is_of_the_meter_as_it_is() -> None:
    stored = PICTURE.read_text(encoding="utf-8")
    assert said_in(stored) == said_in(picture()), "run make screens"  # what rich draws around it is rich's
    assert f"({PICTURE.relative_to(README.parent)})" in README.read_text(encoding="utf-8")


def said_in(svg: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r"<text [^>]*>([^<]*[^<\s][^<]*)<", svg)]


def words_of(line: str) -> list[str]:
    return re.findall(r"[^\W\d]+", line)


@given(
    channels=st.sampled_from([0, 1, 2, 8, 16, 17, 64, 300]),
    width=st.integers(1, 220),
    height=st.integers(1, 60),
    keys=st.booleans(),
    is_ascii=st.booleans(),
    plays=st.booleans(),
)
def test_the_meter_fits_into_every_window(
    channels: int, width: int, height: int, *, keys: bool, is_ascii: bool, plays: bool
) -> None:
    meter = Meter(opening(channels=channels, plays=plays), is_ascii=is_ascii)
    now = STANDING._replace(frames=RATE, file_name="folder/日本語の長い名前のファイル.wav", length_frames=RATE * 9)
    loss = Loss(LossKind.UNDERRUN, 4711, 12345, 0)
    meter.take(
        now._replace(
            levels=levels(peaks_of(channels)), clips=(7,) * channels, counts=Counts(underruns=1), new_losses=(loss,)
        ),
        0.0,
    )
    lines = meter.lines(width, height, keys=keys)
    assert len(lines) <= max(1, height - 1)
    assert all(cell_len("".join(span for span, _ in line)) < max(2, width) for line in lines)
    if is_ascii:
        drawn = {character for line in lines for span, _ in line for character in span}
        assert all(character.isascii() for character in drawn - set(now.file_name or ""))  # which may be cut anywhere


def test_a_very_narrow_or_flat_window_has_the_state_in_one_line_of_whole_words() -> None:
    meter = running()
    assert shown(meter, 80, 2) == "● REC  00:00:01.0  nothing lost  peak -6.0 dBFS"
    assert shown(meter, 40, 2) == "● REC  00:00:01.0  nothing lost"
    assert shown(meter, 20, 2) == "● REC  00:00:01.0"
    assert shown(meter, 15, 24) == "● REC"
    assert shown(meter, 40, 2, question="q again to stop") == "q again to stop  ● REC  00:00:01.0"


def test_twenty_columns_show_time_level_and_loss() -> None:
    meter = running((0.5, 1.0))
    meter.take(STANDING._replace(frames=2 * RATE, counts=Counts(lost_frames=48, losses=1), clips=(0, 3)), 1.0)
    assert shown(meter, 20).splitlines() == [
        "● REC  00:00:02.0",
        "1 xrun",
        "48 frames lost",
        "3 clips",
        "take.wav",
        "buffer  0%",
        "     -20    0  PEAK",
        "1 █████████    -6.0",
        "2 ███████████   0.0",
    ]
    assert shown(meter, 20, 5).splitlines() == ["● REC  00:00:02.0", "1 xrun", "48 frames lost", "2 ███████████   0.0"]


def test_a_question_about_a_key_has_its_line_in_every_window() -> None:
    meter = running()
    for height in range(3, 60):
        lines = meter.lines(80, height, keys=True, question="q again to stop")
        assert lines[-1] == [("q again to stop", "bold yellow reverse")]
        assert "REC" in text(lines)[0] or height >= 30
    assert text(meter.lines(20, 24, question="space again to pause"))[-2:] == ["space again", "to pause"]


def test_a_large_window_shows_the_time_in_digits_that_change_with_losses_and_pauses() -> None:
    meter = running()
    large = meter.lines(120, 50)
    assert text(large)[11].startswith("● REC")
    assert {style for line in large[:10] for _, style in line} == {"bold"}
    now = STANDING._replace(frames=RATE, levels=levels((0.5, 0.5)), clips=(0, 0))
    meter.take(now._replace(is_paused=True), 1.0)
    paused = meter.lines(120, 50)
    assert {style for line in paused[:10] for _, style in line} == {"bold yellow"}
    assert [line.replace("░", "█") for line in text(paused)[:10]] == text(large)[:10] != text(paused)[:10]
    meter.take(now._replace(counts=Counts(lost_frames=48, losses=1)), 2.0)
    assert {style for line in meter.lines(120, 50)[:10] for _, style in line} == {"bold red"}
    assert [len(meter.lines(80, height)) for height in (29, 30, 60)] == [5, 11, 11]
    assert [len(meter.lines(200, height)) for height in (29, 30, 60)] == [4, 15, 20]


def test_a_player_says_that_it_plays_and_nothing_of_disk_load_and_buffer() -> None:
    meter = Meter(opening(plays=True, records=False), is_ascii=False)
    now = STANDING._replace(frames=RATE, levels=levels((0.5, 0.5)), file_name=None)
    meter.take(now, 0.0)
    assert text(meter.lines(80, 24))[0] == "▶ PLAYING  00:00:01.0"
    meter.take(now._replace(buffer_fill=0.9), 0.1)  # hardly anything left to play
    assert text(meter.lines(80, 24))[0] == "▶ PLAYING  00:00:01.0  buffer 90%"
    assert styles(meter, "buffer") == {"bold red"}
    late = Loss(LossKind.UNDERRUN, RATE, 4711, 0)
    meter.take(now._replace(counts=Counts(underruns=1, underrun_frames=4711), new_losses=(late,)), 0.2)
    assert text(meter.lines(120, 24))[0].endswith("1 dropout, last at 00:00:01.0  4 711 frames of silence played")


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

    def warned(self, text: str) -> None:
        """See nothing in it."""

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
