"""Of several things that are wrong one is told, in the order of opening: names, INPUT, device, what goes with none."""

from __future__ import annotations

from pathlib import Path

from tests.refusals import FILE, USAGE_ERROR, Refused
from tests.sounds import make_noise

TOO_LONG_AN_OFFSET = ("-o", "1:00")
NO_SUCH_CHANNEL = ("-m", "9", "-m", "1", *TOO_LONG_AN_OFFSET)


def test_what_is_wrong_is_told_in_the_order_of_opening(refused: Refused, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", frames=480, channels=1)
    no_device = ("-D", "virtual:wobble", *NO_SUCH_CHANNEL)
    says, way_out = "cannot open missing.wav: No such file or directory", "to record: pastream null nowhere/out.wav"
    refused("missing.wav", "nowhere/out.wav", *no_device, code=FILE, says=says, way_out=way_out)
    says, way_out = "cannot create nowhere/out.wav: there is no folder nowhere", "mkdir -p nowhere"
    refused("in.wav", "nowhere/out.wav", *no_device, code=FILE, says=says, way_out=way_out)
    says = "cannot use -D virtual:wobble: 'wobble' is not known"
    way_out = "the forms are virtual[:silence|:sine[=HZ]|:noise][:fast][:channels=N][:rate=HZ]"
    refused("in.wav", "out.wav", *no_device, code=USAGE_ERROR, says=says, way_out=way_out)
    device = ("-D", "virtual")
    says, way_out = "cannot map channel 9 of in.wav: it has 1", "-m is IN[:OUT], IN of the file"
    refused("in.wav", "out.wav", *device, *NO_SUCH_CHANNEL, code=USAGE_ERROR, says=says, way_out=way_out)
    says, way_out = (
        "cannot use --offset: it drops 2880000 frames of a recording of 480",
        "make -o shorter than the length",
    )
    refused("in.wav", "out.wav", *device, *TOO_LONG_AN_OFFSET, code=USAGE_ERROR, says=says, way_out=way_out)
