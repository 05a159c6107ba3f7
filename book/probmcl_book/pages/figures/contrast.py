"""Figures of chapter 3: who pulls, who pushes, and where embeddings settle."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from probmcl_book.pages.style import colours

SAME_SPOT = 9.0  # degrees: points closer than this are drawn in one stack


def nearest_images(images: Tensor, label_sets: Sequence[Sequence[str]], overlaps: Tensor) -> Figure:
    """Rows of an anchor and its nearest images ``(R, 1 + M, H, W)``, with overlaps ``(R, M)`` of labels."""
    c = colours()
    rows, columns = images.shape[:2]
    figure, grid = plt.subplots(rows, columns, figsize=(7, 1.65 * rows), squeeze=False)
    for i, line in enumerate(grid):
        for j, axes in enumerate(line):
            axes.imshow(images[i, j].numpy(), cmap="gray")
            axes.set(xticks=[], yticks=[], xlabel=label_sets[i][j])
            note = "anchor" if j == 0 else f"overlap {overlaps[i, j - 1]:.2f}"
            axes.set_title(note, fontsize=10, loc="center", color=c.anchor if j == 0 else c.text)
            for spine in axes.spines.values():
                spine.set(visible=j == 0, color=c.anchor, linewidth=2.5)
    return figure


def rule_matrices(weights: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Positives under several rules, one square ``(N, N)`` per rule; a row is an anchor."""
    figure, grid = plt.subplots(1, len(weights), figsize=(7, 2.5), sharey=True, squeeze=False)
    for axes, (rule, matrix) in zip(grid[0], weights.items(), strict=True):
        draw_pairs(axes, matrix)
        axes.set(title=f'"{rule}"', xticks=[], xlabel="the same images")
    grid[0][0].set_yticks(range(len(names)), names)
    grid[0][0].set_ylabel("anchor")
    return figure


def draw_pairs(axes: Axes, matrix: Tensor) -> None:
    """Draw a matrix of pairs: positives filled, the diagonal (the anchor itself) in the anchor's colour."""
    c = colours()
    cells = (matrix > 0).int().numpy().copy()
    cells[range(len(cells)), range(len(cells))] = 2
    axes.imshow(cells, cmap=ListedColormap([c.background, c.positive, c.anchor]), vmin=0, vmax=2)
    edges = [i - 0.5 for i in range(len(cells) + 1)]
    axes.hlines(edges, -0.5, len(cells) - 0.5, color=c.grid, linewidth=1)
    axes.vlines(edges, -0.5, len(cells) - 0.5, color=c.grid, linewidth=1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def pull_and_push(tau: float, z: Tensor, weights: Tensor, gradients: Mapping[float, Tensor]) -> Figure:
    """How strongly each row moves the anchor, row 0 of the unit embeddings ``(M, 2)``, at a temperature.

    ``weights`` ``(M,)`` say who is positive; ``gradients`` of its loss by its logits are ``(M,)``.
    """
    c = colours()
    figure, (circle, bars) = plt.subplots(1, 2, figsize=(6.6, 3.1), width_ratios=(1, 1.15))
    _draw_circle(circle)
    others = sorted(range(1, len(z)), key=lambda j: float(z[0] @ z[j]))
    for height, j in enumerate(others):
        colour = c.positive if weights[j] > 0 else c.negative
        force = float(gradients[tau][j])
        circle.plot(*z[[0, j]].T.tolist(), color=colour, linewidth=0.3 + 9 * abs(force), alpha=0.8)
        circle.plot(*z[j].tolist(), "o", color=colour, markersize=9)
        bars.barh(height, force, color=colour, height=0.7)
    circle.plot(*z[0].tolist(), "o", color=c.anchor, markersize=12)
    circle.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), title=f"τ = {tau:g}")
    bars.axvline(0, color=c.muted, linewidth=1)
    bars.set(xlim=(-0.62, 1.0), xlabel="pulled  ←  q − w̄  →  pushed", ylabel="cosine with the anchor")
    bars.set_yticks(range(len(others)), [f"{float(z[0] @ z[j]):.2f}" for j in others])
    return figure


def settled(embeddings: Mapping[str, Tensor], label_sets: Sequence[str], classes: str) -> Figure:
    """Where rows ``(M, 2)``, with sets of one or two of four ``classes``, came to rest: a circle per rule."""
    fill = dict(zip(classes, colours().categorical[3:], strict=False))  # the first three stand for roles
    width = 7 / len(embeddings)
    figure, grid = plt.subplots(1, len(embeddings), figsize=(7, width + 0.35), squeeze=False)
    for axes, (rule, z) in zip(grid[0], embeddings.items(), strict=True):
        _draw_circle(axes)
        for stack in _stacks(z, label_sets):
            direction = z[label_sets.index(stack[0])]
            for level, name in enumerate(stack):
                _half_and_half(axes, (1 + 0.26 * level) * direction, fill[name[0]], fill[name[-1]])
            words = (1.06 + 0.26 * len(stack) + 0.08 * max(map(len, stack))) * direction
            axes.text(*words.tolist(), "\n".join(reversed(stack)), ha="center", va="center")
        axes.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
        axes.set_title(rule, loc="center")
    return figure


def _draw_circle(axes: Axes) -> None:
    axes.add_patch(Circle((0, 0), 1, fill=False, color=colours().grid, linewidth=1.5))
    axes.set_aspect("equal")
    axes.set_axis_off()


def _half_and_half(axes: Axes, place: Tensor, left: str, right: str) -> None:
    (dot,) = axes.plot(*place.tolist(), "o", color=left, markersize=12)
    dot.set(markerfacecoloralt=right, markeredgecolor=colours().background)
    dot.set_fillstyle("full" if left == right else "left")


def _stacks(z: Tensor, names: Sequence[str]) -> list[list[str]]:
    """Group label sets whose first rows lie within :data:`SAME_SPOT` degrees of a group's first member."""
    first = {name: z[names.index(name)] for name in dict.fromkeys(names)}
    limit = float(Tensor([SAME_SPOT]).deg2rad().cos())
    stacks: dict[str, list[str]] = {}  # by the group's first member
    for name, place in first.items():
        near = (one for one in stacks if float(place @ first[one]) > limit)
        stacks.setdefault(next(near, name), []).append(name)
    return list(stacks.values())
