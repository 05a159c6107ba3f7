"""Where a classifier looks: heat maps over scenes whose objects have known boxes.

A scene is black in the light style too, so what is drawn on it has the colours of the dark one.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from probmcl_book.pages.style import DARK, colours


def heat_maps(images: Tensor, maps: Mapping[str, Tensor], boxes: Tensor, questions: Sequence[str]) -> Figure:
    """A row of grey images ``(n, 1, H, W)``, below it one row per method with its maps ``(n, H, W)`` on them.

    ``boxes`` ``(n, 4)`` mark the object that the question above an image asks for.
    """
    height, width = images.shape[2:]
    rows, count = len(maps) + 1, len(images)
    size = (7, 7 / count * rows * height / width + 0.5)
    figure, grid = plt.subplots(rows, count, figsize=size, squeeze=False)
    for column in range(count):
        left, top, right, bottom = boxes[column].tolist()
        for row, axes in enumerate(grid[:, column]):
            picture = images[column, 0].numpy()
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
            if row:
                heat = list(maps.values())[row - 1][column]
                layer = np.ones((*heat.shape, 4))  # (H, W, RGBA)
                layer[..., :3] = to_rgb(DARK.negative)
                layer[..., 3] = 0.85 * heat.numpy()  # the scene shines through where nothing speaks for it
                axes.imshow(layer, extent=(0, width, height, 0), interpolation="bilinear")
            square = Rectangle((left, top), right - left, bottom - top, fill=False)
            square.set(edgecolor=DARK.positive, linewidth=1.5)
            axes.add_patch(square)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        grid[0, column].set_title(questions[column], loc="center")
    for axes, name in zip(grid[:, 0], ("scene", *maps), strict=True):
        axes.set_ylabel(name, color=colours().text)
    return figure
