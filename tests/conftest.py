"""What the tests share: the command, the servers, the size of a campaign, and no skips where they are forbidden."""

from __future__ import annotations

import compileall
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest

from tests.forks import Forks, forks_of
from tests.homes import make_home
from tests.jack_database import private_jack_databases
from tests.runner import Pastream, have_programs_hear_signals
from tests.servers import JackServer, PatientJackServer, PipeWireServer, PulseServer, running

ReportType = TypeVar("ReportType", pytest.TestReport, pytest.CollectReport)

ROOT = Path(__file__).parent.parent

SKIPS_ARE_FAILURES = os.environ.get("CI") == "true"

hypothesis.settings.register_profile("seeded", derandomize=True, deadline=None)
hypothesis.settings.register_profile("soak", max_examples=1000, print_blob=True, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the campaigns at their full count")


def pytest_configure(config: pytest.Config) -> None:
    have_programs_hear_signals()
    if not hasattr(config, "workerinput"):
        # Where PYTHONDONTWRITEBYTECODE is set, each of thousands of starts would compile the command anew.
        compileall.compile_dir(ROOT / "pastream_cli", quiet=2)
        held = ExitStack()
        held.enter_context(private_jack_databases())
        config.add_cleanup(held.close)
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") else "seeded")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "campaign" in getattr(item, "fixturenames", ()):
            item.add_marker("campaign")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _forbid_skip((yield))


def _forbid_skip(report: ReportType) -> ReportType:
    """Turn a skip into a failure where everything that the tests need is there to be installed."""
    if SKIPS_ARE_FAILURES and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI forbids: {report.longrepr}"
    return report


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How many cases of a full campaign to run: all of them with --soak, a tenth without."""
    share = 1 if request.config.getoption("--soak") else 10
    return lambda count: max(1, count // share)


@pytest.fixture(scope="session")
def all_forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The command in forks, in a home without sound servers."""
    with forks_of(make_home(tmp_path_factory.mktemp("home"))) as lent:
        yield lent


@pytest.fixture
def pastream(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Pastream]:
    """The command, in the test's folder; it finds the servers that it is given and no other."""
    forks = None if request.config.getoption("--soak") else request.getfixturevalue("all_forks")
    command = Pastream(tmp_path, make_home(tmp_path_factory.mktemp("home")), forks)
    yield command
    command.close()


@pytest.fixture(scope="module")
def jackd() -> Iterator[JackServer]:
    """A healthy JACK server, whose device ``loopback`` loses nothing; a machine has names for a few of them."""
    with running(PatientJackServer) as server:
        yield server


@pytest.fixture(scope="session")
def pulseaudio() -> Iterator[PulseServer]:
    """A healthy PulseAudio server, whose device ``pulse`` hears what is played on it."""
    with running(PulseServer) as server:
        yield server


@pytest.fixture(scope="session")
def pipewire() -> Iterator[PipeWireServer]:
    """A healthy PipeWire server, whose JACK device ``virt`` hears what is played on it."""
    with running(PipeWireServer) as server:
        yield server


@pytest.fixture
def fresh_jackd() -> Iterator[JackServer]:
    """A JACK server for this test alone, which may suspend and kill it."""
    with running(JackServer) as server:
        yield server


@pytest.fixture
def fresh_pulseaudio() -> Iterator[PulseServer]:
    """A PulseAudio server for this test alone, which may suspend and kill it."""
    with running(PulseServer) as server:
        yield server


@pytest.fixture
def fresh_pipewire() -> Iterator[PipeWireServer]:
    """A PipeWire server for this test alone, which may suspend and kill it."""
    with running(PipeWireServer) as server:
        yield server
