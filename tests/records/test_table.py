"""A table of results has the same cells in a terminal and as plain text."""

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from probmcl_book.records import Table, comparison_table, load_result, over_seeds


def in_a_terminal(table: Table) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(table)
    return console.export_text(styles=True)


def test_a_comparison_shows_each_method_once_with_one_interval() -> None:
    record = load_result("digits")
    table = comparison_table(record, what="Test scenes", interval="AUROC")
    assert "Test scenes, mean over 3 seeds" in table.caption
    for text in (str(table), in_a_terminal(table)):
        for name, row in over_seeds(record).items():
            (line,) = [line for line in text.splitlines() if name in line]
            assert f"{row.metrics['AUROC']:.3f}" in line
            assert f"{row.metrics['mAP'].value:.3f}" in line
            assert f"{row.metrics['mAP']:.3f}" not in line


def test_the_best_of_a_part_of_the_images_is_not_marked() -> None:
    record = load_result("digits")
    table = comparison_table(record)
    assert len(table.best) == 4
    assert all(f"\x1b[1m{table.texts[i][j]}" in in_a_terminal(table) for i, j in table.best)
    assert comparison_table(replace(record, recipe={**record.recipe, "limit": 40})).best == set()


def test_all_of_equal_values_are_marked_and_a_column_without_numbers_has_none() -> None:
    rows = [["a", 1.0, None], ["b", 1.0, None], ["c", 0.5, None]]
    table = Table(rows, ["x", "y", "z"], "Ties.", highlight={"y": "max", "z": "min"})
    assert table.best == {(0, 1), (1, 1)}


def test_brackets_are_no_markup_in_a_terminal() -> None:
    assert "[red] x" in in_a_terminal(Table([["[red] x", 1]], ["[b]", "n"], "Words."))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": [["a"]]}, "rows: expected 2 cells in row 0, got 1"),
        ({"highlight": {"map": "max"}}, "highlight: expected one of loss, mAP, got 'map'"),
        ({"highlight": {"mAP": "best"}}, "highlight: expected one of max, min, got 'best'"),
    ],
)
def test_a_wrong_argument_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table(**{"rows": [["a", 1]], "columns": ["loss", "mAP"], "caption": "x"} | changed)
