"""A table of results: the same cells for a terminal, for a page and as plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import rich.table
from rich.text import Text

from probmcl import _check
from probmcl.evaluate import Interval

Cell = str | int | float | Interval | None
"""Text, a number, a number with its interval, or nothing."""


@dataclass(frozen=True)
class Table:
    """Rows of cells. ``rich.print`` shows them in a terminal, ``print`` as plain text.

    The first cell names its row, and None stands for what does not exist. ``highlight`` names the columns in
    which the best value is marked, each with ``"max"`` or ``"min"``; ``decimals`` are of numbers that are not
    whole; ``notes`` stand below.

    >>> print(Table([["BCE", Interval(0.92, 0.9, 0.93)], ["ASL", None]], ["loss", "mAP"], "Test mAP."))
    Test mAP.
    <BLANKLINE>
    loss                   mAP
    --------------------------
    BCE   0.920 [0.900, 0.930]
    ASL                      –
    """

    rows: Sequence[Sequence[Cell]]
    columns: Sequence[str]
    caption: str
    highlight: Mapping[str, str] = field(default_factory=dict)
    decimals: int = 3
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"rows: expected {len(self.columns)} cells in row {number}, got {len(row)}")
        for name, which in self.highlight.items():
            _check.one_of("highlight", name, self.columns)
            _check.one_of("highlight", which, ("max", "min"))

    @property
    def texts(self) -> list[list[str]]:
        """The cells as they are shown."""
        return [[_text(cell, self.decimals) for cell in row] for row in self.rows]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers, and so stand flush right."""
        return [
            any(not isinstance(row[j], str | None) for row in self.rows) for j in range(len(self.columns))
        ]

    @property
    def best(self) -> set[tuple[int, int]]:
        """Row and column of every cell to mark; of equal values, all."""
        found: set[tuple[int, int]] = set()
        for name, which in self.highlight.items():
            j = self.columns.index(name)
            values = {i: v for i, row in enumerate(self.rows) if (v := _number(row[j])) is not None}
            best = {"max": max, "min": min}[which](values.values(), default=None)
            found |= {(i, j) for i, value in values.items() if value == best}
        return found

    def __rich__(self) -> rich.table.Table:
        shown = rich.table.Table(title=self.caption, caption="\n".join(self.notes), caption_justify="left")
        shown.show_lines = any("\n" in cell for row in self.texts for cell in row)
        for name, numeric in zip(self.columns, self.numeric, strict=True):
            shown.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
        for i, row in enumerate(self.texts):
            shown.add_row(*(Text(text, "bold" if (i, j) in self.best else "") for j, text in enumerate(row)))
        return shown

    def __str__(self) -> str:
        lines = [list(self.columns), *self.texts]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        head, *body = (
            "  ".join(
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        )
        rule = "-" * sum(widths, 2 * (len(widths) - 1))
        return "\n".join([self.caption, "", head, rule, *body, *self.notes])


def _number(cell: Cell) -> float | None:
    if isinstance(cell, Interval):
        return cell.value
    return None if isinstance(cell, str) else cell


def _text(cell: Cell, decimals: int) -> str:
    """A cell in words; an interval without width is a number, and -0.0 has no sign.

    >>> _text(Interval(6.0, 6.0, 6.0), 1), _text(1045, 1), _text(-0.01, 1)
    ('6.0', '1,045', '0.0')
    """
    if isinstance(cell, Interval) and not cell.high > cell.low:  # NaN included
        cell = cell.value
    if isinstance(cell, float | Interval):
        return f"{cell:z.{decimals}f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return "–" if cell is None else cell
