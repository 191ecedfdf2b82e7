"""PipeWire by way of its JACK: exact, and the run ends by itself."""

from __future__ import annotations

from pathlib import Path

import soundfile

from tests.runner import Pastream
from tests.servers import PipeWireServer
from tests.sounds import RATE, assert_same, from_the_first_sound, make_noise, read

NODE = "virt, JACK"


def test_what_is_played_is_recorded_bit_for_bit_and_the_run_ends(
    pastream: Pastream, tmp_path: Path, pipewire: PipeWireServer
) -> None:
    # the node may drop the first period of a stream
    source = make_noise(tmp_path / "in.wav", RATE, encoding="PCM_24", lead_in=RATE // 10)
    result = pastream("in.wav", "out.wav", "-p", "0.5", "-D", NODE, server=pipewire)
    assert result.returncode == 0, result.stderr
    recording = read(tmp_path / "out.wav")
    assert len(recording) == len(source) + RATE // 2
    assert_same(from_the_first_sound(recording)[:RATE], from_the_first_sound(source))


def test_a_recording_has_exactly_the_frames_of_its_duration(
    pastream: Pastream, tmp_path: Path, pipewire: PipeWireServer
) -> None:
    result = pastream("null", "out.wav", "-d", "1", "-D", NODE, server=pipewire)
    assert result.returncode == 0, result.stderr
    assert read(tmp_path / "out.wav").shape == (RATE, 2)


def test_alsas_plug_in_records_at_the_rate_at_which_the_server_runs(
    pastream: Pastream, tmp_path: Path, pipewire: PipeWireServer
) -> None:
    result = pastream("null", "out.wav", "-d", "0.5", "-D", "pulse", server=pipewire)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "out.wav").samplerate == RATE


def test_the_list_has_the_servers_node_and_the_virtual_device_last(
    pastream: Pastream, pipewire: PipeWireServer
) -> None:
    result = pastream("-l", server=pipewire)
    assert (result.returncode, result.stderr) == (0, "")
    _heading, *devices = result.stdout.decode().splitlines()
    assert any("virt, JACK Audio Connection Kit" in line for line in devices[:-1])
    assert devices[-1].split()[0] == "virtual"
