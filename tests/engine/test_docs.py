"""The guide is built without a warning, no link in it is broken, and it has all that the library has."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pastream_cli import engine as ps
from pastream_cli.command.options import OPTIONS
from pastream_cli.pages.man_page import sections

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide as it is built: without a warning."""
    for package in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(package, reason=f"{package} is not installed (pip install .[docs])")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    return folder


class Links(HTMLParser):
    """What a page leads to or shows, and the places in it that others may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = {""}
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in {"href", "src"}:
                self.targets.add(value or "")
            elif name == "id":
                self.places.add(value or "")


def test_no_link_of_the_guide_leads_nowhere(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html")}
    broken = [
        (page.name, target)
        for page, links in pages.items()
        for target in links.targets
        if not urlsplit(target).scheme and not leads_somewhere(page, target, pages)
    ]
    assert len(pages) > 25
    assert not broken


def leads_somewhere(page: Path, target: str, pages: dict[Path, Links]) -> bool:
    parts = urlsplit(target)
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return unquote(parts.fragment) in pages[path].places if path in pages else path.is_file()


def test_the_guide_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.findall(r"""(?:src|<link[^>]* href)=["'](?:https?:)?//[^"']*""", page.read_text(encoding="utf-8"))


def test_the_reference_and_the_manual_have_all_that_there_is(site: Path) -> None:
    page = (site / "library.html").read_text(encoding="utf-8")
    for name in ("chunks", "InputStream.record", "DuplexStream.playrec", "Stream.levels", "RingBuffer.readinto"):
        assert f'id="pastream_cli.engine.{name}"' in page
    manual = (site / "manual.html").read_text(encoding="utf-8")
    assert all(f'id="cmdoption-pastream-{option.long_name.lstrip("-")}"' in manual for option in OPTIONS)
    assert all(f'id="{title.lower().replace(" ", "-")}"' in manual for title in sections())
    examples = (site / "examples.html").read_text(encoding="utf-8")
    assert all(path.name in examples for path in (DOCS.parent / "examples").glob("*.py"))


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
