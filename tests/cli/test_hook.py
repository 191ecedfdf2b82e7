"""--exec: each finished file is handed on once, in order, with what is true of it, and nothing waits for that."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.errors import ExitCode
from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.homes import wait_until
from tests.refusals import Refused
from tests.runner import Pastream
from tests.sounds import RATE, read
from tests.takes import PATIENT, RAMP, report_of, told

NOTE = """import json, os, sys
with open("log", "a") as log:
    print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if k.startswith("PASTREAM_")}]), file=log)
"""
"""A command that notes its arguments and what its environment says of the file."""


def command(*words: str) -> str:
    """Return a command line for the shell that calls `NOTE` with the name of the file."""
    return shlex.join([sys.executable, "-ISc", NOTE, *words]) + ' "$1"'


def notes(folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    path = folder / "log"
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def test_each_file_is_told_of_with_what_is_true_of_it(pastream: Pastream, tmp_path: Path) -> None:
    words = ("--split", "0.5", "-e", "pcm_24", "--json", "-D", f"{RAMP}:xrun=0.75", *PATIENT, "-d", "1.25")
    result = pastream("null", "take.wav", *words, "--exec", command())
    assert result.returncode == 0, result
    report = report_of(result)
    assert report["hooks"] == {"finished": 3, "failed": 0, "given_up": 0}
    assert len(notes(tmp_path)) == 3
    for number, (file, (arguments, told_of)) in enumerate(zip(report["files"], notes(tmp_path), strict=True), 1):
        assert arguments == [file["name"]]
        assert told_of == {
            "PASTREAM_FILE": file["name"],
            "PASTREAM_COPIES": "",
            "PASTREAM_START": told_of["PASTREAM_START"],
            "PASTREAM_FRAMES": str(len(read(tmp_path / file["name"]))),
            "PASTREAM_SECONDS": f"{file['frames'] / RATE:.6f}",
            "PASTREAM_LOST_FRAMES": str(report["lost_frames"] if number == 2 else 0),
            "PASTREAM_MISSING_FRAMES": "0",
            "PASTREAM_PEAK_DBFS": f"{max(channel['peak_dbfs'] for channel in file['channels']):.3f}",
            "PASTREAM_CLIPS": "0",
            "PASTREAM_NUMBER": str(number),
        }
        assert told_of["PASTREAM_START"].endswith("Z")
    assert report["lost_frames"] > 0


def test_the_copies_that_are_whole_are_told_when_all_are_finished(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    """Of the first piece, one copy meets a full disk."""
    stick = tmp_path / "stick"
    stick.mkdir()
    full = Rule(calls="write", error=errno.ENOSPC, beyond_bytes=2**17, times=1)  # not where the header is
    words = ("a.wav", "--also", "stick/b.wav", "--also", "c.flac", "--part", "--split", "1")
    seen = 'echo "$PASTREAM_COPIES" >"copies-$1"; cat "$1" $PASTREAM_COPIES | wc -c >"bytes-$1"'
    device = ("-d", "3", "-D", "virtual:noise:fast")
    result = pastream("null", *words, *device, "--exec", seen, env=faulty_disk(build, stick, full))
    assert result.returncode == 4, result
    for number in (1, 2, 3):
        name, copies = f"a-{number:03}.wav", [f"stick/b-{number:03}.wav"] if number > 1 else []
        copies.append(f"c-{number:03}.flac")
        assert (tmp_path / f"copies-{name}").read_text().splitlines() == copies
        sizes = [(tmp_path / file).stat().st_size for file in (name, *copies)]
        assert int((tmp_path / f"bytes-{name}").read_text()) == sum(sizes)


def test_the_copies_of_what_a_trigger_has_begun_are_told_when_all_are_finished(
    pastream: Pastream, tmp_path: Path
) -> None:
    sound = np.tile(np.repeat([0.0, 0.5], RATE // 2), 3).astype("float32")
    soundfile.write(tmp_path / "in.wav", np.column_stack([sound, sound]), RATE, subtype="FLOAT")
    options = ("--trigger=-20", "--silence=-20,0.2", "--split", "0.4", "--part", "--also", "b-{n}.flac")
    seen = 'echo "$PASTREAM_COPIES" >>copies; ls *.part >>open; cat "$1" $PASTREAM_COPIES >/dev/null'
    result = pastream("in.wav", "a-{n}.wav", *options, "-D", "virtual:fast", "--exec", seen)
    assert result.returncode == 0, result
    names = sorted(path.name for path in tmp_path.glob("b-*.flac"))
    assert len(names) == 6  # 0.5 s of sound and 0.2 s of silence three times, in pieces of 0.4 s at most
    assert (tmp_path / "copies").read_text().split() == names
    for number in range(1, 7):
        name, copy = tmp_path / f"a-{number}.wav", tmp_path / f"b-{number}.flac"
        assert len(read(name)) == soundfile.info(copy).frames


@pytest.mark.parametrize(
    "name", ["a b.wav", "it's.wav", 'say "no".wav', "two\nlines.wav", "$(touch pwned).wav", "-x.wav"]
)
def test_any_name_reaches_the_command_as_it_is(forks: Forks, tmp_path: Path, name: str) -> None:
    words = ("-d", "0.1", "-D", "virtual:fast", "--exec", command("seen"), "--part")
    result = forks("null", f"./{name}" if name.startswith("-") else name, *words, cwd=tmp_path)
    assert result.returncode == 0, result
    ((arguments, told_of),) = notes(tmp_path)
    assert arguments == ["seen", told_of["PASTREAM_FILE"]]
    assert told_of["PASTREAM_FILE"].removeprefix("./") == name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "log"])
    assert told_of["PASTREAM_PEAK_DBFS"] == ""  # nothing was played


def test_a_file_has_its_name_and_its_whole_length_when_the_command_is_called(forks: Forks, tmp_path: Path) -> None:
    words = ("null", "take.flac", "--part", "-y", "-d", "1", "--split", "0.5", "-D", "virtual:noise:fast")
    result = forks(*words, "--exec", 'cp "$1" "seen-$1"; ls >names-$PASTREAM_NUMBER', cwd=tmp_path)
    assert result.returncode == 0, result
    for number in (1, 2):
        name = f"take-00{number}.flac"
        assert (tmp_path / f"seen-{name}").read_bytes() == (tmp_path / name).read_bytes()
        assert name in (tmp_path / f"names-{number}").read_text().split()
        assert len(read(tmp_path / name)) == RATE // 2


def test_of_many_files_each_is_called_once_in_order_also_the_last(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    """The command sleeps, and every seventh time it fails."""
    pieces = campaign(500)
    failing = 'echo "$1" >>log; sleep 0.01; test $((PASTREAM_NUMBER % 7)) != 0'
    words = ("--split", "100s", "-d", f"{pieces * 100}s", "--json", "-D", "virtual:noise:fast", "--exec", failing)
    result = pastream("null", "{n:03}.wav", *words, timeout=120)
    names = [f"{number:03}.wav" for number in range(1, pieces + 1)]
    assert result.returncode == 0, result
    assert (tmp_path / "log").read_text().split() == names == list(told(result))
    assert report_of(result)["hooks"] == {"finished": pieces, "failed": pieces // 7, "given_up": 0}
    assert result.stderr.count("the command of --exec failed for") == pieces // 7
    assert "the command of --exec failed for 007.wav: its exit status is 1" in result.stderr


def test_a_command_that_is_slower_than_the_files_holds_up_nothing_and_is_told(
    pastream: Pastream, tmp_path: Path
) -> None:
    words = ("--split", "100s", "-d", "15000s", "--json", "-e", "pcm_24", "-D", "virtual:noise:fast")
    result = pastream("null", "{n:03}.wav", *words, "--exec", "until test -e 140.wav; do sleep 0.05; done")
    assert result.returncode == 0, result
    report = report_of(result)
    assert (report["lost_frames"], report["missing_frames"]) == (0, 0)
    assert report["hooks"]["finished"] == len(report["files"])
    assert sum(len(read(tmp_path / file["name"])) for file in report["files"]) == 15_000
    assert result.stderr.count("100 files wait for the command of --exec") == 1


def test_a_command_that_hangs_is_told_and_killed_by_a_second_signal(pastream: Pastream, tmp_path: Path) -> None:
    hangs = 'echo $$ >pid; trap "" INT TERM HUP; sleep 1000 & wait; sleep 1000'
    process = pastream.start("null", "take.wav", "--json", "-d", "0.2", "-D", "virtual", "--exec", hangs)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", "the command", 30)
    for number in (signal.SIGINT, signal.SIGTERM):
        time.sleep(0.6)
        assert process.poll() is None
        process.send_signal(number)
    result = pastream.finish(process)
    assert result.returncode == 130
    assert report_of(result)["hooks"] == {"finished": 0, "failed": 0, "given_up": 1}
    assert "given up while 1 file waited for the command of --exec" in result.stderr
    assert len(read(tmp_path / "take.wav")) == told(result)["take.wav"] == RATE // 5
    group = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_alive(group), "the end of the command", 30)


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_it_waits_for_at_the_end_is_told(pastream: Pastream) -> None:
    result = pastream("null", "take.wav", "-d", "0.1", "-D", "virtual:fast", "--exec", "sleep 2.5")
    assert result.returncode == 0
    waiting = "waiting for the command of --exec, which is at take.wav; Ctrl-C twice gives it up"
    assert waiting in result.stderr


def test_the_command_has_no_input_a_session_of_its_own_and_standard_error(forks: Forks, tmp_path: Path) -> None:
    about = "import os, sys; print('told', os.getsid(0) == os.getpgrp(), sys.stdin.read() == '')"
    words = ("-t", "wav", "-d", "0.1", "-D", "virtual:fast")
    hook = f"{shlex.quote(sys.executable)} -Sc {shlex.quote(about)}; kill -PIPE $$"
    result = forks("null", "take.wav", *words, "--exec", hook, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, b"")
    assert "told True True" in result.stderr
    assert "failed for take.wav: it was ended by SIGPIPE" in result.stderr


@pytest.mark.parametrize(
    ("output", "way_out"),
    [
        ((), "it is called for files: pastream null out.wav --exec 'ls \"$1\"'"),
        (("-", "-t", "au"), "it is called for files: pastream null out.wav --exec 'ls \"$1\"'"),
        (("fifo.wav",), "it is for files alone"),
    ],
)
def test_without_a_file_it_is_a_usage_error(
    refused: Refused, tmp_path: Path, output: tuple[str, ...], way_out: str
) -> None:
    os.mkfifo(tmp_path / "fifo.wav")
    words = ("null", *output, "-d", "1", "-D", "virtual", "--exec", "true")
    refused(*words, code=ExitCode.USAGE, says="cannot use --exec: OUTPUT is not a file", way_out=way_out)
