"""Marks that many figures share: intervals, notes beside a place, bars end to end."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from probmcl.evaluate import Interval
from probmcl_book.pages.style import colours

_LOOKS = {
    "BCE": (0, "o"), "ASL": (5, "s"), "KMCL": (1, "p"), "MulSupCon": (4, "X"), "ProbMCL": (3, "D"),
    "ProbMCL, as first read": (3, "D"), "ProbMCL, at its best": (3, "*"),
    "SupCon, threshold": (2, "^"), "SupCon, weighted": (2, "P"), "SupCon, any": (2, "v"),
    "SupCon, all": (2, "<"), "SupCon, exact": (2, ">"), "SupCon, Jaccard-weighted": (2, "P"),
    "Label-graph head": (6, "h"), "Transformer head": (6, "d"),
}  # fmt: skip


def look(method: str) -> dict[str, Any]:
    """Colour and marker of a method, the same throughout the book; any other setting is a muted dot."""
    if method not in _LOOKS:
        return {"color": colours().muted, "marker": "."}
    number, marker = _LOOKS[method]
    return {"color": colours().categorical[number], "marker": marker}


def interval(axes: Axes, height: float, found: Interval, *, marker: str = "o", **style: Any) -> None:
    """Draw an interval as a horizontal line, and its value as a mark on it."""
    axes.plot([found.low, found.high], [height, height], **style)
    axes.plot(found.value, height, marker, markeredgecolor=colours().background, **style)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name rows at the heights 0, 1 and so on, from below."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(names) - 0.4)


def span(low: float, high: float, least: float) -> tuple[float, float]:
    """Limits around a range, at least so far apart: a small difference is to look small."""
    reach = max(1.1 * (high - low), least) / 2
    return (low + high) / 2 - reach, (low + high) / 2 + reach


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
    """Draw one bar per row, from the top, of parts that stand end to end, and their legend above the axes."""
    start = [0.0] * len(rows)
    for (part, lengths), style in zip(parts.items(), styles, strict=False):
        axes.barh(list(rows), lengths, left=start, label=part, **style)
        start = [a + b for a, b in zip(start, lengths, strict=True)]
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.figure.legend(loc="outside upper left", ncols=len(parts), handlelength=1, columnspacing=1.2)
