"""Play what is captured, through an effect that is written in Python: a wire with a valve in it.

The program's own thread is the effect. It may be late by as much as the wire delays the sound.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress

import numpy as np

from pastream_cli import engine as ps

CHUNK_FRAMES = 512
RING_SECONDS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    parser.add_argument("--drive", type=float, default=4.0, help="how hard the valve is driven")
    parser.add_argument("--delay", type=float, default=0.1, help="of the wire, in seconds")
    parser.add_argument("--seconds", type=float, help="how long to go on; until interrupted if left out")
    arguments = parser.parse_args()
    with ps.DuplexStream(device=arguments.device, channels=2) as stream:
        rate = stream.samplerate
        delay_frames = max(2 * CHUNK_FRAMES, round(arguments.delay * rate))
        frames = -1 if arguments.seconds is None else round(arguments.seconds * rate)
        ring = ps.RingBuffer(2 * stream.samplesize[1], 1 << (delay_frames + round(RING_SECONDS * rate)).bit_length())
        ring.write(np.zeros((delay_frames, 2), "float32"))
        with suppress(KeyboardInterrupt):
            for chunk in stream.chunks(CHUNK_FRAMES, playback=ring, frames=frames):
                ring.write(np.tanh(arguments.drive * chunk) / np.tanh(arguments.drive))
        print(f"{stream.frame_count} frames, {stream.xruns} xruns")


if __name__ == "__main__":
    try:
        main()
    except ps.PastreamError as error:
        sys.exit(str(error))
