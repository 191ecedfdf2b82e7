"""Takes that begin and end at times of day, on the virtual device, whose clock is the system's."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.runner import Pastream, Result
from tests.sounds import RATE, Samples
from tests.takes import PATIENT, SLACK, ramp_at, report_of

HALF_A_FRAME = 0.5 / RATE + 1e-6
RAMP = ("-D", "virtual:sine=0.01", "-e", "pcm_32", *PATIENT)


def in_seconds(seconds: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def typed(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def start_of(result: Result) -> datetime:
    (file,) = report_of(result)["files"]
    return datetime.fromisoformat(file["start"].replace("Z", "+00:00"))


def test_takes_begin_and_end_on_the_frames_of_their_times(pastream: Pastream) -> None:
    begin = in_seconds(2 * SLACK)
    end = begin + timedelta(seconds=0.7)
    wanted = {
        "both.wav": ("--at", typed(begin), "--until", typed(end)),
        "length.wav": ("--at", f"{begin:%H:%M:%S.%f}", "-d", "0.7", "-b", "7"),
        "{utc:%H%M%S}.wav": ("--at", typed(begin), "--until", typed(end), "-b", "4096"),
        "until.wav": ("--until", typed(end)),
        "stopped.wav": ("--at", typed(begin + timedelta(hours=1))),
    }
    started = {
        name: pastream.start("null", name, "--json", *RAMP, *times, env={"TZ": "UTC"}) for name, times in wanted.items()
    }
    time.sleep(1.5 * SLACK)
    started["stopped.wav"].send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    started["stopped.wav"].send_signal(signal.SIGTERM)
    results = {name: pastream.finish(process) for name, process in started.items()}
    for name in ("both.wav", "length.wav", "{utc:%H%M%S}.wav"):
        report = report_of(results[name])
        assert (results[name].returncode, report["frames"]) == (0, round(0.7 * RATE)), results[name].stderr
        assert abs((start_of(results[name]) - begin).total_seconds()) <= HALF_A_FRAME
    assert (pastream.folder / f"{begin:%H%M%S}.wav").exists()
    assert report_of(results["until.wav"])["frames"] / RATE == pytest.approx(
        (end - start_of(results["until.wav"])).total_seconds(), abs=2 * HALF_A_FRAME
    )
    assert "no next file to start: the take has not begun" in results["stopped.wav"].stderr
    assert (results["stopped.wav"].returncode, (pastream.folder / "stopped.wav").exists()) == (0, False)
    check_stretch(soundfile.read(pastream.folder / "both.wav", dtype="int32")[0])


def test_a_late_start_a_device_that_goes_and_pieces_keep_to_the_clock(pastream: Pastream) -> None:
    begin = in_seconds(2 * SLACK)
    end = begin + timedelta(seconds=0.7)
    wanted = {
        "late.wav": ("--at", f"{in_seconds(0):%H:%M:%S}", "--until", typed(end)),
        "back.wav": ("--at", typed(begin), "-d", "0.7", "--reconnect", "-D", "virtual:sine=0.01:die=0.5:back=1"),
        "seconds-{utc:%H%M%S}.wav": ("--at", typed(begin), "--until", typed(end), "--split", "1", "--align"),
        "hours/{utc:%H%M%S}.wav": ("-d", "3.1", "--split", "1", "--align", "--also", "also.wav"),
    }
    started = {
        name: pastream.start("null", name, "--json", *RAMP, *times, env={"TZ": "UTC"}) for name, times in wanted.items()
    }
    results = {name: pastream.finish(process) for name, process in started.items()}
    late = results["late.wav"]
    assert " s late; its end stays where it was" in late.stderr
    assert report_of(late)["frames"] / RATE == pytest.approx(
        (end - start_of(late)).total_seconds(), abs=2 * HALF_A_FRAME
    )
    back = results["back.wav"]
    assert (back.returncode, report_of(back)["frames"]) == (0, round(0.7 * RATE)), back.stderr
    assert (
        abs((start_of(back) - begin).total_seconds()) < 0.005 + report_of(back)["files"][0]["start_uncertainty_seconds"]
    )
    check_pieces(pastream.folder, results["hours/{utc:%H%M%S}.wav"])
    aligned = results["seconds-{utc:%H%M%S}.wav"]
    assert report_of(aligned)["frames"] == round(0.7 * RATE), aligned.stderr


def check_pieces(folder: Path, result: Result) -> None:
    """They begin on the seconds of the clock, in both copies, and joined they are one stretch."""
    files = report_of(result)["files"]
    starts = [datetime.fromisoformat(file["start"].replace("Z", "+00:00")) for file in files]
    assert len(files) > 2
    for file, start in zip(files[1:], starts[1:], strict=True):
        nominal = (start + timedelta(seconds=0.5)).replace(microsecond=0)
        assert abs((start - nominal).total_seconds()) <= HALF_A_FRAME
        assert Path(file["name"]).stem == f"{nominal:%H%M%S}"
    assert [file["copies"][0]["frames"] for file in files] == [file["frames"] for file in files]
    for names in ([file["name"] for file in files], [file["copies"][0]["name"] for file in files]):
        check_stretch(np.concatenate([soundfile.read(folder / name, dtype="int32")[0] for name in names]))


def check_stretch(samples: Samples) -> None:
    """What is stored is one stretch of what the device delivered."""
    first = next(frame for frame in range(60 * RATE) if ramp_at(frame) == samples[0, 0])
    assert list(samples[:, 0]) == [ramp_at(first + frame) for frame in range(len(samples))]


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
