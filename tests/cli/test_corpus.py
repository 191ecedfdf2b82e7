"""Valid files of the world: what sox, ffmpeg, lame, oggenc, opusenc, flac and arecord write is played to the frame."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pastream_cli.errors import ExitCode
from tests.corpus import FRAMES, Kind, frames_by_ffmpeg, kinds, make
from tests.explanations import explanation
from tests.forks import Forks

MOST_MEMORY_BYTES = 2**31
MOST_FILE_BYTES = 2**28


def problem_of(forks: Forks, kind: Kind, path: Path) -> str | None:
    """Return what is wrong with how a file is played, or refused."""
    result = forks(
        *(path.name, "out.raw", "-e", "null,pcm_16", "-y", "-D", "virtual:fast"),
        cwd=path.parent,
        memory=MOST_MEMORY_BYTES,
        file_size=MOST_FILE_BYTES,
    )
    if not kind.is_played:
        told, way_out = explanation(result.stderr) if result.returncode == ExitCode.FILE else ("", "")
        is_right = told.endswith(" is not decoded here") and f"ffmpeg -i {path.name} -f au - | pastream - " in way_out
        return None if is_right else f"{result}"
    if result.returncode != ExitCode.COMPLETE:
        return f"{result}"
    expected = FRAMES if kind.is_exact else frames_by_ffmpeg(path, kind.channels) - kind.decoder_delay
    heard = (path.parent / "out.raw").stat().st_size // (2 * kind.channels)
    return None if heard == expected else f"{heard} frames instead of {expected}: {result.stderr}"


@pytest.mark.campaign
def test_a_valid_file_is_played_to_the_frame_or_refused_with_who_decodes_it(
    forks: Forks, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    corpus = kinds()
    assert len(corpus) >= 150
    chosen = random.Random(len(corpus)).sample(corpus, campaign(len(corpus)))
    problems = {kind.name: found for kind in chosen if (found := problem_of(forks, kind, make(kind, tmp_path)))}
    assert not problems, "\n".join(f"{name}: {found}" for name, found in problems.items())
