"""Figures of what a representation knows of its labels: a permutation test, and maps in two dimensions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from probmcl_book.pages.style import colours


def permuted_correlations(found: Mapping[str, tuple[Tensor, float]]) -> Figure:
    """Correlations of permuted labels ``(P,)`` as a histogram, the observed one as a line; panels by name."""
    c = colours()
    figure, row = plt.subplots(1, len(found), figsize=(7, 2.9), sharex=True, sharey=True, squeeze=False)
    for axes, (name, (permuted, observed)) in zip(row[0], found.items(), strict=True):
        axes.hist(permuted.numpy(), bins=30, color=c.muted, alpha=0.6)
        axes.axvline(observed, color=c.accent)
        axes.set(title=name, xlabel="rank correlation", yticks=[])
        axes.spines["left"].set_visible(False)
    row[0, 0].set_ylabel("permutations")
    return figure


def label_maps(maps: Mapping[str, Tensor], groups: Sequence[int], names: Sequence[str]) -> Figure:
    """Points ``(N, 2)`` coloured by group, an index of at most seven ``names``, one panel per map."""
    figure, row = plt.subplots(1, len(maps), figsize=(7, 2.9), squeeze=False)
    for axes, (title, points) in zip(row[0], maps.items(), strict=True):
        for group, name in enumerate(names):
            chosen = [index for index, of in enumerate(groups) if of == group]
            x, y = points[chosen].T
            marker, colour = "osD^vPX"[group], colours().categorical[group]
            axes.plot(x, y, marker, color=colour, markersize=3.5, alpha=0.7, label=name)
        axes.set(title=title, xticks=[], yticks=[])
    figure.legend(*row[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
    return figure
