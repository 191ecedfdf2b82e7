"""JACK: bit for bit through a server that carries floats."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.explanations import explanation
from tests.runner import Pastream
from tests.servers import JackServer
from tests.sounds import RATE, assert_same, from_the_first_sound, make_noise, read


@pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24"])
def test_what_is_played_is_recorded_bit_for_bit(
    pastream: Pastream, tmp_path: Path, jackd: JackServer, encoding: str
) -> None:
    source = make_noise(tmp_path / "in.wav", RATE, encoding=encoding, lead_in=RATE // 2)
    result = pastream("in.wav", "out.wav", "-D", "loopback", "-p", "0.5", server=jackd)
    assert result.returncode == 0, result.stderr
    recording = read(tmp_path / "out.wav")
    assert len(recording) == len(source) + RATE // 2
    assert_same(from_the_first_sound(recording)[:RATE], from_the_first_sound(source))


def test_every_channel_comes_back_in_its_place(pastream: Pastream, tmp_path: Path, jackd: JackServer) -> None:
    source = make_noise(tmp_path / "in.wav", RATE // 2, 8, lead_in=RATE // 2)
    result = pastream("in.wav", "out.wav", "-D", "loopback", "-p", "0.5", server=jackd)
    assert result.returncode == 0, result.stderr
    assert_same(from_the_first_sound(read(tmp_path / "out.wav"))[: RATE // 2], from_the_first_sound(source))


def test_a_recording_has_exactly_the_frames_of_its_duration(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    result = pastream("null", "out.wav", "-d", "1", "-D", "system", server=jackd)
    assert result.returncode == 0, result.stderr
    assert read(tmp_path / "out.wav").shape == (RATE, 2)


def test_a_rate_that_is_not_the_servers_is_refused_with_the_servers(
    pastream: Pastream, tmp_path: Path, jackd: JackServer
) -> None:
    result = pastream("null", "out.wav", "-d", "1", "-r", "44100", "-D", "system", server=jackd)
    assert result.returncode == 1
    assert "48000 Hz" in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_the_list_has_the_servers_devices_and_the_virtual_one_last(pastream: Pastream, jackd: JackServer) -> None:
    result = pastream("-l", server=jackd)
    assert (result.returncode, result.stderr) == (0, "")
    _heading, *devices = result.stdout.decode().splitlines()
    for name in ("system", "loopback"):
        assert any(f"{name}, JACK Audio Connection Kit" in line for line in devices[:-1])
    assert devices[-1].split()[0] == "virtual"


def test_a_number_of_thousands_of_digits_is_no_device(pastream: Pastream, jackd: JackServer) -> None:
    result = pastream("null", "take.wav", "-D", "1" * 5000, server=jackd)
    assert result.returncode == 1
    failure, way_out = explanation(result.stderr)
    assert failure == f"cannot find a capture device: there is no number {'1' * 5000}"
    assert way_out.startswith("one of: 0 ")


CLIENT = """
import ctypes, sys
jack = ctypes.CDLL("libjack.so.0")
jack.jack_client_open.restype = ctypes.c_void_p
client = ctypes.c_void_p(jack.jack_client_open(sys.argv[1].encode(), 1, None))
jack.jack_port_register.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
jack.jack_port_register(client, b"out", b"32 bit float mono audio", 2, 0)
print("there", flush=True)
sys.stdin.read()
"""


def test_a_client_whose_name_has_escape_sequences_does_nothing_to_the_terminal(
    pastream: Pastream, jackd: JackServer
) -> None:
    name = "mic\x1b]0;taken\a\rpastream wrote take.wav\n\u202egpj"
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=jackd.environment
    ) as client:
        assert client.stdout
        assert client.stdout.readline() == b"there\n"
        for arguments in (["null", "take.wav"], ["null", "-v"], ["null", "-", "-t", "au"]):
            result = pastream(*arguments, "-D", "nosuch", server=jackd)
            assert all(line.isprintable() for line in result.stderr.split("\n"))
            failure, way_out = explanation(result.stderr)
            assert failure == "cannot find a capture device: nothing is called 'nosuch'"
            assert r"mic\x1b]0;taken\x07\rpastream wrote take.wav\n\u202egpj, JACK Audio" in way_out
        listed = pastream("-l", server=jackd)
        assert all(line.isprintable() for line in (listed.stdout.decode() + listed.stderr).split("\n"))
