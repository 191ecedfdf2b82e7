"""Programs in the style of sounddevice's and rtmixer's examples, on real servers."""

from __future__ import annotations

import sys

import pytest

from tests.servers import JackServer, PulseServer, Server

PROGRAMS = {
    "what soundfile reads, float64 by default, is played": """
soundfile.write("in.wav", 0.3 * np.random.default_rng(1).uniform(-1, 1, (24000, 2)), 48000)
data, rate = soundfile.read("in.wav")
ps.play(data, rate, device=device)
ps.wait()
ps.play(data[:, 0], rate, device=device, blocking=True)
ps.play((data * 32767).astype("int16"), rate, mapping=[2, 1], device=device, blocking=True)
ps.play("in.wav", device=device, blocking=True)
with ps.OutputStream(device, rate) as stream:
    stream.play(data, blocking=True)
    assert stream.frame_count == 24000
""",
    "a recording of any length goes to a file": """
with ps.InputStream(device) as stream:
    stream.record(out="out.wav")
    time.sleep(0.3)
    while not stream.frame_count:
        time.sleep(0.1)
    stream.stop()
    assert soundfile.info("out.wav").frames == stream.frame_count > 0
""",
    "what is captured is played, through an effect": """
with ps.DuplexStream(device, samplerate=48000, channels=2) as stream:
    ring = ps.RingBuffer(8, 65536)
    ring.write(np.zeros((24000, 2), "float32"))
    frames = 0
    for chunk in stream.chunks(512, playback=ring, frames=48000):
        ring.write(np.tanh(2 * chunk))
        frames += len(chunk)
    assert frames == 48000
""",
    "chunks are awaited while the event loop goes on": """
import asyncio

async def main():
    ticks = frames = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.ensure_future(tick())
    async for chunk in ps.chunks(1024, frames=24000, device=device, channels=1, samplerate=48000):
        frames += len(chunk)
    assert (frames, ticks > 10) == (24000, True), (frames, ticks)
    ticking.cancel()

asyncio.run(main())
assert device in [each["name"] for each in ps.query_devices()]
assert ps.query_devices(kind="input")["max_input_channels"] > 0
""",
    "a function fills a buffer that is smaller than what the device takes at first": """
def tone(stream, ring, *, loop):
    while stream.active:
        frames, *parts = ring.get_write_buffers(ring.write_available)
        for part in parts:
            np.frombuffer(part, stream.dtype)[:] = 0.1
        ring.advance_write_index(frames)
        time.sleep(0.005)

for buffersize in (2048, 8192):
    with ps.OutputStream(device, channels=1) as stream:
        stream.set_source(tone, buffersize=buffersize)
        stream.start()
        while stream.frame_count < 24000:
            assert not stream.wait(0.05), "it has ended early"
        stream.stop()
        stream.play(np.zeros(24000), buffersize=buffersize, blocking=True)
        assert stream.frame_count == 24000
""",
}
BEGINNING = """
import sys, time
import numpy as np, soundfile
from pastream_cli import engine as ps
device = sys.argv[1]
"""


def check(server: Server, device: str, program: str) -> None:
    for name in ("in.wav", "out.wav"):
        (server.home / name).unlink(missing_ok=True)
    done = server.run(sys.executable, "-c", BEGINNING + program + "print('fine')", device, timeout=60)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_on_jack(jackd: JackServer, name: str) -> None:
    check(jackd, "loopback", PROGRAMS[name])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_on_pulseaudio(pulseaudio: PulseServer, name: str) -> None:
    check(pulseaudio, "pulse", PROGRAMS[name])
