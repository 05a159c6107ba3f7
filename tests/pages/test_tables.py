"""Tables of results."""

from typing import Any

import pytest

from probmcl_book.pages import output as output_module
from probmcl_book.pages import table

ROWS = [["BCE", (0.9, 0.88, 0.92), 23], ["ProbMCL & co", (0.91, 0.9, 0.925), 1045], ["none", None, None]]
COLUMNS = ["loss", "mAP", "seconds"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What the calls of a test display."""
    bundles: list[dict[str, str]] = []
    monkeypatch.setattr(output_module, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_cells_headers_and_the_best_values(shown: list[dict[str, str]]) -> None:
    table(ROWS, COLUMNS, caption="Test mAP.", highlight={"mAP": "max", "seconds": "min"})
    html = shown[0]["text/html"]
    assert '<th scope="col">loss</th><th scope="col" class="pm-number">mAP</th>' in html
    assert '<th scope="row">ProbMCL &amp; co</th>' in html
    assert '<td class="pm-number"><strong>0.910 [0.900,&nbsp;0.925]</strong></td>' in html
    assert '<td class="pm-number">1,045' in html
    assert '<td class="pm-number"><strong>23</strong></td>' in html
    assert html.count("<strong>") == 2
    assert html.count('<td class="pm-number">–</td>') == 2


def test_a_tie_is_set_in_bold_twice(shown: list[dict[str, str]]) -> None:
    table([["a", 1.0], ["b", 1.0], ["c", 0.5]], ["x", "y"], caption="Ties.", highlight={"y": "max"})
    assert shown[0]["text/html"].count("<strong>") == 2


def test_a_terminal_gets_aligned_text(shown: list[dict[str, str]]) -> None:
    table([["BCE", 0.9], ["ProbMCL", 0.95]], ["loss", "mAP"], caption="Test mAP.", decimals=2)
    assert shown[0]["text/plain"].splitlines() == [
        "Test mAP.",
        "",
        "loss      mAP",
        "-------------",
        "BCE      0.90",
        "ProbMCL  0.95",
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"caption": ""}, "caption: expected some words"),
        ({"rows": [["a"]]}, "rows: expected 3 cells in row 0, got 1"),
        ({"highlight": {"map": "max"}}, "highlight: expected one of loss, mAP, seconds, got 'map'"),
        ({"highlight": {"mAP": "best"}}, "highlight: expected one of max, min, got 'best'"),
    ],
)
def test_a_wrong_argument_is_named(changed: dict[str, Any], message: str) -> None:
    arguments = {"rows": ROWS, "columns": COLUMNS, "caption": "Test mAP."} | changed
    with pytest.raises(ValueError, match=message):
        table(**arguments)


def test_highlighting_a_column_without_numbers_changes_nothing(shown: list[dict[str, str]]) -> None:
    table([["a", None]], ["x", "y"], caption="Nothing yet.", highlight={"y": "max"})
    assert "<strong>" not in shown[0]["text/html"]
