"""What shells and terminals do to a take: in the background, under nohup, stopped, continued, hung up, interrupted."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile

from tests.explanations import explanation
from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.servers import JackServer, PulseServer, Server
from tests.sounds import RATE, make_noise, read
from tests.takes import RAMP, SLACK, Listener, frames_on_disk, gaps_in_ramp, handles, starved_seconds, wait_for_frames

COMMAND = (sys.executable, "-m", "pastream_cli")
TAKE = ("null", "take.wav", "-e", "pcm_24", "-D", "virtual:noise")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_TO_STOP = SLACK * 1.0


class Shell:
    """Starts commands as a shell would, in a process group of their own, and ends what is left of it."""

    def __init__(self, pastream: Pastream) -> None:
        self._pastream = pastream
        self._started: list[subprocess.Popen[bytes]] = []

    def __call__(
        self, *words: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a command, here any, in the test's folder."""
        process = subprocess.Popen(
            words,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=self._pastream.folder,
            env=self._pastream.environment,
            preexec_fn=os.setpgrp,  # noqa: PLW1509 - process_group=0 from Python 3.11 on
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End every process that is left."""
        for process in self._started:
            with process, suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def shell(pastream: Pastream) -> Iterator[Shell]:
    """Starts commands as a shell would."""
    started = Shell(pastream)
    yield started
    started.close()


def wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """Wait until a TERM is a request and no longer the end."""
    wait_until(lambda: process.poll() is not None or handles(process.pid, signal.SIGTERM), "a handler of signals", 60)


def finish_within(pastream: Pastream, process: subprocess.Popen[bytes], seconds: float) -> Result:
    """Wait for a command's end, which must come within so many seconds, without ending its standard input."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"still running after {seconds:g} s: {pastream.finish(process).stderr}") from None
    return pastream.finish(process)


# ---- signals that somebody else ignores ----


def test_a_take_under_nohup_outlives_the_hangup(pastream: Pastream, shell: Shell, tmp_path: Path) -> None:
    process = shell("nohup", *COMMAND, *TAKE)
    wait_for_frames(tmp_path / "take.wav", RATE // 4)
    process.send_signal(signal.SIGHUP)
    wait_for_frames(tmp_path / "take.wav", frames_on_disk(tmp_path / "take.wav") + RATE // 2)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    assert len(read(tmp_path / "take.wav")) > RATE // 2


def test_a_take_in_a_shells_background_outlives_the_interrupt(pastream: Pastream, shell: Shell, tmp_path: Path) -> None:
    process = shell("sh", "-c", '"$@" & echo $!; wait $!', "sh", *COMMAND, *TAKE)
    assert process.stdout
    pid = int(process.stdout.readline())
    wait_for_frames(tmp_path / "take.wav", RATE // 4)
    os.kill(pid, signal.SIGINT)
    wait_for_frames(tmp_path / "take.wav", frames_on_disk(tmp_path / "take.wav") + RATE // 2)
    os.kill(pid, signal.SIGTERM)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    assert len(read(tmp_path / "take.wav")) > RATE // 2


# ---- a stop while something does not answer ----


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("line", ["- take.wav", "fifo take.wav", "fifo", "null fifo -t au", "in.wav fifo -t raw -y"])
def test_a_stop_is_heard_while_a_pipe_says_nothing(
    pastream: Pastream, shell: Shell, tmp_path: Path, line: str, number: signal.Signals
) -> None:
    make_noise(tmp_path / "in.wav", 100)
    os.mkfifo(tmp_path / "fifo")
    process = shell(*COMMAND, *line.split(), "-D", "virtual", stdin=subprocess.PIPE)
    wait_for_handlers(process)
    time.sleep(0.2)
    process.send_signal(number)
    result = finish_within(pastream, process, SECONDS_TO_STOP)
    assert (result.returncode, explanation(result.stderr)) == (0, [])
    assert not (tmp_path / "take.wav").exists()


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_is_heard_before_playback_can_begin(
    pastream: Pastream, shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    make_noise(tmp_path / "in", RATE // 4, file_type="AU")
    process = shell(*COMMAND, "-", "take.wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write((tmp_path / "in").read_bytes())
    process.stdin.flush()
    wait_until((tmp_path / "take.wav").exists, "the file", 60)
    process.send_signal(number)
    result = finish_within(pastream, process, SECONDS_TO_STOP)
    assert (result.returncode, explanation(result.stderr)) == (0, [])
    assert not (tmp_path / "take.wav").exists()


@pytest.fixture(params=["fresh_jackd", "fresh_pulseaudio"])
def hung_server(request: pytest.FixtureRequest) -> Server:
    """A sound server that answers nobody."""
    server: JackServer | PulseServer = request.getfixturevalue(request.param)
    server.suspend()
    return server


@pytest.mark.parametrize(("line", "codes"), [("null take.wav", {0}), ("in.wav", {0}), ("-l", {0, 1})])
def test_a_stop_is_heard_while_the_sound_server_hangs(
    pastream: Pastream, tmp_path: Path, hung_server: Server, line: str, codes: set[int]
) -> None:
    make_noise(tmp_path / "in.wav", 100)
    for number in STOPS:
        process = pastream.start(*line.split(), server=hung_server)
        wait_for_handlers(process)
        time.sleep(0.5)
        assert process.poll() is None, "it should wait for the server"
        process.send_signal(number)
        result = finish_within(pastream, process, SECONDS_TO_STOP)
        assert result.returncode in codes, result.stderr
        assert not (tmp_path / "take.wav").exists()


def test_a_second_interrupt_while_a_pipe_is_stuck_gives_up_at_once(shell: Shell) -> None:
    process = shell(*COMMAND, "null", "-", "-t", "au", "-q", "-D", "virtual:noise")
    assert process.stdout
    pipe = process.stdout.fileno()
    wait_until(lambda: is_full(pipe), "a full pipe", 60)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None, "it should wait for the reader"
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS_TO_STOP) == 130
    assert process.stderr
    assert process.stderr.read() == b""


def is_full(pipe: int) -> bool:
    """Tell whether a pipe that holds something gets nothing more for a while, longer than any block lasts."""
    before = waiting_bytes(pipe)
    time.sleep(0.4)
    return 0 < before == waiting_bytes(pipe)


def waiting_bytes(pipe: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


# ---- a terminal ----


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_take_that_is_stopped_by_its_shell_goes_on_and_keeps_time(
    shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    process = shell(*COMMAND, "null", "take.wav", "-e", "pcm_24", "-D", RAMP)
    listener = Listener(process)
    began = listener.wait_for("recording", 60)
    wait_for_frames(tmp_path / "take.wav", RATE // 2)
    process.send_signal(number)
    wait_until(lambda: is_stopped(process.pid), "a stopped process")
    stopped = time.monotonic()
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)
    paused_seconds = time.monotonic() - stopped
    wait_for_frames(tmp_path / "take.wav", int(RATE * (time.monotonic() - began)) + RATE // 4)
    late_seconds = starved_seconds(process.pid)
    process.send_signal(signal.SIGINT)
    lasted_seconds = time.monotonic() - began
    result = listener.finish(60)
    assert result.returncode == 0, result.stderr
    take = read(tmp_path / "take.wav")
    assert abs(len(take) / RATE - lasted_seconds) < 0.3 + late_seconds
    gaps = gaps_in_ramp(take)
    lost = sum(length for _, length in gaps)
    assert abs(lost / RATE - paused_seconds) < 0.3 + late_seconds
    assert f"{lost:,} frames lost".replace(",", " ") in result.stderr


def is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as status:
        return status.read().rpartition(")")[2].split()[0] == "T"


def test_a_take_whose_terminal_is_closed_is_whole(pastream: Pastream, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *TAKE],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=pastream.folder,
        env=pastream.environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - the session is made before it
    )
    os.close(theirs)
    try:
        wait_for_frames(tmp_path / "take.wav", RATE // 2)
        os.close(ours)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert len(read(tmp_path / "take.wav")) > RATE // 2


def test_an_interrupt_from_the_terminal_ends_a_pipeline_without_a_word(
    pastream: Pastream, shell: Shell, tmp_path: Path
) -> None:
    process = shell("sh", "-c", '"$@" | cat >take.au', "sh", *COMMAND, "null", "-", "-t", "au", "-q", "-D", "virtual")
    wait_until(lambda: frames_on_disk(tmp_path / "take.au") > RATE // 2, "half a second", 60)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: to everybody
    assert pastream.finish(process).stderr == ""
    with soundfile.SoundFile(tmp_path / "take.au") as take:
        assert len(take.read(RATE // 4)) == RATE // 4


# ---- the first moments ----


def test_an_interrupt_in_the_first_moments_leaves_a_whole_take_or_none(
    pastream: Pastream, shell: Shell, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(15)
    for _ in range(campaign(200)):
        process = shell(*COMMAND, *TAKE)
        wait_for_the_first_line(process.pid)
        time.sleep(dice.uniform(0, 0.15))
        process.send_signal(signal.SIGINT)
        result = pastream.finish(process)
        assert result.returncode in {0, -signal.SIGINT}, result.stderr
        assert explanation(result.stderr) == []
        if (tmp_path / "take.wav").exists():
            assert result.returncode == 0
            assert len(read(tmp_path / "take.wav")) > 0
            (tmp_path / "take.wav").unlink()


def wait_for_the_first_line(pid: int) -> None:
    """Wait until the command runs: Python's own handler of INT, which ends in a traceback, has come and gone."""
    deadline = time.monotonic() + 60
    while not handles(pid, signal.SIGINT) and time.monotonic() < deadline:
        time.sleep(0.0005)
    while handles(pid, signal.SIGINT) and not handles(pid, signal.SIGTERM) and time.monotonic() < deadline:
        time.sleep(0.0005)
