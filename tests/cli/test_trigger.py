"""--trigger, --preroll and --silence: files that begin and end with what is loud, exact to the frame."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.bursts import Bursts, Spans, bursts, spans_of
from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, read
from tests.takes import report_of


def write(path: Path, sound: Bursts) -> None:
    soundfile.write(path, sound.samples, RATE, subtype="PCM_24")


def files_of(result: Result) -> Spans:
    return [(file["first_frame"], file["first_frame"] + file["frames"]) for file in report_of(result)["files"]]


def check(result: Result, folder: Path, sound: Bursts, spans: Spans) -> None:
    """Check that each file has its frames of the sound, and that what is in none is told."""
    report = report_of(result)
    assert result.returncode == 0, result
    assert files_of(result) == spans
    for file, (begin, end) in zip(report["files"], spans, strict=True):
        assert_same(read(folder / file["name"]), sound.samples[begin:end])
    dropped = len(sound.samples) - sum(end - begin for begin, end in spans)
    assert report["armed_frames"] == dropped
    assert (report["frames"], report["unwritten_frames"], report["lost_frames"]) == (len(sound.samples), 0, 0)


def test_each_burst_is_a_file_from_its_first_frame_to_the_end_of_the_silence(
    pastream: Pastream, tmp_path: Path
) -> None:
    sound = bursts(1, count=12)
    write(tmp_path / "in.wav", sound)
    words = ("--trigger", "-40", "--silence", "-40dB,200s", "-D", "virtual:fast", "--json")
    check(pastream("in.wav", "out.wav", *words), tmp_path, sound, spans_of(sound.is_loud, 0, 200))
    assert (tmp_path / "out-001.wav").exists()
    more = ("--preroll", "300s", "-b", "1")
    check(pastream("in.wav", "a-{n}.flac", *words, *more), tmp_path, sound, spans_of(sound.is_loud, 300, 200))


def test_copies_and_pieces_are_cut_at_the_same_frames(pastream: Pastream, tmp_path: Path) -> None:
    sound = bursts(2, count=5)
    write(tmp_path / "in.wav", sound)
    words = ("--trigger", "-40", "--silence", "-40,400s", "--preroll", "100s", "--split", "250s", "-D", "virtual:fast")
    result = pastream("in.wav", "a-{n}.wav", "--also", "b-{n}.flac", "--part", *words, "--exec", "true", "--json")
    spans = [
        (first, min(first + 250, end))
        for begin, end in spans_of(sound.is_loud, 100, 400)
        for first in range(begin, end, 250)
    ]
    check(result, tmp_path, sound, spans)
    for file in report_of(result)["files"]:
        assert_same(read(tmp_path / file["copies"][0]["name"]), read(tmp_path / file["name"]))
    assert report_of(result)["hooks"] == {"finished": len(spans), "failed": 0, "given_up": 0}
    assert not list(tmp_path.glob("*.part"))


def test_silence_alone_ends_the_run(pastream: Pastream, tmp_path: Path) -> None:
    sound = bursts(3, count=3, most_gap=500)
    write(tmp_path / "in.wav", sound)
    result = pastream("in.wav", "out.wav", "--silence", "-40,600s", "-p", "-D", "virtual:fast", "-d", "10", "--json")
    last = int(np.flatnonzero(sound.is_loud)[-1])
    assert result.returncode == 0
    assert files_of(result) == [(0, last + 601)]
    assert report_of(result)["stop_reason"] == "complete"


def test_a_duration_counts_from_the_first_frame_of_the_first_file(pastream: Pastream, tmp_path: Path) -> None:
    result = pastream("null", "out.wav", "--trigger", "-20", "-d", "0.5", "-D", "virtual:sine=10:fast", "--json")
    (file,) = report_of(result)["files"]
    sine = 0.5 * np.sin(2 * np.pi * 10 * np.arange(RATE) / RATE)
    assert (file["first_frame"], file["frames"]) == (int(np.argmax(np.abs(sine) >= 0.1)), RATE // 2)
    assert (result.returncode, (tmp_path / "out.wav").exists()) == (0, True)


def test_where_nothing_is_loud_enough_there_is_no_file(pastream: Pastream, tmp_path: Path) -> None:
    sound = bursts(4, count=2)
    write(tmp_path / "in.wav", sound)
    result = pastream("in.wav", "out.wav", "--trigger", "-3", "-D", "virtual:fast", "--json")
    assert (result.returncode, report_of(result)["files"]) == (0, [])
    greatest = 20 * np.log10(np.abs(sound.samples / 2**31).max())
    assert report_of(result)["greatest_armed_dbfs"] == pytest.approx(greatest, abs=0.001)
    assert f"nothing reached -3.0 dBFS; the greatest level was {greatest:.1f} dBFS" in result.stderr
    assert [path.name for path in tmp_path.glob("out*")] == []


def test_a_level_that_the_first_frame_reaches_is_told(pastream: Pastream) -> None:
    result = pastream("null", "out.wav", "--trigger", "-90", "-d", "0.1", "-D", "virtual:noise:fast")
    assert result.returncode == 0
    assert "warning: the first frame reaches the level of --trigger already" in result.stderr


def test_usr1_begins_a_file_with_what_came_before(pastream: Pastream, tmp_path: Path) -> None:
    words = ("--trigger", "key", "--silence", "0,0.3", "--preroll", "0.2", "-D", "virtual:sine=0.1", "--json")
    with (tmp_path / "told").open("wb") as told:
        process = pastream.start("null", "out.wav", *words, stderr=told)

    def has_sent_it(name: str) -> bool:
        process.send_signal(signal.SIGUSR1)
        return (tmp_path / name).exists()

    wait_until(partial(has_bytes, tmp_path / "told"), "the banner", 20)
    time.sleep(0.3)
    for number in (1, 2):
        wait_until(partial(has_sent_it, f"out-00{number}.wav"), "a file", 20)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert result.returncode == 0
    (first, second) = files_of(result)[:2]
    assert first[1] - first[0] == RATE // 2
    assert first[1] <= second[0]


def has_bytes(path: Path) -> bool:
    return path.stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("null", "out.wav", "--preroll", "1"), "cannot use --preroll: there is no --trigger to come before"),
        (("null", "out.wav", "--trigger", "-40", "-o", "1"), "cannot use --offset: --trigger says where"),
        (("null", "null", "--trigger", "-40"), "cannot use --trigger: there is no OUTPUT"),
        (("null", "-", "-t", "au", "--trigger", "-40", "--silence", "-40,1"), "cannot use --silence: after --trigger"),
        (("null", "out.wav", "--trigger", "40"), "cannot use --trigger 40: no sample is above full scale"),
        (("null", "out.wav", "--silence", "-40"), "cannot use --silence -40: not a level and a time"),
        (("null", "no/out.wav", "--trigger", "-40"), "cannot create no/out.wav: there is no folder no"),
    ],
)
def test_what_contradicts_itself_is_refused(pastream: Pastream, words: tuple[str, ...], message: str) -> None:
    result = pastream(*words, "-D", "virtual")
    assert result.returncode == (4 if message.startswith("cannot create") else 2)
    assert result.stderr.startswith(f"pastream: {message}")
