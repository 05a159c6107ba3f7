"""A record on a page: every method with its metrics, its curves, and its place with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probmcl_book.claims import read_ledger, standings
from probmcl_book.pages import output as output_module
from probmcl_book.pages.records import comparison, over_seeds, provenance_lines, published, reference, watched
from probmcl_book.records import Record, load_result
from probmcl_book.replicate import RECIPES


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables of a test, as a terminal shows them."""
    texts: list[str] = []
    monkeypatch.setattr(output_module, "display", lambda bundle, raw: texts.append(bundle["text/plain"]))
    return texts


@pytest.fixture
def digits() -> Record:
    return load_result("digits")


def test_the_table_shows_each_method_once_with_one_interval(digits, shown) -> None:
    comparison(digits, what="Test scenes", interval="AUROC")
    (said,) = shown
    for name, row in over_seeds(digits).items():
        (line,) = [line for line in said.splitlines() if line.startswith(name)]
        assert f"{row.metrics['AUROC']:.3f}" in line
        assert f"{row.metrics['mAP'].value:.3f}" in line
        assert f"{row.metrics['mAP']:.3f}" not in line
    assert "mean over 3 seeds" in said


def test_the_best_of_a_part_of_the_images_is_not_marked(digits, monkeypatch) -> None:
    marked: list[str] = []
    monkeypatch.setattr(output_module, "display", lambda bundle, raw: marked.append(bundle["text/html"]))
    comparison(digits, what="Test scenes")
    comparison(replace(digits, recipe={**digits.recipe, "limit": 40}), what="Test scenes")
    assert "<strong>" in marked[0]
    assert "<strong>" not in marked[1]


def test_a_reader_learns_how_to_make_the_record_again(digits, capsys) -> None:
    provenance_lines(digits)
    said = " ".join(capsys.readouterr().out.split())
    assert digits.command in said
    assert "6,000 train, 1,500 validation, 2,000 test" in said
    assert digits.data.access in said
    assert "seeds 0, 1, 2" in said


def test_there_is_a_curve_for_every_seed_and_none_for_the_start(digits) -> None:
    curves = watched(digits)
    assert list(curves) == ["BCE", "ASL", "SupCon, threshold", "ProbMCL"]
    assert all(len(runs) == 3 for runs in curves.values())


def test_the_reference_is_bce_where_it_is(digits) -> None:
    assert reference(digits) == "BCE"
    assert reference(replace(digits, rows=[row for row in digits.rows if row.method != "BCE"])) == "ASL"


def test_rows_that_are_not_ranked_have_no_place_and_a_reason(digits, shown) -> None:
    other = replace(digits, recipe=RECIPES["coco-tresnet-m-224"]().to_dict())
    published(standings(other, read_ledger()), metric="mAP", caption="Rows.")
    lines = shown[0].splitlines()
    ours = [line for line in lines if " ours " in line]
    assert len(ours) == len(over_seeds(digits))
    assert all(line.startswith("not ranked") and "2,000 test images, not the 40,137" in line for line in ours)
    assert lines[4].startswith("1 ")
