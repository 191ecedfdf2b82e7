"""Keys in a terminal, while a take runs: what they do, what asks first, and where none are read."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile

from tests.homes import wait_until
from tests.sounds import RATE, make_noise
from tests.terminals import COMMAND, BareTerminal, Window

SINE = ("-D", "virtual:sine", "null", "take.wav")


def test_space_pauses_and_goes_on_and_s_splits(window: Callable[..., Window]) -> None:
    take = window("-D", "virtual:noise", "null", "take-{n}.wav", "--json")
    take.wait_for("q stops, s splits")
    take.type("Space", "Space")
    take.wait_for("PAUSED")
    paused_at = re.search(r"PAUSED for 00:00:00  (\S+)", take.text())
    assert paused_at
    take.wait_for(f"PAUSED for 00:00:01  {paused_at[1]}")
    take.type("Space")
    take.wait_for("REC")
    take.type("s")
    take.wait_for("take-2.wav")
    take.type("q", "q")
    assert take.code() == 0
    (line,) = [line for line in take.tmux("capture-pane", "-pJ", "-S", "-").splitlines() if line.startswith("{")]
    report = json.loads(line)
    (pause,) = report["pauses"]
    assert pause["frames"] > RATE * 0.4
    assert [file["name"] for file in report["files"]] == ["take-1.wav", "take-2.wav"]
    assert sum(file["frames"] for file in report["files"]) == report["frames"]
    assert report["lost_frames"] == 0


def test_r_begins_a_file_where_one_waits_for_it(window: Callable[..., Window]) -> None:
    take = window("-D", "virtual:noise", "null", "out.wav", "--trigger", "-3", "--silence", "-3,2")
    take.wait_for("ARMED -3.0 dBFS")
    take.wait_for("r records")
    assert "▼" in take.text()
    take.type("r")
    take.wait_for("REC")
    take.wait_for("ARMED")
    take.type("q", "q")
    assert take.code() == 0
    assert "wrote out-001.wav" in take.text()


def test_keys_that_are_pasted_or_belong_to_arrows_do_nothing(window: Callable[..., Window]) -> None:
    take = window(*SINE)
    take.wait_for("q stops")
    take.type("Up", "Down", "F1", "Escape")
    take.tmux("set-buffer", "quite a lot of words")
    take.tmux("paste-buffer")
    time.sleep(0.4)
    assert "● REC" in take.text()
    take.type("Q", "Q")
    assert take.code() == 0


def test_a_recording_asks_for_three_seconds_before_a_key_stops_or_pauses_it(window: Callable[..., Window]) -> None:
    take = window(*SINE, "--json")
    take.wait_for("q stops")
    for key, question in (("q", "q again to stop"), ("Space", "space again to pause")):
        take.type(key)
        take.wait_for(question)
        time.sleep(0.5)
        assert "● REC" in take.text()
        wait_until(partial(is_gone, take, question), "the end of the question")
    take.type("q")
    take.wait_for("q again to stop")
    take.type("Space")
    take.wait_for("space again to pause")
    take.type("q")
    take.wait_for("q again to stop")
    time.sleep(0.2)
    take.type("q")
    assert take.code() == 0
    assert '"pauses": []' in take.tmux("capture-pane", "-pJ")


def test_a_key_that_is_held_down_asks_and_does_not_answer(bare_terminal: Callable[..., BareTerminal]) -> None:
    take = bare_terminal(*SINE, "--json")
    take.wait_for(b"q stops")
    for key, question in ((b"q", b"q again to stop"), (b" ", b"space again to pause")):
        for _ in range(30):
            take.type(key)
            time.sleep(0.02)
        take.wait_for(question)
    time.sleep(0.3)
    assert take.process.poll() is None
    for _ in range(2):
        take.type(b"q")
        time.sleep(0.3)
    assert b'"pauses": []' in take.end()


def test_the_terminal_is_left_to_whoever_began_a_take_with_a_pipe_that_carries_no_sound(
    window: Callable[..., Window],
) -> None:
    take = window(script=f"sleep 60 | {shlex.join(COMMAND)} null take.wav -D virtual:sine -d 2")
    take.wait_for("REC")
    take.type("q", "q")
    assert "q stops" not in take.text()
    take.wait_for("96 000 frames")


def is_gone(take: Window, words: str) -> bool:
    return words not in take.text()


def test_a_question_is_a_line_where_no_meter_is(window: Callable[..., Window]) -> None:
    take = window(*SINE, "--no-meter")
    take.wait_for("until stopped")
    time.sleep(0.5)
    take.type("q")
    take.wait_for("pastream: q again to stop")
    take.type("q")
    assert take.code() == 0
    assert take.text().count("q again to stop") == 1


def test_playing_alone_obeys_a_key_at_once(window: Callable[..., Window], tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 60 * RATE)
    take = window("-D", "virtual", "../in.wav")
    take.wait_for("q stops")
    take.type("Space")
    take.wait_for("PAUSED")
    take.type("Space")
    take.wait_for("PLAY")
    take.type("q")
    assert take.code() == 0


def test_keys_come_from_the_terminal_where_standard_input_carries_sound(window: Callable[..., Window]) -> None:
    endless = f"{shlex.join(COMMAND)} -q null - -t au -D virtual:sine"
    take = window(script=f"{endless} | {shlex.join(COMMAND)} - -D virtual")
    take.wait_for("q stops")
    take.type("Space")
    take.wait_for("PAUSED")
    take.type("Space", "q")
    assert take.code() == 0


def test_no_keys_are_read_where_sound_goes_to_standard_output(window: Callable[..., Window]) -> None:
    take = window(script=f"{shlex.join(COMMAND)} null - -t au -D virtual:sine -d 2 | cat >out.au")
    take.wait_for("REC")
    take.type("q", "q")
    assert "q stops" not in take.text()
    assert take.code() == 0
    assert soundfile.info(take.folder / "out.au").duration == 2
