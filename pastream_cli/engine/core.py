"""A core: a device, its two rings, the loops between rings and files, and how all of these are run.

The device's callback and both loops are C and hold no interpreter lock. This module creates them,
starts them in order and joins them again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pastream_cli.engine.connected import Connected
from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.native import lib
from pastream_cli.engine.prebuffer import is_enough
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.threads import DeafThread

# Added to the latency that a device reports: a sound server holds a little more.
_DRAIN_SECONDS = 0.02
# No device holds more of what it plays, unless it was opened with a greater latency.
_DRAIN_AT_MOST_SECONDS = 3.0
# A duplex run begins after this time without a flag, or after the longer one at the latest; see _settle.h.
_SETTLE_SECONDS = 0.3
_SETTLE_AT_MOST_SECONDS = 2.0

# A device that keeps to the clock is never earlier than this.
_LEAST_LEAD_SECONDS = 0.5

# How long, at least, a fast device waits for a source or a sink that may never come.
_LEAST_PATIENCE_SECONDS = 2.0

_READER, _WRITER = "reader", "writer"


class Core(Connected):
    """A device, the rings beside it, and the loops between the rings and what is played or recorded.

    The device may be detached in the middle of a run, and another one attached; see `Attached`. A method that may hang
    with the device's host says so. No other blocks longer than it says.
    """

    def __init__(self, device: OpenDevice, buffersize: int | None = None, further_copies: int = 0) -> None:
        super().__init__(device, buffersize, further_copies)
        self._loops: list[threading.Thread] = []
        self.is_consumer_waited_for = False
        """Whether a fast device waits without limit for whoever empties the capture ring."""

    # ---- a run ----

    def prepare(self, frames: int | None = None, pad: int | None = 0, offset: int = 0) -> None:
        """Set the lengths of the next run, in frames, and reset every count.

        Parameters
        ----------
        frames : int, optional
            Frames of input to play, or to record where nothing is played; `None`: no limit.
        pad : int, optional
            Frames of silence after the input; `None` fills up to `frames`, or goes on for ever.
        offset : int
            Frames to drop from the start of the recording.
        """
        self._set_drain()
        settle = self.isduplex and not self.open_device.is_virtual
        lib.engine_prepare(
            self._engine,
            -1 if frames is None else frames,
            -1 if pad is None else pad,
            offset,
            int(_SETTLE_SECONDS * self.samplerate) if settle else 0,
            int(_SETTLE_AT_MOST_SECONDS * self.samplerate),
            self.samplerate,
        )
        self._set_lead()
        self._placed_pause_frames = 0

    def attach(self, device: OpenDevice, slept_seconds: float = 0.0) -> None:
        """Give the core another device, before or in the middle of a run, and before that device is started.

        Parameters and exceptions are those of `Attached.attach`.
        """
        super().attach(device, slept_seconds)
        self._set_drain()
        self._set_lead()

    def _set_lead(self) -> None:
        """Tell the callback how far the device may be ahead of the clock."""
        # a host may hold back less and less, and then deliver in advance what it held
        lead_seconds = _LEAST_LEAD_SECONDS + 2 * self.most_held_back
        lib.engine_expect_clock(self._engine, -1 if self.is_fast else int(lead_seconds * self.samplerate))

    def _set_drain(self) -> None:
        """Have the last frame followed by silence until the device has played it; the virtual one holds nothing."""
        if self.open_device.is_virtual:
            lib.engine_drain_after(self._engine, -1, 0)
            return
        held_seconds = self.longest_latency + _DRAIN_SECONDS
        at_most_seconds = max(_DRAIN_AT_MOST_SECONDS, 2 * held_seconds)
        lib.engine_drain_after(
            self._engine, int(held_seconds * self.samplerate), int(at_most_seconds * self.samplerate)
        )

    def start_loops(self, has_ended: Callable[[], object]) -> None:
        """Start filling the playback ring and emptying the capture ring; each loop calls `has_ended` at its end."""
        for loop in self.new_loops(has_ended=has_ended):
            loop.start()

    def new_loops(
        self, may_begin: Callable[[], bool] = lambda: True, has_ended: Callable[[], object] = lambda: None
    ) -> list[threading.Thread]:
        """Return the loops that the ends of the core need, not started. Each asks `may_begin` first."""

        def run(loop: Callable[[], Any]) -> None:
            if may_begin():
                loop()
            has_ended()

        def thread(loop: Callable[[], Any], name: str) -> threading.Thread:
            return DeafThread(target=run, args=(loop,), name=name)

        self._loops = [thread(self._read, _READER)] if self._read is not None else []
        for writer in self.writers:
            writer.thread = thread(writer.run, _WRITER)
            self._loops.append(writer.thread)
        return self._loops

    def is_prebuffered(self) -> bool:
        """Whether the playback ring holds half a second, or all that is left to play."""
        ring = self._playback_ring
        return ring is None or self.is_all_read() or is_enough(ring, self.samplerate)

    def is_all_read(self) -> bool:
        """Whether the reader has ended, so that the playback ring holds all that is left."""
        return bool(lib.reader_is_finished(self._engine))

    def start_device(self) -> None:
        """Start the callbacks. May hang with the device's host."""
        rings = [ring.size for ring in (self._playback_ring, self._capture_ring) if ring is not None]
        device = self.open_device.stream
        if isinstance(device, virtual.VirtualStream):
            device.fit_into(min(rings, default=0))
            device.wait_at_most(
                None if self._read else self._real_seconds(self._playback_ring),
                self._seconds_for_writers(),
            )
        device.start()

    def _seconds_for_writers(self) -> float | None:
        """Return for how long a fast device waits for whoever empties a capture ring; `None` without a limit."""
        if len(self.writers) > 1:
            return _LEAST_PATIENCE_SECONDS  # none may hold up the others
        return None if self.writers or self.is_consumer_waited_for else self._real_seconds(self._capture_ring)

    def _real_seconds(self, ring: RingBuffer | None) -> float:
        """Return how many seconds of frames a ring holds, but two at least: for so long a fast device waits."""
        return max(_LEAST_PATIENCE_SECONDS, ring.size / self.samplerate if ring is not None else 0.0)

    def finish(self, seconds: float) -> bool:
        """Let the loops end after the device has: the writer drains, the reader gives up.

        Returns
        -------
        bool
            False where a loop still blocks after `seconds`, as with a stuck pipe. Its file must
            not be closed then.
        """
        lib.engine_finish(self._engine)
        lib.reader_stop(self._engine)
        deadline = time.monotonic() + seconds
        for loop in self._loops:
            if loop.ident is not None:  # a loop that could not be started cannot be joined
                loop.join(max(0.0, deadline - time.monotonic()))
        return not any(loop.is_alive() for loop in self._loops)

    # ---- how it goes ----

    @property
    def capture_buffer_frames(self) -> int:
        """Frames that the capture ring can hold; 0 without one."""
        return self._capture_ring.size if self._capture_ring is not None else 0

    def buffer_fill(self) -> float:
        """Return how near the rings are to trouble, from 0 to 1: the capture ring full, or the playback ring empty."""
        fills = []
        rings = [(writer.waiting_frames, writer.ring_frames) for writer in self.writers]
        if self._capture_ring is not None and not rings:
            rings = [(self._capture_ring.read_available, self._capture_ring.size)]
        fills += [waiting / size for waiting, size in rings]
        if self._playback_ring is not None and not self.is_all_read():
            fills.append(self._playback_ring.write_available / self._playback_ring.size)
        return max(fills, default=0.0)

    def input_error(self) -> int:
        """Return libsndfile's code of an error in reading, 0 for none."""
        return lib.reader_file_error(self._engine)

    def is_writing(self) -> bool:
        """Whether a writer's loop still runs."""
        return any(writer.is_running for writer in self.writers)
