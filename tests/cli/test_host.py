"""The process of a real device: whatever becomes of it, the take goes on, and it never outlives its take."""

from __future__ import annotations

import logging
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.device_processes import host_of, is_there
from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.servers import JackServer, PulseServer, Server
from tests.sounds import RATE, read
from tests.takes import SLACK, Listener, report_of, starved_seconds, wait_for_frames

CRASHED = "pastream: warning: the device's host library has crashed; what it has delivered is safe; it is started again"
BACK = "while the device was away"  # it is told once the next one has its place on the timeline
DIED = "pastream: cannot go on: the device has ended"
CRASHES = Path(__file__).parent.with_name("crashes.c")
SHARED = Path("/dev", "shm")
LOG = logging.getLogger(__name__)  # --log-cli-level=INFO shows the figures
SECONDS_TO_BE_GONE = 0.5 * SLACK


def record(pastream: Pastream, path: Path, server: Server, *options: str, device: str = "system") -> Listener:
    """Start a recording, and wait for its first frames."""
    process = pastream.start(
        "null", path.name, "-D", device, "-r48k", "-e", "pcm_24", "--json", *options, server=server, cwd=path.parent
    )
    wait_for_frames(path, RATE // 4)
    return Listener(process)


def crash(take: Listener, number: signal.Signals) -> int:
    """End the process of the device, wait for the next one, and return that."""
    host = host_of(take.process.pid)
    assert host is not None
    os.kill(host, number)
    wait_until(lambda: host_of(take.process.pid) not in {None, host}, "another process", 30)
    another = host_of(take.process.pid)
    assert another is not None
    return another


def test_a_host_library_that_crashes_is_started_again_and_the_take_goes_on(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    take = record(pastream, tmp_path / "take.wav", jackd)
    crash(take, signal.SIGSEGV)
    take.wait_for(BACK, 30)
    time.sleep(0.5)
    take.process.send_signal(signal.SIGINT)
    result = take.finish(30)
    assert (result.returncode, result.stderr.count(CRASHED)) == (0, 1), result.stderr
    report = report_of(result)
    [gap] = [xrun for xrun in report["xruns"] if xrun["kind"] == "device-away"]
    assert report["lost_frames"] == report["away_frames"] == gap["frames"] > 0
    assert len(read(tmp_path / "take.wav")) == report["frames"] > gap["frame"] + gap["frames"]


def test_a_host_library_that_crashes_again_and_again_is_the_end_of_the_device(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    take = record(pastream, tmp_path / "take.wav", jackd)
    for turn, number in enumerate((signal.SIGABRT, signal.SIGKILL), 1):
        crash(take, number)
        wait_until(lambda: take.text.count(BACK) == turn, "the next device", 30)  # noqa: B023
    last = host_of(take.process.pid)
    assert last is not None
    os.kill(last, signal.SIGSEGV)
    result = take.finish(60)
    assert (result.returncode, result.stderr.count(CRASHED)) == (1, 2), result.stderr
    assert DIED in result.stderr
    assert len(read(tmp_path / "take.wav")) == report_of(result)["frames"]


def crashing(build: Path, folder: Path, function: str, times: int) -> dict[str, str]:
    """Return what to add to the environment of a program whose sound library aborts so often in a function."""
    need("gcc")
    library = build / "crashes.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", str(CRASHES), "-ldl", "-o", str(library)], check=True
    )
    for number in range(times):
        (folder / f"crash.{number}").touch()
    return {"LD_PRELOAD": str(library), "CRASHES_IN": function, "CRASHES": str(folder / "crash")}


@pytest.mark.parametrize(
    ("function", "tellings", "failure"),
    [
        ("snd_card_next", 2, "pastream: cannot look for a device: the host library has crashed\n"),
        ("snd_pcm_start", 1, f"{DIED}\n"),  # it comes back and crashes, and is away all the time
    ],
)
def test_a_host_library_that_crashes_before_the_first_frame_is_started_again(
    pastream: Pastream, build: Path, tmp_path: Path, pulseaudio: PulseServer, function: str, tellings: int, failure: str
) -> None:
    told = "pastream: warning: the device's host library has crashed; it is started again\n"
    for name, times, code in (("twice.wav", 2, 0), ("thrice.wav", 3, 1)):
        bugs = crashing(build, tmp_path, function, times)
        result = pastream("null", name, "-q", "-d", "0.5", "-D", "pulse", server=pulseaudio, env=bugs)
        assert (result.returncode, result.stderr.count(told)) == (code, tellings), result
        assert list(tmp_path.glob("crash.*")) == []
    assert len(read(tmp_path / "twice.wav")) == RATE // 2
    assert not (tmp_path / "thrice.wav").exists()
    assert failure in result.stderr


def test_an_interpreter_that_leaves_assertions_out_records_too(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    options = ("-d", "0.5", "-D", "pulse", "-q")
    result = pastream("null", "take.wav", *options, server=pulseaudio, env={"PYTHONOPTIMIZE": "1"})
    assert (result.returncode, len(read(tmp_path / "take.wav"))) == (0, RATE // 2), result


def check_libraries(pastream: Pastream, path: Path, server: Server, device: str, library: str) -> None:
    take = record(pastream, path, server, device=device)
    host = host_of(take.process.pid)
    time.sleep(1.5)  # moves are watched for by then
    of_host, of_take = (
        set(re.findall(r"lib[a-z]+", Path(f"/proc/{pid}/maps").read_text())) for pid in (host, take.process.pid)
    )
    take.process.send_signal(signal.SIGINT)
    assert take.finish(30).returncode == 0
    assert {"libportaudio", library} <= of_host
    assert not {"libportaudio", "libjack", "libasound", "libpulse", "libpulsecommon"} & of_take


def test_the_process_of_a_take_loads_no_sound_host(pastream: Pastream, tmp_path: Path, jackd: JackServer) -> None:
    check_libraries(pastream, tmp_path / "take.wav", jackd, "system", "libjack")


def test_nor_does_it_load_the_library_of_a_sound_server(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    check_libraries(pastream, tmp_path / "take.wav", pulseaudio, "pulse", "libpulse")


def test_a_stop_that_the_host_does_not_answer_costs_no_frame_and_is_no_failure(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    take = record(pastream, tmp_path / "take.wav", jackd)
    host = host_of(take.process.pid)
    assert host is not None
    os.kill(host, signal.SIGSTOP)
    take.process.send_signal(signal.SIGINT)
    result = take.finish(30)
    assert result.returncode == 0, result.stderr
    assert "cannot stop" not in result.stderr
    report = report_of(result)
    assert len(read(tmp_path / "take.wav")) == report["frames"] > 0
    assert (report["lost_frames"], is_there(host)) == (0, False)


def test_a_stop_that_comes_with_a_crash_is_a_stop(pastream: Pastream, tmp_path: Path, jackd: JackServer) -> None:
    take = record(pastream, tmp_path / "take.wav", jackd)
    host = host_of(take.process.pid)
    assert host is not None
    take.process.send_signal(signal.SIGSTOP)  # so that it finds both at once
    os.kill(host, signal.SIGSEGV)
    for number in (signal.SIGINT, signal.SIGCONT):
        take.process.send_signal(number)
    result = take.finish(30)
    assert (result.returncode, result.stderr.count("the device's host library has crashed")) == (0, 1), result.stderr
    report = report_of(result)
    assert report["ended_away"]
    assert len(read(tmp_path / "take.wav")) == report["frames"]


def check_stopped_take(pastream: Pastream, path: Path, server: Server, device: str, seconds: int) -> None:
    """A take that is stopped for so long loses nothing: the process of its device goes on, and fills the buffer."""
    take = record(pastream, path, server, device=device)
    host = host_of(take.process.pid)
    assert host is not None
    for number, pause in ((signal.SIGSTOP, seconds), (signal.SIGCONT, 1)):
        take.process.send_signal(number)
        time.sleep(pause)
    starved = sum(map(starved_seconds, (host, *server.pids)))
    take.process.send_signal(signal.SIGINT)
    result = take.finish(30)
    report = report_of(result)
    assert (result.returncode, report["lost_frames"]) == (0, 0), result.stderr
    assert report["missing_frames"] <= 2 * starved * RATE
    assert report["buffer"]["high_water_frames"] + report["missing_frames"] > (seconds - 1) * RATE


def test_a_take_that_is_stopped_loses_nothing(pastream: Pastream, tmp_path: Path, jackd: JackServer) -> None:
    check_stopped_take(pastream, tmp_path / "take.wav", jackd, "system", 3)


@pytest.mark.parametrize("seconds", [3, 8])
def test_a_take_that_is_stopped_for_long_loses_nothing_on_any_server(
    pastream: Pastream, tmp_path: Path, jackd: JackServer, pulseaudio: PulseServer, soak_only: None, seconds: int
) -> None:
    del soak_only
    check_stopped_take(pastream, tmp_path / "jack.wav", jackd, "system", seconds)
    check_stopped_take(pastream, tmp_path / "pulse.wav", pulseaudio, "pulse", seconds)


def semaphores_of_jack(server: JackServer) -> set[str]:
    """Return the names of those that clients of the server have now."""
    return {path.name for path in SHARED.glob(f"jack_sem.*_{server.name}_*")}


def semaphores_of_servers_alone(server: JackServer) -> set[str]:
    """Remove those that clients left which were killed; return the others."""
    for name in semaphores_of_jack(server):
        if "_PortAudio" in name:
            (SHARED / name).unlink()
    return semaphores_of_jack(server)


def test_a_take_that_is_killed_leaves_no_process_and_no_semaphore(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    before = semaphores_of_servers_alone(jackd)
    for turn in range(3):
        take = record(pastream, tmp_path / f"{turn}.wav", jackd)
        host = host_of(take.process.pid)
        assert host is not None
        assert semaphores_of_jack(jackd) > before
        take.process.kill()
        killed = time.monotonic()
        take.process.wait()
        wait_until(lambda: not is_there(host), "the end of the device's process", SECONDS_TO_BE_GONE)  # noqa: B023
        LOG.info("gone after %.3f s", time.monotonic() - killed)
        assert semaphores_of_jack(jackd) == before


def test_a_host_that_hangs_ends_with_a_take_whose_starter_ignores_alarms(
    pastream: Pastream, tmp_path: Path, fresh_pulseaudio: PulseServer
) -> None:
    ignored = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        take = record(pastream, tmp_path / "take.wav", fresh_pulseaudio, device="pulse")
    finally:
        signal.signal(signal.SIGALRM, ignored)
    host = host_of(take.process.pid)
    assert host is not None
    fresh_pulseaudio.suspend()
    take.process.kill()
    take.process.wait()
    wait_until(lambda: not is_there(host), "the end of the device's process", 2 * SECONDS_TO_BE_GONE)


def test_a_take_with_more_than_a_thousand_files_open_is_recorded(tmp_path: Path, pulseaudio: PulseServer) -> None:
    """The descriptors of its starter are below its own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    words = ["-m", "pastream_cli", "null", "take.wav", "-d", "0.5", "-D", "pulse", "-q"]
    starter = (
        "import os, sys\n"
        "null = os.open('/dev/null', os.O_RDONLY)\n"
        "for number in range(10, 1110): os.dup2(null, number)\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    if most[1] < 2048:
        pytest.skip("the system allows no more than a thousand")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, most[1]))
    try:
        done = subprocess.run(
            [sys.executable, "-c", starter, *words],
            cwd=tmp_path,
            env=pulseaudio.environment,
            capture_output=True,
            check=False,
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(read(tmp_path / "take.wav")) == RATE // 2


def test_a_take_that_ends_leaves_no_process_and_no_semaphore(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    before = semaphores_of_servers_alone(jackd)
    take = record(pastream, tmp_path / "take.wav", jackd)
    host = host_of(take.process.pid)
    assert host is not None
    take.process.send_signal(signal.SIGINT)
    assert take.finish(30).returncode == 0
    assert not is_there(host)
    assert semaphores_of_jack(jackd) == before


def test_a_crash_of_a_host_library_is_a_fatal_xrun(pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer) -> None:
    take = record(pastream, tmp_path / "take.wav", pulseaudio, "--fatal-xruns", device="pulse")
    host = host_of(take.process.pid)
    assert host is not None
    os.kill(host, signal.SIGSEGV)
    result = take.finish(30)
    assert result.returncode == 3, result.stderr
    assert len(read(tmp_path / "take.wav")) == report_of(result)["frames"]


def test_a_limit_on_files_that_is_too_low_for_the_shared_memory_is_told(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, limits[1]))
    try:
        process = pastream.start("null", "take.wav", "-d", "1", server=jackd)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    result = pastream.finish(process)
    assert result.returncode == 1
    assert "its buffers are larger than the system lets a file be" in result.stderr
    assert "ulimit" in result.stderr
    assert not (tmp_path / "take.wav").exists()
