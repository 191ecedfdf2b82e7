"""A device held against the clock: what never came is told as it is missing, and what comes too fast is no loss."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.device_processes import host_of
from tests.homes import need
from tests.runner import Pastream, Result
from tests.servers import JackServer, PipeWireServer, Server
from tests.sounds import RATE
from tests.takes import PATIENT, SLACK, losses_told, report_of, wait_for_frames

FLOAT_FRAME_BYTES = 2 * 4
BLOCK = 1024
"""The longest that a server here has."""

Numbers = NDArray[np.int64]


# ---- the virtual device ----


def test_a_device_that_is_slow_or_fast_is_told_of_and_one_that_drifts_is_not(pastream: Pastream) -> None:
    def start(drift: str) -> subprocess.Popen[bytes]:
        device = f"virtual:sine:drift={drift}"
        return pastream.start("null", f"take{drift}.wav", "-d", "5", "-D", device, "--json", *PATIENT)

    processes = {drift: start(drift) for drift in ("-80000", "+250000", "-300", "300")}
    results = {drift: pastream.finish(process, timeout=60) for drift, process in processes.items()}
    for drift, result in results.items():
        assert (result.returncode, report_of(result)["frames"]) == (0, 5 * RATE), result.stderr
        assert soundfile.info(pastream.folder / f"take{drift}.wav").frames == 5 * RATE
    assert _in_all(results["-80000"], "deficit") == report_of(results["-80000"])["missing_frames"]
    # less what drift may have made of it, and what the last third of a second has
    assert report_of(results["-80000"])["missing_frames"] == pytest.approx(5 * RATE * 0.08 / 0.92, rel=0.1)
    assert _in_all(results["+250000"], "ahead") == report_of(results["+250000"])["ahead_frames"]
    assert report_of(results["+250000"])["ahead_frames"] == pytest.approx(5 * RATE * 0.2, rel=0.1)
    assert "the device ran ahead of the clock by about " in results["+250000"].stderr
    for drift in ("-300", "300"):
        assert "no xruns" in results[drift].stderr
        assert report_of(results[drift])["missing_frames"] == report_of(results[drift])["ahead_frames"] == 0


def _in_all(result: Result, kind: str) -> int:
    places = losses_told(result, kind)
    assert len(places) < 10
    return sum(frames for _, frames in places)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("virtual:drift=300:fast", "faults other than xrun, and drift, happen in real time, without :fast"),
        ("virtual:fast:drift=0", "faults other than xrun, and drift, happen in real time, without :fast"),
        ("virtual:drift=", "'' is not parts per million from -500000 to 500000"),
        ("virtual:drift=fast", "'fast' is not parts per million from -500000 to 500000"),
        ("virtual:drift=500001", "'500001' is not parts per million from -500000 to 500000"),
    ],
)
def test_a_drift_that_cannot_be_is_refused(pastream: Pastream, device: str, reason: str) -> None:
    result = pastream("null", "out.wav", "-d", "1", "-D", device)
    assert result.returncode == 2
    assert result.stderr.startswith(f"pastream: cannot use -D {device}: {reason}\n")


# ---- what the process of a device has missed that was stopped ----


class Ramp:
    """A sound in which every frame of a minute has a number, played on a server for as long as it is needed."""

    def __init__(self, pastream: Pastream, server: Server, device: str) -> None:
        numbers = np.arange(1, 60 * RATE, dtype="int32") << 8
        soundfile.write(pastream.folder / "ramp.wav", np.column_stack([numbers] * 2), RATE, subtype="PCM_24")
        self._pastream, self._server, self._device = pastream, server, device
        self._player = pastream.start("ramp.wav", "-q", "-D", device, server=server)

    def record(self, name: str) -> subprocess.Popen[bytes]:
        """Begin to record it, and return when that goes on."""
        process = self._pastream.start("null", name, "-q", "--json", "-D", self._device, server=self._server)
        wait_for_frames(self._pastream.folder / name, RATE, FLOAT_FRAME_BYTES)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        process.send_signal(signal.SIGTERM)
        return report_of(self._pastream.finish(process))

    def stop(self) -> None:
        self._player.terminate()
        self._player.wait(20)


def _places(path: Path) -> tuple[Numbers, Numbers]:
    """Return the numbers in a recording of a ramp, and at which frame each is."""
    samples, _ = soundfile.read(path)
    numbers = np.rint(samples[:, 0] * (1 << 23)).astype(np.int64)
    frames = np.flatnonzero(numbers)
    return numbers[frames], frames


def _missed(take: Path, witness: Path) -> int:
    """Return how many frames a recording has less than another of the same sound, from its first to its last number."""
    numbers, frames = _places(take)
    witnessed, at = _places(witness)
    first, last = (int(at[np.searchsorted(witnessed, numbers[end])]) for end in (0, -1))
    return last - first - int(frames[-1] - frames[0])


def _check_what_is_told_of_short_stops(pastream: Pastream, server: Server, device: str, stops: int) -> None:
    ramp = Ramp(pastream, server, device)
    witness = ramp.record("witness.wav")
    recorder = ramp.record("take.wav")
    host = host_of(recorder.pid)
    assert host is not None
    dice = random.Random(8)
    for number in range(stops):
        os.kill(host, signal.SIGSTOP)
        time.sleep((0.09, 0.04)[number % 2])
        os.kill(host, signal.SIGCONT)
        time.sleep(dice.uniform(0.4, 0.8))
    report, of_server = ramp.end(recorder), ramp.end(witness)
    ramp.stop()
    missed = _missed(pastream.folder / "take.wav", pastream.folder / "witness.wav")
    told = report["missing_frames"]
    assert told == sum(xrun["frames"] for xrun in report["xruns"] if xrun["kind"] == "deficit")
    assert missed > stops / 2 * BLOCK
    # a server that has no time on a busy machine is late for all
    assert 0.95 * missed - BLOCK <= told <= 1.05 * (missed + of_server["missing_frames"]) + BLOCK


def test_what_pipewire_has_not_delivered_is_told_to_a_block(
    pastream: Pastream, pipewire: PipeWireServer, campaign: Callable[[int], int]
) -> None:
    _check_what_is_told_of_short_stops(pastream, pipewire, "virt, JACK", campaign(40))


def test_what_jack_has_not_delivered_is_told_to_a_block(
    pastream: Pastream, fresh_jackd: JackServer, campaign: Callable[[int], int]
) -> None:
    _check_what_is_told_of_short_stops(pastream, fresh_jackd, "loopback", campaign(40))


# ---- a server that runs ahead ----


def _freewheel(server: JackServer, *, on: bool) -> None:
    assert server.run("jack_freewheel", "y" if on else "n", timeout=30).returncode == 0


def test_a_server_in_freewheel_is_ahead_of_the_clock_and_loses_nothing(
    pastream: Pastream, fresh_jackd: JackServer
) -> None:
    need("jack_freewheel")
    process = pastream.start("null", "take.wav", "--json", "-D", "system", server=fresh_jackd)
    wait_for_frames(pastream.folder / "take.wav", RATE // 2, FLOAT_FRAME_BYTES)
    _freewheel(fresh_jackd, on=True)
    time.sleep(0.5)
    _freewheel(fresh_jackd, on=False)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    ended = datetime.now(timezone.utc)
    result = pastream.finish(process, timeout=60)
    report = report_of(result)
    (file,) = report["files"]
    assert (result.returncode, file["frames"]) == (0, report["frames"])
    assert soundfile.info(pastream.folder / "take.wav").frames == file["frames"]
    assert report["ahead_frames"] > 12 * RATE
    assert " ran ahead of the clock by about " in result.stderr
    # as long as the clock says, and what was stored on top of that
    passed = (ended - datetime.fromisoformat(file["start"].replace("Z", "+00:00"))).total_seconds()
    on_top = report["ahead_frames"] - report["left_out_frames"] - report["missing_frames"]
    assert report["frames"] == pytest.approx(passed * RATE + on_top, abs=0.3 * RATE * SLACK)
    # the buffer was full when the server kept time again
    assert report["lost_frames"] < 0.5 * RATE * SLACK


def test_a_duration_is_reached_in_freewheel_with_every_frame(pastream: Pastream, fresh_jackd: JackServer) -> None:
    need("jack_freewheel")
    process = pastream.start("null", "take.wav", "--json", "-d", "9", "-D", "system", server=fresh_jackd)
    wait_for_frames(pastream.folder / "take.wav", RATE // 2, FLOAT_FRAME_BYTES)
    _freewheel(fresh_jackd, on=True)
    result = pastream.finish(process, timeout=60)
    report = report_of(result)
    assert (result.returncode, report["stop_reason"], report["frames"]) == (0, "complete", 9 * RATE)
    assert soundfile.info(pastream.folder / "take.wav").frames == 9 * RATE
    assert report["lost_frames"] == report["left_out_frames"] == 0
    assert report["ahead_frames"] > 6 * RATE
