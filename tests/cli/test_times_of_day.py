"""Takes that begin and end at times of day, on the virtual device, whose clock is the system's."""

from __future__ import annotations

import signal
import time
from datetime import timedelta

import numpy as np
import pytest
import soundfile

from pastream_cli.units import format_clock
from tests.machines import SIX, Machine, Take, near
from tests.runner import Pastream
from tests.sounds import RATE

HOUR = timedelta(hours=1)
FRAMES = round(0.7 * RATE)


def test_takes_begin_and_end_on_the_frames_of_their_times(pastream: Pastream) -> None:
    wanted = {
        "both": ("out.wav", "--at", "2026-05-05T06:00Z", "--until", "06:00:00.7"),
        "length": ("out.wav", "--at", "06:00:00.000", "-d", "0.7", "-b", "7"),
        "named": ("{utc:%H%M%S}.wav", "--at", "2026-05-05T08:00+02:00", "--until", "06:00:00.7", "-b", "4096"),
        "offset": ("out.wav", "--at", "05:59:59.8", "-o", "0.2", "-d", "0.9"),
        "stopped": ("out.wav", "--at", "07:00"),
    }
    machines = {name: Machine(pastream, name, SIX - HOUR, *words) for name, words in wanted.items()}
    for machine in machines.values():
        machine.wait_for_file()
    for machine in machines.values():
        machine.clocks.show(SIX - timedelta(seconds=1))
    stopped = machines.pop("stopped")
    time.sleep(0.3)
    stopped.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    stopped.process.send_signal(signal.SIGTERM)
    for name, machine in machines.items():
        take = machine.finish()
        assert (near(take.starts[0], SIX), take.frames) == (True, FRAMES), (name, take.said)
        take.check_is_one_stretch()
    assert (machines["named"].folder / "060000.wav").exists()
    take = stopped.finish()
    assert "no next file to start: the take has not begun" in take.said
    assert take.files == []


def test_a_late_start_a_device_that_goes_and_pieces_keep_to_the_clock(pastream: Pastream) -> None:
    late = Machine(pastream, "late", SIX + timedelta(minutes=20), "out.wav", "--at", "06:00", "-d", "1:00:00")
    back = Machine(
        pastream, "back", SIX - HOUR, "out.wav", "--at", "06:00", "-d", "0.7", "--reconnect",
        device="virtual:sine=0.01:die=0.1:back=0.3",
    )  # fmt: skip
    words = ("--split", "1", "--align", "--also", "also-{n}.wav")
    named = Machine(pastream, "named", SIX - HOUR, "{utc:%H%M%S}.wav", "--at", "05:59:59.5", "-d", "3.2", *words)
    pieces = Machine(pastream, "pieces", SIX, "{utc:%H%M%S}.wav", "-d", "3.1", *words)
    for machine in (back, named):
        machine.wait_for_file()
    time.sleep(0.6)  # one device has gone, and another is there
    for machine in (back, named):
        machine.clocks.show(SIX - timedelta(seconds=1.2))
    late.wait_for_sound(0.3)
    late.process.send_signal(signal.SIGTERM)
    take = late.finish()
    seconds = (take.starts[0] - SIX).total_seconds()
    assert 20 * 60 <= seconds < 21 * 60
    assert f"the take begins {format_clock(round(seconds), 1)} late; its end stays where it was" in take.said
    take = back.finish()
    assert take.frames == FRAMES, take.said
    uncertainty = take.files[0]["start_uncertainty_seconds"]
    assert abs((take.starts[0] - SIX).total_seconds()) < 0.005 + uncertainty, take.said
    for machine in (named, pieces):
        check_pieces(machine.finish())


def check_pieces(take: Take) -> None:
    """They begin on the seconds of the clock, in both copies, and joined they are one stretch."""
    assert len(take.files) > 2
    for file, start in zip(take.files[1:], take.starts[1:], strict=True):
        nominal = (start + timedelta(seconds=0.5)).replace(microsecond=0)
        assert near(start, nominal)
        assert file["name"] == f"{nominal:%H%M%S}.wav"
    take.check_is_one_stretch()
    for file, samples in zip(take.files, take.samples, strict=True):
        (copy,) = file["copies"]
        assert np.array_equal(soundfile.read(take.folder / copy["name"], dtype="int32")[0], samples)


@pytest.mark.parametrize(
    ("times", "refusal"),
    [
        (("--at", "2020-01-01T06:00", "-d", "60"), "the whole take is past"),
        (("--until", "2020-01-01T06:00"), "it is past"),
        (("--at", "6 o'clock"), "not a time of day"),
        (("--until", "06:00", "-D", "virtual:fast"), "as fast as possible is by no clock"),
    ],
)
def test_times_that_cannot_be_are_refused(pastream: Pastream, times: tuple[str, ...], refusal: str) -> None:
    result = pastream("null", "out.wav", "-D", "virtual", *times)
    assert result.returncode == 2
    assert refusal in result.stderr
    assert not (pastream.folder / "out.wav").exists()
