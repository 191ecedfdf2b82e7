"""A device is taken away in the middle of a run and another one takes its place: both halves are where they belong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.facts import Counts, Loss, LossKind
from pastream_cli.engine.files.output_file import OutputFile
from pastream_cli.engine.losses import Losses
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.errors import DeviceError

RATE = 48000
BLOCK = 64
# How late the first block of a device may be on a machine with much to do.
LATE_SECONDS = 0.1
Samples = NDArray[np.int16]


def open_virtual(settings: str, kind: str = "input", channels: int = 1, **others: object) -> OpenDevice:
    options = {"samplerate": RATE, "dtype": "int16", "blocksize": BLOCK, "latency": 1.0, **others}
    return OpenDevice(kind, f"virtual{settings}", channels=channels, **options)  # type: ignore[arg-type]


class Recorded(NamedTuple):
    """What a run has left."""

    samples: Samples
    losses: list[Loss]
    counts: Counts
    late_seconds: float
    """How far the timeline was behind the clock at the end."""


class Take:
    """A recording of one channel that goes on while its devices come and go."""

    def __init__(
        self, path: Path, device: OpenDevice, frames: int | None = None, played: Samples | None = None
    ) -> None:
        self.core = Core(device)
        self._path = path
        self._losses: list[Loss] = []
        self._sink = OutputFile(str(path), rate=RATE, channels=1, file_type="WAV", encoding="PCM_16")
        self.core.connect_output(self._sink.channels).offer(self._sink)
        if played is not None:
            ring = RingBuffer(2, 1 << 20)
            ring.write(played)
            self.core.connect_playback(ring)
        self.core.prepare(frames)
        self.core.start_loops(lambda: None)
        self.core.start_device()

    def goes_on_for(self, seconds: float) -> None:
        """Wait for frames of the present device: what went by without it does not count."""
        wanted = self.core.counts().stored_frames + int(seconds * RATE)
        self.waits_until(lambda: self.core.counts().stored_frames >= wanted)

    def waits_until(self, is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline, "nothing more comes"
            time.sleep(0.002)

    def is_silent(self) -> bool:
        before = self.core.counts().callbacks
        time.sleep(10 * BLOCK / RATE)
        return self.core.counts().callbacks == before

    def goes_to(self, device: OpenDevice, slept_seconds: float = 0.0) -> None:
        self.core.attach(device, slept_seconds)
        self.core.start_device()

    def late_seconds(self) -> float:
        """How far the timeline is behind the clock; the least of some looks, as a block may be late."""

        def look() -> float:
            time.sleep(2 * BLOCK / RATE)
            counts = self.core.counts()
            return (counts.last_callback_ns - counts.time_zero_ns) / 1e9 - counts.position / RATE

        return min(look() for _ in range(20))

    def ends(self) -> Recorded:
        late_seconds = self.late_seconds()
        self.core.stop_device()
        self.core.detach()
        assert self.core.finish(10)
        self._sink.close(keep_empty=True)
        samples, rate = soundfile.read(self._path, dtype="int16")
        assert rate == RATE
        return Recorded(samples, self.core.new_losses(), self.core.counts(), late_seconds)


@pytest.fixture(scope="module")
def heard() -> Callable[[str], Samples]:
    """What a virtual device lets be heard in its first ten seconds."""
    known: dict[str, Samples] = {}

    def first_seconds(settings: str) -> Samples:
        if settings not in known:
            core = Core(open_virtual(f"{settings}:fast"))
            ring = RingBuffer(2, 1 << 20)
            core.connect_capture(ring)
            core.prepare(10 * RATE)
            core.start_device()
            while core.active:
                time.sleep(0.001)
            known[settings] = np.frombuffer(ring.read(10 * RATE), np.int16)
            core.close_device()
        return known[settings]

    return first_seconds


def lost_places(recorded: Recorded) -> list[tuple[int, int]]:
    return [(loss.frame, loss.frames or 0) for loss in recorded.losses if loss.kind is LossKind.AWAY]


def check_halves(recorded: Recorded, sounds: list[Samples]) -> None:
    """Each sound is there from its first frame on, behind the silence of what was lost before it."""
    places = lost_places(recorded)
    assert len(places) == len(sounds) - 1
    assert len(recorded.samples) == recorded.counts.position
    begun = 0
    for (lost_at, lost_frames), sound in zip([*places, (len(recorded.samples), 0)], sounds, strict=True):
        assert np.array_equal(recorded.samples[begun:lost_at], sound[: lost_at - begun])
        begun = lost_at + lost_frames
        assert not recorded.samples[lost_at:begun].any()
    assert abs(recorded.late_seconds) < LATE_SECONDS


def test_a_second_device_goes_on_where_the_clock_is(tmp_path: Path, heard: Callable[[str], Samples]) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":noise"))
    take.goes_on_for(0.2)
    take.core.stop_device()
    take.core.detach()
    first = take.core.counts()
    time.sleep(0.3)
    assert take.core.counts() == first
    take.core.close_device()
    take.goes_to(open_virtual(":sine=440"))
    take.goes_on_for(0.2)
    recorded = take.ends()
    check_halves(recorded, [heard(":noise"), heard(":sine=440")])
    [(place, frames)] = lost_places(recorded)
    assert place == first.position
    assert 0.3 <= (frames + BLOCK) / RATE < 0.3 + LATE_SECONDS
    assert recorded.counts.lost_frames == frames


@pytest.mark.parametrize("fault", ["hang", "die"])
def test_a_device_that_is_left_behind_does_not_hold_up_the_next_one(
    tmp_path: Path, heard: Callable[[str], Samples], fault: str
) -> None:
    lost = open_virtual(f":noise:{fault}=0.2")
    take = Take(tmp_path / "take.wav", lost)
    take.waits_until(lambda: take.core.counts().position >= 0.19 * RATE and take.is_silent())
    assert take.core.active == (fault == "hang")
    take.core.detach()
    take.goes_to(open_virtual(":sine=440"))
    take.goes_on_for(0.2)
    recorded = take.ends()
    check_halves(recorded, [heard(":noise"), heard(":sine=440")])
    assert lost_places(recorded)[0][0] == -(-int(0.2 * RATE) // BLOCK) * BLOCK
    lost.close()  # which ends a hang too


def test_a_device_that_comes_back_too_late_has_nothing_to_say(tmp_path: Path, heard: Callable[[str], Samples]) -> None:
    late = open_virtual(":noise:stall=0.2+0.3")
    take = Take(tmp_path / "take.wav", late)
    take.waits_until(lambda: take.core.counts().position >= 0.19 * RATE and take.is_silent())
    take.core.detach()
    take.goes_to(open_virtual(":sine=440"))
    take.goes_on_for(0.5)
    assert not late.stream.active  # it came back, was told that it is over, and ended
    recorded = take.ends()
    check_halves(recorded, [heard(":noise"), heard(":sine=440")])
    late.close()


def test_devices_may_come_and_go_many_times(tmp_path: Path, heard: Callable[[str], Samples]) -> None:
    settings = [":noise", ":sine=440", ":noise:die=0.6", ":sine=1000", ":noise"]
    take = Take(tmp_path / "take.wav", open_virtual(settings[0]))
    for after in settings[1:]:
        take.goes_on_for(0.05)
        take.core.detach()  # while its callbacks come
        last = take.core.open_device
        time.sleep(0.01)  # longer than a block, which is what a device may come early by
        take.goes_to(open_virtual(after))
        last.close()
    take.goes_on_for(0.05)
    check_halves(take.ends(), [heard(name.removesuffix(":die=0.6")) for name in settings])


def test_what_is_played_goes_on_where_it_was(tmp_path: Path) -> None:
    played = np.arange(1, 20001, dtype=np.int16)
    take = Take(tmp_path / "take.wav", open_virtual("", "duplex"), played=played)
    take.goes_on_for(0.1)
    take.core.detach()
    take.core.close_device()
    time.sleep(0.1)
    take.goes_to(open_virtual("", "duplex"))
    take.goes_on_for(0.1)
    recorded = take.ends()
    [(place, frames)] = lost_places(recorded)
    rest = len(recorded.samples) - place - frames
    check_halves(recorded, [played, played[place:]])
    assert place >= 0.1 * RATE
    assert rest >= 0.1 * RATE
    assert (recorded.counts.underruns, recorded.counts.away_frames) == (0, frames)


def test_what_a_device_loses_as_it_arrives_is_no_part_of_the_gap(tmp_path: Path) -> None:
    take = Take(tmp_path / "take.wav", open_virtual("", "duplex"), played=np.ones(20000, np.int16))
    take.goes_on_for(0.1)
    take.core.detach()
    take.core.close_device()
    take.goes_to(open_virtual(":stall=0.1+0.05", "duplex"))
    take.goes_on_for(0.1)
    recorded = take.ends()
    lost = {loss.kind: (loss.frame, loss.frames) for loss in recorded.losses}
    [(place, frames)] = lost_places(recorded)
    assert frames == recorded.counts.away_frames
    assert lost[LossKind.DEVICE] == (place + frames, int(0.05 * RATE))


def test_a_gap_is_as_long_as_the_machine_slept_in_it(tmp_path: Path, heard: Callable[[str], Samples]) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":noise"))
    take.goes_on_for(0.1)
    take.core.detach()
    take.core.close_device()
    take.goes_to(open_virtual(":sine"), slept_seconds=100.0)
    take.goes_on_for(0.5)
    recorded = take.ends()
    [(_, frames)] = lost_places(recorded)
    assert 100 * RATE <= frames < (100 + 10 * LATE_SECONDS) * RATE
    assert recorded.counts.ahead_frames == 0
    check_halves(recorded._replace(late_seconds=recorded.late_seconds + 100), [heard(":noise"), heard(":sine")])


def test_what_one_device_owed_is_not_asked_of_the_next_one(tmp_path: Path) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":noise:drift=1"))
    losses = Losses(take.core, captures=True)
    take.goes_on_for(0.3)
    assert losses.take() == []
    take.core.detach()
    take.core.close_device()
    time.sleep(0.5)
    take.goes_to(open_virtual(":sine:drift=-1"))
    take.goes_on_for(2.0)  # longer than a deficit takes to be found
    told = losses.take(is_last=True)
    assert [loss.kind for loss in told] == [LossKind.AWAY]
    assert losses.missing_frames == 0
    take.ends()


def test_a_take_of_a_certain_length_ends_in_time_whatever_was_lost(tmp_path: Path) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":sine"), frames=RATE // 2)
    take.goes_on_for(0.1)
    take.core.detach()
    take.core.close_device()
    time.sleep(0.6)
    take.goes_to(open_virtual(":sine"))
    take.waits_until(lambda: take.core.counts().drained)
    recorded = take.ends()
    assert len(recorded.samples) == RATE // 2
    [(place, frames)] = lost_places(recorded)
    assert place + frames == RATE // 2


def test_what_is_lost_in_a_pause_is_of_the_pause(tmp_path: Path, heard: Callable[[str], Samples]) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":noise"))
    take.goes_on_for(0.1)
    take.core.pause()
    take.waits_until(lambda: take.core.counts().paused_frames)
    take.core.detach()
    take.core.close_device()
    time.sleep(0.2)
    take.goes_to(open_virtual(":sine"))
    position = take.core.counts().position
    take.waits_until(lambda: take.core.counts().paused_frames > 0.2 * RATE)
    take.core.resume()
    take.goes_on_for(0.1)
    recorded = take.ends()
    assert recorded.losses == []
    assert np.array_equal(recorded.samples[:position], heard(":noise")[:position])
    assert len(recorded.samples) == recorded.counts.position


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"channels": 2}, "it has 2 channels of int16 to record, and virtual:noise has 1 channel of int16 to record"),
        ({"dtype": "float32"}, "it has 1 channel of float32 to record, and"),
        ({"samplerate": 44100}, "it runs at 44100 Hz, not at 48000"),
        ({"kind": "duplex"}, "it has 1 channel of int16 to record and 1 channel of int16 to play, and"),
        ({"settings": ":fast"}, "only one keeps to the clock"),
    ],
)
def test_a_device_of_another_format_is_refused(tmp_path: Path, other: dict[str, object], reason: str) -> None:
    take = Take(tmp_path / "take.wav", open_virtual(":noise"))
    take.core.detach()
    take.core.close_device()
    device = open_virtual(**{"settings": ":sine", **other})  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match=reason):
        take.core.attach(device)
    take.goes_to(open_virtual(":sine"))
    take.goes_on_for(0.05)
    take.ends()


def test_a_core_has_one_device_and_a_device_one_core(tmp_path: Path) -> None:
    device = open_virtual(":noise")
    take = Take(tmp_path / "take.wav", device)
    with pytest.raises(DeviceError, match="virtual:noise has not been detached"):
        take.core.attach(open_virtual(":noise"))
    take.core.detach()
    with pytest.raises(DeviceError, match="it is in use, or was"):
        take.core.attach(device)
    with pytest.raises(DeviceError, match="it is in use, or was"):
        Core(device)
    take.ends()
