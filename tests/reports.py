"""The objects that --json prints, held against their schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "report.schema.json").read_text(encoding="utf-8"))


def _without_more(schema: Any) -> Any:
    """Return the schema with no room for fields that it does not describe."""
    if isinstance(schema, list):
        return [_without_more(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _without_more(part) for name, part in schema.items()}
    return {**strict, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else strict


VALIDATOR = jsonschema.Draft202012Validator(_without_more(SCHEMA))


def checked(text: str) -> dict[str, Any]:
    """Return what one line of JSON holds, after a look into the schema."""
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert text.isascii()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    value: dict[str, Any] = json.loads(text, parse_constant=refuse)
    VALIDATOR.validate(value)
    if value["kind"] == "run" and value["exit_code"] == 0:
        assert value["unwritten_frames"] == 0
    return value
