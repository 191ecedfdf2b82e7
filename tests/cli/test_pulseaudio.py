"""PulseAudio: exact from the first frame that was played."""

from __future__ import annotations

import signal
import time
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


def test_it_plays_and_records_at_once_at_another_rate_than_the_servers(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    make_noise(tmp_path / "in.wav", 44100 // 2, rate=44100)
    for _ in range(campaign(20)):
        result = pastream("in.wav", "out.wav", "-y", "-p", "0.5", "-D", "pulse", server=pulseaudio)
        assert result.returncode == 0, result.stderr
        recording = soundfile.info(tmp_path / "out.wav")
        assert (recording.frames, recording.samplerate) == (44100, 44100)
        assert read(tmp_path / "out.wav").any()


def test_a_sink_that_was_idle_is_not_taken_for_a_silent_device(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    make_noise(tmp_path / "in.wav", 44100, rate=44100)
    for _ in range(campaign(20)):
        result = pastream("in.wav", "-D", "pulse", server=pulseaudio)
        assert result.returncode == 0, result.stderr
        assert "silent" not in result.stderr


def test_a_run_that_plays_and_records_survives_a_stop_of_its_process(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    make_noise(tmp_path / "in.wav", 3 * RATE)
    process = pastream.start("in.wav", "out.wav", "-D", "pulse", "--json", server=pulseaudio)
    time.sleep(2)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    process.send_signal(signal.SIGCONT)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 3 * RATE


def test_a_recording_is_made_at_the_rate_at_which_the_server_runs_and_has_exactly_its_frames(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    for device in ("pulse", "default"):
        result = pastream("null", f"{device}.wav", "-d", "1", "-D", device, server=pulseaudio)
        assert result.returncode == 0, result.stderr
        recording = soundfile.info(tmp_path / f"{device}.wav")
        assert (recording.frames, recording.samplerate, recording.channels) == (RATE, RATE, 2)


def test_the_rate_is_that_of_the_source_which_the_environment_names(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    sink = ("sink_name=slow", "rate=32000", "channels=2")
    module = pulseaudio.run("pactl", "load-module", "module-null-sink", *sink).stdout.strip()
    environment = {**pulseaudio.environment, "PULSE_SOURCE": "slow.monitor"}
    result = pastream("null", "out.wav", "-d", "0.5", "-D", "pulse", env=environment)
    pulseaudio.run("pactl", "unload-module", module)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "out.wav").samplerate == 32000


def test_the_default_device_is_the_server(pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer) -> None:
    result = pastream("null", "out.wav", "-d", "0.2", "-r48k", server=pulseaudio)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == RATE // 5


def test_the_list_has_the_servers_device_and_the_virtual_one_last(pastream: Pastream, pulseaudio: PulseServer) -> None:
    result = pastream("-l", server=pulseaudio)
    assert (result.returncode, result.stderr) == (0, "")
    _heading, *devices = result.stdout.decode().splitlines()
    (pulse,) = (line for line in devices[:-1] if "pulse, ALSA" in line)
    assert f" {RATE} " in pulse
    assert devices[-1].split()[0] == "virtual"
