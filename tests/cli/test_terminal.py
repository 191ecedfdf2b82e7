"""Terminals: what they show while a take runs, and how they are left in every end."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from pastream_cli.screen.terminal import Area
from pastream_cli.units import format_clock, format_frames
from tests.homes import wait_until
from tests.runner import Pastream
from tests.sounds import RATE, make_noise
from tests.takes import SLACK
from tests.terminals import COMMAND, BareTerminal, Window

SINE = ("-D", "virtual:sine", "null", "take.wav")


def meter_lines(text: str) -> list[str]:
    """Return the lines below the banner."""
    return text.partition("until stopped\n")[2].splitlines()


# ---- what is shown ----


def test_a_sine_is_shown_at_its_level_and_the_summary_says_how_it_went(window: Callable[..., Window]) -> None:
    take = window(*SINE)
    take.wait_for("1 █")
    lines = meter_lines(take.text())
    assert re.fullmatch(r"● REC  00:00:0\d\.\d  nothing lost", lines[0])
    assert re.fullmatch(r"take\.wav 0\.\d MB  disk \d+ .*  buffer +\d+%  load +\d+%", lines[1])
    rows = [line for line in lines if line.startswith(("1 ", "2 "))]
    assert [row.replace("█", "").split() for row in rows] == [[n, "-6.0", "-6.0", "-6.0"] for n in "12"]
    assert lines[-1] == "space pauses, q stops"
    time.sleep(0.5)
    take.type("q", "q")
    assert take.code() == 0
    banner, summary = take.text().split("pastream: wrote ")
    assert banner.splitlines() == [
        "pastream: recording virtual:sine (2 ch int32)",
        "          to take.wav (WAV PCM_24)",
        "          at 48000 Hz, latency 0.5 s, until stopped",
    ]
    written, peaks, losses, course = summary.splitlines()
    frames = soundfile.info(take.folder / "take.wav").frames
    assert written == f"take.wav: {format_frames(frames)}, {format_clock(frames, RATE)}"
    assert (peaks.strip(), losses.strip()) == ("peaks -6.0, -6.0 dBFS; no clips", "no xruns")
    assert re.fullmatch(r"level ▇+", course.strip())


def test_a_square_at_full_scale_counts_each_of_its_samples_as_a_clip(
    window: Callable[..., Window], tmp_path: Path
) -> None:
    square = [(32767, 8000) if frame // 24 % 2 else (-32768, -8000) for frame in range(RATE // 4)]
    soundfile.write(tmp_path / "in.wav", np.array(square, "int16"), RATE)
    take = window("-D", "virtual", "../in.wav", "out.wav")
    assert take.code() == 0
    assert "peaks 0.0, -12.2 dBFS; clips 12 000, 0" in take.text()


def test_a_window_of_another_size_is_drawn_anew_without_remains(window: Callable[..., Window]) -> None:
    take = window(*SINE, columns=100)
    take.wait_for("1 █")
    for columns, lines in ((40, 24), (120, 30), (60, 12), (20, 24), (80, 24)):
        take.resize(columns, lines)
        row_width = columns - 1 - len("     CLIPS" if columns >= 70 else " CLIPS" if columns >= 30 else "")
        wait_until(partial(has_a_row, take, row_width), f"a row of {row_width} columns")
        text = take.text()
        assert text.count("REC") == text.count(" PEAK") == text.count("q stops") == 1, text
    take.type("q", "q")
    assert take.code() == 0
    assert "REC" not in take.text()


def test_lines_that_stay_the_same_are_not_written_again_but_for_the_last_whose_end_erasing_counts_from() -> None:
    area, widths = Area(can_reflow=True), [2, 2, 30]
    assert area.draw(["l1", "l2", "l3"], widths, 80) == "\rl1\x1b[K\nl2\x1b[K\nl3\x1b[K"
    changed = [area.draw(["l1", f"at {number}", "l3"], widths, 80) for number in range(10)]
    assert changed[0] == "\r\x1b[2A\nat 0\x1b[K\nl3\x1b[K"
    assert ["l1" in text for text in changed] == [number == 8 for number in range(10)]
    assert area.erase(20) == "\r\x1b[3A\x1b[J"  # the last line takes two, and the cursor is on the second


def has_a_row(take: Window, width: int) -> bool:
    """Tell whether there is one row for the first channel, and so wide."""
    return [len(line) for line in take.text().splitlines() if line.startswith("1 ")] == [width]


def test_what_a_command_prints_is_above_the_meter(window: Callable[..., Window]) -> None:
    """With progress that is written over itself, a line without an end, and a process that it leaves behind."""
    command = r"printf '1%%\r2%%\rone\ntwo'; test $PASTREAM_NUMBER != 3 || (sleep 1; echo behind) &"
    take = window("-D", "virtual:sine", "null", "{n}.wav", "--exec", command, "--split", "0.5", "-d", "1.2")
    assert take.code() == 0
    shown = take.wait_for("behind").splitlines()
    assert [shown.count(line) for line in ("one", "two", "behind")] == [3, 3, 1]
    assert not any(line.startswith(("1%", "2%")) for line in shown)


def test_a_terminal_without_colours_cursor_or_utf8_gets_none(bare_terminal: Callable[..., BareTerminal]) -> None:
    takes = {
        "colours": bare_terminal(*SINE, "-d", "0.5"),
        "NO_COLOR": bare_terminal("-D", "virtual:sine", "null", "1.wav", "-d", "0.5", NO_COLOR="1"),
        "dumb": bare_terminal("-D", "virtual:sine", "null", "2.wav", "-d", "0.5", TERM="dumb"),
        "C": bare_terminal("-D", "virtual:sine", "null", "3.wav", "-d", "0.5", LANG="C"),
        "--no-meter": bare_terminal("-D", "virtual:sine", "null", "4.wav", "-d", "0.5", "--no-meter"),
        "-q": bare_terminal("-D", "virtual:sine", "null", "5.wav", "-d", "0.5", "-q"),
    }
    written = {name: take.end().decode() for name, take in takes.items()}
    colour = re.compile(r"\x1b\[[0-9;]*m")
    assert colour.search(written["colours"])
    assert not colour.search(written["NO_COLOR"])
    assert "\x1b[K" in written["NO_COLOR"]
    assert "\x1b" not in written["dumb"]
    assert re.search(r"\r● REC  00:00:00\.\d of 00:00:00\.5  nothing lost  peak -6\.0 dBFS", written["dumb"])
    assert written["C"].isascii()
    assert "1 ####" in colour.sub("", written["C"])
    assert "REC" not in written["--no-meter"]
    assert "\x1b" not in written["--no-meter"]
    assert written["-q"] == ""


# ---- how it is left ----


def test_the_terminal_is_as_it_was_after_every_end(window: Callable[..., Window], tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 10 * RATE)
    takes = {
        0: window(*SINE, "-d", "1", folder="duration"),
        1: window("-D", "virtual:die=1", "null", "take.wav", folder="device"),
        2: window(*SINE, "-d", "-5", folder="usage"),
        3: window("-D", "virtual:sine:xrun=1", "null", "take.wav", "--fatal-xruns", folder="xrun"),
        4: window("-D", "virtual", "../in.wav", "no/take.wav", folder="file"),
    }
    stopped: dict[str | signal.Signals, Window] = {
        "q q": window(*SINE, folder="key"),
        "C-c": window(*SINE, folder="interrupt"),
        "C-\\": window(*SINE, folder="quit"),
        signal.SIGTERM: window(*SINE, folder="term"),
        signal.SIGHUP: window(*SINE, folder="hangup"),
    }
    for end, take in stopped.items():
        take.wait_for("q stops")
        if isinstance(end, str):
            take.type(*end.split())
        else:
            os.kill(take.pid(), end)
    assert {code: take.code() for code, take in takes.items()} == {code: code for code in takes}
    codes = {end: take.code() for end, take in stopped.items()}
    assert codes == {end: 128 + signal.SIGQUIT if end == "C-\\" else 0 for end in stopped}
    assert not [take.text() for take in (*takes.values(), *stopped.values()) if "RMS" in take.text()]


def test_the_terminal_is_as_it_was_after_a_crash_of_a_library(window: Callable[..., Window]) -> None:
    crashes = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
    takes = {crash: window(*SINE, folder=crash.name) for crash in crashes}
    for crash, take in takes.items():
        take.wait_for("q stops")
        os.kill(take.pid(), crash)
    assert {crash: take.code() for crash, take in takes.items()} == {crash: 128 + crash for crash in crashes}


def test_a_take_that_is_given_up_says_so_and_leaves_the_terminal_as_it_was(
    window: Callable[..., Window], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # and never reads
    try:
        take = window("-D", "virtual:sine", "null", "../pipe", "-t", "au")
        take.wait_for("buffer  5%")
        take.type("C-c")
        time.sleep(0.3)
        take.type("C-c")
        assert take.code() == 130
    finally:
        os.close(reader)
    assert "given up before all was written" in take.text()


def test_a_shell_has_a_clean_terminal_while_the_take_is_stopped(pastream: Pastream, tmp_path: Path) -> None:
    shell = Window(tmp_path / "shell", pastream.environment, "bash", "--norc", "--noprofile", "-i")
    try:
        shell.wait_for("bash")
        shell.type("clear; stty -a >before; " + " ".join([*COMMAND, *SINE]), "Enter")
        shell.wait_for("q stops")
        shell.type("C-z")
        assert "RMS" not in shell.wait_for("Stopped")
        # bash gives its jobs the modes that it found when they were stopped: it must find its own
        shell.type("stty -a >while; echo echo''ed", "Enter")
        shell.wait_for("echoed")
        shell.type("clear; fg", "Enter")
        shell.wait_for("q stops")
        shell.type("q", "q")
        shell.wait_for("pastream: wrote take.wav")
        shell.type("stty -a >after", "Enter")
        after = shell.folder / "after"
        wait_until(lambda: after.exists() and after.read_text().endswith("\n"), "the modes")
        assert (shell.folder / "while").read_text() == (shell.folder / "before").read_text() == after.read_text()
        shell.type("clear; " + " ".join([*COMMAND, "-y", *SINE]) + " &", "Enter")
        shell.wait_for("until stopped")
        time.sleep(0.5)
        assert "RMS" not in shell.text()
        shell.type("kill %1", "Enter")
        shell.wait_for("pastream: wrote take.wav")
    finally:
        shell.close()


# ---- what it costs ----


def test_the_meter_costs_less_than_10_ms_of_cpu_per_second(bare_terminal: Callable[..., BareTerminal]) -> None:
    takes = [
        bare_terminal("-D", "virtual:noise", "null", f"{number}.wav", "--json", option)
        for number, option in enumerate(("--meter", "--no-meter"))
    ]
    for take in takes:
        take.wait_for(b"until stopped")
    time.sleep(0.5)
    before = [cpu_seconds(take.process.pid) for take in takes]
    began = time.monotonic()
    time.sleep(1.5)
    spent = [cpu_seconds(take.process.pid) - first for take, first in zip(takes, before, strict=True)]
    lasted = time.monotonic() - began
    assert (spent[0] - spent[1]) / lasted < SLACK * 0.010


def cpu_seconds(pid: int) -> float:
    """Return what all threads of a process have used."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
