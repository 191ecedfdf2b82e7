"""The list of devices: a table that fits a screen, whose names can be pasted after -D."""

from __future__ import annotations

import shlex
import subprocess

from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE, find, label, pair_of_names
from pastream_cli.screen.device_table import device_table
from tests.runner import Pastream
from tests.servers import PulseServer

VIRTUAL = DeviceInfo(
    number=None,
    name="virtual",
    host_api="virtual",
    capture_channels=1024,
    playback_channels=1024,
    default_rate=48000.0,
)
DEVICES = (
    DeviceInfo(
        number=0,
        name="HDA Intel PCH: ALC257 Analog (hw:0,0)",
        host_api="ALSA",
        capture_channels=2,
        playback_channels=2,
        default_rate=44100.0,
        capture_latencies=(0.0087, 0.0348),
        playback_latencies=(0.0087, 0.0348),
        is_default_capture=True,
    ),
    DeviceInfo(
        number=1,
        name="pulse",
        host_api="ALSA",
        capture_channels=32,
        playback_channels=32,
        default_rate=44100.0,
        capture_latencies=(0.0087, 89478.0),
        playback_latencies=(0.0087, 0.0087),
        is_default_capture=True,
        is_default_playback=True,
    ),
    DeviceInfo(
        number=12,
        name="マイク",
        host_api="JACK",
        capture_channels=8,
        playback_channels=0,
        default_rate=96000.0,
        capture_latencies=(0.0, 0.0),
    ),
    VIRTUAL,
)


def test_the_table_says_what_a_device_is_and_does() -> None:
    assert device_table(DEVICES).splitlines() == [
        "    NAME, HOST API                                   IN   OUT   RATE   LATENCY IN  LATENCY OUT  DEFAULT",
        ' 0  "HDA Intel PCH: ALC257 Analog (hw:0,0), ALSA"     2     2  44100  8.7-34.8 ms  8.7-34.8 ms  in',
        ' 1  "pulse, ALSA"                                    32    32  44100     8.7-? ms       8.7 ms  in, out',
        '12  "マイク, JACK"                                    8     0  96000            -            -',
        "    virtual                                        1024  1024  48000            -            -",
    ]


def test_a_long_name_does_not_make_the_table_wide() -> None:
    long = DEVICES[1]._replace(
        number=13, name="Monitor of Built-in Audio Analog Stereo (alsa_output.pci-0000_00_1f.3.monitor)"
    )
    assert device_table([*DEVICES[:3], long, VIRTUAL]).splitlines() == [
        *device_table(DEVICES).splitlines()[:4],
        '13  "Monitor of Built-in Audio Analog Stereo (alsa_output.pci-0000_00_1f.3.monitor), ALSA"',
        "                                                     32    32  44100     8.7-? ms       8.7 ms  in, out",
        device_table(DEVICES).splitlines()[4],
    ]


NAMES = (
    "pulse",
    "HDA Intel PCH: ALC257 Analog (hw:0,0)",
    "USB Audio: - (hw:1,0)",
    "Marc's microphone",
    "$HOME & `sons` \\ 24!",
    "Scarlett 18i20, USB; *",
    "#1",
)


def test_a_name_in_the_table_is_one_word_of_a_shell_and_stands_for_its_device() -> None:
    devices = [DEVICES[0]._replace(number=index, name=name) for index, name in enumerate(NAMES)]
    table = device_table(devices)
    for device, line in zip(devices, table.splitlines()[1:], strict=True):
        cell = line[3 : table.index("IN ")].strip()
        word = subprocess.run(["sh", "-c", f"printf %s {cell}"], capture_output=True, text=True, check=True).stdout
        assert word == label(device)
        for pasted in (word, cell.strip("'")):
            name = pair_of_names(devices, [CAPTURE], pasted)[CAPTURE]
            assert find(devices, CAPTURE, name) == device


def test_numbers_and_names_of_the_list_are_taken_by_d(pastream: Pastream, pulseaudio: PulseServer) -> None:
    listed = pastream("-l", server=pulseaudio).stdout.decode().splitlines()
    (line,) = [line for line in listed if "pulse, ALSA" in line]
    number, name, *_ = shlex.split(line)
    processes = [
        pastream.start("null", f"{index}.wav", "-d", "0.1", "-D", pasted, server=pulseaudio)
        for index, pasted in enumerate((number, f'"{name}"'))
    ]
    for result in map(pastream.finish, processes):
        assert (result.returncode, "recording pulse (" in result.stderr) == (0, True), result.stderr


def test_where_there_is_no_device_the_virtual_one_is_listed_and_the_way_out_told(pastream: Pastream) -> None:
    result = pastream("-l")
    assert result.returncode == 0
    assert result.stdout.decode() == device_table([VIRTUAL])
    assert result.stderr.splitlines() == [
        "pastream: cannot find a sound device: neither the machine nor a sound server has one",
        "pastream: see whether the server runs and you are in the group audio; -D virtual needs no sound hardware",
    ]
