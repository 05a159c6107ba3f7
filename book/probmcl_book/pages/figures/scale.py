"""Figures of chapter 11: what autograd keeps as a batch grows, and the benchmarks' ratios."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from probmcl_book.pages.figures.marks import note
from probmcl_book.pages.style import colours


def growth(rows: Sequence[int], mebibytes: Mapping[str, Sequence[float]]) -> Figure:
    """Memory over the number of rows, both axes logarithmic, one line per way to compute."""
    figure, axes = plt.subplots(figsize=(7, 3.4))
    for colour, marker, (name, sizes) in zip(colours().categorical, "os^D", mebibytes.items(), strict=False):
        axes.loglog(rows, sizes, marker + "-", color=colour, label=name, base=2)
    axes.set_xticks(rows, [f"{count:,}" for count in rows])
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.minorticks_off()
    axes.set(xlabel="rows", ylabel="MiB kept for the backward pass")
    axes.legend()
    return figure


def ratios(cases: Sequence[str], times: Mapping[str, Sequence[float | None]], *, label: str) -> Figure:
    """How many times faster or smaller, one bar per case and kind, and none where it is not measured."""
    c = colours()
    height = 0.8 / len(times)
    figure, axes = plt.subplots(figsize=(7, 0.55 * len(cases) * len(times) + 1.2))
    for row, (colour, (kind, values)) in enumerate(zip(c.categorical, times.items(), strict=False)):
        for position, value in enumerate(values):
            if value is None:
                continue
            at = position + (row - (len(times) - 1) / 2) * height
            axes.barh(at, value, height=0.9 * height, color=colour, label=kind if position == 0 else None)
            note(axes, f"{value:,.3g}", (value, at), (4, 0), va="center", color=c.text)
    axes.axvline(1, color=c.muted, linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=len(times))
    return figure
