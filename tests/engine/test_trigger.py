"""The trigger in C, in process: files cut out of bursts, at every size of block, with losses, against a plain model."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.trigger import Rules
from tests.bursts import LEVEL, Spans, bursts, spans_of

RATE = 48000
EVENTS = 100
MOST_FILE_FRAMES = 1 << 17

Frames = NDArray[np.int32]


class File:
    """A file in memory, for the writer."""

    def __init__(self) -> None:
        self._room = np.zeros(MOST_FILE_FRAMES, "int32")
        memory = lib.memory_file_new(ffi.cast("void *", ffi.from_buffer(self._room)), MOST_FILE_FRAMES, 4)
        self._memory = ffi.gc(memory, lib.memory_file_free)
        new = lib.output_file_new(memory, lib.FILE_DEVICE, 0, 1, lib.HEADER_LEFT, -1, -1, -1)
        self.handle = ffi.gc(new, lib.output_file_free)

    @property
    def span(self) -> tuple[int, int]:
        counts = self._counts()
        return counts.first_frame, counts.first_frame + counts.frames

    @property
    def samples(self) -> Frames:
        return self._room[: self._counts().frames]

    def _counts(self) -> Any:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self.handle, counts)
        return counts


class Take:
    """What is played through the virtual device's loop, recorded as rules say."""

    def __init__(self, sound: Frames, device: str, block: int, rules: Rules | None) -> None:
        self.core = core = Core(
            OpenDevice("duplex", device, samplerate=RATE, channels=1, dtype="int32", blocksize=block)
        )
        capture, playback = core.open_device.capture, core.open_device.playback
        assert capture is not None
        assert playback is not None
        identity = ffi.new("int32_t[]", [0])
        functions = lib.memory_file_functions()
        source = ffi.from_buffer(sound)
        memory = ffi.gc(lib.memory_file_new(ffi.cast("void *", source), len(sound), 4), lib.memory_file_free)
        self.files = [File()]
        core.connect_playback(core.new_ring(playback, None))
        core.connect_reader(functions, memory, lib.FILE_DEVICE, 1, identity, loop=False)
        core.connect_capture(core.new_ring(capture, None))
        core.connect_writer(functions, 1, identity, self.files[0].handle)
        if rules is not None:
            core.obey(rules)
        core.prepare()
        core.start_loops(lambda: None)
        core.start_device()
        self._go_on_until(lambda: bool(core.counts().complete))
        core.stop_device()
        self._go_on_until(lambda: core.finish(0.0005))
        core.close_device()

    def _go_on_until(self, is_over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_over():
            assert time.monotonic() < deadline
            (writer,) = self.core.writers
            following = File()
            while writer.offer_handle(following.handle):
                self.files.append(following)
                following = File()
                time.sleep(0.0001)

    @property
    def recorded(self) -> list[File]:
        return [file for file in self.files if len(file.samples)]

    @property
    def spans(self) -> Spans:
        return [file.span for file in self.recorded]


def test_a_pre_roll_with_more_losses_than_there_is_room_for_is_shorter() -> None:
    sound = np.ones(12_000, "int32") << 16
    sound[11_000] = 1 << 30
    take = Take(sound, "virtual:fast:xrun=1s/2s", 1, Rules(LEVEL, 20_000, LEVEL, 10, None))
    ((begin, end),) = take.spans
    (trigger,) = np.flatnonzero(take.recorded[0].samples >= LEVEL * 2**31)
    assert end == begin + trigger + 11
    assert 500 < 2 * take.core.counts().losses < 2200, "one frame of two is lost, and the list has room for a thousand"


def test_every_file_begins_and_ends_on_its_frame(campaign: Callable[[int], int]) -> None:
    for case in range(campaign(120)):
        dice = random.Random(case)
        sound = np.ascontiguousarray(bursts(case, EVENTS, dice.choice([60, 900]), dice.choice([1, 300])).samples[:, 1])
        block = dice.choice([1, 4096, dice.randint(1, 4096), 2 ** dice.randint(0, 12)])
        preroll, silence = dice.choice([0, dice.randint(0, 1000)]), dice.choice([1, dice.randint(1, 800), None])
        lost = f":xrun={dice.randint(0, 3000)}s/{dice.randint(block, 20000)}s" if dice.random() < 0.5 else ""
        device = f"virtual:fast{lost}"
        (whole,) = Take(sound, device, block, None).recorded
        rules = Rules(LEVEL, preroll, LEVEL, silence, None)
        take = Take(sound, device, block, rules)
        expected = spans_of(np.abs(whole.samples / 2**31) >= LEVEL, preroll, silence)
        assert take.spans == expected, case
        for file, (begin, end) in zip(take.recorded, expected, strict=True):
            assert np.array_equal(file.samples, whole.samples[begin:end]), case
        (writer,) = take.core.writers
        in_files = sum(end - begin for begin, end in expected)
        assert writer.dropped_frames == len(whole.samples) - in_files == writer.place - in_files
        lost_frames = sum(int(np.count_nonzero(file.samples == 0)) for file in take.recorded)
        assert take.core.counts().lost_frames == lost_frames, case
