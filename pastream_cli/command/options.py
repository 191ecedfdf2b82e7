"""The option table: the one source of what the parser, the help, the man page and completions know of an option.

In the longer texts `` `literal` `` is typed as it stands, and a value is typed in place of ``*WORD*``.
"""

from __future__ import annotations

from pastream_cli.command.device_options import DEVICE_OPTIONS
from pastream_cli.command.option import Group, Kind, Option

OPTIONS = (
    Option(
        names=("-d", "--duration"),
        field="duration",
        is_common=True,
        kind=Kind.LIMIT,
        metavar="TIME",
        group=Group.LENGTH,
        help="how long to run: 90, 10:00, 1:30:00, 48000s",
        manual="""Stop after *TIME*, counted from the first frame of the take.
What `-o` drops is part of it.
The take may end earlier, with the input; see `-p` and `--loop`.
With 0 everything is opened and checked, and an empty file is written.
What is printed at the start says the length as it was understood.""",
        default="until the input ends, or until stopped when only recording",
    ),
    Option(
        names=("-o", "--offset"),
        field="offset",
        kind=Kind.OFFSET,
        metavar="TIME",
        group=Group.LENGTH,
        help="drop this much from the start of the recording",
        manual="""Do not store the first *TIME* of what is captured.
It must be shorter than the whole run.
This is not the output file: that is the second word, without an option.""",
        default="0",
    ),
    Option(
        names=("-p", "--pad"),
        field="pad",
        kind=Kind.OPTIONAL_LIMIT,
        metavar="TIME",
        group=Group.LENGTH,
        help="go on in silence after the input, for TIME",
        manual="""Play silence for *TIME* after the input has ended, and go on recording.
Without *TIME*, or with -1, silence fills up to the duration, or goes on until stopped where no duration was given.
The next word is taken as *TIME* only if it reads as one, so `-p in.wav` plays a file.""",
        default="0",
    ),
    Option(
        names=("--from",),
        field="input_start",
        kind=Kind.TIME,
        metavar="TIME",
        group=Group.LENGTH,
        help="begin the input at this time",
        manual="""Play *INPUT* from this time on, or from this frame of its own, whatever `-r` says.
It is exact to the frame.
With `--loop` each pass begins there.
All other lengths, those of `-d` and `-p` too, count from what is played.
A pipe is read, and dropped, up to there, which takes as long as the pipe does; a live stream begins that much later.
A time at or behind the end is a usage error, told when a pipe has come to its end.""",
        default="0",
    ),
    Option(
        names=("--loop",),
        field="loop",
        is_common=True,
        group=Group.LENGTH,
        help="repeat the input without a gap",
        manual="""Start the input again, without a gap, each time it ends: until stopped, or for as long as `-d` says.
The input must be one that can be rewound, so not a pipe.""",
    ),
    Option(
        names=("--at",),
        field="at",
        kind=Kind.WHEN,
        metavar="WHEN",
        group=Group.LENGTH,
        help="wait for a time of day, then begin: 06:00",
        manual="""Begin with the frame that is captured at *WHEN*, or heard then where nothing is recorded.
The device is opened at once and stays open until then.
*WHEN* is a date and time, as in `2026-12-24T06:00`, local or with `Z` or `+01:00` behind it.
Or it is a time of day, as in `06:00` or `06:00:00.5`: the last such time if a take that began there would still run,
else the next.
Without an end it would if it began less than ten minutes ago.
So a job that cron starts at six, or a machine that comes back a little later, records the rest.
A late start says how late it is, and the end stays where it was.
What is printed at the start says the time as it was understood.
With `-o` the file begins so much later.""",
    ),
    Option(
        names=("--until",),
        field="until",
        kind=Kind.WHEN,
        metavar="WHEN",
        group=Group.LENGTH,
        help="end at a time of day: 07:00",
        manual="""End with the frame before the one that is captured at *WHEN*, which is typed as for `--at`.
A time of day is the first such time after the start.
With `-d` the earlier of both ends counts.
The device's own clock may drift: the end is where the machine's clock says, as it was at the first frame.
A local time that the clock leaves out, or shows twice, is the first that follows, and that is told.""",
        default="no such end",
    ),
    Option(
        names=("--split",),
        field="split",
        is_common=True,
        kind=Kind.TIME,
        metavar="TIME",
        group=Group.LENGTH,
        help="start a new output file every TIME: x-{n}.wav",
        manual="""Start a new output file every *TIME*.
No frame is lost or repeated between two files: put end to end they are the recording in one piece.""",
    ),
    Option(
        names=("--align",),
        field="align",
        group=Group.LENGTH,
        help="have --split go by the clock, as on the hour",
        manual="""Have files end where the clock on the wall shows a multiple of the *TIME* of `--split` since midnight.
With `--split 1:00:00` that is on the hour.
*TIME* divides a day evenly, and is no number of frames.
The first file and the last are shorter.
An end less than a second after the begin of a file is passed over.
The key `s` and the signal USR1 start a further file, and change nothing of the ends that follow.
A file ends with the frame that is captured nearest to that time, whatever the drift of the device.
Put end to end the files are still the recording in one piece.
The fields of their names have the time by the clock, to the second; in an hour that comes twice a name gets `-002`.
The clock is that at the first frame: if it is set later, that is told, and moves nothing.""",
    ),
    Option(
        names=("--trigger",),
        field="trigger",
        kind=Kind.LEVEL,
        metavar="LEVEL",
        group=Group.LENGTH,
        help="record when a sample reaches this: -40dB",
        manual="""Wait until a sample of a recorded channel reaches *LEVEL*, in dB of full scale, and begin the file
with its frame.
The key `r` and the signal USR1 begin it too; with `--trigger key` nothing else does.
Without `--silence` there is one file; with it the next event is in the next file.
A name without a number or a time then gets `-001` and so on at its end.
What is captured in between is dropped.
`-d` then counts from the first frame of the first file, unless something is played.
See WAITING FOR SOUND.""",
    ),
    Option(
        names=("--preroll",),
        field="preroll",
        kind=Kind.TIME,
        metavar="TIME",
        group=Group.LENGTH,
        help="and keep this much of what came before",
        manual="""Begin each file of `--trigger` so much earlier, but not before the end of the last one.
It is kept in memory, on top of the buffer.""",
        default="0",
    ),
    Option(
        names=("--silence",),
        field="silence",
        kind=Kind.SILENCE,
        metavar="LEVEL,TIME",
        group=Group.LENGTH,
        help="end after so much silence: -50dB,3",
        manual="""End *TIME* after the last sample that reaches *LEVEL*, or after the beginning if none does: the run,
or with `--trigger` the file, and then wait for the next event.""",
        default="no silence ends it",
    ),
    Option(
        names=("-t", "--file-type"),
        field="file_type",
        kind=Kind.NAME,
        metavar="TYPE",
        group=Group.FILES,
        help="kind of file: wav, flac, au...; for OUTPUT - too",
        manual="""The kind of file, by libsndfile's names in upper or lower case.
It has to be given for an *OUTPUT* of `-`, and for raw data in a file whose name does not end in `.raw`; otherwise the
header of the input and the end of the output's name tell.
A header always wins over this option.
A single *TYPE* applies to the input if that has no header, and to the output if its name tells no type; without an
input it must not contradict that name.""",
        default="what the file's header or name says",
        asks="types",
        aliases=("--file_type",),
    ),
    Option(
        names=("-e", "--encoding"),
        field="encoding",
        is_common=True,
        kind=Kind.ENCODING,
        metavar="ENC",
        group=Group.FILES,
        help="samples in the file: pcm_16, pcm_24, float...",
        manual="""How samples are stored in the file, by libsndfile's names in upper or lower case: `pcm_16`, `pcm_24`,
`pcm_32`, `float`, `double`, `ulaw`, `vorbis` and others.
`16`, `24bit`, `s24` and the like stand for `pcm_16` and `pcm_24`.
For the bit depth of a recording this is the option; `-b` is not.

An MP3 has a constant bit rate: for each channel 128 kbit/s from 32000 Hz on, 80 from 16000 Hz on, 32 below.
GSM610, ADPCM and PAF's `pcm_24` are stored in blocks, the last of which is filled up with silence: less than 0.1 s.""",
        default="""the input's when playing and recording at once; else `float` where the device delivers float and
`pcm_24` where it does not, `pcm_16` in files that cannot hold 24 bits, and the only one there is in lossy files""",
        asks="encodings",
    ),
    Option(
        names=("--endian",),
        field="endian",
        kind=Kind.ENDIAN,
        metavar="ORDER",
        group=Group.FILES,
        help="byte order in the file: file, big or little",
        manual="""The byte order of samples in the file: `big`, `little`, or `file` for what is usual in its type.
It matters for raw data most.""",
        default="file",
        choices=("file", "big", "little"),
    ),
    Option(
        names=("-y", "--overwrite"),
        field="overwrite",
        is_common=True,
        group=Group.FILES,
        help="replace an output file that exists",
        manual="""Replace an *OUTPUT* that exists.
The old file stays as it is until the first frame of the new recording is there, so a run that fails before that costs
nothing.
It is replaced by a new file, which belongs to whoever runs `pastream` and has the same mode, less the right to execute
it and what your umask takes; other names of the old file keep that.
It is refused while another take is recorded into it.
Without this option a file that exists is never touched.
A character device or a FIFO is opened as it is, with or without it; only another user's FIFO, in a folder that others
may write to, needs it.
A block device is always refused.""",
    ),
    Option(
        names=("--part",),
        field="part",
        group=Group.FILES,
        help="call a file NAME.part until it is complete",
        manual="""Call a file `NAME.part` until it is complete, and then rename it, when all of it is on the disk.
So what has its name is complete, whatever happens: a crash, a power cut or a full disk leaves a `.part`, which plays.
It is renamed after a stop, after a loss that is fatal, and where the device ends, too; not if it could not be written,
or was given up.
The rename replaces nothing, but for the file that `-y` replaces, which lives until then.
If a file has taken the name meanwhile, the `.part` stays, and the exit status is 4.
A `.part` that is there already is left alone: the new one is `NAME.2.part`.
Pipes and devices have no other name.""",
    ),
    Option(
        names=("--verify",),
        field="verify",
        group=Group.FILES,
        help="read each finished file back and compare it",
        manual="""Read each finished file back, and compare its frames with those that were written.
The file is closed and synced, the system is told to forget what it has of it in memory, and it is read with the least
priority, one file at a time, while the recording goes on.
A file that differs, or cannot be read, is told, and the exit status is 4; with `--part` it keeps that name, and
`--exec` is not called for it.
The report has `verified` and the `sha256` of the file.
A file of an encoding that loses something is not compared, which is told.
Where there is no other, `--verify` is refused.""",
    ),
    Option(
        names=("--exec",),
        field="hook",
        kind=Kind.COMMAND,
        metavar="CMD",
        group=Group.FILES,
        help="run a shell command for each finished file",
        manual="""Run `sh -c` *CMD* for each finished file, with its name as `$1`: `--exec 'gzip "$1"'`.
The recording does not wait for it; the commands run one after the other, in the order of the files.
The program waits for the last one, and giving up kills it; see FINISHED FILES.""",
    ),
    Option(
        names=("--also",),
        field="also",
        kind=Kind.OUTPUT,
        metavar="OUTPUT",
        group=Group.FILES,
        help="record a further copy there, at most three",
        manual="""Record a further copy to this place: a file, a FIFO, or `-` for standard output, as AU.
It may be given three times.
The end of its name tells its type, and it takes the encoding of *OUTPUT* where that type has it; `-t`, `-e` and
`--endian` never apply to it.
It has the same channels, and its pieces change at the same frames.
See COPIES.""",
        most=3,
    ),
    *DEVICE_OPTIONS,
    Option(
        names=("-q", "--quiet"),
        field="quiet",
        is_common=True,
        group=Group.SCREEN,
        help="say nothing but warnings and errors",
        manual="""Write nothing to standard error but warnings and errors.""",
    ),
    Option(
        names=("-v", "--verbose"),
        field="verbose",
        group=Group.SCREEN,
        help="say more: host messages, buffers, timing",
        manual="""Show the messages of the host's own libraries too, how full each buffer was, how fast its writer.""",
    ),
    Option(
        names=("--meter",),
        field="meter",
        group=Group.SCREEN,
        help="show the level meter",
        manual="""Show the level meter, which needs a terminal on standard error.""",
        default="shown on a terminal, unless `-q`",
    ),
    Option(
        names=("--no-meter",),
        field="meter",
        constant=False,
        group=Group.SCREEN,
        help="hide the level meter",
        manual="""Do not show the level meter.""",
    ),
    Option(
        names=("--json",),
        field="json",
        group=Group.SCREEN,
        help="report as JSON when done; devices with -l",
        manual="""Write one JSON object when done: to standard output, or as the last line of standard error if *OUTPUT*
is `-`.
With `-l` the list of devices is JSON.""",
    ),
    Option(
        names=("-l", "--list"),
        field="list",
        is_common=True,
        group=Group.INFORMATION,
        help="list the devices",
        manual="""List the devices on standard output, and do nothing else: number, name and host API, channels, usual
rate, latencies, and which ones are the default.
Number and name can be pasted after `-D`.
The virtual device comes last; where there is no other, the way out is told.""",
    ),
    Option(
        names=("-h", "--help"),
        field="help",
        group=Group.INFORMATION,
        help="show the commonest options (-h), or all of them",
        manual="""`-h` shows the commonest commands and options on standard output, on one screen.
`--help` shows every option.""",
    ),
    Option(
        names=("--man",),
        field="man",
        group=Group.INFORMATION,
        help="show the manual",
        manual="""Show this manual: on a terminal as `man` shows it, else, or where there is no `man`, as plain text.
It is found however `pastream` was installed.""",
    ),
    Option(
        names=("--completions",),
        field="completions",
        kind=Kind.SHELL,
        metavar="SHELL",
        group=Group.INFORMATION,
        help="print the completions for bash, zsh or fish",
        manual="""Print the completions for *SHELL*, which is `bash`, `zsh` or `fish`, on standard output.
A line in the startup file of the shell loads them, however `pastream` was installed: in `.bashrc`
`source <(pastream --completions bash)`, in `.zshrc`, after `compinit`, the same with `zsh`, and in `config.fish`
`pastream --completions fish | source`.""",
        choices=("bash", "zsh", "fish"),
    ),
    Option(
        names=("--version",),
        field="version",
        group=Group.INFORMATION,
        help="show the version",
        manual="""Show the version on standard output.""",
    ),
)

EXAMPLES = (
    ("pastream null out.wav", "record, until Ctrl-C"),
    ("pastream null out.wav -d 10:00", "record ten minutes"),
    ("pastream in.wav", "play"),
    ("pastream in.wav out.wav", "play and record at once, on one clock"),
    ("pastream -l", "list the devices"),
    ("sox in.mp3 -t au - | pastream -", "play what comes through a pipe"),
)
"""The commonest commands, at the top of the help."""
