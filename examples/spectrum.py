"""Show the spectrum of what is captured, live, in the terminal: one bar per octave.

On a device of its own the virtual sound card makes the sound: spectrum.py --device virtual:sine=440
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from typing import Any

import numpy as np

from pastream_cli import engine as ps

CHUNK_FRAMES = 4096
LOWEST_HZ = 31.25
OCTAVES = 9
BARS = " ▁▂▃▄▅▆▇█"
COLUMN_WIDTH = 7
DECIBELS_PER_STEP = 8


def octave_levels(chunk: Any, rate: float) -> list[float]:
    """Return the level of each octave in decibels of full scale."""
    spectrum = np.abs(np.fft.rfft(chunk * np.hanning(len(chunk)))) / len(chunk) * 4
    hertz = np.fft.rfftfreq(len(chunk), 1 / rate)
    edges = [LOWEST_HZ * 2**octave for octave in range(OCTAVES + 1)]
    powers = [np.sum(spectrum[(hertz >= low) & (hertz < high)] ** 2) for low, high in pairwise(edges)]
    return [float(10 * np.log10(power + 1e-12)) for power in powers]


def bars(levels: list[float]) -> str:
    """Draw one character per octave."""
    steps = [int(len(BARS) + level / DECIBELS_PER_STEP) for level in levels]
    return "".join(BARS[max(0, min(len(BARS) - 1, step))].ljust(COLUMN_WIDTH) for step in steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    parser.add_argument("--seconds", type=float, help="how long to go on; until interrupted if left out")
    arguments = parser.parse_args()
    with ps.InputStream(device=arguments.device, channels=1) as stream:
        frames = -1 if arguments.seconds is None else int(arguments.seconds * stream.samplerate)
        print("".join(f"{LOWEST_HZ * 2**octave:<{COLUMN_WIDTH}.0f}" for octave in range(OCTAVES)) + "Hz")
        try:
            # half of each chunk overlaps the one before, so that the window hides no sound
            for chunk in stream.chunks(CHUNK_FRAMES, overlap=CHUNK_FRAMES // 2, frames=frames):
                print("\r" + bars(octave_levels(chunk, stream.samplerate)), end="", flush=True)
        except KeyboardInterrupt:
            pass
        print()


if __name__ == "__main__":
    try:
        main()
    except ps.PastreamError as error:
        sys.exit(str(error))
