"""Marks that many figures share: intervals, notes beside a place, bars end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from probmcl.evaluate import Interval
from probmcl_book.pages.style import colours


def method_colour(method: str) -> str:
    """The colour of a method where ours stands out among the others."""
    return colours().accent if method == "ProbMCL" else colours().anchor


def interval(axes: Axes, height: float, found: Interval, colour: str, **style: Any) -> None:
    """Draw an interval as a horizontal line, and its value as a dot on it."""
    axes.plot([found.low, found.high], [height, height], color=colour, **style)
    axes.plot(found.value, height, "o", color=colour, **style)


def note(axes: Axes, text: str, place: Sequence[float], offset: tuple[float, float], **style: Any) -> None:
    """Write a few muted words beside a place, ``offset`` points away."""
    style = {"color": colours().muted, **style}
    axes.annotate(text, (place[0], place[1]), xytext=offset, textcoords="offset points", **style)


def at_top(axes: Axes, text: str, x: float, offset: tuple[float, float]) -> None:
    """Draw a dotted vertical line, and say at its top what it is."""
    axes.axvline(x, color=colours().muted, linestyle=":")
    note(axes, text, (x, 1), offset, xycoords=("data", "axes fraction"), va="top")


def end_to_end(
    axes: Axes, rows: Sequence[str], parts: Mapping[str, Sequence[float]], styles: Sequence[Mapping[str, Any]]
) -> None:
    """Draw one bar per row, from the top, of parts that stand end to end, and their legend above the axes.

    ``parts`` holds for each name the length in every row, ``styles`` how to draw each part.
    """
    start = [0.0] * len(rows)
    for (part, lengths), style in zip(parts.items(), styles, strict=False):
        axes.barh(list(rows), lengths, left=start, label=part, **style)
        start = [a + b for a, b in zip(start, lengths, strict=True)]
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.figure.legend(loc="outside upper left", ncols=len(parts), handlelength=1, columnspacing=1.2)
