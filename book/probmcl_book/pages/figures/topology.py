"""Figures of label similarities: heat maps side by side, in the order of one tree."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram
from torch import Tensor

from probmcl.evaluate import label_tree
from probmcl_book.pages.style import colours


def label_trees(similarities: Mapping[str, Tensor], classes: Sequence[str]) -> Figure:
    """Symmetric similarities ``(K, K)`` as heat maps in one order, under the tree of the first; no NaN."""
    c = colours()
    figure, grid = plt.subplots(
        2, len(similarities), figsize=(7, 4.6), height_ratios=(1, 3), sharex="col", squeeze=False
    )
    order = _tree(grid[0, 0], next(iter(similarities.values())))
    names = [classes[label] for label in order]
    ordered = {name: found[order][:, order].double() for name, found in similarities.items()}
    shown = {name: values.fill_diagonal_(float("nan")) for name, values in ordered.items()}
    most = max(float(values.nan_to_num().abs().max()) for values in shown.values())
    turn = {"rotation": 90} if max(map(len, classes)) > 3 else {}
    for (upper, lower), (name, values) in zip(grid.T, shown.items(), strict=True):
        upper.set_axis_off()
        upper.set_title(name)
        drawn = lower.imshow(values.numpy(), cmap=c.diverging, vmin=-most, vmax=most, aspect="auto")
        lower.set_xticks(range(len(order)), names, **turn)
        lower.set_yticks(range(len(order)), names if lower is grid[1, 0] else [])
        lower.tick_params(length=0)
        lower.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=grid[1], orientation="horizontal", shrink=0.6, aspect=40)
    bar.outline.set_edgecolor(c.grid)
    return figure


def _tree(axes: Axes, similarity: Tensor) -> list[int]:
    """Draw the tree so that its leaves stand above the columns of a heat map below; return their order."""
    tree = label_tree(similarity)
    drawn = dendrogram(tree.linkage, no_plot=True)
    for across, up in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        places = [(x - 5) / 10 for x in across]  # its leaves stand at 5, 15 ...
        axes.plot(places, up, color=colours().text, linewidth=1.2)
    axes.set(xlim=(-0.5, len(tree.order) - 0.5), ylim=(0, None))
    return [int(label) for label in drawn["leaves"]]
