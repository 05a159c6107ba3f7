"""Records: what is written is read again, and nothing false or half is ever written."""

import json
import math
import re
from copy import deepcopy
from dataclasses import replace
from importlib.metadata import PackagePath, PathDistribution
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from probmcl.evaluate import Interval
from probmcl_book.records import provenance as provenance_module
from probmcl_book.records import record as record_module
from probmcl_book.records.record import Record, Row, load_result, read_record, results_path, write_record

WHOLE = load_result("digits")
WRONG = yaml.safe_load(Path(__file__).with_name("wrong_fields.yml").read_text("utf-8"))
RESULTS = sorted(path.stem for path in (Path(__file__).parents[2] / "book" / "results").glob("*.json"))


def a_record(**changes: Any) -> Record:
    """A record of the book with one curve in its first row, and a second row without an interval."""
    rows = (
        Row("BCE", 0, {"mAP": Interval(0.9, 0.89, 0.91, 0.95, "bootstrap")}, 23.5, 96000, {"loss": [0.7]}),
        Row("start", None, {"mAP": Interval(0.5)}, 1.0, 0, {"average precision": [0.5, math.nan]}),
    )
    return replace(WHOLE, **{"rows": rows, "recipe": {"learning_rate": 1 / 3}, **changes})


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "digits.json"
    write_record(a_record(**changes), path)
    return path


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    before, after = a_record(), read_record(written(tmp_path))
    nan_curve = after.rows[1].series["average precision"]
    assert nan_curve[0] == 0.5
    assert math.isnan(nan_curve[1])
    assert math.isnan(after.rows[1].metrics["mAP"].low)
    assert replace(after, rows=after.rows[:1]) == replace(before, rows=before.rows[:1])


@pytest.mark.parametrize("name", RESULTS)
def test_a_record_of_the_book_is_written_as_it_stands(tmp_path: Path, name: str) -> None:
    content = results_path(name).read_text(encoding="utf-8")
    write_record(load_result(name), tmp_path / f"{name}.json")
    assert (tmp_path / f"{name}.json").read_text(encoding="utf-8") == content
    assert list(json.loads(content)) == sorted(json.loads(content))


def test_measured_numbers_are_rounded_and_settings_are_not(tmp_path: Path) -> None:
    row = Row("BCE", 0, {"mAP": Interval(2 / 3)}, 1234.56789, 96_000_001)
    content = json.loads(written(tmp_path, rows=(row,)).read_text())
    (found,) = content["rows"]
    assert (found["metrics"]["mAP"]["value"], found["metrics"]["mAP"]["low"]) == (0.666667, None)
    assert (found["seconds"], found["image_views"]) == (1234.57, 96_000_001)
    assert content["recipe"]["learning_rate"] == 1 / 3


def test_the_day_is_noted_by_itself() -> None:
    fields = {name: value for name, value in vars(a_record()).items() if name != "created"}
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", Record(**fields).created)


def changed(plain: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed, or taken out by ``...``."""
    whole = at = deepcopy(plain)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    for key in parents:
        at = at[key]  # type: ignore[index]
    if value is ...:
        del at[last]  # type: ignore[arg-type]
    else:
        at[last] = value  # type: ignore[index]
    return whole


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case["message"])
def test_a_field_that_is_not_as_declared_is_named(tmp_path, case: dict[str, Any]) -> None:
    file = written(tmp_path)
    whole = changed(json.loads(file.read_text()), case["path"], case.get("value", ...))
    file.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match=re.escape(f"digits.json: {case['message']}")):
        read_record(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"name": "dig', "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"wall_seconds": NaN}', "not JSON: NaN is no number there"),
        (b"[" * 10_000 + b"]" * 10_000, "not JSON of ours: it is nested too deep"),
        (b"[]", "expected an object, got []"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "broken.json").write_bytes(text)
    with pytest.raises(ValueError, match=re.escape(f"broken.json: {message}")):
        read_record(tmp_path / "broken.json")


def test_a_wrong_record_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"digits\.json: wall_seconds: expected a number"):
        written(tmp_path, wall_seconds=math.nan)
    with pytest.raises(TypeError, match="expected a value that JSON has, got Tensor"):
        written(tmp_path, recipe={"rate": torch.tensor(0.1)})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_the_old_record_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    def no_replace(*_: object) -> None:
        raise OSError("interrupted")

    path = written(tmp_path)
    before = path.read_text()
    monkeypatch.setattr("probmcl._files.os.replace", no_replace)
    with pytest.raises(OSError, match="interrupted"):
        written(tmp_path, notes=("A second run.",))
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def installed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As on Colab: no checkout around the package or the working directory; the wheel brought records."""
    monkeypatch.delenv("PROBMCL_RESULTS", raising=False)
    ledger = PackagePath("../../../share/probmcl/ledger.yml")
    ledger.dist = PathDistribution(tmp_path / "a" / "b" / "c" / "probmcl.dist-info")
    monkeypatch.setattr(provenance_module, "files", lambda _: [PackagePath("probmcl/__init__.py"), ledger])
    monkeypatch.setattr(provenance_module, "checkout", lambda: None)
    monkeypatch.setattr(record_module, "checkout", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "share" / "probmcl"


def test_inside_a_checkout_the_named_folder_alone_counts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PROBMCL_RESULTS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no record 'digits'"):
        load_result("digits")
    written(tmp_path, notes=("Mine.",))
    assert load_result("digits").notes == ("Mine.",)


def test_a_result_is_found_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROBMCL_RESULTS", raising=False)
    monkeypatch.setattr(record_module, "checkout", lambda: tmp_path)
    assert results_path("digits") == tmp_path / "book" / "results" / "digits.json"
    write_record(a_record(), results_path("digits"))
    assert load_result("digits").name == "digits"


def test_a_package_alone_reads_its_own_results_and_then_those_of_the_wheel(installed_alone: Path) -> None:
    write_record(a_record(notes=("Published.",)), installed_alone / "results" / "digits.json")
    assert load_result("digits").notes == ("Published.",)
    write_record(a_record(notes=("Mine.",)), results_path("digits"))
    assert load_result("digits").notes == ("Mine.",)


@pytest.mark.usefixtures("installed_alone")
def test_a_missing_result_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match=r"python -m probmcl --help.*PROBMCL_RESULTS"):
        load_result("digits")


@pytest.mark.parametrize("name", ["", "../digits", "Digits", "digits.json"])
def test_a_bad_name_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="name: expected lower case letters"):
        results_path(name)
