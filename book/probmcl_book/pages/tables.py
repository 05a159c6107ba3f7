"""Tables of results that read well on the page, in Jupyter, in Colab and in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from probmcl import _check
from probmcl_book.pages.output import emit, some_words

Number = int | float
Cell = str | Number | tuple[Number, Number, Number] | None


def table(
    rows: Sequence[Sequence[Cell]],
    columns: Sequence[str],
    *,
    caption: str,
    highlight: Mapping[str, str] | None = None,
    decimals: int = 3,
) -> None:
    """Display a table of results. The first cell of a row names the row.

    Args:
        rows: cells in the order of ``columns``: text, a number, an estimate with its interval as
            ``(value, low, high)``, or None for what does not exist.
        columns: names of the columns.
        caption: what the table shows; stands above it.
        highlight: the columns in which the best value is set in bold, each with ``"max"`` or ``"min"``.
        decimals: digits after the point, for numbers that are not whole.

    Raises:
        ValueError: a row has the wrong length, ``caption`` is empty, or ``highlight`` names no column.

    >>> table([["BCE", 0.922], ["ASL", None]], ["loss", "mAP"], caption="Test mAP.")  # doctest: +SKIP
    """
    some_words("caption", caption)
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"rows: expected {len(columns)} cells in row {number}, got {len(row)}")
    best = _best_cells(rows, columns, highlight or {})
    texts = [[_cell_text(cell, decimals) for cell in row] for row in rows]
    numeric = [any(not isinstance(row[j], str | None) for row in rows) for j in range(len(columns))]
    header = "".join(
        f'<th scope="col"{_number_class(numeric[j])}>{escape(name)}</th>' for j, name in enumerate(columns)
    )
    body = "".join(
        f"<tr>{''.join(_cell_html(text, j, numeric[j], (i, j) in best) for j, text in enumerate(row))}</tr>"
        for i, row in enumerate(texts)
    )
    html = (
        f'<div class="pm-output pm-table" role="region" aria-label="{escape(caption)}" tabindex="0">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{header}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    emit(html, _plain_table(texts, list(columns), numeric, caption))


def _value(cell: Cell) -> float | None:
    if isinstance(cell, tuple):
        return float(cell[0])
    return None if cell is None or isinstance(cell, str) else float(cell)


def _best_cells(
    rows: Sequence[Sequence[Cell]], columns: Sequence[str], highlight: Mapping[str, str]
) -> set[tuple[int, int]]:
    best: set[tuple[int, int]] = set()
    for name, which in highlight.items():
        j = columns.index(_check.one_of("highlight", name, columns))
        values = {i: value for i, row in enumerate(rows) if (value := _value(row[j])) is not None}
        choose = max if _check.one_of("highlight", which, ("max", "min")) == "max" else min
        best |= {(i, j) for i, value in values.items() if value == choose(values.values())}
    return best


def _cell_text(cell: Cell, decimals: int) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, tuple):
        value, low, high = (f"{part:z.{decimals}f}" for part in cell)
        return f"{value} [{low}, {high}]"
    if isinstance(cell, float):
        return f"{cell:z.{decimals}f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _number_class(numeric: bool) -> str:
    return ' class="pm-number"' if numeric else ""


def _cell_html(text: str, column: int, numeric: bool, bold: bool) -> str:
    content = escape(text)
    if numeric:  # a narrow column breaks before an interval, never inside one
        content = content.replace(", ", ",&nbsp;")
    content = f"<strong>{content}</strong>" if bold else content
    if column == 0:
        return f'<th scope="row"{_number_class(numeric)}>{content}</th>'
    return f"<td{_number_class(numeric)}>{content}</td>"


def _plain_table(texts: list[list[str]], columns: list[str], numeric: list[bool], caption: str) -> str:
    widths = [max(len(line[j]) for line in [columns, *texts]) for j in range(len(columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in [columns, *texts]
    ]
    return "\n".join([caption, "", lines[0], "-" * sum(widths, 2 * (len(widths) - 1)), *lines[1:]])
