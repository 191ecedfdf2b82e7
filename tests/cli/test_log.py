"""What is left where no terminal is: plain lines that read well in a log, in a mail from cron, in the journal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.runner import Pastream
from tests.sounds import RATE, make_noise
from tests.takes import told

DEVICE = "virtual:sine:xrun=0.2"


def test_a_log_has_a_banner_a_line_for_each_loss_and_a_summary(pastream: Pastream, tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as log:
        process = pastream.start("null", "take.wav", "-d", "0.5", "-b", "480", "-D", DEVICE, stderr=log)
        assert pastream.finish(process).stdout == b""
    connection = f"recording {DEVICE} (2 ch int32) to take.wav (WAV PCM_24)"
    assert (tmp_path / "log").read_bytes().decode("ascii").splitlines() == [
        f"pastream: {connection} at 48000 Hz, latency 0.5 s, for 00:00:00.5 (24 000 frames)",
        "pastream: 480 frames lost by the device at 00:00:00.2",
        "pastream: wrote take.wav: 24 000 frames, 00:00:00.5, peak -6.0 dBFS; 480 frames lost in 1 place at 00:00:00.2",
    ]


def test_a_player_speaks_of_dropouts_and_not_of_formats_and_xruns(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    assert pastream("in.wav", "-D", "virtual:fast").stderr.splitlines() == [
        "pastream: playing in.wav on virtual:fast (2 ch) at 48000 Hz, latency 0.2 s, for 00:00:01.0 (48 000 frames)",
        "pastream: 48 000 frames, 00:00:01.0; no dropouts",
    ]
    slow_pipe = "sh", "-c", "head -c 100000 in.wav; sleep 1.5; tail -c +100001 in.wav"
    with subprocess.Popen(slow_pipe, cwd=tmp_path, stdout=subprocess.PIPE) as slow:
        assert slow.stdout is not None
        result = pastream.finish(pastream.start("-", "-D", "virtual", "--buffersize", "8192", stdin=slow.stdout))
    assert re.search(r"; 1 dropout of \d+ \d+ frames at 00:00:00\.\d$", result.stderr)


@pytest.mark.parametrize("environment", [{"TERM": "xterm-256color", "FORCE_COLOR": "1"}, {"LANG": "C"}])
def test_a_log_is_plain_whatever_the_environment_says(
    pastream: Pastream, tmp_path: Path, environment: dict[str, str]
) -> None:
    with open(tmp_path / "log", "wb") as log:
        process = pastream.start(
            "null", "täke\n\x1b[31m.wav", "-d", "0.1", "-D", "virtual:silence", stderr=log, env=environment
        )
        pastream.finish(process)
    written = (tmp_path / "log").read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", written)
    assert len(written.splitlines()) == 2
    assert b"\\n\\x1b[31m.wav" in written


def test_a_quiet_run_says_nothing_and_writes_the_same_bytes(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    for name, options in (("quiet.wav", ["-q"]), ("loud.wav", ["-v"])):
        result = pastream("in.wav", name, "-D", "virtual:fast", *options)
        assert (result.returncode, result.stderr == "") == (0, "-q" in options)
    assert (tmp_path / "quiet.wav").read_bytes() == (tmp_path / "loud.wav").read_bytes()


def test_what_is_wrong_with_a_quiet_run_is_told_all_the_same(pastream: Pastream) -> None:
    result = pastream("null", "take.wav", "-q", "-d", "0.5", "-b", "480", "-D", DEVICE)
    assert result.stderr == "pastream: 480 frames lost by the device at 00:00:00.2\n"


def test_a_channel_that_is_meant_to_be_silent_is_not_warned_of(pastream: Pastream) -> None:
    result = pastream("null", "take.wav", "-d", "20", "-m", "3,0,4", "-c", "6", "-D", "virtual:silence:fast")
    assert "nothing but zeros for 10 s or more on channels 1, 3\n" in result.stderr


def test_a_meter_needs_a_terminal(pastream: Pastream) -> None:
    result = pastream("null", "take.wav", "--meter", "-D", "virtual")
    assert (result.returncode, result.stderr) == (
        2,
        "pastream: cannot use --meter: standard error is no terminal\npastream: leave it out, or run in a terminal\n",
    )


TALKATIVE_LIBRARY = """
import os, sys
from contextlib import suppress
from pastream_cli.engine.host_messages import HostMessages

noise = HostMessages(shown=len(sys.argv) > 1)
os.write(2, b"ALSA lib: no such card\\n")
os.write(1, b"Error A : 0D\\n")
print("ours", file=noise.stream)
print(noise.text(), end="")
for _ in range(1000):
    with suppress(BlockingIOError):
        os.write(2, bytes(1000))
print(len(noise.text()))
"""


def test_what_host_libraries_say_is_kept_off_the_screen_and_never_blocks_them() -> None:
    run = subprocess.run([sys.executable, "-c", TALKATIVE_LIBRARY], capture_output=True, text=True, check=True)
    *said, length = run.stdout.splitlines()
    assert (said, run.stderr) == (["ALSA lib: no such card", "Error A : 0D"], "ours\n")
    assert 60_000 < int(length) <= 65_536
    run = subprocess.run([sys.executable, "-c", TALKATIVE_LIBRARY, "-v"], capture_output=True, text=True, check=True)
    assert run.stderr.startswith("ALSA lib: no such card\nError A : 0D\nours\n")


@pytest.fixture
def talkative_input(tmp_path: Path) -> Path:
    """A damaged SDS, of each of whose packets libsndfile's reader says on standard output that it is wrong."""
    path = tmp_path / "talkative.sds"
    sound = np.random.default_rng(16).integers(-(2**15), 2**15, RATE // 5, "int16")
    soundfile.write(path, sound, RATE, subtype="PCM_16", format="SDS")
    damaged = bytearray(path.read_bytes())
    damaged[21::127] = b"\r" * len(damaged[21::127])
    path.write_bytes(damaged)
    return path


def test_what_libraries_print_on_standard_output_is_in_no_report_and_no_take(
    pastream: Pastream, talkative_input: Path, tmp_path: Path
) -> None:
    result = pastream(talkative_input, "out.raw", "--json", "-D", "virtual:fast")
    assert result.returncode == 0, result.stderr
    assert told(result) == {"out.raw": RATE // 5}
    assert result.stdout.count(b"\n") == 1
    take = (tmp_path / "out.raw").read_bytes()
    assert pastream(talkative_input, "-", "-t", ",raw", "-D", "virtual:fast").stdout == take
    with (tmp_path / "appended").open("ab") as file:
        for _ in range(2):
            process = pastream.start(talkative_input, "-", "-t", ",raw", "-D", "virtual:fast", stdout=file)
            assert pastream.finish(process).returncode == 0
    assert (tmp_path / "appended").read_bytes() == 2 * take


def test_a_reader_of_the_log_that_goes_away_costs_nothing(pastream: Pastream, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = pastream.start("null", "take.wav", "-d", "0.2", "-D", DEVICE, stderr=writing)
    os.close(writing)
    assert pastream.finish(process).returncode == 0
    assert soundfile.info(tmp_path / "take.wav").frames == RATE // 5
