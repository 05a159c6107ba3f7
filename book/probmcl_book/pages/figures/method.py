"""The method in one picture: the figure of the landing page and of the README.

``python -m probmcl_book.pages.figures.method FOLDER`` writes ``method-light.png`` and ``method-dark.png``.
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
ROWS = (0.80, 0.50, 0.20)  # height of each image on the page


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


def method_overview(views: Tensor, labels: Tensor, mixture: GaussianMixture) -> Figure:
    """The two stages; rows i and i + 3 of the views ``(6, H, W)`` and of their mixtures belong to image i."""
    c = colours()
    figure = plt.figure(figsize=(11, 4.3), layout="none")
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, 11), ylim=(0, 4.3))
    page.axis("off")
    _stage(page, 0.10, 8.55, "First stage: learn which images belong together", c.anchor)
    _stage(page, 8.78, 2.12, "Second stage", c.positive)
    for image, height in enumerate(ROWS):
        for view in range(2):
            row = image + view * IMAGES
            _picture(figure, views[row], 0.022 + 0.072 * view, height - 0.085)
            _density(figure, mixture[row : row + 1], 0.385 + 0.078 * view, height - 0.085)
        names = "{" + ", ".join(str(k) for k in labels[image].nonzero().flatten().tolist()) + "}"
        page.text(0.93, 4.3 * height - 0.47, names, ha="center", va="top", color=c.muted, fontsize=9)
    _arrow(page, (1.82, 2.1), (2.10, 2.1))
    _box(page, 2.12, 1.55, 0.92, 1.1, "encoder\n$h(x)$", c.anchor)
    _arrow(page, (3.06, 2.1), (3.22, 2.1))
    _box(page, 3.24, 1.55, 0.74, 1.1, "mixture\ndensity\nhead", c.accent)
    _arrow(page, (4.00, 2.1), (4.20, 2.1))
    _arrow(page, (6.00, 2.1), (6.22, 2.1))
    _matrix(figure, log_expected_likelihood(mixture).exp(), 0.580, 0.545)
    page.text(7.09, 3.62, "similarity of mixtures", ha="center", color=c.text, fontsize=10)
    view_labels, _ = two_view_labels(labels)
    _matrix(figure, positive_set(view_labels, threshold=0.5).float(), 0.580, 0.135)
    page.text(7.09, 0.34, "positive set: overlap $\\geq \\alpha$", ha="center", color=c.text, fontsize=10)
    _arrow(page, (7.83, 2.9), (8.0, 2.35))
    _arrow(page, (7.83, 1.2), (8.0, 1.85))
    page.text(8.22, 2.1, "$L$", ha="center", va="center", fontsize=16, color=c.negative, fontweight="bold")
    _box(page, 9.02, 2.45, 1.6, 0.85, "linear classifier\nasymmetric loss", c.positive)
    _arrow(page, (9.82, 1.88), (9.82, 2.40))
    _box(page, 9.02, 1.0, 1.6, 0.85, "encoder\nfrozen", c.muted)
    page.text(9.82, 0.62, "the head is dropped", ha="center", color=c.muted, fontsize=9)
    return figure


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


def _stage(page: Axes, left: float, width: float, title: str, colour: str) -> None:
    box = FancyBboxPatch((left, 0.12), width, 3.72, boxstyle="round,pad=0.02,rounding_size=0.12")
    box.set(facecolor=colour, alpha=0.07, edgecolor="none")
    page.add_patch(box)
    page.text(left + 0.05, 4.02, title, color=colour, fontsize=12, fontweight="bold")


def _box(page: Axes, x: float, y: float, width: float, height: float, text: str, colour: str) -> None:
    box = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02,rounding_size=0.08")
    box.set(facecolor=colours().background, edgecolor=colour, linewidth=1.8)
    page.add_patch(box)
    centre = (x + width / 2, y + height / 2)
    page.text(*centre, text, ha="center", va="center", fontsize=10, color=colours().text)


def _arrow(page: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=colours().muted))


def _picture(figure: Figure, image: Tensor, left: float, bottom: float) -> None:
    axes = figure.add_axes((left, bottom, 0.066, 0.17))
    axes.imshow(image.numpy(), cmap="gray")
    axes.axis("off")


def _density(figure: Figure, mixture: GaussianMixture, left: float, bottom: float) -> None:
    grid = torch.linspace(-1.5, 1.5, 60)
    points = torch.stack(torch.meshgrid(grid, grid, indexing="xy"), -1).view(-1, 1, 2)
    density = mixture.distribution().log_prob(points).exp().view(60, 60)  # type: ignore[no-untyped-call]
    axes = figure.add_axes((left, bottom, 0.070, 0.17))
    axes.contourf(grid, grid, density.numpy(), levels=np.linspace(0.02, 1.35, 9), cmap=colours().sequential)
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    for spine in axes.spines.values():
        spine.set(visible=True, color=colours().grid)


def _matrix(figure: Figure, values: Tensor, left: float, bottom: float) -> None:
    axes = figure.add_axes((left, bottom, 0.13, 0.28))
    axes.imshow(values.numpy(), cmap=colours().sequential, vmin=0, vmax=1.15)
    axes.set(xticks=[], yticks=[])
    axes.set_xticks(np.arange(0.5, 5), minor=True)
    axes.set_yticks(np.arange(0.5, 5), minor=True)
    axes.grid(which="minor", color=colours().background, linewidth=1.5)
    axes.tick_params(which="minor", length=0)


def main(folder: str) -> None:
    """Write the figure in both styles."""
    for name, style in (("light", LIGHT), ("dark", DARK)):
        with drawing_in(style):
            figure = method_overview(*example())
            with whole_file(Path(folder) / f"method-{name}.png") as file:
                figure.savefig(file, dpi=144)
            plt.close(figure)


if __name__ == "__main__":
    main(sys.argv[1])
