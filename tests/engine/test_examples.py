"""The example programs run on the virtual device, those of the predecessor's README too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sounds import RATE, make_noise

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"


def run(folder: Path, *words: str, timeout: float = 30, exit_code: int = 0) -> str:
    """Return what a program says: to standard error where it is to fail."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if exit_code:
        assert (done.returncode, done.stdout) == (exit_code, "")
        return done.stderr
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


# ---- the predecessor's, word for word but for what is in `REPLACED` ----

PREDECESSORS = {
    "chunks": """
import pastream as ps
for chunk in ps.chunks():
    process(chunk)
""",
    "record, then play": """
import pastream as ps

# Use *with* statements to auto-close the stream
with ps.DuplexStream() as stream:
    out = stream.record(int(stream.samplerate), blocking=True)
    stream.play(out, blocking=True)
assert out.shape == (4800, 2)
""",
    "play a file and record": """
import pastream as ps, soundfile as sf

with sf.SoundFile('my-file.wav') as infile, ps.DuplexStream.from_file(infile) as stream:
    out = stream.playrec(infile, frames=10 * int(stream.samplerate), pad=-1, blocking=True)
assert len(out) == 48000 and out[:480].any() and not out[480:].any()
""",
    "half overlapping spectra": """
import pastream as ps, numpy as np

chunksize = 1024
window = np.hanning(chunksize)
for x_l in ps.chunks(chunksize, overlap=chunksize//2, channels=1):
    X_l = np.fft.rfft(x_l * window)
    process(x_l)
""",
    "a tone": """
import time
import pastream as ps
import numpy as np

# A simple tone generator
def tone_generator(stream, buffer, f, loop=False):
    fs = stream.samplerate

    # Create a time index
    t = 2*np.pi*f*np.arange(len(buffer), dtype=stream.dtype) / fs

    # Loop until the stream stops
    while not stream.finished:
        frames = buffer.write_available
        if not frames:
            time.sleep(0.010)
            continue

        # Get the write buffers directly to avoid making any extra copies
        frames, part1, part2 = buffer.get_write_buffers(frames)

        out = np.frombuffer(part1, dtype=stream.dtype)
        np.sin(t[:len(out)], out=out)

        if len(part2):
            # part2 will be nonempty whenever we wrap around the end of the ring buffer
            out = np.frombuffer(part2, dtype=stream.dtype)
            np.sin(t[:len(out)], out=out)

        # flag that we've added data to the buffer
        buffer.advance_write_index(frames)

        # advance the time index
        t += 2*np.pi*f*frames / fs

with ps.OutputStream(channels=1) as stream:
    # Set our tone generator as the source and pass along the frequency
    freq = 1000
    stream.set_source(tone_generator, args=(freq,))

    # Busy-wait to allow for keyboard interrupt
    stream.start()
    while stream.active:
        time.sleep(0.1)
""",
}

# A consumer that has seen enough after some chunks.
PROCESS = """
seen = []
def process(chunk):
    seen.append(len(chunk))
    if len(seen) == 10:
        raise SystemExit(0)
"""


REPLACED = {
    "import pastream as ps, soundfile as sf": "from pastream_cli import engine as ps\nimport soundfile as sf",
    "import pastream as ps, numpy as np": "from pastream_cli import engine as ps\nimport numpy as np",
    "import pastream as ps": "from pastream_cli import engine as ps",
    "ps.chunks()": "ps.chunks(device='virtual')",
    "ps.chunks(chunksize,": "ps.chunks(chunksize, device='virtual',",
    "ps.DuplexStream()": "ps.DuplexStream(device='virtual')",
    "from_file(infile)": "from_file(infile, device='virtual')",
    "ps.OutputStream(": "ps.OutputStream(device='virtual', ",
    "record(int(stream.samplerate),": "record(4800,",
    "10 * int(stream.samplerate)": "int(stream.samplerate)",
    "while stream.active:": "for _ in range(3):\n        assert stream.active",
}
"""The import, the device, and the time."""


def program_of(name: str) -> str:
    """Return the program on the virtual device, shortened in time."""
    program = PREDECESSORS[name]
    for words, others in REPLACED.items():
        program = program.replace(words, others)
    return PROCESS + program


@pytest.mark.parametrize("name", PREDECESSORS)
def test_a_program_for_the_predecessor_runs_after_changing_the_import(tmp_path: Path, name: str) -> None:
    make_noise(tmp_path / "my-file.wav", RATE // 100, rate=RATE)
    run(tmp_path, "-c", program_of(name))


# ---- our own ----


def test_the_response_of_a_device_that_hears_what_it_plays_is_an_impulse_at_once(tmp_path: Path) -> None:
    program = str(EXAMPLES / "impulse_response.py")
    device = ("--device", "virtual:fast:channels=3", "--output", "3")
    said = run(tmp_path, program, *device, "--input", "3", "--seconds", "1", "--tail", "0.5")
    assert "peak -12.0 dB" in said
    assert "round trip  0 frames, 0.00 ms at 48000 Hz\nlevel       0.0 dB, an octave around 1 kHz\n" in said
    response, rate = soundfile.read(tmp_path / "impulse-response.wav")
    assert (len(response), rate) == (RATE // 2, RATE)
    assert response[0] == pytest.approx(1, abs=0.02)
    assert np.abs(response[1:]).max() < 0.02
    fails = run(tmp_path, program, *device, "--input", "2", "--seconds", "0.1", exit_code=1)
    assert fails == "nothing came back: is the output connected to the input?\n"


def test_the_spectrum_shows_where_the_sound_is(tmp_path: Path) -> None:
    said = run(tmp_path, str(EXAMPLES / "spectrum.py"), "--device", "virtual:sine=700:fast", "--seconds", "1")
    octaves, *_, bars = said.splitlines()
    highest = max(bars.rsplit("\r", 1)[-1])
    assert bars.index(highest) == octaves.index("500")  # and below 1000


def test_the_tone_plays_for_as_long_as_it_should(tmp_path: Path) -> None:
    said = run(tmp_path, str(EXAMPLES / "tone.py"), "1000", "--device", "virtual", "--seconds", "0.5", "--level", "0.5")
    frames, peak = int(said.split()[0]), float(said.split("peak ")[1].split(",")[0])
    assert frames > RATE // 4
    assert peak == pytest.approx(0.5, abs=0.01)


def test_the_effect_plays_what_is_captured(tmp_path: Path) -> None:
    said = run(tmp_path, str(EXAMPLES / "effect.py"), "--device", "virtual:sine", "--seconds", "0.5")
    assert said.startswith(f"{RATE // 2} frames, ")


def test_the_trigger_records_what_is_loud_and_nothing_else(tmp_path: Path) -> None:
    program = str(EXAMPLES / "trigger.py")
    assert "0 recordings" in run(tmp_path, program, "--device", "virtual:silence:fast", "--seconds", "1")
    assert "1 recordings" in run(tmp_path, program, "--device", "virtual:noise:fast", "--seconds", "1")
    assert soundfile.info(tmp_path / "loud-001.wav").frames == RATE


def test_what_the_network_sink_sends_arrives(tmp_path: Path) -> None:
    program = str(EXAMPLES / "network_sink.py")
    with subprocess.Popen(
        [sys.executable, program, "receive", "take.wav", "--port", "0"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as receiver:
        assert receiver.stdout is not None
        port = receiver.stdout.readline().split()[-1]
        said = run(tmp_path, program, "send", "--port", port, "--device", "virtual:sine", "--seconds", "0.5")
        assert receiver.wait(10) == 0
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="int16")
    assert len(take) == int(said.split()[1])
    assert np.abs(take).max() == 2**14
