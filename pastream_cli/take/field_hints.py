"""What was meant by a field of a name that is not known, and by a percent sign outside fields. Rarely loaded."""

from __future__ import annotations

import re

from pastream_cli.errors import typed
from pastream_cli.spelling import by_word, closest

_FIELDS = "the fields are {n}, {n:03}, {date}, {time}, {start:%H%M} or {utc:%H%M}; {{ is a brace"
_MEANT = by_word(
    {
        "{n}": "num number i index count counter nr no seq piece part #",
        "{date}": "day today ymd",
        "{time}": "clock hms",
        "{date}-{time}": "datetime timestamp now dt ts moment",
        "{start:%Y}": "year yyyy",
        "{start:%m}": "month",
        "{start:%H}": "hour",
        "{start:%H%M}": "start",
        "{utc:%H%M}": "utc gmt",
        "{utc:%Y-%m-%dT%H%M%SZ}": "iso iso8601",
    }
)
_FROM_THE_SHELL = by_word({"$(hostname)": "host hostname machine node", "$USER": "user username"})
_LETTERS = by_word({"%Y": "yyyy", "%y": "yy", "%m": "mm", "%d": "dd", "%H": "hh", "%M": "mi min", "%S": "ss"})
_TIMES = "%[-_0^#]?[YmdHMSFTjyDRsbBaAeIpGVuz]"
_RUN_OF_TIMES = rf"{_TIMES}(?:[-_.:, T]?{_TIMES})*"
_PRINTED_NUMBER = "%(0?[0-9]?)[dn]"
_VARIABLE = r"\$\{?[A-Z]{2,}\}?|\$\(date[^)]*\)|%[A-Z]{3,}%"


def of_field(match: str) -> str:
    """Return the way out for a field that is not known, with its braces."""
    name, colon, form = match.strip("{}").partition(":")
    word = name.lower().strip()
    if word in _FROM_THE_SHELL:
        return f"the shell knows that: {_FROM_THE_SHELL[word]}"
    if right := (_of_form(word, form) if colon else None) or _of_word(word, f"{colon}{form}"):
        return f"did you mean {right}?"
    return _FIELDS


def _of_form(word: str, form: str) -> str | None:
    """Return the field that was meant by what stands behind the colon."""
    if word in {"date", "time"} and "%" in form:
        return f"{{start:{form}}}"
    if word == "n" and (digits := re.fullmatch("0*([1-9])d?", form)):
        return f"{{n:0{digits[1]}}}"
    if word in {"start", "utc"} and "%" not in form:
        directives = re.sub("[A-Za-z]+", lambda part: _LETTERS.get(part[0].lower(), part[0]), form)
        return f"{{{word}:{directives if '%' in directives else '%H%M'}}}"
    return None


def _of_word(word: str, rest: str) -> str | None:
    """Return the field that was meant by a word; `rest` is what stands behind it."""
    if word in {"start", "utc"} and "%" in rest:
        return None  # one of the directives is not known
    if word in _MEANT or not word:
        return _MEANT.get(word, "{n}")
    near = word if word in {"n", "date", "time"} else closest(word, ("date", "time", "start", "utc"))
    if near in {"start", "utc"} and rest:
        return f"{{{near}{rest}}}"
    return _MEANT.get(near, f"{{{near}}}") if near else None


def of_unclosed_field(rest: str) -> str:
    """Return the way out for a field that does not end before the name does."""
    if re.match(r"\{(?:start|utc)\b", rest):
        return r"cron ends a line at %: write \% in a crontab, as in {start:\%H\%M}, or {date}-{time}"
    return "a field ends in }, as in {date}; {{ is a brace"


def literal_warning(text: str, literal: str) -> str | None:
    """Return the warning for a name in which somebody may expect more to be filled in; `literal` is in no field."""
    if re.match(r"[A-Za-z]:\\", literal):
        return f"{text} is one name as it stands: folders have / between them"
    if variable := re.search(_VARIABLE, literal):
        field = closest(variable[0].strip("${}%").lower(), ("date", "time"))
        name = typed(text.replace(variable[0], f"{{{field or 'date'}}}"))
        return f"{variable[0]} stays as it is in the name; {'a time' if field == 'time' else 'a date'} is {name}"
    run = re.search(_RUN_OF_TIMES, literal)
    number = re.search(_PRINTED_NUMBER, literal)
    if number and (run is None or len(run[0]) <= len(number[0])):
        field = f"{{n:0{number[1].lstrip('0')}}}" if number[1] else "{n}"
        return f"{number[0]} stays as it is in the name; a number is {typed(text.replace(number[0], field))}"
    if run:
        name = typed(text.replace(run[0], f"{{start:{run[0]}}}"))
        return f"{run[0]} stays as it is in the name; a time is {name}"
    return None
