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
recorders of a group take turns on one server, each with its own default encoding (ours 24 bit on PulseAudio, arecord
16). A figure is the median of the rounds, ± half the distance between the greatest and the least. CPU is what the
kernel counted for all threads of a recorder and of the processes that it has started (schedstat), in milliseconds per
second of recording, from 12 s after the first frame on. A ratio says more than a figure: the machine is a virtual
one, whose neighbours make it two or three times slower on some days, for ours and the peers alike.
"""

NOTES = """\
## Why it costs what it costs

* **Quiet.** CPU follows wake-ups, each of which finds cold caches. On PulseAudio, of 6 ms per second the callback's
  thread takes 1.2 and libpulse's 1.0, which is what arecord's two threads take; the writer takes 2.3, the main thread
  of the take 1.2, and that of the device's process 0.2. So 1.2 times arecord would leave 0.4 for all that arecord
  does not do: a ring and a thread behind it, so that a disk that hesitates costs nothing; two syncs and a header each
  second, so that a power cut costs little; a meter; a watch over device, disk and clock. The main thread looks once
  each second, and as often as it is tenths of its age old before that. Longer naps of the writer would save a part,
  and a take that is killed would lose more.
* **Armed, or in pieces**, a take is looked at as seldom as a plain one. An armed take writes nothing, and costs less.
* **Further copies** are further writers, each with its own file and its own two syncs each second: 2.2 ms per second
  each.
* **--verify** hashes each frame as it is written, for 0.7 ms per second. What it adds at the end is above: it reads the
  file from its disk, decodes it, and hashes both the frames and the file.
* **With the meter** rich draws ten pictures each second; all else is the quiet take's.
* **The process of the device** costs 0.2 ms per second more than a thread would, and 7 MB of memory: an interpreter
  of its own, which is a copy of the first one where it has not been written to, and PortAudio with its hosts. The
  predecessor has one process, which ends with the host library.
* **JACK.** Its client runs 187 times a second, and takes 8.5 of the 11 ms per second with 2 channels, 27 of 40 with
  64: there PortAudio takes JACK's ports apart sample by sample, which sounddevice has no way around. The writer takes
  1.3 with 2 channels and 11 with 64, most of it the kernel's for 9 MB; the sync each second, which jack_capture
  leaves out, is in that.
* **PipeWire by pw-jack.** pw-record is a client of the server's own library, without JACK's in front of it, and syncs
  nothing.
* **A start.** PortAudio's hosts are begun in the process of the device while the take is loaded in the other one; a
  machine whose cores are all busy gains less by that. numpy is not loaded; with it a start would take as much again
  as Python's own. Help, the version and an unknown option take half as much as Python's own start, most of that for
  `enum` and `contextlib`. A value that is wrong (`-d ten`) takes 1.6 times as much: of it `fractions` takes an eighth
  (with `decimal`), `typing` as much, `re` a twelfth, and what is left are our own modules, of which each takes less
  than a twentieth. `dataclasses`, with `inspect` behind it, was another eighth, and is gone. The rest is what the
  values are made of: a time is exact, and a mistake is answered with the right spelling.
* **-l** asks PortAudio in a process of its own too, so that a host library that crashes or hangs ends no list.
* **Memory.** Of it 4 MB are the ring, which is in memory from the start so that the callback meets no page fault.
* **The first frame on PulseAudio** comes with the first block, which for a recording is 230 ms long: a latency of
  half a second starves later, and costs less. `--latency 0.2` has it 0.1 s sooner, for a tenth more processor time.
  What is recorded begins where the device starts. On an idle null sink nobody is sooner: the sink takes a turn every
  two seconds, and the first frame comes with the next one.
* **The spin at the start on an idle null sink** comes of PortAudio and the ALSA plug-in together. PortAudio prepares
  the PCM a second time as it starts it; the plug-in then ends its first PulseAudio stream, and the end of that stream
  puts a wake-up into the pipe that PortAudio polls, for which there are no frames. Only the first data from the
  server take it out again, and those come with the next turn of an idle null sink. Up to then `poll` returns at once,
  and a core is busy. On a source that is in use the spin takes 6 to 19 ms of CPU. It came with every latency (0.1 to
  4 s) and block size that was tried. Taking the byte out of the pipe from outside ends it (2 ms of CPU instead of
  1,300 and more), but means to read from a descriptor of another library. The figure in the table is what the spin
  got of a core: on a busy machine that is less.
* **The callback** measures peak and power of each sample and converts it; a memcpy of two channels stays in the first
  cache, so that it is the hardest measure there. Each further copy costs some 100 ns per block beside its memcpy: a
  look whether there is room, one whether a loss is to be told, and a position that is published. With 64 channels
  that is nothing; what is left there is the noise of caches that the copies share.
* **24 hours.** Two threads share such a run, the writer's and the device's; most of it is the rounding of int32 to 16
  bit, and the meter.
* **Maps.** What is written as the device gives it, as float32 to FLOAT, does not move at all without a map. A map has
  to move it once; so it is compared with the measuring and a memcpy.
* **The predecessor on PipeWire** stops writing soon after its start and goes on only as a callback; a row says so.

## After a power cut

`make powercut`: of takes of 6.5 s of every container that is recorded, with `-y`, `--split`, `--part` and `--also` too,
10,000 states that a cut at any point may leave the disk in. From the first second on (Vorbis: from its first page on)
all were read by libsndfile and a parser of headers, 385 of them by sox too, and 360 by ffprobe. That is given a W64 up
to the end of the sound that its header counts: ffmpeg 5.1 takes what follows for a chunk, and refuses a W64 with 24
zeros behind it, whoever made it; sox makes a whole file of what a cut leaves.
None had lost more than 2.3 s, and nothing that had been synced was read otherwise. In WAV, RF64, W64, AIFF, AU, CAF and
MAT4 the header counted nothing but sound, from the first frame on; elsewhere up to 1.4 s of silence or damage followed
the sound. Of WAV, W64 and RF64 of 4.9 GB 500 states each, half of them near 4 GiB, were read by the parser and by
libsndfile, at the last frame that the header counts.
"""
