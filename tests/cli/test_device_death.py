"""Devices that die, hang or only pause: told in time, the file complete, the exit code right."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.runner import Pastream, Result
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running
from tests.sounds import RATE, read
from tests.takes import (
    RAMP,
    SLACK,
    Listener,
    frames_on_disk,
    gaps_in_ramp,
    losses_told,
    read_by_sox,
    report_of,
    told,
    wait_for_frames,
)

SECONDS_TO_NOTICE = 1 * SLACK
SECONDS_TO_END = 3 * SLACK
SECONDS_TO_TELL_OF_SILENCE = 3 * SLACK
SECONDS_TO_GIVE_UP = 10

DIED = "pastream: cannot go on: the device has ended"
SILENT = "pastream: warning: the device is silent; what it has delivered is safe"
GIVEN_UP = "pastream: cannot go on: the device is silent for good"


@dataclass(frozen=True)
class Take:
    """A recording under way."""

    path: Path
    listener: Listener
    seen: float
    """When it had a second."""

    def finish(self, timeout: float) -> Result:
        """Wait for its end; every frame that the device delivered must be in the file, for every reader."""
        had_frames = frames_on_disk(self.path) - 20  # beside the header
        result = self.listener.finish(timeout)
        report = report_of(result)
        assert report["lost_frames"] == 0
        assert report["frames"] >= had_frames
        assert told(result) == {self.path.name: report["frames"]}
        assert len(read(self.path)) == len(read_by_sox(self.path)) == report["frames"]
        return result


def record(pastream: Pastream, path: Path, device: str, *options: str, server: Server | None = None) -> Take:
    """Start a recording, and wait for its first second."""
    process = pastream.start(
        "null", path.name, "-D", device, "-e", "pcm_24", "-r48k", "--json", *options, server=server
    )
    listener = Listener(process)
    return Take(path, listener, wait_for_frames(path, RATE))


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    """One server of each kind, and the device that is to be recorded on it."""
    with ExitStack() as stack:
        jackd = stack.enter_context(running(JackServer))
        pulseaudio = stack.enter_context(running(PulseServer))
        pipewire = stack.enter_context(running(PipeWireServer))
        yield {"system": jackd, "pulse": pulseaudio, "virt, JACK": pipewire}


def test_a_server_that_is_killed_ends_the_take_in_time_and_with_every_frame(
    pastream: Pastream, tmp_path: Path, servers: dict[str, Server], campaign: Callable[[int], int]
) -> None:
    dice = random.Random(1)
    for turn in range(campaign(10)):
        takes = {
            device: record(pastream, tmp_path / f"{turn} {server.__class__.__name__}.wav", device, server=server)
            for device, server in servers.items()
        }
        time.sleep(dice.uniform(0, 1))
        for device, server in servers.items():
            killed = time.monotonic()
            server.kill()
            result = takes[device].finish(60)
            assert time.monotonic() - killed < SECONDS_TO_END, result
            assert result.returncode == 1, result
            assert takes[device].listener.wait_for(DIED, 0) - killed < SECONDS_TO_NOTICE
            server.start()


def test_a_device_that_hangs_is_told_and_later_given_up_with_every_frame(
    pastream: Pastream, tmp_path: Path, servers: dict[str, Server], campaign: Callable[[int], int]
) -> None:
    dice = random.Random(2)
    for turn in range(campaign(5)):
        takes = [
            (device, record(pastream, tmp_path / f"{turn} {n} {device[:5]}.wav", device, server=server))
            for device, server in servers.items()
            for n in (1, 2)
        ]
        virtual = record(pastream, tmp_path / f"{turn} virtual.wav", f"{RAMP}:hang=1.5", "-b", "480")
        hung = {"virtual": virtual.seen + 0.5}
        time.sleep(dice.uniform(0, 1))
        for device, server in servers.items():
            hung[device] = time.monotonic()
            server.suspend()
        for device, take in (*takes, ("virtual", virtual)):
            assert take.listener.wait_for(SILENT, 60) - hung[device] < SECONDS_TO_TELL_OF_SILENCE
        # the file is safe from now on, whatever comes
        assert len(read(virtual.path)) == RATE * 3 // 2
        for _, take in (*takes, ("virtual", virtual)):
            result = take.finish(60)
            assert result.returncode == 1, result
            assert result.stderr.count(SILENT) == 1
            seconds = take.listener.wait_for(GIVEN_UP, 0) - take.listener.wait_for(SILENT, 0)
            assert SECONDS_TO_GIVE_UP - 0.5 < seconds < SECONDS_TO_GIVE_UP + SECONDS_TO_NOTICE
        assert gaps_in_ramp(read(virtual.path)) == []
        for server in servers.values():
            server.kill()
            server.start()


def test_a_server_outlasts_every_signal_that_its_client_gets(
    pastream: Pastream, tmp_path: Path, fresh_jackd: JackServer
) -> None:
    take = record(pastream, tmp_path / "take.wav", "system", server=fresh_jackd)
    for _ in range(300):
        take.listener.process.send_signal(signal.SIGUSR1)
        take.listener.process.send_signal(signal.SIGCONT)
        time.sleep(0.002)
    take.listener.process.send_signal(signal.SIGINT)
    assert take.finish(30).returncode == 0


def test_a_sink_that_is_suspended_for_a_while_does_not_end_the_take(
    pastream: Pastream, tmp_path: Path, fresh_pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    for turn in range(campaign(10)):
        take = record(pastream, tmp_path / f"{turn}.wav", "pulse", server=fresh_pulseaudio)
        fresh_pulseaudio.run("pactl", "suspend-sink", "virt", "1")
        time.sleep(1.5)
        fresh_pulseaudio.run("pactl", "suspend-sink", "virt", "0")
        time.sleep(2.5)
        take.listener.process.send_signal(signal.SIGINT)
        result = take.finish(30)
        assert result.returncode == 0, result
        assert report_of(result)["missing_frames"] == pytest.approx(1.5 * RATE, abs=0.2 * RATE * SLACK)


def test_another_server_that_ends_is_none_of_the_takes_business(
    pastream: Pastream,
    tmp_path: Path,
    fresh_pulseaudio: PulseServer,
    fresh_jackd: JackServer,
    campaign: Callable[[int], int],
) -> None:
    both = {"JACK_DEFAULT_SERVER": fresh_jackd.name}
    assert b"system, JACK" in pastream("-l", server=fresh_pulseaudio, env=both).stdout
    dice = random.Random(3)
    for turn in range(campaign(20)):
        process = pastream.start(
            "null", f"{turn}.wav", "-e", "pcm_24", "-r48k", "-d", "2", "-D", "pulse", server=fresh_pulseaudio, env=both
        )
        wait_for_frames(tmp_path / f"{turn}.wav", RATE // 10)
        time.sleep(dice.uniform(0, 1))
        (fresh_jackd.kill if turn % 2 else fresh_jackd.stop)()
        result = pastream.finish(process)
        assert result.returncode == 0, result
        assert len(read(tmp_path / f"{turn}.wav")) == 2 * RATE
        fresh_jackd.start()


def test_a_virtual_device_that_dies_ends_the_take_in_time_and_with_every_frame(
    pastream: Pastream, tmp_path: Path
) -> None:
    take = record(pastream, tmp_path / "take.wav", f"{RAMP}:die=1.5", "-b", "480")
    result = take.finish(30)
    assert time.monotonic() - take.seen < 0.5 + SECONDS_TO_END
    assert (result.returncode, report_of(result)["frames"]) == (1, RATE * 3 // 2)
    assert DIED in result.stderr
    assert gaps_in_ramp(read(take.path)) == []


def test_a_virtual_device_that_resumes_after_a_long_silence_goes_on_in_its_place(
    pastream: Pastream, tmp_path: Path
) -> None:
    options = ("-b", "480", "-d", "3.5", "-e", "pcm_24", "--json")
    result = pastream("null", "take.wav", *options, "-D", f"{RAMP}:stall=0.5+2.5")
    assert result.returncode == 0, result
    assert result.stderr.count(SILENT) == 1
    recording = read(tmp_path / "take.wav")
    assert gaps_in_ramp(recording) == losses_told(result, "device") == [(RATE // 2, RATE * 5 // 2)]
    assert len(recording) == RATE * 7 // 2
    assert report_of(result)["missing_frames"] == 0
