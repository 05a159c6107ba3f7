from dataclasses import replace

import pytest

from probmcl_book.pages.records import by_watcher, provenance_lines, reference, watched
from probmcl_book.records import Record, load_result


@pytest.fixture
def digits() -> Record:
    return load_result("digits")


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
    apart = by_watcher(digits)
    assert [list(one) for one in apart.values()] == [["BCE", "ASL"], ["SupCon, threshold", "ProbMCL"]]
    assert {name: runs for one in apart.values() for name, runs in one.items()} == curves


def test_the_reference_is_bce_where_it_is(digits) -> None:
    assert reference(digits) == "BCE"
    assert reference(replace(digits, rows=[row for row in digits.rows if row.method != "BCE"])) == "ASL"
