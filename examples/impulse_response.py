"""Measure what lies between an output and an input: play a sweep, record it, and get the impulse response.

The response is saved as a WAV and, where matplotlib is installed, drawn into a PNG. For the round trip of a sound card
connect its output to its input. The virtual one hears what it plays, at once: impulse_response.py --device virtual
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pastream_cli import engine as ps

LOWEST_HZ = 20.0
FADE_SECONDS = 0.01
# Where the sweep is weaker than its strongest part by this, in power, noise would be all that is divided.
LEAST_POWER = 1e-6
MOST_ATTEMPTS = 5

Sound = NDArray[np.float32]


def exponential_sweep(rate: float, seconds: float, level: float) -> Sound:
    """Return a sine that rises through as many octaves in each second, up to half the rate, with soft ends."""
    octaves = np.log(rate / 2 / LOWEST_HZ)
    time = np.arange(round(rate * seconds)) / rate
    sweep = level * np.sin(2 * np.pi * LOWEST_HZ * seconds / octaves * np.expm1(octaves * time / seconds))
    fade = np.sin(np.linspace(0, np.pi / 2, round(rate * FADE_SECONDS))) ** 2
    sweep[: len(fade)] *= fade
    sweep[-len(fade) :] *= fade[::-1]
    return np.asarray(sweep, "float32")


def deconvolved(recorded: Sound, played: Sound) -> Sound:
    """Return the response that makes of what was played what was recorded: one spectrum divided by the other."""
    spectrum = np.fft.rfft(played, len(recorded))
    power = np.abs(spectrum) ** 2
    response = np.fft.rfft(recorded) * spectrum.conj() / (power + LEAST_POWER * power.max())
    return np.asarray(np.fft.irfft(response, len(recorded)), "float32")


def measure(stream: ps.DuplexStream, arguments: argparse.Namespace) -> Sound:
    """Play and record on one clock, and return the response; frame 0 of both is the same moment."""
    sweep = exponential_sweep(stream.samplerate, arguments.seconds, arguments.level)
    tail = round(arguments.tail * stream.samplerate)  # what the room and the latency still need
    for _ in range(MOST_ATTEMPTS):
        recorded = stream.playrec(sweep, pad=tail, blocking=True)
        if not stream.xruns:
            break
        print(f"attempt     {stream.xruns} xruns", file=sys.stderr)  # with a frame lost the response would be another
    else:
        sys.exit("the device loses frames: a shorter sweep may fit in between")
    peak = float(np.abs(recorded).max())
    if peak == 0:
        sys.exit("nothing came back: is the output connected to the input?")
    print(f"recorded    peak {decibels(peak)} dB of full scale{', clipped' if peak >= 1 else ''}")
    return deconvolved(recorded, sweep)[:tail]


def gain_around(hertz: float, response: Sound, rate: float) -> float:
    """Return by how much the response amplifies an octave, half of it on either side."""
    spectrum = np.abs(np.fft.rfft(response))
    octave = np.abs(np.log2(np.fft.rfftfreq(len(response), 1 / rate)[1:] / hertz)) <= 0.5
    return float(np.sqrt(np.mean(spectrum[1:][octave] ** 2)))


def decibels(ratio: float) -> float:
    """Return decibels to a tenth, where 0 has no sign."""
    return round(20 * float(np.log10(ratio)), 1) + 0.0


def draw(response: Sound, rate: float, name: Path) -> None:
    """Draw the response over time, and its level over frequency."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(2, layout="constrained", figsize=(9, 6))
    above.plot(np.arange(len(response)) / rate * 1000, response, linewidth=0.8)
    above.set(xlabel="time / ms", ylabel="response")
    hertz = np.fft.rfftfreq(len(response), 1 / rate)
    below.semilogx(hertz[1:], 20 * np.log10(np.abs(np.fft.rfft(response))[1:] + 1e-9), linewidth=0.8)
    below.set(xlabel="frequency / Hz", ylabel="level / dB", xlim=(LOWEST_HZ, rate / 2))
    figure.savefig(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    parser.add_argument("--output", type=int, default=1, metavar="CHANNEL", help="that plays the sweep")
    parser.add_argument("--input", type=int, default=1, metavar="CHANNEL", help="that is recorded")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of the sweep; a longer one is heard over more noise"
    )
    parser.add_argument("--tail", type=float, default=1.0, help="seconds that are recorded after it")
    parser.add_argument("--level", type=float, default=0.25, help="of full scale, 0 to 1")
    parser.add_argument("--save", type=Path, default=Path("impulse-response"), metavar="NAME", help="without a suffix")
    arguments = parser.parse_args()
    with ps.DuplexStream(device=arguments.device, channels=(arguments.input, arguments.output)) as stream:
        stream.rxmapping = [arguments.input]
        stream.txmapping = {1: arguments.output}
        response = measure(stream, arguments)
        rate = stream.samplerate
    first = int(np.abs(response).argmax())
    print(f"round trip  {first} frames, {1000 * first / rate:.2f} ms at {rate:g} Hz")
    print(f"level       {decibels(gain_around(1000, response, rate))} dB, an octave around 1 kHz")
    name = arguments.save.with_suffix(".wav")
    soundfile.write(name, response, round(rate), subtype="FLOAT")
    print(f"response    {name}", end="")
    if importlib.util.find_spec("matplotlib"):
        name = arguments.save.with_suffix(".png")
        draw(response, rate, name)
        print(f", {name}", end="")
    print()


if __name__ == "__main__":
    try:
        main()
    except ps.PastreamError as error:
        sys.exit(str(error))
