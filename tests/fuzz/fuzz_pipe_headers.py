"""Coverage-guided fuzzing of the headers that come through pipes.

    python -m pip install atheris
    python tests/fuzz/fuzz_pipe_headers.py -max_total_time=3600

Any bytes must be read or refused, the same whatever parts they come in. Neither the compiled
engine nor libsndfile is needed. Arguments are libFuzzer's.
"""

from __future__ import annotations

import io
import sys
import tempfile
import types
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]

# The package's own __init__ loads the compiled engine, which a fuzzer's Python may not have.
sys.path.insert(0, str(ROOT))
_package = types.ModuleType("pastream_cli.engine")
_package.__path__ = [str(ROOT / "pastream_cli" / "engine")]
sys.modules["pastream_cli.engine"] = _package
with atheris.instrument_imports():
    from pastream_cli.engine.files import headers
    from pastream_cli.engine.files.head import Head, HeaderError, StreamFormat, Way

WORDS = ("RIFF", "RIFX", "RF64", "BW64", "WAVE", "fmt ", "data", "ds64", "fact", "LIST", "FORM", "AIFF", "OggS", "ID3",
         "fLaC", "caff", ".snd", "dns.", "Xing", "Info", "NIST_1A")  # fmt: skip


def parse(data: bytes, most: int) -> tuple[object, bytes]:
    """Return what the header comes to, or why it does not, and what is left behind it."""
    file = io.BytesIO(data)
    head = Head(lambda count: file.read(min(count, most)))
    try:
        found: object = headers.find_way(head)
    except HeaderError as error:
        found = str(error)
        assert found
    rest = file.read()
    if isinstance(found, StreamFormat):
        assert 1 <= found.channels <= 1024
        assert 1 <= found.rate < 2**31
        assert found.endian in {"BIG", "LITTLE"}
        assert not found.trailer_bytes or found.stated_bytes
        assert bytes(head.taken) + rest == data
    elif isinstance(found, Way):
        # nothing is lost but a tag in front of an MP3
        assert data.endswith(bytes(head.taken) + rest)
        assert bytes(head.taken) + rest == data or data.startswith((b"ID3", b"APETAGEX"))
    return found, rest


def test_one_input(data: bytes) -> None:
    """Parse in one piece and in parts of so many bytes as the first one says."""
    most, header = (data[0] or 256, data[1:]) if data else (1, b"")
    whole, rest = parse(header, len(header) + 1)
    assert parse(header, most) == (whole, rest)
    if isinstance(whole, StreamFormat) and headers.takes(whole.file_type, whole.encoding, whole.endian):
        written = headers.streaming_header(whole.file_type, whole.encoding, whole.rate, whole.channels, None)
        again, _ = parse(written, most)
        assert isinstance(again, StreamFormat)
        assert (again.encoding, again.rate, again.channels) == (whole.encoding, whole.rate, whole.channels)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder, "seeds")
        seeds.mkdir()
        for file_type in sorted(headers.OWN_TYPES):
            for encoding in headers.OWN_ENCODINGS:
                header = headers.streaming_header(file_type, encoding, 48000, 2, 10)
                Path(seeds, f"{file_type}-{encoding}").write_bytes(b"\7" + header)
        for number, first in enumerate(
            (b".snd\0\0\0\x18\0\0\0\0\0\0\0\3\0\0\xbb\x80\0\0\0\2", b"\xff\xfb\x94\x64" + bytes(60))
        ):
            Path(seeds, str(number)).write_bytes(b"\7" + first)
        words = Path(folder, "words")
        words.write_text("".join(f'"{word}"\n' for word in WORDS), encoding="ascii")
        atheris.Setup([*sys.argv, "-max_len=2048", f"-dict={words}", str(seeds)], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
