"""Whatever is typed: the command does it or refuses it in one line, never hangs, and harms no file."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, given, settings

from pastream_cli.errors import ExitCode
from tests.command_lines import ARGUMENTS_FILE, CommandLine, command_lines, make_files
from tests.explanations import explanation
from tests.forks import TIMEOUT_SECONDS, Forks
from tests.runner import Pastream, Result
from tests.takes import handles

STOP_SECONDS = 0.3
"""After it a run is asked to end: it may be one that goes on for ever."""
MOST_FILE_BYTES = 2**24
MOST_MEMORY_BYTES = 2**31

REFUSALS = frozenset({ExitCode.DEVICE, ExitCode.USAGE, ExitCode.FILE})
SHORT_LIST = re.compile(r"^pastream: cannot (find a sound device|list the devices): ", re.MULTILINE)
"""What is said beside a list of nothing but the virtual device, which is a list all the same."""
UNKNOWN_FRAMES = 2**62
"""A FLAC that does not say how long it is has more."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files that command lines name."""
    folder = tmp_path / "files"
    folder.mkdir()
    make_files(folder)
    return folder


class Take:
    """A command line in a folder of its own with every file, and the judge of what it did there."""

    def __init__(self, line: CommandLine, files: Path, folder: Path) -> None:
        self.line = line
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(files, folder, symlinks=True)
        (folder / "hard.wav").unlink()
        (folder / "hard.wav").hardlink_to(folder / "in.wav")
        (folder / ARGUMENTS_FILE).write_text(line.arguments_file)
        os.mkfifo(folder / "fifo")
        self.before = self.contents()

    @property
    def standard_input(self) -> Path:
        return self.folder / self.line.standard_input

    def contents(self) -> dict[str, bytes]:
        """Return what is in each regular file, by its path in the folder."""
        paths = [Path(root, name) for root, _, names in os.walk(self.folder) for name in names]
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in paths
            if path.is_file() and not path.is_symlink()
        }

    def judge(self, result: Result) -> None:
        """Fail unless the run did what the contract allows."""
        after = self.contents()
        changed = {name for name, content in self.before.items() if after.get(name) != content}
        new = after.keys() - self.before.keys()
        self.judge_code_and_lines(result)
        self.judge_changes(changed)
        if result.returncode == ExitCode.USAGE:
            assert not changed | new, "touched although the command line was refused"
        for name in new | changed:
            self.judge_recording(name)

    def judge_code_and_lines(self, result: Result) -> None:
        """Fail unless a failure is told in one line, with one way out at most, and nothing else is called one."""
        assert result.returncode in {ExitCode.COMPLETE, ExitCode.XRUN, *REFUSALS}
        failed = explanation(result.stderr)
        if result.returncode == ExitCode.COMPLETE and SHORT_LIST.search(result.stderr):
            return
        assert bool(failed) == (result.returncode in REFUSALS), f"what failed, if anything, is told: {result.stderr}"
        if result.returncode == ExitCode.USAGE:
            assert result.stderr.startswith(f"pastream: {failed[0]}\n"), "it is refused before anything is done"

    def judge_changes(self, changed: set[str]) -> None:
        """Fail if a file was changed that was not to be replaced."""
        arguments = (*self.line.arguments, *self.line.arguments_file.split())
        named = {os.path.realpath(self.folder / argument) for argument in arguments}
        may_replace = any(re.fullmatch("-[qvl]*y.*|--overwrite", argument) for argument in arguments)
        assert not changed or may_replace, f"changed without leave: {changed}"
        assert len(changed) <= 1, f"changed: {changed}"
        assert all(os.path.realpath(self.folder / name) in named for name in changed), f"changed: {changed}"

    def judge_recording(self, name: str) -> None:
        """Fail unless a file that was made or replaced is one that can be read."""
        assert not Path(name).name.endswith(".new"), f"left behind: {name}"
        path = self.folder / name
        if any("raw" in argument.lower() or argument.endswith(".gsm") for argument in self.line.arguments):
            return  # it has no header
        with path.open("rb") as opened:
            try:
                file = soundfile.SoundFile(opened.fileno(), closefd=False)
            except soundfile.LibsndfileError:
                # libsndfile leaves an Opus without a frame with half of its comments
                assert path.stat().st_size < 1000
                assert path.read_bytes()[28:36] == b"OpusHead"
                return
            with file:
                if file.frames < UNKNOWN_FRAMES:
                    file.read(file.frames, dtype="float32")


def test_whatever_is_typed_is_done_or_refused_in_one_line(
    forks: Forks, files: Path, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    @settings(max_examples=campaign(2000), suppress_health_check=list(HealthCheck))
    @given(command_lines())
    def run(line: CommandLine) -> None:
        take = Take(line, files, tmp_path / "take")
        result = forks(
            *line.arguments,
            cwd=take.folder,
            stdin=take.standard_input,
            stop_after=STOP_SECONDS,
            memory=MOST_MEMORY_BYTES,
            file_size=MOST_FILE_BYTES,
        )
        take.judge(result)

    run()


def test_whatever_is_typed_in_a_process_of_its_own_is_done_or_refused_in_one_line(
    pastream: Pastream, files: Path, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    @settings(max_examples=campaign(150), suppress_health_check=list(HealthCheck))
    @given(command_lines())
    def run(line: CommandLine) -> None:
        take = Take(line, files, tmp_path / "take")
        with take.standard_input.open("rb") as standard_input:
            process = pastream.start(*line.arguments, stdin=standard_input, cwd=take.folder)
        stop_when_it_listens(process)
        take.judge(pastream.finish(process, timeout=TIMEOUT_SECONDS))

    run()


def stop_when_it_listens(process: subprocess.Popen[bytes]) -> None:
    """Ask a run to end once it has had its time; one that never listens is found by who waits for it."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if handles(process.pid, signal.SIGTERM):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.terminate()
            return
        time.sleep(0.01)
