"""What the tests of the command line share, and those that are too large for every day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults import faulty_disk
from tests.forks import Forks, forks_of
from tests.fuse_disk import HAS_FUSE
from tests.homes import make_home
from tests.refusals import Refused
from tests.runner import Pastream
from tests.sounds import RATE, make_noise
from tests.terminals import COMMAND, BareTerminal, Window


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unwanted = {"soak_only"} if not config.getoption("--soak") else set()
    unwanted |= {"fuse"} if not HAS_FUSE else set()
    left_out = [item for item in items if unwanted & {*getattr(item, "fixturenames", ())}]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def soak_only(campaign: Callable[[int], int]) -> None:
    """Whoever asks for this runs with --soak alone: it is a campaign of which no tenth can be taken."""
    assert campaign(10) == 10


@pytest.fixture
def fuse() -> None:
    """Asked for by tests of file systems that a program makes: a kernel that has none of them has no such disks."""
    assert HAS_FUSE


@pytest.fixture(scope="session")
def forks(all_forks: Forks) -> Forks:
    """The command in forks."""
    return all_forks


@pytest.fixture(scope="session")
def disk(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The command in forks, on a disk that is told for each run what it refuses."""
    home = tmp_path_factory.mktemp("home")
    with forks_of({**make_home(home), **faulty_disk(build, home)}) as lent:
        yield lent


@pytest.fixture
def refused(pastream: Pastream, forks: Forks) -> Refused:
    """Runs a command that must be refused."""
    return Refused(pastream, forks)


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    """The content of in.wav: a tenth of a second, stereo."""
    make_noise(tmp_path / "in.wav", RATE // 10)
    return (tmp_path / "in.wav").read_bytes()


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what the tests need of C is built, once."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def window(pastream: Pastream, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Opens windows of tmux with pastream in them, each in a folder of its own."""
    with ExitStack() as windows:

        def opened(*arguments: str, folder: str = "window", columns: int = 80, script: str | None = None) -> Window:
            command = (*COMMAND, *arguments) if script is None else ("sh", "-c", script)
            one = Window.of_command(tmp_path / folder, pastream.environment, *command, columns=columns)
            windows.callback(one.close)
            return one

        yield opened


@pytest.fixture
def bare_terminal(pastream: Pastream, tmp_path: Path) -> Iterator[Callable[..., BareTerminal]]:
    """Opens terminals whose bytes are kept, with pastream on them."""
    with ExitStack() as terminals:

        def opened(*arguments: str, **environment: str) -> BareTerminal:
            one = BareTerminal(tmp_path, {**pastream.environment, "TERM": "xterm-256color", **environment}, *arguments)
            terminals.callback(one.close)
            return one

        yield opened
