"""What needs no sound server: the core, a stalled reader, a day, reading back, many channels."""

from __future__ import annotations

import fcntl
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks import peers
from benchmarks.clients import cpu_ms, resident_mb
from benchmarks.table import Row, Series, compare
from pastream_cli.engine import _build

_RATE = 48000
_PIPE_BYTES = 4096
_POLL_SECONDS = 0.02
# It converts and measures each sample besides; a map is looked up for each.
_CALLBACK_RATIO = 10.0
_MAPPED_CALLBACK_RATIO = 15.0


def _report(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stderr is not None
    report: dict[str, Any] = json.loads(process.stderr.read().splitlines()[-1])
    process.wait()
    return report


# ---- the core ----


def core(rounds: int) -> Iterator[Row]:
    """Take nanoseconds per frame from benchmarks/core.py, and libsndfile's beside the loops."""
    from benchmarks import core as bench

    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "core"
        bench.build("gcc", _build.HERE, program)
        tables = bench.measure(program, rounds)
    for channels in (2, 8, 64):
        for row, how in (
            ("record", ""),
            ("record, reversed", ", reversed"),
            ("record, with zeros", ", repeats and zeros"),
        ):
            name, figures = _dearest(tables["callback"][row, channels])
            what = f"callback, record {channels} ch of {name}{how} with the meter, 256 frames"
            copy = Series(tuple(tables["callback"]["record, memcpy", channels][name]))
            yield compare(
                what,
                "ns/frame",
                figures,
                "memcpy to its ring",
                copy,
                ratio=_MAPPED_CALLBACK_RATIO if how else _CALLBACK_RATIO,
            )
    for channels in (2, 8, 64):
        yield _each_further_copy(channels, tables["callback"])
    for passage in ("int32 to PCM_24", "float32 to FLOAT"):
        for channels in (2, 64):
            yield _dearest_map(passage, channels, tables["writer"][passage, channels])
    for encoding, passage in (
        ("PCM_16", "int32 to PCM_16"),
        ("PCM_24", "int32 to PCM_24"),
        ("FLOAT", "float32 to FLOAT"),
    ):
        own = Series(tuple(tables["writer"][passage, 2]["identity"]))
        yield _beside_libsndfile(f"writer, stereo WAV {encoding}", own, _writing_ns("WAV", encoding, rounds))
    own = Series(tuple(tables["writer"]["int32 to PCM_24", 2]["identity"]))
    yield _beside_libsndfile("writer, stereo FLAC PCM_24", own, _writing_ns("FLAC", "PCM_24", rounds))
    for encoding, passage in (
        ("PCM_16", "PCM_16 to int32"),
        ("PCM_24", "PCM_24 to int32"),
        ("FLOAT", "FLOAT to float32"),
    ):
        own = Series(tuple(tables["reader"][passage, 2]["identity"]))
        yield _beside_libsndfile(f"reader, stereo WAV {encoding}", own, _reading_ns(encoding, rounds))


def _dearest(columns: dict[str, list[float]]) -> tuple[str, Series]:
    """Return the column with the greatest median, and its name."""
    series = {name: Series(tuple(figures)) for name, figures in columns.items()}
    name = max(series, key=lambda name: series[name].median)
    return name, series[name]


def _each_further_copy(channels: int, table: dict[tuple[str, int], dict[str, list[float]]]) -> Row:
    """Compare what each of three further copies costs the callback with a memcpy into its ring, beside the others."""

    def each(one: str, all_four: str) -> Series:
        without = Series(tuple(table[one, channels]["int24"])).median
        return Series(tuple((value - without) / 3 for value in table[all_four, channels]["int24"]))

    what = f"callback, record {channels} ch of int24, each of three further copies"
    ours, copy = each("record", "record, 3 copies"), each("record, memcpy", "3 copies, memcpy")
    return compare(what, "ns/frame", ours, "memcpy to its ring", copy, ratio=1)


def _dearest_map(passage: str, channels: int, columns: dict[str, list[float]]) -> Row:
    """Compare the map that costs most with none."""
    identity, copy = Series(tuple(columns["identity"])), Series(tuple(columns["memcpy"]))
    left_out = {"identity", "memcpy"}
    if channels == 2:
        left_out.add("64 to 2, 2 to 64")  # it reads 64 channels, whatever it does with them
    name, dearest = _dearest({column: figures for column, figures in columns.items() if column not in left_out})
    what = f"writer, {passage}, {channels} ch, the dearest map ({name})"
    if "FLOAT" in passage:  # without a map nothing moves: what moves them at least is added
        identity = Series(tuple(value + copy.median for value in identity.values))
    peer = "identity and memcpy" if "FLOAT" in passage else "identity"
    return compare(what, "ns/frame", dearest, peer, identity, ratio=2)


def _beside_libsndfile(what: str, own: Series, libsndfile: Series) -> Row:
    both = Series(tuple(value + libsndfile.median for value in own.values))
    return compare(what, "ns/frame", both, "libsndfile alone", libsndfile, ratio=1.3)


def _noise(encoding: str) -> Any:
    noise = np.random.default_rng(1).standard_normal((1 << 18, 2)) * 0.1
    if encoding == "FLOAT":
        return noise.astype(np.float32)
    # the type that costs libsndfile least
    return (noise * 2**15).astype(np.int16) if encoding == "PCM_16" else (noise * 2**31).astype(np.int32)


def _writing_ns(container: str, encoding: str, rounds: int) -> Series:
    samples, took = _noise(encoding), []
    for _ in range(rounds + 1):  # once for the caches
        with (
            tempfile.NamedTemporaryFile(dir=_memory(), suffix=f".{container.lower()}") as target,
            soundfile.SoundFile(target.name, "w", _RATE, 2, encoding, format=container) as sound,
        ):
            start = time.thread_time()
            for first in range(0, len(samples), 16384):
                sound.write(samples[first : first + 16384])
            took.append((time.thread_time() - start) * 1e9 / len(samples))
    return Series(tuple(took[1:]))


def _reading_ns(encoding: str, rounds: int) -> Series:
    samples, took = _noise(encoding), []
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=".wav") as file:
        soundfile.write(file.name, samples, _RATE, encoding)
        block = np.empty((16384, 2), samples.dtype)
        for _ in range(rounds + 1):  # once for the caches
            with soundfile.SoundFile(file.name) as sound:
                start = time.thread_time()
                while len(sound.read(dtype=samples.dtype.name, out=block)) == len(block):
                    pass
                took.append((time.thread_time() - start) * 1e9 / len(samples))
    return Series(tuple(took[1:]))


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no disk in the figure


# ---- a reader that stalls ----


def stalled_reader(rounds: int) -> Iterator[Row]:
    """Stop reading a pipe, and see how many frames pass before the first one is lost."""
    survived, promised = [], 0
    for _ in range(rounds):
        asked = 1 << 16
        words = [
            "-q",
            "--json",
            "-D",
            "virtual:sine",
            "-d",
            "4",
            "-t",
            "raw",
            "-e",
            "pcm_16",
            "--buffersize",
            str(asked),
        ]
        process = subprocess.Popen([peers.OURS, *words, "null", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        taken = len(process.stdout.read(_RATE * 4 // 2))
        time.sleep(2 * asked / _RATE)
        while process.stdout.read(1 << 16):
            pass
        report = _report(process)
        promised = report["buffer"]["frames"] + _PIPE_BYTES // 4
        overruns = [loss["frame"] for loss in report["xruns"]]
        survived.append(min(overruns) - taken // 4)
    stalled = Series(tuple(float(frames) for frames in survived))
    is_met = abs(stalled.median - promised) <= 0.05 * promised
    yield Row(
        "reader of - stalls: frames until the first loss",
        "frames",
        stalled,
        "the buffer it tells, and the pipe",
        Series((float(promised),)),
        "± 5 %",
        is_met,
    )


# ---- a day ----


def a_day() -> Iterator[Row]:
    """Record 25 hours of stereo, past 2^32 frames, and scale to 24."""
    words = ["-q", "--json", "-D", "virtual:fast", "-d", "25:00:00", "-t", "raw", "-e", "pcm_16"]
    start = time.monotonic()
    process = subprocess.Popen(
        [peers.OURS, *words, "null", "/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    memory = []
    while process.poll() is None:
        memory.append(resident_mb(process.pid))
        time.sleep(_POLL_SECONDS)
    seconds = (time.monotonic() - start) * 24 / 25
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    wanted = 25 * 3600 * _RATE
    is_exact = report["frames"] == wanted and sum(file["frames"] for file in report["files"]) == wanted
    what = "24 h of stereo, virtual:fast, 16 bit RAW to /dev/null"
    yield compare(what, "s", Series((seconds,)), "sox, by an hour of it", Series((24 * _hour_by_sox(),)), ratio=0.5)
    while memory and memory[-1] == 0:
        memory.pop()
    early, late = memory[len(memory) // 4], max(memory)
    yield Row(
        "memory at a quarter of it, and at most",
        "MB",
        f"{early:.1f}, {late:.1f}",
        target="flat",
        is_met=late <= early + 1,
    )
    yield Row("frames of 25 h, past 2³²", "", str(report["frames"]), target=str(wanted), is_met=is_exact)


def _hour_by_sox() -> float:
    """Return the seconds that sox takes for an hour of silence, of the same samples."""
    start = time.monotonic()
    words = ["-n", "-r", str(_RATE), "-c", "2", "-b", "16", "-e", "signed", "-t", "raw", "/dev/null"]
    subprocess.run(["sox", *words, "trim", "0", "1:00:00"], check=True)
    return time.monotonic() - start


# ---- reading back ----


def verifying(rounds: int) -> Iterator[Row]:
    """Record noise as fast as it goes, with its reading back and without; ffmpeg decodes and hashes the same file."""
    for file_type in ("wav", "flac"):
        took: dict[str, list[float]] = {"plain": [], "verify": [], "ffmpeg": []}
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/take.{file_type}"
            take = [peers.OURS, "-q", "-y", "-D", "virtual:noise:fast", "-d", "20:00", "null", path]
            reading = ["ffmpeg", "-v", "error", "-i", path, "-f", "hash", "-hash", "sha256", "-"]
            for _ in range(rounds):
                for name, command in (("plain", take), ("verify", [*take, "--verify"]), ("ffmpeg", reading)):
                    start = time.monotonic()
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    took[name].append(time.monotonic() - start)
        more = Series(tuple(with_it - without for with_it, without in zip(took["verify"], took["plain"], strict=True)))
        what = f"--verify of 20 min of stereo {file_type.upper()}, 24 bit: what it adds"
        yield compare(what, "s", more, "ffmpeg -f hash", Series(tuple(took["ffmpeg"])), ratio=1.5)


# ---- many channels ----


def many_channels(seconds: float) -> Iterator[Row]:
    """Record in real time and see what a channel costs."""
    costs = {}
    losses = {}
    for channels in (2, 16, 64, 256):
        with tempfile.TemporaryDirectory() as folder:
            words = ["-q", "--json", "-D", "virtual:silence", "-c", str(channels), "-d", f"{seconds + 2:g}", "null"]
            process = subprocess.Popen(
                [peers.OURS, *words, f"{folder}/take.wav"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            time.sleep(1.5)
            before, since = cpu_ms(process.pid), time.monotonic()
            time.sleep(seconds - 0.5)
            after, elapsed = cpu_ms(process.pid), time.monotonic() - since
            spent = sum(time_spent - before.get(name, 0.0) for name, time_spent in after.items())
            costs[channels] = spent / elapsed / channels
            assert process.stdout is not None
            losses[channels] = json.loads(process.stdout.read())["lost_frames"]
            process.wait()
    per_channel = ", ".join(f"{cost:.3g}" for cost in costs.values())
    falls = all(more >= less for more, less in zip(list(costs.values()), list(costs.values())[1:], strict=False))
    yield Row(
        "real time to WAV, CPU per channel with 2, 16, 64, 256", "ms/s", per_channel, target="falls", is_met=falls
    )
    yield Row("frames lost with 256 channels", "frames", str(losses[256]), target="0", is_met=losses[256] == 0)
