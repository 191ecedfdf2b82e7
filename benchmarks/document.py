"""docs/benchmarks.md: the table with what it means, and where it was made."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from benchmarks import peers
from benchmarks.table import Row, as_markdown

TARGET = peers.ROOT / "docs/benchmarks.md"


def write(rows: list[Row], load: tuple[float, float, float]) -> None:
    """Write the document; `load` is that of the machine before the run."""
    table = as_markdown(rows)
    TARGET.write_text(f"{INTRODUCTION}\n{table}\n\n{NOTES}\n## Where and with what\n\n{_circumstances(load)}\n")


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]}: not installed"
    return next(iter((done.stdout + done.stderr).strip().splitlines()), "")


def _last_line(*command: str) -> str:
    """Return the last line, for a program that tells its name first."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]}: not installed"
    return next(reversed(done.stdout.strip().splitlines()), "")


def _circumstances(load: tuple[float, float, float]) -> str:
    """Tell where and when, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    machine = f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    versions = [
        platform.python_implementation() + " " + platform.python_version(),
        *(f"{name} {metadata.version(name)}" for name in ("sounddevice", "soundfile", "numpy", "cffi")),
        _first_line(peers.PREDECESSOR, "--version") + " (the predecessor)",
        *(_first_line(*command) for command in (["arecord", "--version"], ["jackd", "--version"])),
        *(_first_line(*command) for command in (["sox", "--version"], ["pulseaudio", "--version"])),
        *(_first_line(*command) for command in (["ffmpeg", "-version"], ["gcc", "--version"])),
        _last_line("pw-record", "--version"),
    ]
    return "\n".join(
        (
            f"{datetime.now(timezone.utc):%Y-%m-%d}, {machine}.",
            f"Load before the run: {load[0]:.1f} (what else the machine did); after: {os.getloadavg()[0]:.1f}.",
            "",
            *(f"* {version}" for version in versions),
        )
    )


INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS="--write --full"`; `make bench` prints the same table, with the lock held for 10 s. The
recorders of a group take turns on one server, each with its own default encoding (ours 24 bit on PulseAudio,
arecord 16). A figure is the median of the rounds, ± half the distance between the greatest and the least. CPU is
what the kernel counted for all threads of the process (schedstat), in milliseconds per second of recording,
start-up left out.
"""

NOTES = """\
## Why it costs what it costs

* **Quiet.** CPU follows wake-ups, each of which finds cold caches: a look of the main thread takes 30 µs when it is
  repeated at once, and 700 to 900 after a second of rest. Where nobody watches there is one per second, and there are
  five naps of the writer, which a stop wakes. On PulseAudio, of 2.4 ms per second the main thread takes 0.8, the
  callback's 0.8, the writer 0.4 and libpulse's thread 0.4; on JACK with 2 channels, of 2.4, libjack's, where the
  callback runs, 0.9, the main thread 0.9 and the writer 0.5. arecord has one thread, which does nothing else: no
  meter, no watch over the device, no header that is kept, no sync.
* **64 channels.** Of 10.4 ms per second the writer takes 5.2, most of it the kernel's for 12 MB, and a twelfth for the
  sync every five seconds, which jack_capture leaves out; PortAudio's interleaving of JACK's ports takes 1.8, sample by
  sample. Shorter naps (50 and 100 ms) changed nothing. To take JACK's buffers as they are could save most
  of that, which was not tried: sounddevice has no way to ask PortAudio for it.
* **A start.** PortAudio's hosts take 35 ms (PulseAudio) to 130 (JACK), on a thread that mostly holds no interpreter's
  lock, while the session is loaded on the main one; a machine whose cores are all busy gains less by that. numpy is
  not loaded; with it a start would take 60 ms of processor time and 11 MB more. Help, the version and an unknown option
  take 4 ms beside Python's own 8, most of that for `enum` and `contextlib`. A value that is wrong (`-d ten`) takes 15:
  5 are `dataclasses`, with `inspect`, for the job that would hold it, 2 the job itself, and 2 each `typing`,
  `fractions` and `re`. Without the first two, by these times, it would still be twice Python's own.
* **Memory.** Of it 4 MB are the ring, which is in memory from the start so that the callback meets no page fault.
* **The first frame on PulseAudio** comes with the first block, which for a recording is 230 ms long: a latency of
  half a second starves later, and costs less. `--latency 0.2` has it 0.1 s sooner, for 0.6 ms per second more. What
  is recorded begins where the device starts, about 0.15 s after exec.
* **The spin at the start on an idle null sink** comes of PortAudio and the ALSA plug-in together. PortAudio prepares
  the PCM a second time as it starts it; the plug-in then ends its first PulseAudio stream, and the end of that stream
  puts a wake-up into the pipe that PortAudio polls, for which there are no frames. Only the first data from the
  server take it out again, and those come with the next turn of an idle null sink, which takes one every two seconds:
  arecord's first frame comes after 0.01 to 2 s as well, as the turn goes. Up to then `poll` returns at once, and a
  core is busy. On a source that is in use the spin takes 6 to 19 ms of CPU. It came with every latency (0.1 to 4 s)
  and block size that was tried. Taking the byte out of the pipe from outside ends it (2 ms of CPU instead of 1,300
  and more), but means to read from a descriptor of another library. The figure in the table is what the spin got of a
  core: on a busy machine that is less.
* **24 hours.** Two threads share such a run. The writer's is the slower one, with 2.5 s of CPU for 24 hours, of which
  1.4 s are the rounding of int32 to 16 bit; the device's takes 1.75 s, most of it for the meter. What is beyond 2.5 s
  is waiting for a core.
* **Maps.** What is written as the device gives it, as float32 to FLOAT, does not move at all without a map. A map has
  to move it once; so it is compared with the measuring and a memcpy.
* **The predecessor on PipeWire** stops writing soon after its start and goes on only as a callback; a row says so.

## After a power cut

`make powercut`: of takes of 6.5 s of every container that is recorded, with `-y`, `--split`, `--part` and `--also` too,
10,000 states that a cut at any point may leave the disk in. From the first second on (Vorbis: from its first page on)
all were read by libsndfile and a parser of headers, 371 of them by sox too, and 352 by ffprobe. That is given a W64 up
to the end of the sound that its header counts: ffmpeg 5.1 takes what follows for a chunk, and refuses a W64 with 24
zeros behind it, whoever made it; sox makes a whole file of what a cut leaves.
None had lost more than 2.3 s, and nothing that had been synced was read otherwise. In WAV, RF64, W64, AIFF, AU, CAF and
MAT4 the header counted nothing but sound, from the first frame on; elsewhere up to 1.4 s of silence or damage followed
the sound. Of WAV, W64 and RF64 of 4.9 GB 500 states each, half of them near 4 GiB, were read by the parser and by
libsndfile, at the last frame that the header counts.
"""
