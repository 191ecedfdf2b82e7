"""The manual's prose, in plain ASCII; what it says about single options is in the option table.

Each sentence starts a line.
Paragraphs are apart by an empty line; an indented one is an example, one whose second line begins with a colon is a
term and its text, and a line after a ``#`` is a heading.
Within them `` `literal` `` is what is typed as it stands and ``*WORD*`` what a value is put in for.
"""

from pastream_cli.pages.recipes import EXAMPLES

NAME = "pastream - record and play sound, without losing a take"

SYNOPSIS = """\
`pastream` [*OPTIONS*] *INPUT* [*OUTPUT*]

`pastream -l`

`pastream -h` | `--version`
"""

DESCRIPTION = """\
`pastream` plays *INPUT* and records to *OUTPUT*.
With both it plays and records at once, on one clock, so that the two files fit each other to the frame.

Each of the two is a file, `-` for standard input or output, or `null` for nothing; `^` is nothing too, and so is an
empty word, with a warning.
An *OUTPUT* that is left out is nothing.
So `pastream in.wav` plays and `pastream null out.wav` records.
`pastream null` opens the device, shows the meter and records no file.

No file that exists is overwritten, unless `-y` asks for it.
A recording can be read while it grows and after a crash; see FILES.

About ten seconds of sound are buffered between the device and each file, to outlast a disk that hesitates.
Frames that are lost all the same are told, and where their number is known, silence takes their place, so that what
follows stays where it belongs in time.

A frame is one sample of each channel.
A loss is a frame that should have been captured and was not stored, be it that the output was too slow, that the device
lost it or that it never came; an underrun is silence that was played for want of input, and either is
an xrun.
A clip is a sample at the most positive or most negative value of the encoding, or beyond 1 in floating point.
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
0.3 seconds, or after 2 seconds with a warning: until then silence is played and nothing is recorded.
Playing begins when half a second of the input has been read, or all of it.

Without `-d`, a recording goes on until it is stopped, and playback, with or without a recording, until the input ends.
With `-d` it ends at that time or with the input, whichever comes first.
What is played is heard to its last frame: the run ends when the device has played what it held, with silence behind it.
A stop waits for nothing of that: what is played ends at once.
`-p` adds silence after that end: the run lasts for the input or the duration, whichever is shorter, and then for the
pad.
`--loop` and a `-p` without *TIME* let the duration alone decide.
`-p` without an *INPUT* is refused.

`-o` leaves out the beginning of the recording without moving its end: `-d 10 -o 2` makes a file of 8 seconds.
"""

CLOCK = """\
Where not even the host tells of a loss the clock does: what a device owes, and does not make up for within a second and
a half, never came.
It is told as an estimate, with its place to about a tenth of a second, and nothing stands for it in the file.
What is lost little by little adds up, down to a single block; a device that loses all the time is told of less and less
often, down to once a minute.
The clock of a device may differ from the system's by 500 parts per million without a word.
A host that buffers, such as PulseAudio, may hold back as much as the latency at any time, so there the sum is told once
it is more than that.

A device that runs ahead of the clock, as JACK does in freewheel, is told of with how far.
What it brings is recorded as far as the buffer has room, so a file can be longer than the take lasted.
The rest is left out and counted; no silence stands for it, since no time went by, and what is played waits.
`-d` counts what is in the file, as ever.
"""

NAMES = """\
These fields in the name of *OUTPUT* are filled in, with the time at which the first frame of the file is captured.

`{n}`, `{n:03}`
: its number, counted from 1; with zeros in front

`{date}`, `{time}`
: 20261123 and 060000, local time

`{start:`*FMT*`}`, `{utc:`*FMT*`}`
: local time and UTC as `strftime`(3) writes them, as in `{utc:%Y-%m-%dT%H%MZ}`

`{{`, `}}`
: a brace

Folders that such a name asks for are made.
With `--split`, a name without a number or a time gets `-001`, `-002` and so on before its end.
A file that is there already is never touched: numbers that are taken are passed over.
"""

SCREEN = """\
On a terminal there is a meter, which draws itself to the size of the window, in letters where the locale is not UTF-8,
without colours where `NO_COLOR` is set, and as a single line where the terminal is `dumb`.

Its first lines say what goes on, for how long, and whether anything was lost: green, or red with the time of the last
loss.
Then come what is left, the file and its size, the time until the disk is full, how near the buffer is to its end, and
the share of its time that the device's callback takes, where the host measures it.

Each channel has a row: the bar is solid up to the RMS level and shaded up to the peak, on the scale of IEC 60268-18; it
turns yellow at -12 and red at -3.
A mark stays for two seconds where the greatest peak was.
RMS is over 0.3 seconds, and reads 0 for a sine that reaches full scale, as AES17 has it; PEAK is the mark, MAX the
greatest peak of the take.
CLIPS counts samples at full scale, and stays.
Where nothing is recorded nothing is counted, and the word `over` stays instead.
A channel that has been exactly zero for ten seconds is called dead; that is mostly a cable, or the wrong input.
More than 16 channels are upright bars, eight to a group, with the number of each group's first below; words tell of the
loudest, of those that have clipped and of those that are dead, which have an `x`.

Keys, when standard input is a terminal too:

space
: Pause, and go on.
What is captured meanwhile is dropped and what is played waits; the pause counts neither in `-d` nor as a loss.

`s`
: Start the next file now, with `--split` or `{n}`.

`q`
: Stop.

Without a terminal there are plain lines on standard error and no meter: one that says what is connected to what, one
for each loss or underrun, one at the end.
With `-q` there are losses, underruns, warnings and errors alone, and no clips.
Standard output has nothing but sound, JSON, the list or the help.
"""

PIPES = """\
With `-` for *OUTPUT*, `-t` has to say what to write; a terminal is refused.

`-t au`, `-t raw`
: of any length, for every common reader

`-t rf64`
: of any length, for ffmpeg, for sox (as `-t wav`, with a warning at its end) and for libsndfile

`-t wav`
: with the true size in its header where `-d` makes it certain and it is below 4 GiB; else with the largest one.
ffmpeg then reads on for ever, sox and libsndfile stop at 4 GiB, which is warned of in time.

`-t flac`, `-t ogg`, `-t mp3`
: compressed

Other types need a file that they can go back in, and are refused.

WAV, RF64 and AU that come through a pipe are read to their end, whatever length their header gives.
What cannot be decoded as it comes, such as FLAC and MP3, is first kept whole in a temporary file of up to 4 GiB, and
played when it has ended.
Raw data has no header, so it needs `-t raw`, `-r`, `-c` and `-e`.

When a pipe is slow silence is played until it has caught up, and nothing of it is left out; that is told as an underrun
and ends nothing.
At the end of a run whoever reads a pipe has all the time there is, which is told, until a stop is asked for.
When the reader of standard output goes away the run ends quietly, with 141.
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

`:drift=`*PPM*
: a clock that is so many parts per million faster than the system's, or slower, as in `virtual:drift=-300`; what the
device owes is then held against the clock, as with a real one; not with `:fast`

`:xrun=`*AT*, `:stall=`*AT*`+`*LENGTH*, `:die=`*AT*, `:hang=`*AT*
: lose a block, pause, end or stop answering at this *TIME*, to see what happens; not with `:fast`
"""

SIGNALS = """\
`INT` (Ctrl-C), `TERM`, `HUP`
: Stop: what was captured is written, the file is completed, and the exit status is 0.
A second `INT` or `TERM` gives up, unless the end has come within half a second of the first signal; a third gives up
at once.
What is in a file by then is in the report.
A stop before the first frame leaves no file.
A signal that was ignored at the start, as under `nohup`, or INT behind the `&` of a script, stays ignored.

`USR1`
: With `--split` or `{n}`, start the next file now; else a warning.

`TSTP` (Ctrl-Z)
: Halt, as any job of a shell does; what was missed meanwhile is told as a loss.
The space bar pauses without one.

After `KILL`, which no program hears of, the file can be read, and `stty sane` gives a terminal its modes back.
"""

EXIT_STATUS = """\
0
: The input ended, the duration was reached, or the run was stopped.

1
: The device was not found, is busy, refused what was asked for, or failed while running.
One that falls silent is told of within a few seconds, and waited for ten seconds more.
Also where the system refuses what every run needs: a thread, memory, open files.

2
: The command line cannot be used; nothing was opened.

3
: `--fatal-xruns` met a loss or an underrun; what was recorded until then is in the file.

4
: A file exists already, or cannot be opened, read or written; or the disk is full.

130
: The run was given up: a second signal came, and the end had not come within half a second of the first.

141
: The reader of standard output went away.

After 0, 1, 3, 4 and 141 a recording in a file is completed and can be read up to the last frame that the file could
take; what did not fit is told.
Every failure is told in one line on standard error, often with a second one that says what to do.
"""

JSON = """\
With `--json` one object is printed on one line of ASCII when all is over, after a failure too.
Times are UTC, frames count from the first of the take, levels are of full scale.
Bytes of a name that are not UTF-8 read `\\xff`.
A field may come in later without a change of `schema_version`, and none changes its meaning; `docs/report.schema.json`
in the sources describes each.

`schema_version`, `kind`, `pastream`
: 1, `run`, and the version of the program

`arguments`, `asked`
: the command line as it was typed, and as it was understood

`exit_code`, `stop_reason`, `error`
: the exit status; `complete`, `stopped`, `xrun`, `given-up` or `failed`; null, or `message` and `way_out`

`playback`, `capture`
: null, or `device`, `sample_format`, `channels` and `input`, or else `output`, `file_type`, `encoding`,
`file_channels`

`rate`, `latency_seconds`, `length_frames`
: frames per second, latency by the device's word, length as far as it was known before

`frames`, `seconds`, `ended`
: length of the run with what was lost, and when it was over

`files`
: for each file `name`, `start` of its first frame, `first_frame`, which is its place on the timeline, `frames`,
`seconds`, and for each of its `channels` the `peak`, the `peak_dbfs` and the `clips`

`lost_frames`, `losses`
: captured and not stored, counted exactly, and in how many places; silence stands for them

`missing_frames`
: never delivered, estimated by the clock; nothing stands for them

`ahead_frames`, `left_out_frames`
: delivered faster than the clock, as by a JACK server in freewheel, estimated by the clock; how many of them the buffer
had no room for, for which nothing stands

`unwritten_frames`
: captured after the last frame in a file: what a full disk, or a reader that has gone, no longer took

`underrun_frames`, `underruns`
: silence played for want of input

`host_flags`
: how often the host reported a glitch without saying how long

`xruns`, `unlisted_xruns`
: each loss, underrun and lead of the device with its `kind`, `side`, `frames` and `time`, and its place on the timeline
as `frame` and `seconds`, which in a file is `frame` less the file's `first_frame`; how many the list had no room for

`pauses`, `dead_channels`
: `frame` and `frames` of each pause; channels that were exactly zero for ten seconds

`callbacks`, `buffer`
: how often the device called; `frames` and `high_water_frames`, size and greatest fill of the buffer

With `-l` the `kind` is `devices`, and `devices` has for each its `index` and `name`, which `-D` takes, `host_api`,
`capture_channels`, `playback_channels`, `default_rate`, `low_latency_seconds`, `high_latency_seconds`,
`is_default_capture`, `is_default_playback` and `is_virtual`.
"""

ENVIRONMENT = """\
`XDG_RUNTIME_DIR`
: where the sound server of a user listens, mostly /run/user/ and the user's number; cron and sudo leave it out

`PULSE_SERVER`, `JACK_DEFAULT_SERVER`
: another PulseAudio or JACK server than the usual one

`NO_COLOR`, `TERM`, `LC_ALL`, `LC_CTYPE`, `LANG`
: what the meter may use

`TMPDIR`
: where a FLAC or MP3 from a pipe is kept

`TZ`
: local time in names
"""

FILES = """\
There is no file of settings.
With `-y` a new recording is called `.take.wav.`*XXXXXXXX*`.new`, with eight characters at random, until its first frame
can be read and is on the disk.
If it cannot take the place of the old file then, nor at its end, that is told with the name; after kill -9 before that
it is left.

A recording may be moved or renamed while it grows: it is complete where it is then, and told under that name.
One that another program shortens ends there, and what is told is what can be read of it.
While a file is recorded it is locked (`flock`), so that no second take replaces it.

# Length

A WAV that grows past 4 GiB becomes an RF64 by itself, which sox, ffmpeg and most editors read.
Types that end there (AIFF, WAVEX, VOC and others) go on in a file of the next number.
A VOC ends at 16 MiB.
W64, CAF, AU, FLAC and RF64 have no such end.

A file that is shorter than its header says is played as far as it goes, with a warning that says how much is missing.

# What is not recorded

What libsndfile would write wrongly, or so that a crash costs the take, is played and not recorded: ALAC (FLAC loses
nothing either), DWVW, G721, G723, VOX_ADPCM; HTK, SD2 and SDS; in an AIFF IMA_ADPCM; in a VOC all but PCM_16.
The same goes for rates that a type does not have: XI is at 44100 Hz, WVE at 8000, SVX and MPC2K below 65536, Vorbis up
to 200000, FLAC up to 655350, and Opus and MP3 have a few each.

# What a crash costs

When the power fails, what was captured within the last five seconds may not have reached the disk, and of the rest is
lost what kill -9 would have cost. After kill -9 it is this alone:

WAV, WAVEX, RF64, W64, AIFF, AU, CAF, MAT4, SVX, VOC
: The header is brought up to date about every second, so that is what can be missing. The sound behind that is mostly
in the file; `sox --ignore-length` gets it out of a WAV. ffmpeg reads such a W64 after `sox broken.w64 whole.w64`.

RAW, AVR, IRCAM, MAT5, MPC2K, NIST, PAF, PVF, WVE, XI
: next to nothing

FLAC
: The last tenth of a second.
The header does not say how long the file is: `pastream`, sox and ffmpeg read all of it, some players show no length,
and `sox broken.flac whole.flac` mends it.

OGG
: Opus: about the last second. Vorbis: the last page, which holds half a second of most sounds, two of a pure tone, and
of digital silence 5.4 s at 48000 Hz and 8.2 s at the most.

MP3
: about the last half second; every reader tells how long the rest is

"""

DIFFERENCES = """\
The command lines in the documentation of pastream 0.1 and 0.2 go on to work.
What they do is different where that was a trap:

An *OUTPUT* that exists is refused; the old program overwrote it, and its own input too.

`-d 60`, `-d 90` and `-d 1.5` are times like all others; they were refused or crashed.

Two channels are recorded by default, not all that a device claims to have.

`--fatal-xruns` exits with 3 and a server that ends with 1, where there was 0 or a hang.

TERM and HUP complete the file, which used to be left without its length.

Losses are filled with silence, and told with their places.

By default a recording has 24 bits, or floating point where the device delivers that.
For 16 bits say `-e pcm_16`.

Input from a pipe may be slow, and raw data can be played.

There is a meter instead of a line of numbers, and nothing but plain lines where no terminal is.
"""

SEE_ALSO = """\
`aplay`(1), `sox`(1), `ffmpeg`(1), `jackd`(1)
"""

BEFORE_OPTIONS = (("SYNOPSIS", SYNOPSIS), ("DESCRIPTION", DESCRIPTION))
AFTER_OPTIONS = (
    ("TIMES AND SIZES", TIMES_AND_SIZES),
    ("LENGTHS", LENGTHS),
    ("LOSS AND THE CLOCK", CLOCK),
    ("NAMES OF RECORDINGS", NAMES),
    ("SCREEN AND KEYS", SCREEN),
    ("PIPES", PIPES),
    ("VIRTUAL DEVICE", VIRTUAL_DEVICE),
    ("EXIT STATUS", EXIT_STATUS),
    ("SIGNALS", SIGNALS),
    ("JSON", JSON),
    ("ENVIRONMENT", ENVIRONMENT),
    ("FILES", FILES),
    ("EXAMPLES", EXAMPLES),
    ("DIFFERENCES FROM THE OLD PASTREAM", DIFFERENCES),
    ("SEE ALSO", SEE_ALSO),
)
