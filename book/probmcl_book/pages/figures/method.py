"""The method in one picture: the figure of the landing page and of the README.

``python -m probmcl_book.pages.figures.method FOLDER`` writes ``method-light.png``, ``method-dark.png``, and
both ``-tall`` for phones.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from probmcl._files import whole_file
from probmcl.data import TwoViews, digit_scenes, scene_augmentation
from probmcl.loss import log_expected_likelihood, positive_set, two_view_labels
from probmcl.model import GaussianMixture
from probmcl.train import seeded
from probmcl_book.pages.style import DARK, LIGHT, colours, drawing_in

IMAGES = 3


def example() -> tuple[Tensor, Tensor, GaussianMixture]:
    """Two views of three scenes, ``(6, 32, 32)``, their labels, and mixtures in the plane, by hand."""
    scenes = digit_scenes("train", 400, seed=3, difficulty="easy")
    chosen = torch.tensor(_related_scenes(scenes.labels))
    with seeded(4):
        views = torch.cat(TwoViews(scene_augmentation())(scenes.images[chosen]))[:, 0]
    centres = torch.tensor([[[0.75, 0.35], [-0.1, 0.9], [-0.8, -0.1], [0.25, -0.85]]])
    weights = torch.tensor([[0.46, 0.46, 0.04, 0.04], [0.40, 0.40, 0.16, 0.04], [0.04, 0.04, 0.46, 0.46]])
    offsets = 0.12 * torch.randn(6, 4, 2, generator=torch.Generator().manual_seed(0))
    mixture = GaussianMixture(weights.log().repeat(2, 1), centres + offsets, torch.full((6, 4), 0.24))
    return views, scenes.labels[chosen], mixture


def method_overview(views: Tensor, labels: Tensor, mixture: GaussianMixture, *, tall: bool = False) -> Figure:
    """The two stages; rows i and i + 3 of the views ``(6, H, W)`` and of their mixtures belong to image i.

    ``tall`` has the parts below each other, for the screen of a phone.
    """
    c = colours()
    figure = plt.figure(figsize=(6.0, 8.9) if tall else (11, 4.3), layout="none")
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, figure.get_figwidth()), ylim=(0, figure.get_figheight()))
    page.axis("off")
    first = (0.10, 2.20, 5.80, 6.25) if tall else (0.10, 0.12, 8.55, 3.72)
    second = (0.10, 0.12, 5.80, 1.55) if tall else (8.78, 0.12, 2.12, 3.72)
    _stage(page, first, "First stage: learn which images belong together", c.anchor)
    _stage(page, second, "Second stage", c.positive)
    _from_views_to_mixtures(figure, views, labels, mixture, 4.62 if tall else 0.0)
    alike, positive = ((4.25, 2.85), (0.75, 2.85)) if tall else ((6.49, 2.34), (6.49, 0.58))
    _matrix(figure, log_expected_likelihood(mixture).exp(), *alike)
    _matrix(figure, positive_set(two_view_labels(labels)[0], threshold=0.5).float(), *positive)
    above = (alike[0] + 0.6, alike[1] + (-0.24 if tall else 1.28))
    page.text(*above, "similarity of mixtures", ha="center", color=c.text, fontsize="medium")
    below = (positive[0] + 0.6, positive[1] - 0.24)
    page.text(*below, "positive set: overlap $\\geq \\alpha$", ha="center", color=c.text, fontsize="medium")
    loss = (3.1, 3.45) if tall else (8.22, 2.1)
    page.text(*loss, "$L$", ha="center", va="center", fontsize="x-large", color=c.negative, fontweight="bold")
    arrows = _ARROWS_TALL if tall else _ARROWS_WIDE
    for start, end in arrows:
        _arrow(page, start, end)
    frozen, classifier = ((0.55, 0.45), (3.85, 0.45)) if tall else ((9.02, 1.0), (9.02, 2.45))
    _box(page, (*frozen, 1.6, 0.85), "encoder\nfrozen", c.muted)
    _box(page, (*classifier, 1.6, 0.85), "linear classifier\nasymmetric loss", c.positive)
    dropped = (3.0, 1.1) if tall else (9.82, 0.62)
    page.text(*dropped, "the head is dropped", ha="center", color=c.muted, fontsize="small")
    return figure


_ARROWS_WIDE = (
    *(((6.00, 2.1), (6.22, 2.1)), ((7.83, 2.9), (8.0, 2.35)), ((7.83, 1.2), (8.0, 1.85))),
    ((9.82, 1.88), (9.82, 2.40)),
)
_ARROWS_TALL = (
    *(((4.85, 4.95), (4.85, 4.15)), ((0.93, 4.85), (1.25, 4.15)), ((4.15, 3.45), (3.4, 3.45))),
    *(((2.05, 3.45), (2.8, 3.45)), ((2.25, 0.87), (3.75, 0.87))),
)


def _from_views_to_mixtures(
    figure: Figure, views: Tensor, labels: Tensor, mixture: GaussianMixture, bottom: float
) -> None:
    c, page = colours(), figure.axes[0]
    for image, height in enumerate((3.44, 2.15, 0.86)):
        middle = bottom + height
        for view in range(2):
            row = image + view * IMAGES
            _picture(figure, views[row], 0.24 + 0.79 * view, middle - 0.365)
            _density(figure, mixture[row : row + 1], 4.26 + 0.85 * view, middle - 0.365)
        names = "{" + ", ".join(str(k) for k in labels[image].nonzero().flatten().tolist()) + "}"
        page.text(0.93, middle - 0.47, names, ha="center", va="top", color=c.muted, fontsize="small")
    middle = bottom + 2.1
    _box(page, (2.12, middle - 0.55, 0.92, 1.1), "encoder\n$h(x)$", c.anchor)
    _box(page, (3.24, middle - 0.55, 0.74, 1.1), "mixture\ndensity\nhead", c.accent)
    for start, end in ((1.82, 2.10), (3.06, 3.22), (4.00, 4.20)):
        _arrow(page, (start, middle), (end, middle))


def _related_scenes(labels: Tensor) -> tuple[int, int, int]:
    """Three scenes: two that are positives at alpha 0.5 without being equal, one that stands apart."""
    sizes = labels.sum(1)
    common = labels.int() @ labels.int().T
    for i in range(len(labels)):
        near = (common[i] == 2) & (sizes == 3) & (sizes[i] == 2)
        far = (common[i] == 0) & (sizes == 2)
        for j in near.nonzero().flatten().tolist():
            apart = (far & (common[j] == 0)).nonzero().flatten()
            if len(apart):
                return i, j, int(apart[0])
    raise ValueError("labels: expected scenes of two and three digits that overlap, found none")


def _stage(page: Axes, place: tuple[float, float, float, float], title: str, colour: str) -> None:
    left, bottom, width, height = place
    box = FancyBboxPatch((left, bottom), width, height, boxstyle="round,pad=0.02,rounding_size=0.12")
    box.set(facecolor=colour, alpha=0.07, edgecolor="none")
    page.add_patch(box)
    page.text(left + 0.05, bottom + height + 0.18, title, color=colour, fontsize="large", fontweight="bold")


def _box(page: Axes, place: tuple[float, float, float, float], text: str, colour: str) -> None:
    x, y, width, height = place
    box = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02,rounding_size=0.08")
    box.set(facecolor=colours().background, edgecolor=colour, linewidth=1.8)
    page.add_patch(box)
    centre = (x + width / 2, y + height / 2)
    page.text(*centre, text, ha="center", va="center", fontsize="medium", color=colours().text)


def _arrow(page: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=colours().muted))


def _square(figure: Figure, left: float, bottom: float, side: float) -> Axes:
    """Axes in inches."""
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, bottom / height, side / width, side / height))


def _picture(figure: Figure, image: Tensor, left: float, bottom: float) -> None:
    axes = _square(figure, left, bottom, 0.73)
    axes.imshow(image.numpy(), cmap="gray")
    axes.axis("off")


def _density(figure: Figure, mixture: GaussianMixture, left: float, bottom: float) -> None:
    grid = torch.linspace(-1.5, 1.5, 60)
    points = torch.stack(torch.meshgrid(grid, grid, indexing="xy"), -1).view(-1, 1, 2)
    density = mixture.distribution().log_prob(points).exp().view(60, 60)  # type: ignore[no-untyped-call]
    axes = _square(figure, left, bottom, 0.73)
    axes.contourf(grid, grid, density.numpy(), levels=np.linspace(0.02, 1.35, 9), cmap=colours().sequential)
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    for spine in axes.spines.values():
        spine.set(visible=True, color=colours().grid)


def _matrix(figure: Figure, values: Tensor, left: float, bottom: float) -> None:
    axes = _square(figure, left, bottom, 1.2)
    axes.imshow(values.numpy(), cmap=colours().sequential, vmin=0, vmax=1.15)
    axes.set(xticks=[], yticks=[])
    axes.set_xticks(np.arange(0.5, 5), minor=True)
    axes.set_yticks(np.arange(0.5, 5), minor=True)
    axes.grid(which="minor", color=colours().background, linewidth=1.5)
    axes.tick_params(which="minor", length=0)


def main(folder: str) -> None:
    """Write the figure in both styles."""
    for name, style in (("light", LIGHT), ("dark", DARK)):
        for tall, suffix in ((False, ""), (True, "-tall")):
            with drawing_in(style):
                plt.rcParams["font.size"] = 12.5 if tall else 10.0
                figure = method_overview(*example(), tall=tall)
                with whole_file(Path(folder) / f"method-{name}{suffix}.png") as file:
                    figure.savefig(file, dpi=144)
                plt.close(figure)


if __name__ == "__main__":
    main(sys.argv[1])
