"""A device that goes and comes back: the take goes on in the same file, at its place in time, or ends where it went."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pastream_cli.args import parse
from pastream_cli.engine.devices import virtual
from pastream_cli.errors import DeviceNameError, UsageError
from tests.runner import Pastream, Result
from tests.servers import PulseServer
from tests.sounds import RATE, Samples, assert_same, make_noise, read
from tests.takes import PATIENT, RAMP, SLACK, Listener, ramp, report_of, silences, wait_for_frames

BLOCK = 480
GONE = "pastream: warning: the device has ended; what it has delivered is safe; the take goes on when it is back"
OPTIONS = ("-b", str(BLOCK), "-e", "pcm_24", "--json", *PATIENT)


def begin(pastream: Pastream, output: str, device: str, *options: str) -> subprocess.Popen[bytes]:
    return pastream.start("null", output, "-D", device, *OPTIONS, *options)


def gap_of(result: Result, side: str = "capture") -> tuple[int, int]:
    """Return the place and the length of the only gap."""
    report = report_of(result)
    [gap] = [xrun for xrun in report["xruns"] if xrun["side"] == side]
    assert (gap["kind"], gap["certainty"]) == ("device-away", "estimated")
    assert report["lost_frames"] == report["away_frames"] == gap["frames"]
    return gap["frame"], gap["frames"]


def check_ramp_around(recorded: Samples, place: int, frames: int, first_frame: int = 0) -> None:
    """Silence stands where the device was away, and what follows is in its place to a block."""
    [gap] = silences(recorded)
    assert gap == (place - first_frame, frames)
    whole = ramp(first_frame + len(recorded) + BLOCK)
    assert_same(recorded[: gap[0]], whole[first_frame:place])
    rest = recorded[sum(gap) :]
    shift = int(np.flatnonzero(whole[:, 0] == rest[0, 0])[0]) - (place + frames)
    assert abs(shift) <= BLOCK
    assert_same(rest, whole[place + frames + shift :][: len(rest)])


def test_a_recording_goes_on_or_ends_where_its_device_went(pastream: Pastream, tmp_path: Path) -> None:
    back = begin(pastream, "back.wav", f"{RAMP}:die=0.5:back=0.8", "-d", "2", "--reconnect")
    stalled = f"{RAMP}:stall=0.3+2.5"  # its first limit is four times the latency
    silent = begin(pastream, "silent.wav", stalled, "-d", "3.8", "--latency", "0.5", "--reconnect", "9")
    gone = begin(pastream, "gone.wav", f"{RAMP}:die=0.5", "--reconnect", "0.7")
    late = begin(pastream, "late.wav", f"{RAMP}:die=0.5:back=9", "-d", "1.5", "--reconnect")
    stopped = Listener(begin(pastream, "stopped.wav", f"{RAMP}:die=0.5", "--reconnect"))

    stopped.wait_for(GONE, 20)
    stopped.process.send_signal(signal.SIGINT)
    result = stopped.finish(30)
    assert (result.returncode, report_of(result)["ended_away"]) == (0, True)
    assert "stopped while the device was away; the take ends where it went, at 00:00:00.5" in result.stderr
    check_ends_where_it_went(result, tmp_path / "stopped.wav")

    result = pastream.finish(back)
    assert (result.returncode, result.stderr.count(GONE)) == (0, 1), result
    place, frames = gap_of(result)
    assert "frames went by at 00:00:00.5 while the device was away\n" in result.stderr
    assert place == RATE // 2
    assert frames >= RATE * 3 // 10 - BLOCK
    check_ramp_around(read(tmp_path / "back.wav"), place, frames)
    assert report_of(result)["frames"] == 2 * RATE
    assert report_of(result)["ended_away"] is False

    result = pastream.finish(silent)
    assert result.returncode == 0, result
    place, frames = gap_of(result)
    assert place == RATE * 3 // 10
    assert "the device is silent; what it has delivered is safe; the take goes on when it is back" in result.stderr
    check_ramp_around(read(tmp_path / "silent.wav"), place, frames)

    for process, name, why in ((gone, "gone.wav", "for 1 s"), (late, "late.wav", "at the end of the take")):
        result = pastream.finish(process)
        assert result.returncode == 1
        assert f"pastream: cannot go on: the device was away {why}" in result.stderr
        check_ends_where_it_went(result, tmp_path / name)


def check_ends_where_it_went(result: Result, path: Path) -> None:
    report = report_of(result)
    assert report["frames"] == report["files"][0]["frames"] == RATE // 2
    assert (report["lost_frames"], report["unwritten_frames"], report["xruns"]) == (0, 0, [])
    assert_same(read(path), ramp(RATE // 2))


def test_no_piece_holds_nothing_but_the_gap(pastream: Pastream, tmp_path: Path) -> None:
    device = f"{RAMP}:die=0.3:back=1.3"
    options = ("-d", "3", "--split", "0.25", "--reconnect")
    numbered, timed = (begin(pastream, name, device, *options) for name in ("{n}.wav", "{utc:%H%M%S%f}.wav"))
    for file in report_of(pastream.finish(timed))["files"]:  # each is named by when it begins, behind the gap too
        named = datetime.strptime(f"{file['name']}Z", "%H%M%S%f.wav%z")
        start = datetime.fromisoformat(file["start"].replace("Z", "+00:00"))
        assert (named - start + timedelta(seconds=SLACK)).seconds < 2 * SLACK
    result = pastream.finish(numbered)
    place, frames = gap_of(result)
    files = report_of(result)["files"]
    first_frames = [file["first_frame"] for file in files]
    after = (place + frames) // (RATE // 4) * (RATE // 4)
    assert first_frames == [0, RATE // 4, *range(after, 3 * RATE, RATE // 4)]
    recorded = [read(tmp_path / file["name"]) for file in files]
    assert [len(samples) for samples in recorded] == [RATE // 4] * len(files)
    missing = np.zeros((after - RATE // 2, 2), "int32")
    check_ramp_around(np.concatenate([*recorded[:2], missing, *recorded[2:]]), place, frames)


def test_what_is_played_waits_and_stays_tied_to_the_recording(pastream: Pastream, tmp_path: Path) -> None:
    played = make_noise(tmp_path / "in.wav", frames=RATE)
    options = ("-D", "virtual:die=0.5:back=0.6", *OPTIONS, "--reconnect")
    both = pastream.start("in.wav", "out.wav", *options)
    loop = pastream.start("in.wav", "loop.wav", *options, "--loop", "-d", "2.5")
    padded = pastream.start("in.wav", "pad.wav", *options, "-p", "0.5")
    plays = pastream.start("in.wav", *options)

    result = pastream.finish(both)
    place, frames = gap_of(result)
    assert gap_of(result, "playback") == (place, frames)
    assert input_frames(result) == [place] == [RATE // 2]
    gap = np.zeros((frames, 2), played.dtype)
    assert_same(read(tmp_path / "out.wav"), np.concatenate([played[:place], gap, played[place:]]))

    result = pastream.finish(padded)  # the silence follows the input, however late that ends
    place, frames = gap_of(result)
    assert report_of(result)["frames"] == RATE * 3 // 2 + frames

    result = pastream.finish(loop)  # the length counts the gap
    place, frames = gap_of(result)
    gap = np.zeros((frames, 2), played.dtype)
    passes = np.concatenate([played] * 3)
    assert_same(read(tmp_path / "loop.wav"), np.concatenate([passes[:place], gap, passes[place:]])[: RATE * 5 // 2])

    result = pastream.finish(plays)
    place, frames = gap_of(result, "playback")
    assert (report_of(result)["frames"], report_of(result)["input_frame"]) == (RATE + frames, RATE)
    assert input_frames(result) == [RATE // 2]


def input_frames(result: Result) -> list[Any]:
    return [xrun["input_frame"] for xrun in report_of(result)["xruns"] if xrun["side"] == "playback"]


def test_an_underrun_with_a_gap_in_it_is_told_in_two_parts(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.au", frames=2 * RATE)
    sound = (tmp_path / "in.au").read_bytes()
    process = pastream.start(
        "-", "out.wav", "-D", "virtual:die=1.6:back=1.9", *OPTIONS, "--latency", "0.2", "--reconnect",
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(sound[: len(sound) // 2])
    process.stdin.flush()
    wait_for_frames(tmp_path / "out.wav", 2 * RATE)  # dry from 1 s to 1.6 s, and again behind the gap
    process.stdin.write(sound[len(sound) // 2 :])
    result = pastream.finish(process)
    report = report_of(result)
    dry = [(xrun["frame"], xrun["frames"]) for xrun in report["xruns"] if xrun["kind"] == "underrun"]
    place, frames = gap_of(result)
    assert (len(dry), sum(length for _, length in dry)) == (report["underruns"], report["underrun_frames"])
    assert len(dry) == 2
    assert [sum(dry[0]), dry[1][0]] == [place, place + frames]
    assert silences(read(tmp_path / "out.wav")) == [(dry[0][0], sum(dry[1]) - dry[0][0])]


@pytest.mark.parametrize(
    "name", ["virtual:fast:back=1", "virtual:absent=1:fast", "virtual:busy=1:fast", "virtual:back"]
)
def test_a_device_comes_and_goes_in_real_time(name: str) -> None:
    with pytest.raises(DeviceNameError):
        virtual.parse(name)


def test_a_loss_cannot_be_the_end_and_be_survived() -> None:
    with pytest.raises(UsageError, match="cannot use --reconnect: --fatal-xruns ends the take"):
        parse(["null", "out.wav", "--reconnect", "--fatal-xruns"])


def test_a_device_that_is_absent_or_in_use_is_waited_for(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "old.wav").touch()
    refused = pastream.start("null", "old.wav", "-D", "virtual:sine:absent=60", "--wait")
    absent = pastream.start("null", "absent.wav", "-D", "virtual:sine:absent=1.2", "-d", "0.1", "--wait")
    busy = pastream.start("null", "busy.wav", "-D", "virtual:sine:busy=1.2", "-d", "0.1", "--wait", "20")
    never = pastream.start("null", "never.wav", "-D", "virtual:sine:busy=60", "--wait", "0.5")
    stopped = Listener(pastream.start("null", "stopped.wav", "-D", "virtual:sine:absent=60", "--wait"))

    result = pastream.finish(refused)  # before anything is waited for
    assert (result.returncode, "waiting" in result.stderr) == (4, False)

    stopped.wait_for("pastream: waiting for virtual:sine:absent=60: cannot find a device", 20)
    stopped.process.send_signal(signal.SIGTERM)
    result = stopped.finish(20)
    assert (result.returncode, result.stderr.splitlines()[1:]) == (0, ["pastream: stopped before anything was opened"])

    for process, device in ((absent, "virtual:sine:absent=1.2"), (busy, "virtual:sine:busy=1.2")):
        result = pastream.finish(process)
        assert result.returncode == 0, result
        first, second, *_ = result.stderr.splitlines()
        assert first.startswith(f"pastream: waiting for {device}: cannot ")
        assert second.startswith(f"pastream: {device} is there, after ")

    result = pastream.finish(never)
    assert (result.returncode, result.stderr.splitlines()[1]) == (
        1, "pastream: cannot open virtual:sine:busy=60: it is in use",
    )  # fmt: skip
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"old.wav", "absent.wav", "busy.wav"}


def test_what_is_known_of_a_device_says_nothing_of_the_next_one(pastream: Pastream) -> None:
    """One dies in the wait for the time at which the take begins, and another one is back by then."""
    begin_at = datetime.now(timezone.utc) + timedelta(seconds=5 * SLACK)
    device = "virtual:sine:drift=50:die=1:back=3"
    take = begin(pastream, "take.wav", device, "--at", f"{begin_at:%Y-%m-%dT%H:%M:%SZ}", "-d", "1", "--reconnect")
    result = pastream.finish(take, timeout=60)
    report = report_of(result)
    assert (result.returncode, report["frames"], report["missing_frames"]) == (0, RATE, 0), result


def test_an_end_by_the_clock_is_kept_after_a_gap(pastream: Pastream, fresh_pulseaudio: PulseServer) -> None:
    end = time.time() + 5 * SLACK
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    options = ("-D", "pulse", "--until", until, "--reconnect", "--json")
    take = pastream.start("null", "take.wav", *options, server=fresh_pulseaudio)
    wait_for_frames(pastream.folder / "take.wav", RATE // 2)
    fresh_pulseaudio.unplug()
    time.sleep(4)
    fresh_pulseaudio.plug()
    result = pastream.finish(take, timeout=60)
    assert (result.returncode, report_of(result)["away_frames"] > 0) == (0, True), result
    assert int(end) - 1 < time.time() < int(end) + SLACK
