"""What is typed for an option by people who know other programs, and what they are told. Loaded for a mistake only."""

from __future__ import annotations

from pastream_cli.errors import typed

TYPE_CHECKING = False  # importing it from typing takes longer than the rest
if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = {
    "--blocksize": "block period periodsize framesperbuffer chunk chunksize",
    "--buffersize": "buffer bufsize bufferlength",
    "--channels": "ch chan nchannels channelcount ac",
    "--device": (
        "dev interface card soundcard inputdevice outputdevice adev source sink port audiodevice ao jack alsa pcm"
    ),
    "--duration": (
        "time length seconds secs samples timeout for limit maxtime stopafter du end endtime to until stop stopat"
    ),
    "--encoding": "codec subtype enc sampleencoding",
    "--endian": "byteorder endianness bigendian littleendian",
    "--fatal-xruns": "xruns xrun fatal exitonxrun fatalerrors",
    "--file-type": "type filetype fileformat container",
    "--format": "sampleformat dtype samplefmt fmt",
    "--from": "seek ss startfrom skip begin position trim fromtime",
    "--help": "usage helpall allhelp hh",
    "--json": "report stats",
    "--latency": "buffertime",
    "--list": "listdevices showdevices ls listpcms listsources listsinks listdevs sources sinks",
    "--loop": "repeat endless",
    "--map": "channelmap remix mapping routes select",
    "--meter": "vu vumeter level levels showprogress progress",
    "--no-meter": "noshowprogress noprogress hidemeter nonstats nostats",
    "--offset": "skiprecording",
    "--overwrite": "force replace clobber yes forceoverwrite",
    "--pad": "padding tail silenceafter",
    "--quiet": "silent noverbose batch",
    "--rate": "samplerate samplingrate sr hz frequency freq samplefrequency fs ar",
    "--split": "segment segmenttime segmenttimes maxfiletime chunklength splitevery rotate",
    "--preroll": "prerecord prebuffer pretrigger",
    "--silence": "stoponsilence endsilence silencetime",
    "--trigger": "threshold triggerlevel vox arm startonlevel",
    "--verbose": "debug log info",
    "--version": "v",
}
"""Other words for each option, without dashes."""

_INPUT_WORDS = "input in infile inputfile i file"
_SAYINGS = {
    "INPUT is the first word, OUTPUT the second; pastream null {value} records": (
        "output out outfile outputfile outfilename w write"
    ),
    "INPUT is the first word: pastream {value} plays": _INPUT_WORDS,
    "pastream null {value} records": "n null record rec capture nullinput",
    "pastream {value} plays": "play playback player playfile",
    "levels stay as they are; SoX changes them: sox in.wav -t au - gain -6 | pastream -": (
        "gain volume vol norm normalize normalise amplify gaindb"
    ),
    "--list shows the devices, and --device chooses one": "devices",
    "did you mean -c 1?": "mono",
    "did you mean -c 2?": "stereo",
    "nothing is overwritten without -y": "nooverwrite noclobber dontoverwrite keep neveroverwrite",
    "a start in five seconds is: sleep 5 && pastream null out.wav": "delay sleep wait startdelay",
    "--from begins INPUT at a time; a start in five seconds is: sleep 5 && pastream null out.wav": "start startat",
    "the end of OUTPUT's name says it, as in out.flac; its samples are -e, as in -e pcm_16": "c:a codec:a acodec",
    "a bit rate is lame's: pastream null - -t wav | lame -b 128 - out.mp3": (
        "bitrate ab b:a abr cbr vbr quality q:a aq compression v0 v1 v2 v3 v4 v5"
    ),
    "nothing is appended to a file; --split, or {n} in the name, makes further ones": "append a continue resume",
    "write the time into the name: pastream null 'take-{start:%Y-%m-%d-%H%M}.wav'": "usestrftime strftime timestamp",
    "pastream never resamples; SoX does: sox in.wav -r 48k -t au - | pastream -": "resample convert src",
    "pastream null shows the meter and records nothing": "monitor listen",
}
"""Ways out for what has no option, and the words that are typed for it."""

_LETTERS = {"-C": "record", "-P": "play", "-B": "buffertime", "-S": "progress", "-O": "output"}
"""Options of aplay and others that stand for another word than the letter in lower case does here."""

_MILLISECONDS = "latencymsec latencyms bufferms"
_SAMPLE_BITS = "bits bit bitdepth depth b sampbits samplebits resolution wordlength samplesize"


def way_out_of(name: str, following: Sequence[str]) -> str | None:
    """Return what to type instead of the option `name`, which does not exist; `following` is the rest of the line."""
    value = following[0] if following else None
    word = _LETTERS.get(name) or name.lstrip("-").lower().replace("-", "").replace("_", "")
    if word in _SAMPLE_BITS.split() and name.startswith("--"):
        bits = value if value in {"8", "16", "24", "32"} else "24"
        return f"a bit depth is -e, as in -e pcm_{bits.replace('8', 'u8')}"
    if word in _MILLISECONDS.split():
        milliseconds = int(value) if value and value.isdecimal() and len(value) < 6 else 200
        return f"a latency is in seconds: --latency {milliseconds / 1000:g}"
    for option, words in _OPTIONS.items():
        if word in words.split() and len(word) > 1:
            return f"did you mean {option}?"
    for saying, words in _SAYINGS.items():
        if word in words.split():
            if value and (way_out := _of_a_value(word, value, following[1:])):
                return way_out
            usual = "out.wav" if "null" in saying else "in.wav"
            is_name = value and not value.startswith("-") and not value.isdecimal()
            return saying.replace(
                "{value}", _named(value, is_played="null" not in saying) if value and is_name else usual
            )
    return None


def _of_a_value(word: str, value: str, rest: Sequence[str]) -> str | None:
    """Return the way out where what follows is no name of a file: a null word, a device, a number of frames."""
    from pastream_cli.command.device_words import is_device
    from pastream_cli.command.value_types import is_null

    if is_null(value):
        return f"INPUT is the first word, OUTPUT the second: pastream null {_output_among(rest)} records"
    if is_device(value):
        return f"a device is -D: pastream -D {typed(value)} null {_output_among(rest)}"
    if word in _INPUT_WORDS.split() and _output_among(rest, "-") != "-":
        return f"INPUT is the first word, OUTPUT the second: pastream {typed(value)} {_output_among(rest)}"
    if word == "n" and value.isdecimal():
        return f"a number of frames is -d {value}s"
    return None


def _output_among(arguments: Sequence[str], otherwise: str = "out.wav") -> str:
    """Return the first name of a file among arguments, with or without an option before it."""
    names = (argument.partition("=")[2] or argument for argument in arguments)
    files = (name for name in names if "." in name.strip(".") and not name.startswith("-"))
    return _named(next(files, otherwise), is_played=False)


def _named(name: str, *, is_played: bool) -> str:
    """Return the name of a file for a shell: another one where a recording to it would be refused."""
    from pastream_cli.command.free_names import output_words

    return typed(name) if is_played else output_words(name)
