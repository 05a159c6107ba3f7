"""Figures of label similarities: two trees with their heat maps side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram
from torch import Tensor

from probmcl.evaluate import label_tree
from probmcl_book.pages.style import colours


def label_trees(similarities: Mapping[str, Tensor], classes: Sequence[str]) -> Figure:
    """Two or three similarities ``(K, K)``, each as a tree and a heat map in the tree's order, side by side.

    They are symmetric and without NaN: labels that never occur have to be left out.
    """
    c = colours()
    figure, grid = plt.subplots(
        2,
        len(similarities),
        figsize=(7, 4.9 if len(similarities) == 2 else 3.9),
        height_ratios=(1, 3),
        squeeze=False,
    )
    for (upper, lower), (name, similarity) in zip(grid.T, similarities.items(), strict=True):
        order = _tree(upper, similarity)
        upper.set_title(name)
        most = similarity.clone().fill_diagonal_(0).abs().max().item()
        shown = similarity[order][:, order].double().fill_diagonal_(float("nan"))
        drawn = lower.imshow(shown.numpy(), cmap=c.diverging, vmin=-most, vmax=most, aspect="auto")
        names = [classes[label] for label in order]
        turn = {"rotation": 90} if max(map(len, classes)) > 3 else {}
        small = {"fontsize": 11 if len(classes) <= 20 else 5}
        lower.set_xticks(range(len(order)), names, **turn, **small)
        lower.set_yticks(range(len(order)), names, **small)
        lower.tick_params(length=0)
        lower.spines[:].set_visible(False)
        bar = figure.colorbar(drawn, ax=lower, orientation="horizontal", shrink=0.9, aspect=30)
        bar.outline.set_edgecolor(c.grid)
    return figure


def _tree(axes: Axes, similarity: Tensor) -> list[int]:
    """Draw the tree so that its leaves stand above the columns of a heat map below; return their order."""
    tree = label_tree(similarity)
    drawn = dendrogram(tree.linkage, no_plot=True)
    for across, up in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        axes.plot(
            [(x - 5) / 10 for x in across], up, color=colours().text, linewidth=1.2
        )  # leaves at 5, 15 ...
    axes.set(xlim=(-0.5, len(tree.order) - 0.5), ylim=(0, None))
    axes.set_axis_off()
    return [int(label) for label in drawn["leaves"]]
