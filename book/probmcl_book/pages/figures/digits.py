"""Figures of the comparison on DigitScenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from probmcl.evaluate import Interval
from probmcl_book.pages.figures.marks import interval, method_colour, note
from probmcl_book.pages.style import colours


def intervals_by_method(intervals: Mapping[str, Interval], *, reference: str) -> Figure:
    """Test mAP as one dot per method with its interval, and a dotted line at that of ``reference``."""
    methods = list(intervals)[::-1]
    figure, axes = plt.subplots(figsize=(7, 0.55 * len(methods) + 1.0))
    axes.axvline(intervals[reference].value, color=colours().muted, linestyle=":")
    for height, method in enumerate(methods):
        interval(axes, height, intervals[method], method_colour(method))
    axes.set_yticks(range(len(methods)), methods)
    axes.set(xlabel="test mAP", ylim=(-0.6, len(methods) - 0.4))
    return figure


def curves_by_epoch(panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], *, name: str) -> Figure:
    """Curves of ``name`` over epochs: one panel per title, one colour per method, one line per seed."""
    c = colours()
    methods = dict.fromkeys(method for curves in panels.values() for method in curves)
    colour_of = dict(zip(methods, c.categorical, strict=False))
    figure, row = plt.subplots(1, len(panels), figsize=(7, 3.6), sharey=True, squeeze=False)
    for axes, (title, curves) in zip(row[0], panels.items(), strict=True):
        for method, runs in curves.items():
            for number, run in enumerate(runs):
                label = method if number == 0 else None
                axes.plot(range(1, len(run) + 1), run, color=colour_of[method], label=label, alpha=0.9)
        axes.set(xlabel="epoch", title=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="best")
    row[0, 0].set_ylabel(name)
    return figure


def precision_by_frequency(
    frequency: Tensor, precision: Mapping[str, Sequence[float]], *, classes: Sequence[str] | None = None
) -> Figure:
    """Average precision of each class over its frequency ``(K,)``, one marker shape per method.

    Classes are digits where they have no names.
    """
    c = colours()
    figure, axes = plt.subplots()
    order = torch.argsort(frequency)
    for colour, marker, (method, values) in zip(c.categorical, "os^Dv", precision.items(), strict=False):
        ordered = torch.tensor(values)[order]
        axes.plot(frequency[order], ordered, marker, color=colour, label=method, alpha=0.85)
    for k in range(len(frequency)):
        highest = max(values[k] for values in precision.values())
        name, place = str(k) if classes is None else classes[k], (float(frequency[k]), highest)
        note(axes, name, place, (0, 7), ha="center", color=c.text)
    what = "digit" if classes is None else "class"
    axes.set(xlabel=f"share of the images that hold the {what}", ylabel="average precision")
    axes.margins(y=0.12)
    axes.legend(loc="lower right")
    return figure
