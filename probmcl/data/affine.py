"""Rotate, scale and move each image of a batch by its own amount, all in one call."""

import torch
from torch import Tensor
from torch.nn import functional


def place(images: Tensor, angle: Tensor, scale: Tensor, centre: Tensor, size: tuple[int, int]) -> Tensor:
    """Draw every image (M, C, h, w) on an empty canvas of its own, (M, C, *size).

    The angle is in radians, anticlockwise; the scale is the image's width as a share of the canvas; the
    centre (M, 2) is where its middle comes to lie, x and y from -1 (left, top) to 1, as in ``grid_sample``.
    """
    # grid_sample asks of every canvas point where it lies in the image: the inverse of the movement.
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale  # (M,)
    linear = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)  # (M, 2, 2)
    offset = -linear @ centre.unsqueeze(2)  # (M, 2, 1)
    inverse = torch.cat([linear, offset], dim=2)  # (M, 2, 3)
    places = [torch.arange(side, dtype=images.dtype, device=images.device) * 2 + 1 for side in size]
    y, x = torch.meshgrid(places[0] / size[0] - 1, places[1] / size[1] - 1, indexing="ij")  # (H, W)
    middles = torch.stack([x, y, torch.ones_like(x)]).flatten(1)  # of all pixels, (3, H W)
    # One matrix product for all images; affine_grid makes M small ones and is ten times slower on a CPU.
    grid = inverse.flatten(0, 1) @ middles  # (2 M, H W)
    grid = grid.view(len(images), 2, *size).permute(0, 2, 3, 1)  # (M, H, W, 2)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
