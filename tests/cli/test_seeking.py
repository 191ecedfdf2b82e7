"""The arrow keys: 5 s back and on in what is played, to the frame, within INPUT, and no loss to anybody."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.homes import wait_until
from tests.listeners import Listener, listening, write_numbers
from tests.runner import Pastream
from tests.servers import PulseServer
from tests.sounds import RATE, make_noise
from tests.terminals import COMMAND, Window

STEP = 5 * RATE


@pytest.fixture
def player(pastream: Pastream, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Plays a minute of noise in a window, with these further arguments."""
    make_noise(tmp_path / "in.wav", 60 * RATE, channels=1)
    with ExitStack() as windows:

        def opened(*arguments: str, source: str = "in.wav") -> Window:
            command = (*COMMAND, f"../{source}", "-D", "virtual", "--json", *arguments)
            one = Window.of_command(tmp_path / "window", pastream.environment, *command)
            windows.callback(one.close)
            one.wait_for("PLAY")
            return one

        yield opened


def wait_for_second(take: Window, second: int) -> None:
    """Wait until the time that is shown, before that of the end, is in this second."""
    words = re.compile(rf"00:00:{second:02}\.\d of ")
    wait_until(lambda: words.search(take.text()) is not None, f"second {second}")


def report_of(take: Window) -> dict[str, Any]:
    """Wait for the end, and return the report, in which there is no loss."""
    assert take.code() == 0
    (line,) = [line for line in take.tmux("capture-pane", "-pJ", "-S", "-").splitlines() if line.startswith("{")]
    report: dict[str, Any] = json.loads(line)
    assert report["xruns"] == []
    assert report["missing_frames"] == report["underruns"] == report["ahead_frames"] == 0
    return report


def test_each_arrow_moves_what_is_heard_by_five_seconds_exactly(player: Callable[..., Window]) -> None:
    take = player()
    take.type("Right")
    wait_for_second(take, 5)
    take.type("Right", "Right", "Right")
    wait_for_second(take, 20)
    take.type("Left")
    wait_for_second(take, 16)
    take.type("Space")
    take.wait_for("PAUSED")
    take.type("Right")
    wait_for_second(take, 21)
    take.type("Space")
    wait_for_second(take, 22)
    take.type("q")
    report = report_of(take)
    assert report["input_frame"] - report["frames"] == 4 * STEP
    assert report["frames"] < STEP


def test_before_the_beginning_is_the_beginning_and_behind_the_end_is_the_end(player: Callable[..., Window]) -> None:
    take = player("--from", "20")
    take.type("Right")
    wait_for_second(take, 5)
    take.type("Left", "Left", "Left")
    wait_for_second(take, 0)
    take.wait_for("of 00:00:40.0")
    time.sleep(0.5)
    take.type(*["Right"] * 20)
    report = report_of(take)
    assert (report["stop_reason"], report["input_frame"]) == ("complete", 60 * RATE)
    assert report["frames"] < STEP


def make_flac_without_a_length(path: Path) -> None:
    """Write a minute of noise as encoders write it into a pipe: the header does not say how much it is."""
    make_noise(path, 60 * RATE, channels=1)
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    content[21] &= 0xF0  # 36 bits of STREAMINFO: the number of frames
    content[22:26] = bytes(4)
    path.write_bytes(content)


def test_behind_an_end_that_is_not_known_is_the_end(player: Callable[..., Window], tmp_path: Path) -> None:
    make_flac_without_a_length(tmp_path / "in.flac")
    take = player("--from", "20", source="in.flac")
    take.wait_for("PLAYING  00:00:01")
    take.type("Right", "Right")
    take.wait_for("PLAYING  00:00:11")
    take.type("Left")
    take.wait_for("PLAYING  00:00:07")
    take.type(*["Right"] * 9)
    report = report_of(take)
    assert (report["stop_reason"], report["input_frame"]) == ("complete", 60 * RATE)
    assert report["frames"] < STEP


def test_behind_an_end_that_is_not_known_is_the_next_pass_of_a_loop(
    player: Callable[..., Window], tmp_path: Path
) -> None:
    make_flac_without_a_length(tmp_path / "in.flac")
    take = player("--from", "20", "--loop", source="in.flac")
    take.wait_for("PLAYING  00:00:01")
    take.type(*["Right"] * 9)
    time.sleep(1)
    take.type("Right")
    time.sleep(1)
    take.type("q")
    assert 25 * RATE < report_of(take)["input_frame"] < 28 * RATE


def test_a_pass_of_a_loop_can_be_left_for_the_next_one(player: Callable[..., Window]) -> None:
    take = player("--from", "50", "--loop")
    take.type("Right", "Right")
    time.sleep(1)
    take.type("Left")
    time.sleep(0.3)
    take.type("q")
    report = report_of(take)
    assert 50 * RATE < report["input_frame"] < 51 * RATE


def test_the_last_seconds_can_be_heard_again_and_a_duration_counts_what_is_played(
    player: Callable[..., Window],
) -> None:
    take = player("--from", "55", "-d", "9")
    wait_for_second(take, 3)
    take.type("Left")
    wait_for_second(take, 0)
    wait_for_second(take, 3)
    take.type("Left")
    wait_for_second(take, 0)
    report = report_of(take)
    assert (report["frames"], report["stop_reason"]) == (9 * RATE, "complete")
    assert 57 * RATE < report["input_frame"] < 60 * RATE


def test_the_end_that_is_shown_is_later_by_what_was_skipped_where_silence_fills_up(
    player: Callable[..., Window],
) -> None:
    take = player("-d", "90", "-p")
    take.wait_for("of 00:01:30.0")
    take.type("Right")
    take.wait_for("of 00:01:35.0")
    take.type("q")
    assert report_of(take)["frames"] < STEP


def test_arrows_do_not_move_a_recording(player: Callable[..., Window]) -> None:
    take = player("out.wav")
    take.type("Right")
    time.sleep(0.5)
    take.type("q", "q")
    report = report_of(take)
    assert report["input_frame"] == report["frames"] < STEP


def test_arrows_do_not_move_a_pipe(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 60 * RATE, channels=1)
    script = f"cat ../in.wav | {shlex.join(COMMAND)} - -D virtual --json"
    take = Window.of_command(tmp_path / "window", pastream.environment, "sh", "-c", script)
    try:
        take.wait_for("q stops")
        take.type("Right")
        time.sleep(0.5)
        take.type("q")
        report = report_of(take)
    finally:
        take.close()
    assert report["input_frame"] == report["frames"] < STEP


def jumps_in(listener: Listener) -> list[int]:
    """Return by how many frames each jump leads, in what was heard so far."""
    steps = np.diff(listener.numbers())
    return [int(step) - 1 for step in steps[steps != 1]]


def test_each_jump_is_heard_to_the_frame_on_a_server(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    write_numbers(tmp_path / "numbers.wav", 60 * RATE)
    command = (*COMMAND, "../numbers.wav", "-D", "pulse", "--from", "20")
    with listening(pulseaudio) as listener:
        take = Window.of_command(tmp_path / "window", {**pastream.environment, **listener.environment}, *command)
        try:
            wait_until(lambda: len(listener.numbers()) > 0, "sound")
            for keys, place in (("Right", 1), ("Left", 0), ("Right Right", 2), ("Left Left", 0)):
                take.type(*keys.split())
                wait_until(partial(has_jumped_to, listener, place), f"what is heard after {keys}")
            take.type("q")
            assert take.code() == 0
        finally:
            take.close()
        assert {jump % STEP for jump in jumps_in(listener)} == {0}
        assert listener.numbers()[0] == 20 * RATE + 1


def has_jumped_to(listener: Listener, place: int) -> bool:
    """Tell whether what is heard is so many steps from where it would be without a jump; keys may come one by one."""
    return sum(jumps_in(listener)) == place * STEP


def test_seeks_put_off_no_end_by_the_clock(player: Callable[..., Window]) -> None:
    end = time.time() + 9
    take = player("--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end)))
    for key in ("Left", "Right") * 30:  # each is followed by a silence in which the reader comes after
        take.type(key)
        time.sleep(0.05)
    assert take.code() == 0
    assert -1.5 < time.time() - end < 1.5
