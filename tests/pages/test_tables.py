import pytest

from probmcl.evaluate import Interval
from probmcl_book.pages import show_table, table
from probmcl_book.records import Table

ROWS = [
    ["BCE", Interval(0.9, 0.88, 0.92), 23],
    ["A & B", Interval(0.91, 0.9, 0.925), 1045],
    ["none", None, None],
]
COLUMNS = ["loss", "mAP", "seconds"]


def test_cells_headers_and_the_best_values(shown: list[dict[str, str]]) -> None:
    table(ROWS, COLUMNS, caption="Test mAP.", highlight={"mAP": "max", "seconds": "min"})
    html = shown[0]["text/html"]
    assert '<th scope="col">loss</th><th scope="col" class="pm-number">mAP</th>' in html
    assert '<th scope="row">A &amp; B</th>' in html
    assert '<td class="pm-number"><strong>0.910 [0.900,&nbsp;0.925]</strong></td>' in html
    assert '<td class="pm-number">1,045' in html
    assert '<td class="pm-number"><strong>23</strong></td>' in html
    assert html.count("<strong>") == 2
    assert html.count('<td class="pm-number">–</td>') == 2


def test_notes_stand_below_and_plain_text_is_the_tables_own(shown: list[dict[str, str]]) -> None:
    found = Table([["a", 1]], ["x", "y"], "Ones.", notes=["b < c"])
    show_table(found)
    assert "</table><p>b &lt; c</p>" in shown[0]["text/html"]
    assert shown[0]["text/plain"] == str(found)


def test_a_table_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="caption: expected some words"):
        table(ROWS, COLUMNS, caption="")
