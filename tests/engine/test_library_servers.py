"""The library on real servers: bit for bit, with the interpreter held, and when a server dies."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.engine.test_library_life import PREAMBLE, PROGRAMS
from tests.homes import wait_until
from tests.servers import JackServer, PipeWireServer, PulseServer, Server

LOOPBACK = """
import sys
import numpy as np
from pastream_cli import engine as ps

device, dtype = sys.argv[1:]
source = np.random.default_rng(1).integers(-(2**23), 2**23, (24000, 2), "int32") << 8
source[0] = 1 << 30
if dtype == "float32":
    source = (source / 2**31).astype("float32")

def check(listen):
    for _ in range(4):  # on a busy machine a server itself may lose frames
        heard = listen()
        first = np.flatnonzero(heard.any(axis=1))[0]
        if np.array_equal(heard[first : first + len(source)], source):
            counts = stream._core.counts()
            assert counts.lost_frames == counts.underrun_frames == 0, stream.losses
            return
    raise AssertionError("the recording differs from its source, four times")

with ps.DuplexStream(device=device, samplerate=48000, channels=2, dtype=dtype) as stream:
    for _ in range(2):
        check(lambda: stream.playrec(source, pad=24000, blocking=True))
    check(lambda: np.concatenate([c.copy() for c in stream.chunks(500, playback=source, pad=24000)]))
    assert stream.frame_count == 48000
    assert stream.blocksize == 0  # the host chooses, and so chunks are as long as it has frames
    assert sum(len(chunk) for chunk in stream.chunks(frames=4800)) == 4800
    try:
        stream.chunks(overlap=100)
    except ValueError as error:
        assert "chunksize" in str(error)
    else:
        raise AssertionError("nothing says how long such chunks are")
    assert 0 <= stream.cpu_load <= 1 and stream.time > 0
    assert all(0 <= latency < 10 for latency in stream.latency)
options = {"clip_off": False, "dither_off": False}
if device == "loopback":  # on ALSA PortAudio itself breaks with either of them
    options |= {"never_drop_input": True, "prime_output_buffers_using_stream_callback": True}
with ps.DuplexStream(device=device, samplerate=48000, channels=2, **options) as stream:
    assert len(stream.record(4800, blocking=True)) == 4800
print("fine")
"""

CHUNKS = """
import ctypes, random, sys, time
import numpy as np
from pastream_cli import engine as ps

seconds = float(sys.argv[1])
hold = ctypes.PyDLL(None).usleep  # keeps the interpreter's lock while it sleeps
source = np.random.default_rng(2).uniform(-0.9, 0.9, (48000, 2)).astype("float32")
source[0] = 0.5
frames, place, chance, held = int(48000 * seconds), None, random.Random(3), 0
with ps.DuplexStream(device="loopback", samplerate=48000, channels=2) as stream:
    for chunk in stream.chunks(512, frames=frames, playback=source, loop=True):
        frames -= len(chunk)
        if place is None:
            heard = np.flatnonzero(chunk.any(axis=1))
            if not len(heard):
                continue
            chunk, place = chunk[heard[0]:], 0
        assert np.array_equal(chunk, np.take(source, range(place, place + len(chunk)), axis=0, mode="wrap")), place
        place = (place + len(chunk)) % len(source)
        if chance.random() < 0.02:
            hold(300_000)
            held += 1
    assert frames == 0 and place is not None, frames
    assert held > seconds / 2, held
    counts = stream._core.counts()
    assert counts.lost_frames == counts.underrun_frames == 0, stream.losses
print("fine")
"""

DEATH = """
import sys, time
from pastream_cli import engine as ps
stream = ps.InputStream(device=sys.argv[1], samplerate=48000, channels=2, dtype="int32")
file = stream.to_file("out.wav")
stream.record(out=file)
while stream.frame_count < 4800:
    time.sleep(0.01)
print("go", flush=True)
try:
    stream.wait(30)
except Exception as error:
    print(type(error).__name__, flush=True)
file.close()
started = time.monotonic()
stream.close()
assert time.monotonic() - started < 5
"""

CLOSED_BY_ANOTHER = """
import random, sys, threading, time
from pastream_cli import engine as ps
from pastream_cli.errors import PastreamError

chance = random.Random(4)
for _ in range(int(sys.argv[1])):
    stream = ps.InputStream(device="system", channels=2)
    both_are_there = threading.Barrier(2)

    def record():
        both_are_there.wait()
        try:
            stream.record(200)
        except PastreamError as error:
            assert "closed" in str(error), error

    recorder = threading.Thread(target=record)
    recorder.start()
    both_are_there.wait()
    time.sleep(chance.uniform(0, 0.0008))
    stream.close()
    recorder.join()
print("fine")
"""

TOGETHER = """
import sys, threading
from pastream_cli import engine as ps

def record():
    for _ in range(int(sys.argv[1])):
        with ps.InputStream(device="system", channels=2) as stream:
            stream.record(out=bytearray(8 * 480), blocking=True)
            assert stream.frame_count == 480

threads = [threading.Thread(target=record) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
alive_at_the_end = [ps.InputStream(device="system", channels=2) for _ in range(3)]
for stream in alive_at_the_end:
    stream.start()
print("fine")
"""

COLLECTED = """
import gc
import sounddevice
from pastream_cli import engine as ps
from pastream_cli.engine.devices import hosts

def start_with_a_collection(self, start=sounddevice._StreamBase.start):
    gc.collect()
    start(self)

gc.disable()
sounddevice._StreamBase.start = start_with_a_collection
for _ in range(3):
    dropped = ps.InputStream(device="system", channels=2)
    dropped.itself = dropped
    del dropped
    with ps.InputStream(device="system", channels=2) as stream:
        stream.record(out=bytearray(8 * 480), blocking=True)
assert not hosts._hosts.are_left
print("fine")
"""

HANGING = """
import sys, time
from pastream_cli import engine as ps
from pastream_cli.engine.devices import gate, opened
from pastream_cli.engine.devices import choosing as devices

def ready():
    print("go", flush=True)
    sys.stdin.readline()
    devices._MOST_SECONDS_TO_FIND = opened._MOST_SECONDS_TO_OPEN = 0.5  # instead of 10
    gate._START_SECONDS = gate._STOP_SECONDS = 0.5  # instead of 10 and 3

def find():
    ready()
    return ps.InputStream(device="system")

def open_again():
    ps.InputStream(device="system").close()
    return find()

def start():
    with ps.DuplexStream(device="system") as stream:
        ready()
        stream.play(bytes(800))

def stop():
    with ps.InputStream(device="system") as stream:
        stream.record(10**7)
        ready()
        stream.stop()

try:
    {"find": find, "open": open_again, "start": start, "stop": stop}[sys.argv[1]]()
except Exception as error:
    print(f"{type(error).__name__}: {error}")
with ps.InputStream(device="virtual:fast") as stream:
    stream.record(out=bytearray(800), blocking=True)
    assert stream.frame_count == 100
"""


def run(server: Server, program: str, *arguments: str, timeout: float = 60.0) -> None:
    done = server.run(sys.executable, "-c", program, *arguments, timeout=timeout)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["fine"]), done.stderr


def test_jack_gives_back_what_is_played_bit_for_bit(jackd: JackServer) -> None:
    run(jackd, LOOPBACK, "loopback", "float32")


def test_pulseaudio_gives_back_what_is_played_bit_for_bit(pulseaudio: PulseServer) -> None:
    run(pulseaudio, LOOPBACK, "pulse", "int32")


def test_pipewire_gives_back_what_is_played_bit_for_bit(pipewire: PipeWireServer) -> None:
    run(pipewire, LOOPBACK, "virt", "float32")


def test_chunks_lose_and_repeat_nothing_while_the_interpreter_is_held(
    jackd: JackServer, request: pytest.FixtureRequest
) -> None:
    seconds = 60 if request.config.getoption("--soak") else 5
    run(jackd, CHUNKS, str(seconds), timeout=seconds * 3 + 30)


def test_a_server_that_dies_ends_the_stream_and_not_the_program(fresh_jackd: JackServer) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DEATH, "system"],
        env=fresh_jackd.environment,
        cwd=fresh_jackd.home,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        fresh_jackd.kill()
        assert process.stdout.readline() == "DeviceError\n"
        deadline = time.monotonic() + 15
        wait_until(lambda: process.poll() is not None or time.monotonic() > deadline, "the program's end", 20)
        ended = process.poll()
        process.kill()
    assert ended == 0


def test_a_stream_may_be_closed_while_another_thread_starts_it(
    jackd: JackServer, campaign: Callable[[int], int]
) -> None:
    run(jackd, CLOSED_BY_ANOTHER, str(campaign(200)))


def test_streams_are_opened_started_and_closed_at_the_same_time(
    jackd: JackServer, campaign: Callable[[int], int]
) -> None:
    run(jackd, TOGETHER, str(campaign(100)))


def test_a_stream_may_be_collected_in_the_middle_of_another_ones_start(jackd: JackServer) -> None:
    run(jackd, COLLECTED)


def test_a_program_with_a_real_device_ends_in_time_and_without_a_word(
    jackd: JackServer, campaign: Callable[[int], int]
) -> None:
    names = sorted(PROGRAMS, key=lambda name: name != "two streams in a circle")
    for name in names[: campaign(len(names))]:
        program = re.sub("""["']virtual["']""", '"loopback"', PREAMBLE + PROGRAMS[name])
        done = jackd.run(sys.executable, "-X", "dev", "-c", program, timeout=30)
        assert (done.returncode, done.stderr) == (3 if "sys.exit(3)" in program else 0, ""), name


def test_a_server_that_hangs_holds_nobody_up(fresh_jackd: JackServer) -> None:
    programs = {
        act: subprocess.Popen(
            [sys.executable, "-c", HANGING, act],
            env=fresh_jackd.environment,
            cwd=fresh_jackd.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for act in ("find", "open", "start", "stop")
    }
    for program in programs.values():
        assert program.stdout is not None
        assert program.stdout.readline() == "go\n"
    fresh_jackd.suspend()
    for program in programs.values():
        assert program.stdin is not None
        program.stdin.write("\n")
        program.stdin.flush()
    said = {act: program.communicate(timeout=30)[0] for act, program in programs.items()}
    fresh_jackd.kill()  # it would take its time to end
    assert {program.returncode for program in programs.values()} == {0}
    for act, words in said.items():
        assert words.startswith(f"DeviceError: cannot {'look for' if act == 'find' else act}"), said
        assert "does not answer" in words


RECORD_BY_DEFAULT = """
import sys
from pastream_cli import engine as ps

options = {"samplerate": float(sys.argv[1])} if sys.argv[1:] else {}
with ps.DuplexStream(**options) as stream:
    take = stream.record(int(stream.samplerate) // 4, blocking=True)
    assert len(take) == int(stream.samplerate) // 4
    stream.play(take, blocking=True)
print(stream.samplerate)
"""


@pytest.mark.parametrize("rate", [None, 44100])
def test_a_duplex_stream_records_and_plays_on_pulseaudio_whatever_the_rate(
    pulseaudio: PulseServer, rate: int | None, campaign: Callable[[int], int]
) -> None:
    program = [sys.executable, "-c", RECORD_BY_DEFAULT, *([str(rate)] if rate else [])]
    for _ in range(campaign(20)):
        printed = subprocess.run(
            program, env=pulseaudio.environment, stdout=subprocess.PIPE, text=True, timeout=60, check=True
        ).stdout
        assert float(printed) == (rate or 48000)
