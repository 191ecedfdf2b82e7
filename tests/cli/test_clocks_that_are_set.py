"""Takes by the clock on machines whose clocks are set, stand still and sleep; on the virtual device."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from tests.machines import SIX, Machine, check_is_one_stretch, near
from tests.runner import Pastream
from tests.sounds import RATE

SHORT = ("--at", "06:00", "--until", "06:00:00.5")
LONG = ("--at", "06:00", "--until", "06:00:03")


def test_a_take_that_waits_follows_the_clock_wherever_it_is_set(pastream: Pastream) -> None:
    hour, no_chip = timedelta(hours=1), datetime(1970, 1, 1, 0, 10, tzinfo=timezone.utc)
    machines = {
        "forward": Machine(pastream, "forward", SIX - hour, "out.wav", *SHORT),
        "back": Machine(pastream, "back", SIX - timedelta(seconds=100), "out.wav", *SHORT),
        "no-chip": Machine(pastream, "no-chip", no_chip, "{date}-{time}.wav", *SHORT, "--also", "{date}.flac"),
        "dated": Machine(pastream, "dated", no_chip, "out.wav", "--at", "2026-05-05T06:00", "-d", "0.5"),
        "slept": Machine(pastream, "slept", SIX - hour, "out.wav", *SHORT),
    }
    words = ("{date}-{time}.wav", "--at", "06:00", "-d", "1.5", "--split", "1", "--align")
    pieces = machines["pieces"] = Machine(pastream, "pieces", no_chip, *words)
    for machine in machines.values():
        machine.wait_for_file()
    machines["back"].clocks.step(-86_400)
    time.sleep(0.2)  # the take may see that, or not
    for name, machine in machines.items():
        if name == "slept":
            machine.clocks.sleep_until(SIX - timedelta(seconds=1))
        else:
            machine.clocks.show(SIX - timedelta(seconds=1))
    for name, machine in machines.items():
        take = machine.finish()
        assert near(take.starts[0], SIX), (name, take.said)
        assert [len(samples) for samples in take.samples] == [RATE, RATE // 2][machine is not pieces :]
        assert take.report["xruns"] == []
        assert "late;" not in take.said
        take.check_is_one_stretch()
    assert (machines["no-chip"].folder / "20260505-060000.wav").exists()
    assert (machines["no-chip"].folder / "20260505.flac").exists()
    assert (pieces.folder / "20260505-060001.wav").exists()


def test_a_begin_that_the_machine_slept_over_is_late_and_an_end_is_the_end(pastream: Pastream) -> None:
    over = Machine(pastream, "over", SIX - timedelta(hours=1), "out.wav", *LONG)
    missed = Machine(pastream, "missed", SIX - timedelta(hours=1), "out.wav", *LONG)
    for machine in (over, missed):
        machine.wait_for_file()
    over.clocks.sleep_until(SIX + timedelta(seconds=1))
    missed.clocks.sleep_until(SIX + timedelta(hours=1))
    take = over.finish()
    late = (take.starts[0] - SIX).total_seconds()
    assert f"the take begins {late:.3g} s late; its end stays where it was" in take.said
    assert take.frames / RATE == pytest.approx(3 - late, abs=1 / RATE)
    take.check_is_one_stretch()
    take = missed.finish(code=1)
    assert take.files == []
    assert "the take was missed" in take.said


def test_what_the_machine_sleeps_through_is_a_loss_and_a_step_moves_nothing(pastream: Pastream) -> None:
    ten_past = SIX + timedelta(minutes=10)
    words = ("--at", "06:00", "--until", "06:10:01.5")
    until = Machine(pastream, "until", SIX - timedelta(hours=1), "out.wav", *words)
    pieces = Machine(pastream, "pieces", SIX - timedelta(hours=1), "{time}.wav", *words, "--split", "1:00", "--align")
    stepped = Machine(pastream, "stepped", SIX - timedelta(hours=1), "out.wav", "--at", "06:00", "--until", "06:00:02")
    machines = (until, pieces, stepped)
    for machine in machines:
        machine.wait_for_file()
    for machine in machines:
        machine.clocks.show(SIX - timedelta(seconds=0.7))
    for machine in machines:
        machine.wait_for_sound(0.3)
    stepped.clocks.step(3600)
    for machine in (until, pieces):
        machine.clocks.sleep_until(ten_past + timedelta(seconds=0.5))
    for machine in (until, pieces):
        take = machine.finish()
        assert near(take.starts[0], SIX)
        take.check_is_one_stretch()
        (loss,) = take.report["xruns"]
        slept = machine.clocks.slept_ns * RATE / 1e9
        assert (loss["kind"], loss["frames"]) == ("machine-asleep", pytest.approx(slept, abs=RATE / 1000))
        assert take.frames + slept == pytest.approx(601.5 * RATE, abs=5)  # a reading of a clock takes 0.1 ms
        if machine is pieces:  # the minutes in between have no frame
            assert [file["name"] for file in take.files] == ["060000.wav", "061000.wav"]
            assert take.starts[1] > ten_past
    take = stepped.finish()
    (step,) = take.report["clock_steps"]
    assert step["step_seconds"] == pytest.approx(3600, abs=0.001)
    assert (near(take.starts[0], SIX), take.frames) == (True, 2 * RATE)
    take.check_is_one_stretch()


def test_a_process_that_is_stopped_keeps_to_the_clock(pastream: Pastream) -> None:
    """It is stopped before its begin, over its begin, and over all of its time, for longer than a device waits.

    What is missing then is silence, which is told.
    """
    patience, an_hour_before = ("--latency", "0.2"), SIX - timedelta(hours=1)
    before = Machine(pastream, "before", an_hour_before, "out.wav", *SHORT, *patience)
    over = Machine(pastream, "over", an_hour_before, "out.wav", "--at", "06:00", "--until", "06:00:02", *patience)
    missed = Machine(pastream, "missed", an_hour_before, "out.wav", *SHORT, *patience)
    lengths = {before: 0.5, over: 2, missed: 0.5}
    for machine in lengths:
        machine.wait_for_file()
    for machine, seconds in ((before, 1.8), (over, 0.5), (missed, 0.2)):
        machine.clocks.show(SIX - timedelta(seconds=seconds + 0.4))
    time.sleep(0.4)
    for machine in lengths:
        machine.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    for machine in lengths:
        machine.process.send_signal(signal.SIGCONT)
    for machine, seconds in lengths.items():
        take = machine.finish()
        assert (near(take.starts[0], SIX), take.frames) == (True, seconds * RATE)
        samples = take.samples[0][:, 0]
        lost = np.flatnonzero(samples == 0)
        assert len(lost) == take.report["lost_frames"]
        if machine is before:
            assert len(lost) == 0
        elif machine is missed:
            assert len(lost) == len(samples)
        else:
            assert 0.2 * RATE < len(lost) < RATE
            assert list(lost) == list(range(len(lost)))
            check_is_one_stretch(samples[len(lost) :])
