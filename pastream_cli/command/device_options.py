"""The options about devices, in the option table: which one, how it is opened, what becomes of a take without it."""

from __future__ import annotations

from pastream_cli.command.option import Group, Kind, Option

DEVICE_OPTIONS = (
    Option(
        names=("-D", "--device"),
        field="device",
        is_common=True,
        kind=Kind.DEVICE,
        metavar="DEV",
        group=Group.DEVICE,
        help="number, name or part of a name from -l",
        manual="""The device: its number or name as `-l` shows them, a part of the name, or a name and the host API,
as in `'pulse, ALSA'`.
Of a source or sink of a sound server, the description and the server's own name are each its name too; see DEVICES.
What matches no device, or several, is an error that lists the candidates.
The whole value is tried as one device first, so that `hw:1,0` is one.
Only if there is none it is split into an input side and an output side, at a comma that is not in double quotes, and
both halves have to stand for a device.
`virtual` needs no hardware; see VIRTUAL DEVICE.""",
        default="the system's",
        asks="devices",
    ),
    Option(
        names=("-c", "--channels"),
        field="channels",
        is_common=True,
        kind=Kind.CHANNELS,
        metavar="N",
        group=Group.DEVICE,
        help="how many channels, not which (that is -m)",
        manual="""How many channels to open.
A mono file is heard on both of the first two channels of a real device.""",
        default="""for playback what the file has; for recording what `-m` needs, else as many as are played, else two,
or one if the device has no more""",
    ),
    Option(
        names=("-r", "--rate"),
        field="rate",
        is_common=True,
        kind=Kind.RATE,
        metavar="HZ",
        group=Group.DEVICE,
        help="sample rate: 48000, 48k, 44.1k",
        choices=("44.1k", "48k", "96k"),
        manual="""The sample rate, in Hz or with `k` in kHz.""",
        default="the input file's, else the one at which the device or its sound server really runs",
    ),
    Option(
        names=("-f", "--format"),
        field="sample_format",
        kind=Kind.SAMPLE_FORMAT,
        metavar="FMT",
        group=Group.DEVICE,
        help="samples at the device: float32, int24, int16...",
        manual="""How samples travel to and from the device: `float32`, `int32`, `int24`, `int16`, `int8` or `uint8`.
Short forms such as `s16` and `f32` and ALSA's such as `S16_LE` are understood.
What is stored in the file is `-e`.""",
        default="what keeps a file bit for bit as it is",
        choices=("float32", "int32", "int24", "int16", "int8", "uint8"),
    ),
    Option(
        names=("-m", "--map"),
        field="maps",
        is_common=True,
        kind=Kind.MAP,
        metavar="MAP",
        group=Group.DEVICE,
        help="channels IN[:OUT],...: 3,4 takes 3 and 4",
        manual="""Which channel goes where: `IN[:OUT],...`, counted from 1.
*OUT* left out is the place in the list.
A range stands for its channels, up or down: `1-8`, or `8-1`.
An *IN* of 0 is silence, and one *IN* may go to several *OUT*.

In a recording *IN* is a channel of the device and *OUT* one of the file, so `-m 3,4` records channels 3 and 4 into a
stereo file; the device is opened with as many channels as that takes.
In playback *IN* is a channel of the file and *OUT* one of the device.
One *MAP* applies to the recording if there is one, else to playback; given twice, the first is for playback and the
second for the recording.""",
        most=2,
    ),
    Option(
        names=("--latency",),
        field="latency",
        kind=Kind.LATENCY,
        metavar="LAT",
        group=Group.DEVICE,
        help="low, high or seconds",
        manual="""How far ahead the device works: `low`, `high` or a number of seconds.
More of it costs less processor time and forgives more; less of it is heard sooner.
Whole seconds from 3 on are asked about, as they may be milliseconds; with a point, as in 3.0, they are not.
Hosts with a fixed period ignore it.""",
        default="0.5 when only recording, 0.2 otherwise",
        choices=("low", "high"),
    ),
    Option(
        names=("-b", "--blocksize"),
        field="block_frames",
        kind=Kind.SIZE,
        metavar="SIZE",
        group=Group.DEVICE,
        help="device block in frames; 0: the host chooses",
        manual="""The device's block in frames; 0 leaves the choice to the host, which is nearly always best.
This is not the bit depth, which is `-e`: a value below 32 is taken as it stands, with a warning.""",
        default="0",
    ),
    Option(
        names=("--buffersize",),
        field="buffer_frames",
        kind=Kind.SIZE,
        metavar="SIZE",
        group=Group.DEVICE,
        help="frames buffered between device and file",
        manual="""How many frames are buffered between the device and each file, rounded up to a power of two.
This is how long a disk may hesitate before anything is lost.""",
        default="about ten seconds, or less to keep within 64 MiB; a value asked for may take up to half of the memory",
    ),
    Option(
        names=("--fatal-xruns",),
        field="fatal_xruns",
        group=Group.DEVICE,
        help="stop at the first loss or underrun, exit 3",
        manual="""Stop as soon as a frame is lost or the playback runs dry, keep what was recorded, and exit with 3.
Otherwise losses are told and the run goes on.""",
    ),
    Option(
        names=("--wait",),
        field="wait",
        kind=Kind.OPTIONAL_LIMIT,
        metavar="TIME",
        group=Group.DEVICE,
        help="wait for a device that is absent or in use",
        manual="""Wait for a device that is not there at the start, or that another program uses: for *TIME*, in
seconds, or without it until stopped.
*OUTPUT* is checked before, and made when the device is there.
See WHEN A DEVICE GOES.""",
        default="a device that is not there is an error",
    ),
    Option(
        names=("--reconnect",),
        field="reconnect",
        kind=Kind.OPTIONAL_LIMIT,
        metavar="TIME",
        group=Group.DEVICE,
        help="go on when a device that was lost is back",
        manual="""Open a device again that ends or falls silent in mid-take, as soon as it is back: the same one, and
never another.
The take goes on in the same file, at its place in time.
*TIME* is how long the device may be away, each time; without it the take waits until it is stopped.
It contradicts `--fatal-xruns`.
See WHEN A DEVICE GOES.""",
        default="a device that is lost ends the take",
    ),
    Option(
        names=("--channel-select",),
        field="channel_select",
        kind=Kind.CHANNEL_LIST,
        metavar="N,N...",
        group=Group.DEVICE,
        help="channels of the driver (ASIO only)",
        manual="""Which channels of an ASIO driver to open, counted from 0 as the driver does.
Given twice, the first is for playback and the second for the recording.""",
        aliases=("-s",),
        most=2,
    ),
)
