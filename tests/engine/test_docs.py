"""The documentation is built without a warning, and says something about everything that the library has."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pastream_cli import engine as ps

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="Sphinx is not installed (pip install .[docs])")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    page = (tmp_path / "library.html").read_text(encoding="utf-8")
    for name in ("chunks", "InputStream.record", "DuplexStream.playrec", "Stream.levels", "RingBuffer.readinto"):
        assert f'id="pastream_cli.engine.{name}"' in page
    for other in ("architecture", "benchmarks", "moving"):
        assert f'href="{other}.html"' in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ps.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    reference = (DOCS / "library.rst").read_text(encoding="utf-8")
    assert f":: {name}\n" in reference


def members_in_the_reference(name: str) -> set[str]:
    """Return what the reference lists of a class and of those that it is derived from."""
    listed = re.search(rf":: {name}\n((?:   .+\n)*)", (DOCS / "library.rst").read_text(encoding="utf-8"))
    members = re.search(r":members:((?: .+\n)+)", listed[1] + "\n") if listed else None
    bases = {base.__name__ for base in getattr(ps, name).__bases__} & {*ps.__all__}
    own = set(re.findall(r"\w+", members[1])) if members else set()
    return own.union(*map(members_in_the_reference, bases))


@pytest.mark.parametrize("name", ["InputStream", "OutputStream", "DuplexStream"])
def test_a_stream_has_what_the_reference_lists_and_nothing_else(name: str) -> None:
    with getattr(ps, name)(device="virtual") as stream:
        public = {attribute for attribute in dir(stream) if not attribute.startswith("_")}
    assert public == members_in_the_reference(name)


@pytest.mark.parametrize(
    "error", [ps.PastreamError(""), ps.RateError("", (48000,)), ps.DeviceNameError("", ""), ps.NoThreadError()]
)
def test_an_error_has_what_the_reference_lists_and_nothing_else(error: ps.PastreamError) -> None:
    public = {attribute for attribute in dir(error) if not attribute.startswith("_")} - {*dir(Exception)}
    assert public == members_in_the_reference(type(error).__name__)


@pytest.mark.parametrize("name", ps.__all__)
def test_every_public_name_and_member_has_a_docstring(name: str) -> None:
    thing = getattr(ps, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing) and thing.__module__.startswith("pastream_cli"):
        own = {n: m for c in thing.__mro__ if c.__module__.startswith("pastream_cli") for n, m in vars(c).items()}
        undocumented = [
            n
            for n, m in own.items()
            if not n.startswith("_") and (inspect.isroutine(m) or isinstance(m, property)) and not inspect.getdoc(m)
        ]
        assert not undocumented


@pytest.mark.parametrize("stream", [ps.InputStream, ps.OutputStream, ps.DuplexStream])
def test_the_parameters_of_every_method_are_documented(stream: type) -> None:
    for name in ("record", "play", "playrec", "chunks", "set_source", "set_sink", "to_file", "from_file", "start"):
        method = getattr(stream, name, None)
        if method is None or name == "from_file":
            continue
        for parameter in list(inspect.signature(method).parameters)[1:]:
            assert parameter in str(inspect.getdoc(method)), (name, parameter)
