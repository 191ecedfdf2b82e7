"""What a screen shows in windows of every size: nothing broken, nothing outside, what matters most first."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pastream_cli.engine.facts import Counts, Loss, LossKind
from pastream_cli.screen.meter import Meter
from pastream_cli.screen.wrapping import wrapped
from tests.screens import (
    FOLDER,
    PICTURED_WINDOWS,
    PICTURES,
    SCENES,
    STANDING,
    levels,
    opening,
    peaks_of,
    picture,
    running,
    screens,
    shown,
    styles,
    text,
)
from tests.sounds import RATE


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


@pytest.mark.parametrize("name", PICTURED_WINDOWS)
def test_the_pictures_are_of_the_meter_as_it_is(name: str) -> None:
    stored = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert said_in(stored) == said_in(picture(name)), "run make screens"  # what rich draws around it is rich's


def said_in(svg: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r"<text [^>]*>([^<]*[^<\s][^<]*)<", svg)]


def words_of(line: str) -> list[str]:
    return re.findall(r"[^\W\d]+", line)


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


# ---- plain lines ----


@given(
    words=st.lists(
        st.from_regex(r"[a-z]{1,12}|[0-9]{1,3} [0-9]{3},|日本.wav", fullmatch=True), min_size=1, max_size=30
    ),
    width=st.integers(20, 100),
    indent=st.sampled_from(["", " " * 10]),
    is_indented=st.booleans(),
)
def test_a_line_is_wrapped_between_words_alone(words: list[str], width: int, indent: str, *, is_indented: bool) -> None:
    lines = wrapped(indent * is_indented + " ".join(words), width, indent)
    assert " ".join(line.strip() for line in lines) == " ".join(words)
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.startswith(indent[: width // 4]) for line in lines[1:])


def test_the_last_word_of_a_line_is_not_left_alone() -> None:
    line = "pastream: recording virtual to take.wav at 48000 Hz, latency 0.5 s, until stopped"
    assert wrapped(line, 77, " " * 10) == [
        "pastream: recording virtual to take.wav at 48000 Hz, latency 0.5 s,",
        "          until stopped",
    ]
