"""Names of recordings that are filled in: with numbers, and with the time at which the recording begins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli.errors import UsageError
from pastream_cli.take.naming import Names, NameTemplate, warnings_of
from tests.runner import Pastream, Result
from tests.sounds import RATE, read
from tests.takes import PATIENT, SLACK, report_of, told

KATHMANDU = {"TZ": "<+0545>-5:45"}
"""A time zone that no hour of UTC can be mistaken for; it needs no database."""

MOMENT = datetime(2026, 11, 23, 6, 0, 5, 123456, timezone.utc)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for recordings alone."""
    (tmp_path / "takes").mkdir()
    return tmp_path / "takes"


@pytest.fixture
def record(pastream: Pastream, folder: Path) -> Callable[..., Result]:
    """Record a tenth of a second in that folder, far from Greenwich."""

    def run(*words: str) -> Result:
        return pastream("null", *words, "-d", "0.1", "-D", "virtual:sine:fast", "--json", cwd=folder, env=KATHMANDU)

    return run


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("{date}-{time}.wav", "%Y%m%d-%H%M%S.wav"),
        ("{start:%Y-%m-%d %Hh%M}.wav", "%Y-%m-%d %Hh%M.wav"),
    ],
)
def test_a_name_tells_the_local_time_of_the_first_frame(
    record: Callable[..., Result], folder: Path, name: str, form: str
) -> None:
    before = datetime.now(timezone.utc)
    result = record(name)
    after = datetime.now(timezone.utc)
    assert result.returncode == 0, result
    zone = timezone(timedelta(hours=5, minutes=45))
    seconds = range(int((after - before).total_seconds()) + 2)
    possible = {(before + timedelta(seconds=n)).astimezone(zone).strftime(form) for n in seconds}
    (there,) = names_in(folder)
    assert there in possible
    assert told(result) == {there: RATE // 10}


@pytest.mark.parametrize("form", ["%Y%m%dT%H%MZ"])
def test_a_name_tells_the_time_in_utc(record: Callable[..., Result], folder: Path, form: str) -> None:
    before = datetime.now(timezone.utc)
    assert record(f"{{utc:{form}}}.wav").returncode == 0
    possible = {moment.strftime(form) for moment in (before, datetime.now(timezone.utc))}
    (there,) = names_in(folder)
    assert there.removesuffix(".wav") in possible


def test_the_names_of_pieces_tell_when_each_begins(pastream: Pastream, folder: Path) -> None:
    options = ("-d", "1", "--split", "0.3", "--json", *PATIENT)
    result = pastream("null", "{utc:%Y-%m-%dT%H.%M.%S.%f}.wav", *options, "-D", "virtual:sine", cwd=folder)
    assert result.returncode == 0, result
    files = report_of(result)["files"]
    assert len(files) == 4
    for file in files:
        promised = datetime.strptime(file["name"], "%Y-%m-%dT%H.%M.%S.%f.wav").replace(tzinfo=timezone.utc)
        began = datetime.strptime(file["start"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        assert abs(promised - began) < timedelta(seconds=0.5 * SLACK)


def test_recordings_that_begin_in_the_same_second_do_not_collide(pastream: Pastream, folder: Path) -> None:
    def run(_turn: int) -> Result:
        return pastream("null", "{date}.wav", "-d", "0.1", "-D", "virtual:sine:fast", "--json", cwd=folder)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert [result.returncode for result in results] == [0] * 4
    names = names_in(folder)
    assert len(names) == 4
    assert sorted(name for result in results for name in told(result)) == names
    assert {re.sub("^[0-9]{8}", "DATE", name) for name in names} == {
        "DATE.wav",
        *(f"DATE-00{number}.wav" for number in (2, 3, 4)),
    }
    assert {len(read(folder / name)) for name in names} == {RATE // 10}


def test_a_number_is_the_next_that_is_free(record: Callable[..., Result], folder: Path) -> None:
    for _ in range(3):
        assert record("take {n:03}.wav").returncode == 0
    (folder / "take 002.wav").unlink()
    for _ in range(2):
        assert record("take {n:03}.wav").returncode == 0
    assert names_in(folder) == [f"take 00{number}.wav" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("name", ["a/b/{n}.wav", "{utc:%Y/%m}/take.wav"])
def test_missing_folders_of_a_name_with_fields_are_made(record: Callable[..., Result], folder: Path, name: str) -> None:
    for _ in range(2):
        assert record(name).returncode == 0
    assert [len(read(folder / there)) for there in names_in(folder)] == [RATE // 10] * 2


def test_a_folder_that_cannot_be_made_is_told(record: Callable[..., Result], folder: Path) -> None:
    (folder / "a").write_text("no folder")
    result = record("a/{n}.wav")
    assert result.returncode == 4
    assert "pastream: cannot create the folder a: " in result.stderr
    assert names_in(folder) == ["a"]


@pytest.mark.parametrize(("name", "there"), [("{{n}} 100%.wav", "{n} 100%.wav")])
def test_braces_that_are_doubled_and_percents_are_themselves(
    record: Callable[..., Result], folder: Path, name: str, there: str
) -> None:
    result = record(name)
    assert result.returncode == 0, result
    assert names_in(folder) == [there]


def test_a_field_that_is_not_known_is_refused_with_those_that_are(record: Callable[..., Result], folder: Path) -> None:
    result = record("take {m}.wav")
    assert result.returncode == 2
    assert "cannot use the name take {m}.wav: {m} is no field" in result.stderr
    assert "{n:03}" in result.stderr
    assert names_in(folder) == []


def test_a_name_that_is_too_long_is_told(record: Callable[..., Result], folder: Path) -> None:
    result = record("{n}" * 200 + "0" * 100 + ".wav")
    assert result.returncode == 4
    assert "File name too long" in result.stderr
    assert names_in(folder) == []


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "au"])
def test_a_name_that_is_not_utf_8_is_recorded_reported_and_played(
    record: Callable[..., Result], pastream: Pastream, folder: Path, suffix: str
) -> None:
    result = record(f"{{utc:%Y\udcff}}-\U0001f480.{suffix}")
    assert result.returncode == 0, result.stderr
    (there,) = names_in(folder)
    assert re.fullmatch(f"20[0-9]{{2}}\udcff-\U0001f480.{suffix}", there)
    assert told(result) == {there.replace("\udcff", r"\xff"): RATE // 10}
    played = pastream(there, "--json", "-D", "virtual:fast", cwd=folder)
    assert played.returncode == 0, played.stderr
    report = report_of(played)
    assert report["frames"] == RATE // 10
    json.dumps(report, ensure_ascii=False).encode()  # nothing in it that is no character
    missing = pastream("missing\udcff.wav", "--json", "-D", "virtual:fast", cwd=folder)
    assert report_of(missing)["arguments"][0] == r"missing\xff.wav"


# ---- templates by themselves ----


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_with_its_braces_doubled_is_a_name(text: str) -> None:
    template = NameTemplate.parse(text.replace("{", "{{").replace("}", "}}"))
    assert template.fill(1, MOMENT) == text
    assert not template.has_fields


@given(st.text(st.sampled_from("{}n:03datestrucx%HM")))
def test_any_name_is_taken_or_refused(text: str) -> None:
    with suppress(UsageError):
        NameTemplate.parse(text).fill(1, MOMENT)


FIELDS = "the fields are {n}, {n:03}, {date}, {time}, {start:%H%M} or {utc:%H%M}; {{ is a brace"
UNCLOSED = "a field ends in }, as in {date}; {{ is a brace"
CUT_BY_CRON = r"cron ends a line at %: write \% in a crontab, as in {start:\%H\%M}, or {date}-{time}"


@pytest.mark.parametrize(
    ("field", "way_out"),
    [
        *((field, FIELDS) for field in ("{m}", "{foo}", "{foo:03}", "{start:%5000Y}", "{start:%}", "{start:%H%}")),
        *((field, FIELDS) for field in ("{start:%n}", "{utc:%Q}", "{utc:%EZ}", "{utc:%3d}")),
        *((field, "did you mean {n}?") for field in ("{}", "{N}", "{n:x}", "{n:10000}", "{number}")),
        ("{n:3d}", "did you mean {n:03}?"),
        ("{n:003}", "did you mean {n:03}?"),
        ("{date:%Y}", "did you mean {start:%Y}?"),
        ("{time:x}", "did you mean {time}?"),
        ("{Date}", "did you mean {date}?"),
        ("{timestamp}", "did you mean {date}-{time}?"),
        ("{start}", "did you mean {start:%H%M}?"),
        ("{start:}", "did you mean {start:%H%M}?"),
        ("{start:x}", "did you mean {start:%H%M}?"),
        ("{start:YYYY-MM-DD}", "did you mean {start:%Y-%m-%d}?"),
        ("{strat:%H}", "did you mean {start:%H}?"),
        ("{utc}", "did you mean {utc:%H%M}?"),
        ("{hostname}", "the shell knows that: $(hostname)"),
        ("{n", UNCLOSED),
        ("{{{x}}}", FIELDS),
        ("{start:", CUT_BY_CRON),
        ("{utc:%H-", CUT_BY_CRON),
    ],
)
def test_a_field_that_is_not_known_is_answered_with_what_was_meant(field: str, way_out: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"cannot use the name take {field}.wav: ")) as caught:
        NameTemplate.parse(f"take {field}.wav")
    assert caught.value.way_out == way_out


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("x-%Y-%m-%d.wav", "%Y-%m-%d stays as it is in the name; a time is 'x-{start:%Y-%m-%d}.wav'"),
        ("{date}-%H:%M.wav", "%H:%M stays as it is in the name; a time is '{date}-{start:%H:%M}.wav'"),
        ("x-%03d.wav", "%03d stays as it is in the name; a number is 'x-{n:03}.wav'"),
        ("x-%d.wav", "%d stays as it is in the name; a number is 'x-{n}.wav'"),
        (r"{start:\%H}.wav", "a backslash before % stays in the name; only in a crontab it does not"),
        ("100%.wav", None),
        ("{start:%Y}.wav", None),
        ("x.wav", None),
    ],
)
def test_a_percent_sign_that_fills_in_nothing_is_warned_of(name: str, warning: str | None) -> None:
    assert warnings_of(name) == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("name", "filled"),
    [
        ("{n}", "7"),
        ("{n:03}", "007"),
        ("{n:02}-{n}", "07-7"),
        ("{utc:%Y%m%d-%H%M%S}", "20261123-060005"),
        ("{utc:%f}", "123456"),
        ("{utc:%A, %d. %B}", "Monday, 23. November"),
        ("{utc:%-Hh%%}", "6h%"),
        ("{utc:%H\udcff}\udcfe", "06\udcff\udcfe"),
        ("{{{n}}}", "{7}"),
        ("{{n}}{n}", "{n}7"),
    ],
)
def test_a_field_is_filled_in(name: str, filled: str) -> None:
    assert NameTemplate.parse(name).fill(7, MOMENT) == filled


@pytest.mark.parametrize(
    ("name", "is_split", "first_three"),
    [
        ("take.wav", True, ["take-001.wav", "take-002.wav", "take-003.wav"]),
        ("a.b/take", True, ["a.b/take-001", "a.b/take-002", "a.b/take-003"]),
        (".hidden", True, [".hidden-001", ".hidden-002", ".hidden-003"]),
        ("take.tar.wav", True, ["take.tar-001.wav", "take.tar-002.wav", "take.tar-003.wav"]),
        ("{n}.wav", False, ["1.wav", "2.wav", "3.wav"]),
        ("{n}.wav", True, ["1.wav", "2.wav", "3.wav"]),
        ("{utc:%H}.wav", True, ["06.wav", "06-002.wav", "06-003.wav"]),
    ],
)
def test_names_that_are_taken_give_way_to_the_next(name: str, is_split: bool, first_three: list[str]) -> None:
    candidates = Names(name, is_split=is_split).candidates(MOMENT)
    assert [next(candidates) for _ in first_three] == first_three


def test_the_second_file_of_a_take_that_was_to_be_one_is_numbered() -> None:
    names = Names("take.aiff", is_split=False)
    assert list(names.candidates(MOMENT)) == ["take.aiff"]
    assert next(names.candidates(MOMENT)) == "take-002.aiff"
