"""Devices that are not there, or cannot do what is asked, are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pastream_cli.units import RATE_FORMS, TIME_FORMS
from tests.explanations import explanation
from tests.refusals import (
    AS_ROOT,
    DEVICE,
    FAST,
    USAGE_ERROR,
    Refused,
    has_sound,
    run_behind,
)
from tests.runner import Pastream
from tests.servers import JackServer, PulseServer
from tests.sounds import make_noise

NO_DEVICE = "-D virtual needs no sound hardware; -l lists devices"


@has_sound
def test_a_machine_without_a_device_is_told_of_the_virtual_one(refused: Refused) -> None:
    for line, side in (("in.wav", "playback"), ("null out.wav", "capture"), ("in.wav out.wav", "playback")):
        refused(*line.split(), code=DEVICE, says=f"cannot choose a {side} device: there is none", way_out=NO_DEVICE)


@has_sound
def test_an_unknown_device_on_a_machine_without_any_is_told_of_the_virtual_one(refused: Refused) -> None:
    says = "cannot find a playback device: nothing is called 'hw:1,0'"
    way_out = "there is no playback device here; -D virtual needs no sound hardware"
    refused("in.wav", "-D", "hw:1,0", code=DEVICE, says=says, way_out=way_out)


@has_sound
def test_an_unknown_device_is_answered_with_those_that_are_there(refused: Refused, pulseaudio: PulseServer) -> None:
    for device, reason in (("focusrite", "nothing is called 'focusrite'"), ("7", "there is no number 7")):
        says = f"cannot find a playback device: {reason}"
        way_out = "one of: 0 pulse, ALSA; 1 default, ALSA; 2 Null Output (virt), PulseAudio"
        refused("in.wav", "-D", device, code=DEVICE, says=says, way_out=way_out, server=pulseaudio)


def test_a_name_of_several_devices_is_answered_with_them(refused: Refused, pulseaudio: PulseServer) -> None:
    says = "cannot choose a capture device: 'alsa' stands for several"
    way_out = "one of: 0 pulse, ALSA; 1 default, ALSA"
    refused("null", "out.wav", "-D", "alsa", code=DEVICE, says=says, way_out=way_out, server=pulseaudio)


@pytest.mark.parametrize("device", ["virtual,default", "default,virtual:sine"])
@has_sound
def test_a_virtual_device_does_not_pair_with_a_real_one(refused: Refused, pulseaudio: PulseServer, device: str) -> None:
    says = f"cannot use -D {device}: the virtual device does not pair with another one"
    way_out = "one stream has one clock"
    refused("in.wav", "out.wav", "-D", device, code=USAGE_ERROR, says=says, way_out=way_out, server=pulseaudio)


FAULT_FORMS = "the forms are xrun=AT, xrun=AT/EVERY, stall=AT+LENGTH, die=AT and hang=AT"
VIRTUAL_FORMS = "the forms are virtual[:silence|:sine[=HZ]|:noise][:fast][:channels=N][:rate=HZ]"


@pytest.mark.parametrize(
    ("device", "reason", "way_out"),
    [
        ("virtual:xyz", "'xyz' is not known", VIRTUAL_FORMS),
        ("virtual:sin", "'sin' is not known", "did you mean virtual:sine?"),
        ("virtual:sine:440:fast", "'440' is not known", "did you mean virtual:sine=440:fast?"),
        ("virtual:fats:channel=3", "'fats' is not known", "did you mean virtual:fast:channel=3?"),
        ("virtual,virtual:sine,virtual", "more than two devices", "name one, or two with a comma between"),
        ("virtual:sine=high", "'high' is not a frequency", "sine=HZ, as in sine=440"),
        ("virtual:channels=0", "'0' is not 1 to 1024 channels", None),
        ("virtual:rate=0", "not a sample rate", RATE_FORMS),
        ("virtual:xrun=", "not a time", TIME_FORMS),
        ("virtual:stall=1", "stall takes a time and a length", FAULT_FORMS),
        ("virtual:die=1+1", "die takes one time", FAULT_FORMS),
        ("virtual:die=1/1", "die takes one time", FAULT_FORMS),
        ("virtual:xrun=1/", "not a time", TIME_FORMS),
        ("virtual:fast:die=1", "faults other than xrun, and drift, happen in real time, without :fast", None),
    ],
)
def test_a_virtual_device_that_does_not_exist_is_refused(
    refused: Refused, device: str, reason: str, way_out: str | None
) -> None:
    says = f"cannot use -D {device}: {reason}"
    refused("null", "out.wav", "-d", "1", "-D", device, code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize(
    ("line", "device"),
    [("null out.wav", "null,virtual"), ("in.wav", "virtual,null"), ("in.wav out.wav", "virtual,virtual")],
)
@has_sound
def test_a_virtual_device_can_be_named_for_each_side(pastream: Pastream, line: str, device: str) -> None:
    result = pastream(*line.split(), "-d", "0.05", "-D", device)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Virtual", "virtual"),
        ("VIRTUAL:Sine", "virtual:sine"),
        ("virtaul:fast", "virtual:fast"),
        ("virtual-sine", "virtual:sine"),
    ],
)
def test_a_virtual_device_that_is_mistyped_is_told_as_it_is_written(refused: Refused, typed: str, meant: str) -> None:
    says = f"cannot find a capture device: nothing is called {typed!r}"
    arguments = ("null", "out.wav", "-d", "1", "-D", typed)
    refused(*arguments, code=DEVICE, says=says, way_out=f"did you mean {meant}?")


def test_a_rate_that_the_device_does_not_run_at_is_refused_with_its_own(refused: Refused, jackd: JackServer) -> None:
    for device, rate, words in (
        ("system", "44.1k", "44100 Hz"),
        ("system", "1000k", "1000000 Hz"),
        ("jack, ALSA", "96k", "96000 Hz"),
    ):
        says = f"cannot open {device.partition(',')[0]}: it does not run at {words}"
        arguments = ("null", "out.wav", "-d", "1", "-r", rate, "-D", device)
        refused(*arguments, code=DEVICE, says=says, way_out="its own rate is 48000 Hz; see -r", server=jackd)


def test_a_rate_is_refused_with_that_of_the_sound_server(refused: Refused, pulseaudio: PulseServer) -> None:
    says = "cannot open default: it does not run at 1234567 Hz"
    way_out = "its own rate is 48000 Hz; see -r"
    refused("null", "out.wav", "-d1", "-r1234567", code=DEVICE, says=says, way_out=way_out, server=pulseaudio)


def test_a_file_at_a_rate_that_the_device_does_not_run_at_is_refused(
    refused: Refused, jackd: JackServer, tmp_path: Path
) -> None:
    make_noise(tmp_path / "in.wav", 100, rate=44100)
    says = "cannot open system: it does not run at 44100 Hz"
    for outputs in ([], ["out.wav"]):
        converted = " ".join(("sox in.wav -r 48000 -t au - | pastream -", *outputs, "-D system"))
        way_out = f"its own rate is 48000 Hz: {converted}"
        refused("in.wav", *outputs, "-D", "system", code=DEVICE, says=says, way_out=way_out, server=jackd)
    way_out = "its own rate is 48000 Hz; see -r"
    refused("in.wav", "-r44.1k", "-D", "system", code=DEVICE, says=says, way_out=way_out, server=jackd)


CHANNELS_FORM = "-c says how many channels to open; -l lists what each device has"


MAP_FORM = "-m names channels by their numbers; -l lists what each device has"


@pytest.mark.parametrize(
    ("option", "channels", "way_out"), [(["-c", "64"], 64, CHANNELS_FORM), (["-m", "1,9"], 9, MAP_FORM)]
)
def test_channels_that_the_device_does_not_have_are_refused(
    refused: Refused, jackd: JackServer, option: list[str], channels: int, way_out: str
) -> None:
    says = f"cannot open system with {channels} capture channels: it has 8"
    arguments = ("null", "out.wav", "-d", "1", *option, "-D", "system")
    refused(*arguments, code=DEVICE, says=says, way_out=way_out, server=jackd)


def test_a_file_with_more_channels_than_the_device_is_refused(
    refused: Refused, tmp_path: Path, jackd: JackServer
) -> None:
    make_noise(tmp_path / "in.wav", 100, 64)
    says = "cannot open system with 64 playback channels: it has 8"
    refused("in.wav", "-D", "system", code=DEVICE, says=says, way_out=CHANNELS_FORM, server=jackd)


@has_sound
def test_a_map_of_channels_that_the_file_does_not_have_is_refused(refused: Refused) -> None:
    says, way_out = "cannot map channel 3 of in.wav: it has 2", "-m is IN[:OUT], IN of the file"
    refused("in.wav", "-m", "1,3", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_channels_of_a_driver_are_refused_where_there_is_no_such_driver(refused: Refused) -> None:
    says, way_out = "cannot use --channel-select: no ASIO device is in use", "-m MAP selects channels anywhere"
    for option in ("--channel-select", "-s"):
        refused("null", "out.wav", "-d", "1", option, "0,1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@AS_ROOT
@has_sound
def test_a_machine_without_portaudio_is_told_what_to_install(
    refused: Refused, pastream: Pastream, tmp_path: Path
) -> None:
    # what looks for libraries finds none, neither ldconfig nor a compiler; and the linker finds an empty file
    hide = """
        for library in /usr/lib/*/libportaudio.so.2 /usr/local/lib/libportaudio.so.2; do
            [ ! -e "$library" ] || mount --bind /dev/null "$(readlink -f "$library")" || exit
        done
        mount --bind /bin/true /sbin/ldconfig && PATH=/nowhere exec "$@"
    """
    run = run_behind(pastream, "unshare", "--mount", "sh", "-c", hide, "sh")
    says = "cannot use a sound device: the PortAudio library is not installed"
    way_out = "install it (apt install libportaudio2, brew install portaudio), or try -D virtual"
    for arguments in (["in.wav"], ["null", "out.wav", "-d", "1"]):
        refused(*arguments, code=DEVICE, says=says, way_out=way_out, run=run)
    result = run("null", "out.wav", "-d", "0.1", "-D", "virtual")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.wav").exists()


def test_a_block_that_is_too_long_to_wait_for_is_refused(refused: Refused) -> None:
    says = "cannot use -b 10485760: a block of 218 s comes too seldom"
    way_out = "a device that is silent for 10 s is given up; without -b the host chooses"
    refused("null", "out.wav", "-b", "10M", "-D", "virtual", code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize("option", [("--buffersize", "1900M", "-c", "1024"), ("-b", "1900M", "-c", "1024")])
def test_a_buffer_that_does_not_fit_the_memory_is_refused(
    pastream: Pastream, tmp_path: Path, option: list[str]
) -> None:
    result = pastream("null", "out.wav", "-d", "1", *option, *FAST)
    says, way_out = explanation(result.stderr)
    assert (result.returncode, way_out) == (USAGE_ERROR, "make --buffersize or -b smaller")
    assert re.fullmatch(r"cannot buffer so much: it takes [0-9.]+ GB of [0-9.]+ GB of memory", says)
    assert not (tmp_path / "out.wav").exists()


@has_sound
@pytest.mark.parametrize("line", ["null out.wav", "null out.wav -D pulse", "-l"])
def test_an_environment_in_which_no_server_is_found_is_told(pastream: Pastream, tmp_path: Path, line: str) -> None:

    addresses = ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_SERVER", "PIPEWIRE_RUNTIME_DIR")
    result = pastream(*line.split(), env=dict.fromkeys(addresses, ""))
    assert result.returncode == (0 if line == "-l" else 1)
    cannot, way_out = result.stderr.splitlines()
    assert cannot.startswith("pastream: cannot ")
    assert "XDG_RUNTIME_DIR is not set" in way_out
    assert not (tmp_path / "out.wav").exists()
