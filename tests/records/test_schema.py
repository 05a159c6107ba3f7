"""The JSON schema for readers in other languages is that of the declarations, and records are as it says."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from record_schema import FILE, record_schema

SCHEMA = json.loads(FILE.read_text("utf-8"))
RESULTS = sorted((Path(__file__).parents[2] / "book" / "results").glob("*.json"))


def test_the_schema_is_fresh_and_a_schema() -> None:
    assert record_schema() == SCHEMA, "Run: make notebooks"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_record_is_as_the_schema_says(path: Path) -> None:
    found = Draft202012Validator(SCHEMA).iter_errors(json.loads(path.read_text("utf-8")))
    assert [error.message for error in found] == []


@pytest.mark.parametrize("change", [{"kind": "opinion"}, {"surprise": 1}, {"seeds": ["0"]}, {"rows": [{}]}])
def test_what_is_no_record_is_not(change: dict[str, object]) -> None:
    whole = json.loads(RESULTS[0].read_text("utf-8"))
    validator = Draft202012Validator(SCHEMA)
    assert not validator.is_valid(whole | change)
    for name in whole:
        assert not validator.is_valid({key: value for key, value in whole.items() if key != name})
