"""Play a pure tone that is made while it plays."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress

import numpy as np

from pastream_cli import engine as ps


def make_tone(stream: ps.OutputStream, ring: ps.RingBuffer, hertz: float, level: float, *, loop: bool) -> None:
    """Keep the ring full until the stream ends; called by the stream, on a thread of its own."""
    assert not loop
    radians_per_frame = 2 * np.pi * hertz / stream.samplerate
    frame = 0
    while stream.active:
        # straight into the ring's memory, in two parts where it wraps
        frames, *parts = ring.get_write_buffers(ring.write_available)
        for part in parts:
            samples = np.frombuffer(part, stream.dtype)
            samples[:] = level * np.sin(radians_per_frame * np.arange(frame, frame + len(samples)))
            frame += len(samples)
        ring.advance_write_index(frames)
        if not frames:
            time.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hertz", type=float, nargs="?", default=440.0)
    parser.add_argument("--level", type=float, default=0.2, help="of full scale, 0 to 1")
    parser.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    parser.add_argument("--seconds", type=float, help="how long to go on; until interrupted if left out")
    arguments = parser.parse_args()
    with ps.OutputStream(device=arguments.device, channels=1) as stream:
        stream.set_source(make_tone, buffersize=8192, args=(arguments.hertz, arguments.level))
        stream.start()
        with suppress(KeyboardInterrupt):
            stream.wait(arguments.seconds)
        stream.stop()
        levels = stream.levels
        print(f"{stream.frame_count} frames, peak {levels.peaks[0] if levels else 0:.3f}, {stream.xruns} xruns")


if __name__ == "__main__":
    try:
        main()
    except ps.PastreamError as error:
        sys.exit(str(error))
