"""Names of a sound server's devices: the description and the server's name are whole, and a monitor is not its sink."""

from __future__ import annotations

import pytest

from pastream_cli.engine.devices.info import DeviceInfo, Served
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK, find, is_whole, pair_of_names
from pastream_cli.errors import DeviceError, ErrorKind

PULSE = DeviceInfo(
    number=0, name="pulse", host_api="ALSA", capture_channels=32, playback_channels=32, default_rate=48000.0
)
CARD = PULSE._replace(number=1, name="Scarlett 2i2 USB: Audio (hw:1,0)")


def served(number: int, description: str, name: str, side: str, monitored: str = "") -> DeviceInfo:
    return DeviceInfo(
        number=number,
        name=f"{description} ({name})",
        host_api="PulseAudio",
        capture_channels=2 if side == CAPTURE else 0,
        playback_channels=2 if side == PLAYBACK else 0,
        default_rate=48000.0,
        served=Served(name, description, 0, monitored=monitored),
    )


SCARLETT = served(2, "Scarlett 2i2", "alsa_input.usb-Focusrite.stereo", CAPTURE)
HEADSET = served(3, "Headset, grey", "alsa_input.usb-Headset.mono", CAPTURE)
SPEAKERS = served(4, "Headset, grey", "alsa_output.usb-Headset.stereo", PLAYBACK)
MONITOR = served(5, "Moniteur de Headset, grey", "alsa_output.usb-Headset.stereo.monitor", CAPTURE, SPEAKERS.name)
DEVICES = (PULSE, CARD, SCARLETT, HEADSET, SPEAKERS, MONITOR)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("Headset, grey", HEADSET),
        ("headset, GREY, pulseaudio", HEADSET),
        ("alsa_input.usb-Headset.mono", HEADSET),
        ("alsa_input.usb-Headset.mono, PulseAudio", HEADSET),
        ("Headset, grey (alsa_input.usb-Headset.mono), PulseAudio", HEADSET),
        ("3", HEADSET),
        ("mono", HEADSET),
        ("Scarlett 2i2", SCARLETT),
        ("Focusrite", SCARLETT),
        ("pulse", PULSE),
        ("Moniteur", MONITOR),
        ("stereo.mon", MONITOR),
        ("Moniteur de Headset, grey", MONITOR),
        ("alsa_output.usb-Headset.stereo.monitor", MONITOR),
    ],
)
def test_a_source_is_found_by_its_description_its_name_and_parts_of_either(text: str, device: DeviceInfo) -> None:
    assert pair_of_names(DEVICES, [CAPTURE], text) == {CAPTURE: text}
    assert find(DEVICES, CAPTURE, text) == device


def test_a_part_that_a_card_has_too_stands_for_the_card_as_it_did_before() -> None:
    assert find(DEVICES, CAPTURE, "scarlett") == CARD


def test_a_part_of_what_a_sink_is_called_never_stands_for_its_monitor() -> None:
    assert find(DEVICES, CAPTURE, "Headset") == HEADSET
    without_microphone = [device for device in DEVICES if device is not HEADSET]
    for text in ("Headset", "usb-headset.stereo", "Headset, grey"):
        with pytest.raises(DeviceError) as caught:
            find(without_microphone, CAPTURE, text)
        assert caught.value.kind in {ErrorKind.ABSENT, ErrorKind.MISTYPED}


def test_two_of_the_same_description_are_told_apart_by_the_servers_names() -> None:
    twin = served(6, "Headset, grey", "alsa_input.usb-Headset.2.mono", CAPTURE)
    with pytest.raises(DeviceError) as caught:
        find([*DEVICES, twin], CAPTURE, "Headset, grey")
    assert caught.value.way_out == (
        "one of: 3 Headset, grey (alsa_input.usb-Headset.mono), PulseAudio;"
        " 6 Headset, grey (alsa_input.usb-Headset.2.mono), PulseAudio"
    )
    assert find([*DEVICES, twin], CAPTURE, "alsa_input.usb-Headset.2.mono") == twin


def test_each_side_takes_the_device_that_it_can_use() -> None:
    names = pair_of_names(DEVICES, [PLAYBACK, CAPTURE], "Headset, grey")
    assert [find(DEVICES, side, names[side]) for side in (PLAYBACK, CAPTURE)] == [SPEAKERS, HEADSET]
    names = pair_of_names(DEVICES, [PLAYBACK, CAPTURE], '"Headset, grey","Scarlett 2i2"')
    assert [find(DEVICES, side, names[side]) for side in (PLAYBACK, CAPTURE)] == [SPEAKERS, SCARLETT]


@pytest.mark.parametrize("side", [CAPTURE, PLAYBACK])
@pytest.mark.parametrize(
    "text",
    ["hw:2,0", "plughw:1,3", "hw:CARD=USB,DEV=0", "USB Microphone, PulseAudio", "nosuch,pulse", "pulse,nosuch",
     "nosuch, ALSA", "Mono, ALSA", "nosuch,1", "nosuch,0,1"],
)  # fmt: skip
def test_a_name_that_is_not_there_is_no_pair_of_which_one_half_will_do(text: str, side: str) -> None:
    assert pair_of_names(DEVICES, [side], text) == {side: text}
    with pytest.raises(DeviceError):
        find(DEVICES, side, text)


@pytest.mark.parametrize("text", ["pulse,Focusrite", "^,Focusrite", "1,2", '"Headset, grey","Scarlett 2i2"'])
def test_a_side_that_is_not_in_use_has_a_name_too(text: str) -> None:
    name = pair_of_names(DEVICES, [CAPTURE], text)[CAPTURE]
    assert find(DEVICES, CAPTURE, name) == SCARLETT


def test_where_both_sides_are_in_use_the_half_that_is_missing_is_told() -> None:
    names = pair_of_names(DEVICES, [PLAYBACK, CAPTURE], "pulse,nosuch")
    assert names == {PLAYBACK: "pulse", CAPTURE: "nosuch"}
    assert pair_of_names(DEVICES, [PLAYBACK, CAPTURE], "hw:1,3") == dict.fromkeys((PLAYBACK, CAPTURE), "hw:1,3")


def test_only_a_number_and_a_whole_name_leave_the_server_unasked() -> None:
    assert all(is_whole(DEVICES, CAPTURE, text) for text in ("pulse", "PULSE, alsa", "0", "Scarlett 2i2", "3"))
    assert not any(is_whole(DEVICES, CAPTURE, text) for text in ("puls", "Scarlett", "7", "nothing", ""))


BUILT_IN = "Built-in Audio Analog Stereo"
MICROPHONE = served(3, BUILT_IN, "alsa_input.pci.analog-stereo", CAPTURE)
OUTPUT = served(4, BUILT_IN, "alsa_output.pci.analog-stereo", PLAYBACK)
ITS_MONITOR = served(5, f"Monitor of {BUILT_IN}", "alsa_output.pci.analog-stereo.monitor", CAPTURE, OUTPUT.name)


@pytest.mark.parametrize(
    ("text", "side", "meant"),
    [
        ("biult-in", CAPTURE, MICROPHONE),
        ("biult-in", PLAYBACK, OUTPUT),
        ("Built-in Audio Anlog Stereo", CAPTURE, MICROPHONE),
        ("Built-in Audio Anlog Stereo, PulseAudio", CAPTURE, MICROPHONE),
        ("alsa_input.pci.analogstereo", CAPTURE, MICROPHONE),
        ("alsa_output.pci.analog-stereo.montor", CAPTURE, ITS_MONITOR),
        ("Moniter of Built-in Audio Analog Stereo", CAPTURE, ITS_MONITOR),
        ("moniter", CAPTURE, ITS_MONITOR),
    ],
)
def test_a_near_miss_is_answered_with_the_device_that_was_meant(text: str, side: str, meant: DeviceInfo) -> None:
    with pytest.raises(DeviceError) as raised:
        find([PULSE, CARD, MICROPHONE, OUTPUT, ITS_MONITOR], side, text)
    assert raised.value.kind is ErrorKind.MISTYPED
    assert f"did you mean {meant.number} {meant.name}, PulseAudio?" in str(raised.value)


def test_a_near_miss_of_a_word_that_several_have_names_them_all() -> None:
    with pytest.raises(DeviceError, match=r"one of: .*3 Built-in.*6 Built-in") as raised:
        find([MICROPHONE, served(6, BUILT_IN, "alsa_input.usb.analog-stereo", CAPTURE)], CAPTURE, "biult-in")
    assert raised.value.kind is ErrorKind.ABSENT
