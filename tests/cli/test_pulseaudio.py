"""PulseAudio: exact from the first frame that was played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.runner import Pastream
from tests.servers import PulseServer
from tests.sounds import RATE, assert_same, from_the_first_sound, make_noise, read


def test_what_is_played_is_recorded_from_its_first_frame_on_or_xruns_are_told(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    source = make_noise(tmp_path / "in.wav", RATE, encoding="PCM_32")
    missing = campaign(10)
    for _ in range(3 * missing + 2):  # a busy machine may starve the server
        result = pastream("in.wav", "out.wav", "-y", "-f", "int32", "-p", "1", "-D", "pulse", server=pulseaudio)
        assert result.returncode == 0, result.stderr
        recording = read(tmp_path / "out.wav")
        assert len(recording) == 2 * RATE
        if "; no xruns" in result.stderr:
            assert_same(from_the_first_sound(recording)[:RATE], source)
            missing -= 1
        if not missing:
            return
    pytest.fail("too few runs without an xrun")


def test_a_recording_has_exactly_the_frames_of_its_duration(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    result = pastream("null", "out.wav", "-d", "1", "-D", "pulse", server=pulseaudio)
    assert result.returncode == 0, result.stderr
    recording = soundfile.info(tmp_path / "out.wav")
    assert (recording.frames, recording.channels) == (recording.samplerate, 2)


def test_the_default_device_is_the_server(pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer) -> None:
    result = pastream("null", "out.wav", "-d", "0.2", "-r48k", server=pulseaudio)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == RATE // 5


def test_the_list_has_the_servers_device_and_the_virtual_one_last(pastream: Pastream, pulseaudio: PulseServer) -> None:
    result = pastream("-l", server=pulseaudio)
    assert (result.returncode, result.stderr) == (0, "")
    _heading, *devices = result.stdout.decode().splitlines()
    assert any("pulse, ALSA" in line for line in devices[:-1])
    assert devices[-1].split()[0] == "virtual"
