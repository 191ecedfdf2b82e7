"""The manual's prose, in plain ASCII; what it says about single options is in the option table.

Each sentence starts a line.
Paragraphs are apart by an empty line; an indented one is an example, and one whose second line begins with a colon is a
term and its text.
Within them `` `literal` `` is what is typed as it stands and ``*WORD*`` what a value is put in for.
"""

NAME = "pastream - record and play sound, without losing a take"

SYNOPSIS = """\
`pastream` [*OPTIONS*] *INPUT* [*OUTPUT*]

`pastream -l`

`pastream -h` | `--version`
"""

DESCRIPTION = """\
`pastream` plays *INPUT* and records to *OUTPUT*.
With both it plays and records at once, on one clock, so that the two files fit each other to the frame.

Each of the two is a file, `-` for standard input or output, or `null` for nothing; `^` and an empty word are nothing
too.
An *OUTPUT* that is left out is nothing.
So `pastream in.wav` plays and `pastream null out.wav` records.
`pastream null` opens the device and records no file.

No file that exists is overwritten, unless `-y` asks for it.
A recording can be read while it grows and after a crash: about once a second, the header of a file that is not
compressed is brought up to date.

About ten seconds of sound are buffered between the device and each file, to outlast a disk that hesitates.
Frames that are lost all the same are told, and where their number is known, silence takes their place, so that what
follows stays where it belongs in time.
"""

OPTIONS = """\
Options stand before, between or after the words; after `--` everything is a word.
The value of a short option may be attached or not, with or without an equals sign: `-d10`, `-d=10`, `-d 10`.
Flags can share one dash, as in `-qy`.
Long options take their value after a space or an equals sign and cannot be abbreviated.
Where an option is repeated the last one counts.

A value shown as `N[,N]` is one for both sides, or two with a comma between: the first for *INPUT*, which is played, the
second for *OUTPUT*, which is recorded.
`null` in the place of one leaves that side at its default, as in `-c null,1`.

`@`*FILE* stands for the arguments in a text file, which are apart by spaces or lines, with quotes as in a shell and
comments after `#`.
"""

TIMES_AND_SIZES = """\
A *TIME* is seconds, minutes and seconds, or hours, minutes and seconds, with any decimals; or a number of frames, which
ends in `s`.
A frame is one sample of each channel.

`90`, `1.5`
: seconds

`10:00`, `90:00`, `1:30:00`
: ten minutes, ninety minutes, an hour and a half

`48000s`, `48ks`, `1.5ks`
: 48000, 48000 and 1500 frames

`-1`
: for `-d` no limit, for `-p` as long as the duration

Mind the `s`: as in SoX, `-d 10s` is ten frames and not ten seconds.
`10ms` could be read in two ways and is refused.
Seconds are rounded to the nearest frame.

Before the `s` and in a *SIZE*, `k` stands for 1000, `K` for 1024, `m` for 1000000 and `M` for 1048576.
In a rate both `k` and `K` are kHz, as in `44.1k`.
"""

LENGTHS = """\
A take begins with the first frame that the device delivers.
When a real device plays and records at once it begins a little later, after the device has run without trouble for
0.3 seconds: until then silence is played and nothing is recorded.

Without `-d`, a recording goes on until it is stopped, and playback, with or without a recording, until the input ends.
With `-d` it ends at that time or with the input, whichever comes first.
`-p` adds silence after that end: the run lasts for the input or the duration, whichever is shorter, and then for the
pad.
`--loop` and a `-p` without *TIME* let the duration alone decide.

`-o` leaves out the beginning of the recording without moving its end: `-d 10 -o 2` makes a file of 8 seconds.
"""

PIPES = """\
With `-` for *OUTPUT*, `-t` has to say what to write; a terminal is refused.

`-t au`, `-t raw`, `-t rf64`
: of any length, for every common reader

`-t wav`
: with the true size in its header where `-d` is given; else with the largest one, and readers disagree on what follows
after 4 GiB: some go on and some stop

`-t flac`, `-t ogg`, `-t mp3`
: compressed

Other types need a file that they can go back in, and are refused.

WAV, RF64 and AU that come through a pipe are read to their end, whatever length their header gives.
Raw data has no header, so it needs `-r`, `-c` and `-e` as well.

When a pipe is slow silence is played until it has caught up, and nothing of it is left out.
"""

VIRTUAL_DEVICE = """\
`-D virtual` is a device without hardware, for trying things out, for tests and for filters; its clock is the system's.
It is never chosen by itself, and it plays and records alone, not together with a real device.
What follows the name chooses what it hears:

`virtual`
: what it plays, at the same moment

`virtual:silence`
: nothing

`virtual:sine`, `virtual:sine=440`
: a tone of 1000 Hz, or as many, at half of full scale

`virtual:noise`
: noise, the same each time

More can be added, each after a colon:

`:fast`
: run as fast as the files allow, losing nothing; recording then needs `-d` or an input to end

`:channels=`*N*, `:rate=`*HZ*
: what is used where neither a file nor an option says it; 2 and 48000 otherwise

`:xrun=`*AT*, `:stall=`*AT*`+`*LENGTH*, `:die=`*AT*, `:hang=`*AT*
: lose a block, pause, end or stop answering at this *TIME*, to see what happens; not with `:fast`
"""

SIGNALS = """\
`INT` (Ctrl-C), `TERM`, `HUP`
: Stop: what was captured is written, the file is completed, and the exit status is 0.
A second `INT` or `TERM` gives up at once.
A signal that was ignored at the start, as under `nohup`, stays ignored.

`USR1`
: With `--split`, start the next file now.

`TSTP` (Ctrl-Z)
: Pause, as in any shell; what was missed meanwhile is told as a loss.
"""

EXIT_STATUS = """\
0
: The input ended, the duration was reached, or the run was stopped.

1
: The device was not found, is busy, refused what was asked for, or failed while running.

2
: The command line cannot be used; nothing was opened.

3
: `--fatal-xruns` met a loss or an underrun.

4
: A file exists already, or cannot be opened, read or written; or the disk is full.

130
: A second signal came while stopping.

141
: The reader of standard output went away.

A recording is completed and can be read after each of these but 2 and 130.
Every failure is told in one line on standard error, often with a second one that says what to do.
"""

EXAMPLES = """\
Record until Ctrl-C, and ten minutes:

    pastream null take.wav
    pastream null take.flac -d 10:00

Record channels 3 and 4 of an interface, in 24 bits:

    pastream -D "Scarlett" -m 3,4 -e pcm_24 null guitars.wav

Play a sweep and record the room's answer, with two seconds to fade away:

    pastream sweep.wav room.wav -p 2

Play raw data:

    pastream -c1 -r48k -e=pcm_16 take.raw
    pastream -c1 -r48k -e=pcm_16 -t raw take.bin

Play what another program makes, and hand a recording on:

    sox -n -t au - synth 10 sine 440 | pastream -
    pastream null - -t au | ffmpeg -i - take.opus

Try it without hardware: one second of a tone, at once:

    pastream -D virtual:sine=440:fast -d 1 null tone.wav
"""

SEE_ALSO = """\
`aplay`(1), `sox`(1), `ffmpeg`(1), `jackd`(1)
"""

BEFORE_OPTIONS = (("SYNOPSIS", SYNOPSIS), ("DESCRIPTION", DESCRIPTION))
AFTER_OPTIONS = (
    ("TIMES AND SIZES", TIMES_AND_SIZES),
    ("LENGTHS", LENGTHS),
    ("PIPES", PIPES),
    ("VIRTUAL DEVICE", VIRTUAL_DEVICE),
    ("EXIT STATUS", EXIT_STATUS),
    ("SIGNALS", SIGNALS),
    ("EXAMPLES", EXAMPLES),
    ("SEE ALSO", SEE_ALSO),
)
