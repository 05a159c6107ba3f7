"""Figures of a metric over a setting, and of few images against many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from probmcl.evaluate import Interval
from probmcl_book.pages.style import colours


def metric_over(curves: Mapping[str, Mapping[float, Interval]], *, setting: str) -> Figure:
    """Test mAP over a setting on a logarithmic axis, one line per method, with its intervals."""
    c = colours()
    figure, axes = plt.subplots()
    for number, (method, found) in enumerate(curves.items()):
        colour = c.accent if method == "ProbMCL" else c.categorical[number]
        values = sorted(found)
        shift = 2 ** (0.06 * (number - (len(curves) - 1) / 2))  # so that intervals stand side by side
        places = [value * shift for value in values]
        axes.plot(places, [found[value].value for value in values], "o-", color=colour, label=method)
        for place, value in zip(places, values, strict=True):
            axes.plot([place] * 2, [found[value].low, found[value].high], color=colour, linewidth=1.2)
    axes.set_xscale("log", base=2)
    ticks = sorted({value for found in curves.values() for value in found})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlabel=setting, ylabel="test mAP")
    axes.legend()
    return figure


def few_and_all(
    few: Mapping[str, Interval],
    many: Mapping[str, Interval],
    titles: Sequence[str],
    families: Mapping[str, str],
) -> Figure:
    """One line per method from its test mAP with ``few`` images to that with ``many``, under two ``titles``.

    A family of methods has a colour, ProbMCL one of its own.
    """
    c = colours()
    shared = sorted((name for name in few if name in many), key=lambda name: many[name].value)
    values = [found[name].value for found in (few, many) for name in shared]
    low, step = min(values), (max(values) - min(values)) / max(1, len(shared) - 1)
    hues = dict(zip(dict.fromkeys(families[name] for name in shared), c.categorical, strict=False))
    figure, axes = plt.subplots(figsize=(7, 0.26 * len(shared) + 2))
    for place, name in enumerate(shared):
        colour = c.accent if name == "ProbMCL" else hues[families[name]]
        axes.plot([0, 1], [few[name].value, many[name].value], "o-", color=colour, alpha=0.8)
        slot = low + place * step  # names stand evenly, each with a thin line to its dot
        axes.plot([1, 1.15], [many[name].value, slot], color=c.muted, linewidth=0.6)
        axes.annotate(name, (1.17, slot), va="center", fontsize=10, color=colour)
    axes.set(xlim=(-0.1, 1.75), ylabel="test mAP")
    axes.set_xticks([0, 1], titles)
    keys = [axes.plot([], [], color=hue, label=family)[0] for family, hue in hues.items()]
    axes.legend(handles=keys, loc="upper left")
    return figure
