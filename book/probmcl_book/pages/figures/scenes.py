"""Figures of chapters 2 and 9: contact sheets of scenes and views, label graphs, co-occurrence."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from probmcl_book.pages.style import colours


def label_words(labels: Tensor) -> list[str]:
    """The label set of each row as a caption: the digits on a scene.

    >>> import torch
    >>> label_words(torch.tensor([[0, 1, 0, 0, 1], [0, 0, 0, 0, 0]]))
    ['1 4', '']
    """
    return [" ".join(map(str, row.nonzero().flatten().tolist())) for row in labels]


def contact_sheet(
    rows: Mapping[str, Tensor],
    captions: Sequence[Sequence[str]] | None = None,
    *,
    value_range: tuple[float, float] = (0, 255),
) -> Figure:
    """Rows of small grey images ``(n, H, W)`` or ``(n, 1, H, W)``, with names at the left, captions above."""
    height, width = next(iter(rows.values())).shape[-2:]
    step = width + max(2, width // 10)  # from one image to the next
    across = step * max(map(len, rows.values()))
    lines = captions or [[]] * len(rows)
    above = [across / 7 * (0.23 if any(line) else 0.08) for line in lines]  # room for words, in pixels
    down = height * len(rows) + sum(above)
    figure, axes = plt.subplots(figsize=(7, 6.7 * down / across + 0.1))
    turn = 90 if max(map(len, rows)) * 0.1 < 7 * height / across else 0  # a letter takes a tenth of an inch
    top = 0.0
    for (name, images), line, room in zip(rows.items(), lines, above, strict=True):
        top += room
        axes.text(-0.1 * width, top + height / 2, name, rotation=turn, ha="right", va="center")
        for position, image in enumerate(images):
            place = (position * step, position * step + width, top + height, top)
            low, high = value_range
            axes.imshow(image.squeeze().cpu().numpy(), cmap="gray", vmin=low, vmax=high, extent=place)
        for position, words in enumerate(line):
            axes.text(position * step + width / 2, top, words, ha="center", va="bottom", fontsize=10)
        top += height
    axes.set(xlim=(0, across), ylim=(down, 0), aspect="equal")
    axes.set_axis_off()
    return figure


def label_graph(
    lift: Tensor, frequency: Tensor, classes: Sequence[str], *, together: float = 1.3, apart: float = 0.5
) -> Figure:
    """Classes on a circle, as large as frequent ``(K,)``; edges where their lift is much above or below 1.

    Lift ``(K, K)`` is P(i and j) / (P(i) P(j)): an edge is drawn from ``together`` on, or up to ``apart``.
    """
    c = colours()
    figure, panels = plt.subplots(1, 2, figsize=(7, 3.8))
    widths = min(4, 40 / len(classes)) * lift.clamp(0.25, 4.0).log2().abs()  # pairs never seen have lift 0
    near, far = torch.where(lift >= together, widths, 0), torch.where(lift <= apart, widths, 0)
    _draw_graph(panels[0], near, torch.zeros_like(near), frequency, classes, c.positive)
    _draw_graph(panels[1], far, torch.zeros_like(far), frequency, classes, c.negative)
    panels[0].set_title(f"Together: lift at least {together:g}")
    panels[1].set_title(f"Apart: lift at most {apart:g}")
    return figure


def label_graphs(
    graphs: Mapping[str, Tensor], edges: int, frequency: Tensor, classes: Sequence[str]
) -> Figure:
    """The ``edges`` strongest pairs of each graph ``(K, K)``: solid where all have them, dashed elsewhere."""
    figure, panels = plt.subplots(1, len(graphs), figsize=(7, 3.8))
    first, second = torch.triu_indices(len(classes), len(classes), offset=1)
    strong = [graph >= graph[first, second].topk(edges).values[-1] for graph in graphs.values()]
    common = torch.stack(strong).all(0)  # (K, K)
    for axes, title, mine in zip(panels, graphs, strong, strict=True):
        _draw_graph(axes, 4 * (mine & common), 2.5 * (mine & ~common), frequency, classes, colours().positive)
        axes.set_title(title)
    return figure


def _draw_graph(
    axes: Axes, solid: Tensor, dashed: Tensor, frequency: Tensor, classes: Sequence[str], colour: str
) -> None:
    """Edges as wide as ``solid`` and ``dashed`` ``(K, K)`` say, between classes on a circle."""
    c, count = colours(), len(classes)
    places = [(math.sin(2 * math.pi * k / count), math.cos(2 * math.pi * k / count)) for k in range(count)]
    for widths, shade, style in ((solid, colour, "-"), (dashed, c.negative, "--")):
        for j, i in combinations(range(count), 2):
            if widths[i, j]:
                ends = zip(places[i], places[j], strict=True)
                axes.plot(*ends, style, color=shade, linewidth=widths[i, j].item(), alpha=0.75)
    for (x, y), share, name in zip(places, frequency.tolist(), classes, strict=True):
        axes.scatter(x, y, s=300 + 1500 * share, color=c.background, edgecolor=c.text, zorder=2)
        axes.text(x, y, name, ha="center", va="center_baseline", zorder=3)
    axes.set(aspect="equal", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3))
    axes.set_axis_off()


def conditional_probabilities(panels: Mapping[str, Tensor], classes: Sequence[str]) -> Figure:
    """P(column label | row label) ``(K, K)`` as a map, one panel per source, with a common scale."""
    wide = len(panels) > 1
    size = (7, 3.9 if wide else 5.2)
    figure, axes_row = plt.subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    most = max(panel.clone().fill_diagonal_(0).max().item() for panel in panels.values())
    turn = {"rotation": 90} if max(map(len, classes)) > 3 else {}
    for axes, (name, values) in zip(axes_row[0], panels.items(), strict=True):
        off_diagonal = values.clone().fill_diagonal_(math.nan)
        drawn = axes.imshow(off_diagonal.numpy(), vmin=0, vmax=most, aspect="equal" if wide else "auto")
        axes.set_xticks(range(len(classes)), classes, **turn)
        axes.set_yticks(range(len(classes)), classes)
        axes.set(title=name, xlabel="... also carry this one")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    axes_row[0][0].set_ylabel("of the images with this label ...")
    bar = figure.colorbar(drawn, ax=axes_row[0], shrink=0.8, format=PercentFormatter(1, decimals=0))
    bar.outline.set_edgecolor(colours().grid)
    return figure
