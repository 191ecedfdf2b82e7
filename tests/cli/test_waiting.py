"""A take that waits for its server: it begins once that is there, or ends without a file."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from tests.ears import Ear, write_numbers
from tests.homes import wait_until
from tests.runner import Pastream
from tests.servers import PulseServer, Server, SlowJackServer
from tests.sounds import RATE, read
from tests.takes import SLACK, Listener, report_of, wait_for_frames

PATIENCE_SECONDS = 0.5
WAITS = "pastream: waiting for {}: cannot "


def test_a_server_that_starts_later_is_waited_for_and_one_that_stays_away_is_not(
    pastream: Pastream, tmp_path: Path
) -> None:
    check_waiting(pastream, tmp_path, SlowJackServer(), "system")


def test_a_server_that_starts_later_is_waited_for_on_pulseaudio(
    pastream: Pastream, tmp_path: Path, soak_only: None
) -> None:
    del soak_only
    check_waiting(pastream, tmp_path, PulseServer(), "pulse")


@pytest.mark.parametrize(("server_type", "device"), [(SlowJackServer, "jackrec"), (PulseServer, "pulse")])
def test_a_server_that_starts_later_is_played_on(
    pastream: Pastream, tmp_path: Path, soak_only: None, server_type: type[Server], device: str
) -> None:
    del soak_only
    write_numbers(tmp_path / "in.wav", 20)
    server = server_type()
    ear = Ear(server, tmp_path)
    try:
        words = ("in.wav", "-D", device, "-c", "2", "-r48k", "--wait")
        take = Listener(pastream.start(*words, server=server, cwd=tmp_path))
        take.wait_for(WAITS.format(device), 20)
        server.start()
        ear.start()
        ear.wait_for(RATE)
        take.process.send_signal(signal.SIGINT)
        assert take.finish(30).returncode == 0, take.text
        numbers = ear.numbers()
        assert (np.diff(numbers) == 1).all()
        assert numbers[0] == 1 or device == "pulse"  # its monitor may begin to hear later
    finally:
        ear.stop()
        server.remove()


def check_waiting(pastream: Pastream, folder: Path, server: Server, device: str) -> None:
    """A take waits for a server that comes, others until they are stopped, or as long as they were told."""

    def wait(name: str, *patience: str) -> Listener:
        words = ("-D", device, "-c", "2", "-e", "pcm_24", "--json", "--wait", *patience)
        return Listener(pastream.start("null", name, *words, server=server, cwd=folder))

    try:
        takes = never, stopped, late = wait("never.wav", f"{PATIENCE_SECONDS}"), wait("stopped.wav"), wait("late.wav")
        for take in takes:
            take.wait_for(WAITS.format(device), 20)
        stopped.process.send_signal(signal.SIGUSR2)
        stopped.wait_for(f"pastream: waiting for {device} for ", 20)
        stopped.process.send_signal(signal.SIGINT)
        result = stopped.finish(20)
        assert (result.returncode, "pastream: stopped before anything was opened" in result.stderr) == (0, True), result
        assert never.finish(20).returncode == 1, never.text
        (began, _), (ended, _) = never.lines[:2]
        assert PATIENCE_SECONDS - 0.1 < ended - began < PATIENCE_SECONDS + SLACK, never.lines
        assert not [path for path in folder.iterdir() if path.suffix == ".wav"]
        server.start()
        wait_for_frames(folder / "late.wav", RATE // 4)
        late.process.send_signal(signal.SIGINT)
        result = late.finish(30)
        assert result.returncode == 0, result.stderr
        assert f"pastream: {device} is there, after " in result.stderr
        assert len(read(folder / "late.wav")) == report_of(result)["frames"]
        wait_until(lambda: [path.name for path in folder.glob("*.wav")] == ["late.wav"], "the only file", 1)
    finally:
        server.remove()
