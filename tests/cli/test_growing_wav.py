"""A WAV that is still being recorded is what file(1) and Python's wave understand, from its first second on."""

from __future__ import annotations

import signal
import struct
import subprocess
import wave
from pathlib import Path

import pytest

from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.sounds import read

SECOND = 48000
TAGS = {"pcm_u8": 1, "pcm_16": 1, "pcm_24": 1, "pcm_32": 1, "float": 3, "double": 3, "alaw": 6, "ulaw": 7}


def tag_of(path: Path) -> int:
    """Return the format tag of a WAV."""
    content = path.read_bytes()[:200]
    place = content.index(b"fmt ") + 8
    return int(struct.unpack("<H", content[place : place + 2])[0])


@pytest.mark.parametrize("encoding", TAGS)
def test_a_growing_wav_has_the_plain_format_tag(pastream: Pastream, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "take.wav"
    process = pastream.start("null", path.name, "-e", encoding, "-D", "virtual:sine")
    wait_until(lambda: path.exists() and path.stat().st_size > 1000, "the first frames")
    wait_until(lambda: tag_of(path) == TAGS[encoding], "the plain tag")
    growing = set()
    for _ in range(200):
        with path.open("rb") as file:
            assert file.read(4) == b"RIFF"
        growing.add(tag_of(path))
        if encoding in {"pcm_16", "pcm_24"}:
            with wave.open(str(path)) as sound:
                assert (sound.getnchannels(), sound.getframerate()) == (2, SECOND)
    # the extensible tag stands there for the moment between the update and the plain one
    assert growing <= {TAGS[encoding], 0xFFFE}
    process.send_signal(signal.SIGTERM)
    assert pastream.finish(process).returncode == 0
    assert tag_of(path) == TAGS[encoding]
    assert read(path).any()


def test_a_wav_of_a_take_that_was_killed_is_what_other_programs_read(pastream: Pastream, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = pastream.start("null", path.name, "-D", "virtual:sine")
    wait_until(lambda: path.exists() and path.stat().st_size > SECOND * 6, "a second of sound")
    process.kill()
    process.wait()
    with wave.open(str(path)) as sound:
        assert sound.getnframes() > 0
    need("file")
    told = subprocess.run(["file", "-b", str(path)], capture_output=True, text=True, check=True).stdout
    assert "Microsoft PCM, 24 bit, stereo 48000 Hz" in told


def test_a_wav_with_the_extensible_tag_is_made_where_that_was_asked_for(pastream: Pastream, tmp_path: Path) -> None:
    assert pastream("null", "take.wavex", "-d", "1", "-D", "virtual:sine:fast").returncode == 0
    assert tag_of(tmp_path / "take.wavex") == 0xFFFE
