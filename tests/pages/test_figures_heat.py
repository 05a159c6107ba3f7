"""Heat maps lie over their scenes, a row a method, with the box that they should meet."""

import torch
from matplotlib.colors import to_hex

from probmcl_book.pages.figures.heat import heat_maps


def test_every_method_has_a_row_and_every_scene_a_column(style, drawn) -> None:
    images = torch.arange(2 * 64, dtype=torch.uint8).view(2, 1, 8, 8)
    maps = {"ASL": torch.zeros(2, 8, 8), "ProbMCL": torch.rand(2, 8, 8)}
    boxes = torch.tensor([[0.0, 1.0, 4.0, 5.0], [2.0, 2.0, 6.0, 6.0]])
    figure = drawn(heat_maps(images, maps, boxes, ["3?", "5?"]))
    panels = figure.axes
    assert [axes.get_title(loc="center") for axes in panels] == ["3?", "5?", "", "", "", ""]
    assert [axes.get_ylabel() for axes in panels if axes.get_ylabel()] == ["scene", "ASL", "ProbMCL"]
    lowest = panels[-1]  # ProbMCL, second scene
    scene, heat = lowest.get_images()
    assert torch.equal(torch.as_tensor(scene.get_array().data), images[1, 0])
    alpha = torch.as_tensor(heat.get_array()[..., 3].data).float()
    torch.testing.assert_close(alpha, 0.85 * maps["ProbMCL"][1])
    (square,) = lowest.patches
    assert square.get_bbox().extents.tolist() == [2.0, 2.0, 6.0, 6.0]
    assert to_hex(square.get_edgecolor()) != "#000000"
