"""Figures of chapter 7: two collapses, what the weight of the likelihood does, and what every switch does."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from torch import Tensor

from probmcl_book.pages.style import colours

Curves = Mapping[str, Sequence[float]]  # a log: steps under "step", a value per step under other names


def training_curves(runs: Mapping[str, Curves], panels: Mapping[str, str], reference: Curves) -> Figure:
    """What runs logged, one panel per quantity of ``panels``, one line per run; dashed: ``reference``."""
    c = colours()
    figure, column = plt.subplots(len(panels), 1, figsize=(7, 1.9 * len(panels)), sharex=True, squeeze=False)
    for axes, (name, title) in zip(column[:, 0], panels.items(), strict=True):
        for colour, (run, log) in zip(c.categorical, runs.items(), strict=False):
            axes.plot(log["step"], log[name], color=colour, label=run)
        for value in reference.get(name, ()):
            axes.axhline(value, color=c.muted, linestyle="--", linewidth=1)
        axes.set_title(title)
    column[-1, 0].set_xlabel("training step")
    figure.legend(*column[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(runs))
    return figure


def circles(step: int, snapshots: Mapping[str, Mapping[int, Tensor]], positives: Tensor) -> Figure:
    """Embeddings ``(M, 2)`` on the unit circle at one training step; row 0 is the anchor; a panel per run."""
    c = colours()
    figure, row = plt.subplots(1, len(snapshots), figsize=(6, 3.3), squeeze=False)
    for axes, (run, by_step) in zip(row[0], snapshots.items(), strict=True):
        z = by_step[step]
        axes.add_patch(Circle((0, 0), 1, fill=False, color=c.grid))
        for is_positive, (colour, name) in enumerate(((c.negative, "other rows"), (c.positive, "positives"))):
            chosen = z[1:][positives[1:].bool() == is_positive]
            axes.scatter(*chosen.T, s=26, color=colour, alpha=0.6, linewidths=0, label=name)
        axes.scatter(*z[:1].T, s=120, marker="*", color=c.anchor, edgecolors=c.background, label="anchor")
        axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal", xticks=[], yticks=[])
        axes.set_title(run, loc="center")
        axes.spines[:].set_visible(False)
    figure.legend(*row[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def gradient_norms(moments: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Gradient norm of each term by group of parameters, one panel per moment of training."""
    c = colours()
    figure, row = plt.subplots(1, len(moments), figsize=(7, 3.4), sharex=True, sharey=True, squeeze=False)
    for axes, (moment, terms) in zip(row[0], moments.items(), strict=True):
        looks = ((-0.19, c.anchor), (0.19, c.accent))
        for (shift, colour), (term, norms) in zip(looks, terms.items(), strict=True):
            places = [i + shift for i in range(len(norms))]
            axes.plot(list(norms.values()), places, "o", color=colour, label=term)
        axes.set_yticks(range(len(norms)), list(norms))
        axes.set(xscale="log", xlabel="gradient norm", title=moment)
    row[0, 0].invert_yaxis()
    figure.legend(*row[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def switch_effects(
    effects: Mapping[str, Mapping[str, tuple[float, float]]], default: tuple[float, float]
) -> Figure:
    """Loss and gradient norm when one argument takes another value and all others keep their defaults."""
    c = colours()
    rows = [(argument, value) for argument, values in effects.items() for value in values]
    figure, pair = plt.subplots(1, 2, figsize=(7, 1.2 + 0.27 * len(rows)), sharey=True)
    for axes, which, title in zip(pair, (0, 1), ("Loss", "Gradient norm"), strict=True):
        axes.axvline(default[which], color=c.muted, linestyle="--", linewidth=1)
        found = [effects[argument][value][which] for argument, value in rows]
        axes.hlines(range(len(rows)), default[which], found, color=c.grid)
        axes.scatter(found, range(len(rows)), color=c.accent, s=36, zorder=2)
        axes.set_title(title)
        start = -0.5
        for number, values in enumerate(effects.values()):
            if number % 2:  # shaded, so that rows of one argument are seen together
                axes.axhspan(start, start + len(values), color=c.grid, alpha=0.5, linewidth=0, zorder=0)
            start += len(values)
    pair[1].set_xscale("log")
    pair[1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    pair[1].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    pair[1].xaxis.set_minor_formatter(NullFormatter())
    pair[0].set_yticks(range(len(rows)), [f"{argument} = {value}" for argument, value in rows], fontsize=9)
    pair[0].set_ylim(len(rows) - 0.5, -0.5)
    return figure
