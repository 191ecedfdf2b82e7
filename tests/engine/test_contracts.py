"""What the engine borrows of soundfile and sounddevice beyond their documentation: one test per private name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.engine.files import formats
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.libsndfile import SoundInSource
from tests.homes import need

BORROWED_OF_LIBSNDFILE = (
    "sf_command",
    "sf_error",
    "sf_error_number",
    "sf_open_virtual",
    "sf_readf_float",
    "sf_readf_int",
    "sf_readf_short",
    "sf_seek",
    "sf_strerror",
    "sf_writef_float",
    "sf_writef_int",
    "sf_writef_short",
)


@pytest.mark.parametrize("function", BORROWED_OF_LIBSNDFILE)
def test_soundfile_lends_libsndfiles_functions(function: str) -> None:
    assert hasattr(soundfile, "_snd"), "soundfile._snd, its handle on libsndfile, has moved"
    borrowed = getattr(soundfile._snd, function, None)
    assert borrowed is not None, f"soundfile._snd no longer declares {function}"
    assert int(soundfile._ffi.cast("uintptr_t", borrowed)), f"{function} is no function with an address"


def test_soundfile_lends_its_ffi() -> None:
    assert hasattr(soundfile, "_ffi"), "soundfile._ffi, through which its pointers are cast, has moved"
    assert soundfile._ffi.NULL is not None
    assert soundfile._ffi.sizeof("int") == 4
    assert soundfile._ffi.string(soundfile._ffi.new("char[]", b"text")) == b"text"


def test_a_sound_file_lends_its_handle(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "file.wav", "w", 48000, 1) as file:
        assert hasattr(file, "_file"), "SoundFile._file, libsndfile's SNDFILE pointer, has moved"
        assert soundfile._ffi.typeof(file._file).kind == "pointer", "SoundFile._file is no pointer any more"
        assert soundfile._snd.sf_error(file._file) == 0


def test_a_sound_in_a_part_of_a_file_is_opened_through_functions_in_c(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "file.wav", [0.25, -0.25], 48000)
    header = (tmp_path / "file.wav").read_bytes()[:-4]
    descriptor = os.open(tmp_path / "file.wav", os.O_RDONLY)
    source = ByteSource(descriptor, closes=True).add(len(header) + 2, len(header) + 4)
    source.put_in_front(header)
    with SoundInSource(source) as file:  # SoundFile._open, which this overrides, has moved if it opens the whole file
        assert file.read().tolist() == [-0.25]


def test_libsndfile_treats_16_bit_samples_alike_whichever_type_they_pass_in(tmp_path: Path) -> None:
    codes = np.arange(-(2**15), 2**15, dtype=np.int32)
    samples = {"int16": codes.astype(np.int16), "int32": codes << 16}
    types = [name for name in formats.file_types() if formats.takes(name, "PCM_16")]
    for file_type in types:
        raw = {"samplerate": 48000, "channels": 1, "subtype": "PCM_16", "format": "RAW"} if file_type == "RAW" else {}
        read = []
        for written_as, written in samples.items():
            path = tmp_path / f"{written_as}.{file_type}"
            soundfile.write(path, written, 48000, "PCM_16", format=file_type)
            read.append(soundfile.read(path, dtype="int32", **raw)[0])
            read.append(soundfile.read(path, dtype="int16", **raw)[0].astype(np.int32) << 16)
        assert all(np.array_equal(other, read[0]) for other in read[1:]), file_type
        assert np.array_equal(read[0][: len(codes)], samples["int32"]), file_type
    assert {"WAV", "RF64", "FLAC", "AIFF", "CAF", "RAW"} <= set(types)


def test_soundfile_needs_numpy_for_arrays_alone(tmp_path: Path) -> None:
    program = """
import sys
from pastream_cli.engine.files.without_numpy import load_soundfile
load_soundfile()
import soundfile, pastream_cli.take.session
assert "numpy" not in sys.modules, "soundfile takes more from numpy, as it is loaded, than names of types"
with soundfile.SoundFile(sys.argv[1], "w", 48000, 1) as file:
    file.write([0.5, -0.5])
assert soundfile.read(sys.argv[1])[0].tolist() == [0.5, -0.5]
"""
    subprocess.run([sys.executable, "-c", program, tmp_path / "file.wav"], check=True)


def of_sounddevice(expression: str) -> str:
    """Evaluate in a process of its own: the import starts every host."""
    need("libportaudio.so.2")
    program = f"import atexit, inspect, sounddevice; print({expression})"
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout.strip()


def test_sounddevice_opens_a_stream_with_a_c_callback() -> None:
    names = of_sounddevice("*inspect.signature(sounddevice._StreamBase.__init__).parameters").split()
    wanted = {
        "kind",
        "samplerate",
        "blocksize",
        "device",
        "channels",
        "dtype",
        "latency",
        "callback",
        "userdata",
        "wrap_callback",
        "clip_off",
        "dither_off",
    }
    assert wanted <= set(names), f"sounddevice._StreamBase no longer takes {wanted - set(names)}"


def test_sounddevice_declares_portaudios_callback() -> None:
    arguments = of_sounddevice("len(sounddevice._ffi.typeof('PaStreamCallback *').args)")
    assert arguments == "6", "sounddevice._ffi no longer declares PaStreamCallback as PortAudio does"


def test_sounddevice_lends_portaudios_functions_and_its_stream() -> None:
    for function in ("Pa_IsStreamActive", "Pa_GetStreamCpuLoad"):
        pointer = f"sounddevice._ffi.addressof(sounddevice._lib, '{function}')"
        assert int(of_sounddevice(f"int(sounddevice._ffi.cast('uintptr_t', {pointer}))")), f"{function} has no address"
    source = of_sounddevice("'self._ptr' in inspect.getsource(sounddevice._StreamBase)")
    assert source == "True", "sounddevice._StreamBase._ptr, PortAudio's stream, has moved"


def test_sounddevice_begins_portaudio_on_demand() -> None:
    counts = "sounddevice._initialized, sounddevice._terminate(), sounddevice._initialized, sounddevice._initialize()"
    assert of_sounddevice(f"{counts}, sounddevice._initialized") == "1 None 0 None 1", (
        "sounddevice._initialize, which its import calls, has moved or counts in another way"
    )


def test_sounddevice_ends_portaudio_on_demand() -> None:
    assert of_sounddevice("len(inspect.signature(sounddevice._terminate).parameters)") == "0", (
        "sounddevice._terminate, its own exit handler, has moved or wants arguments"
    )


def test_sounddevice_can_be_kept_from_ending_portaudio_at_exit() -> None:
    exit_and_count = "(atexit._run_exitfuncs(), sounddevice._initialized)[1]"
    assert of_sounddevice(exit_and_count) == "0", "sounddevice._initialized no longer counts, or is not ended at exit"
    unregister = "atexit.unregister(sounddevice._exit_handler)"
    assert of_sounddevice(f"{unregister} or {exit_and_count}") == "1", "sounddevice._exit_handler is not what it runs"
