"""Is a heat map where the object is? Two numbers for maps whose object has a known box.

The share of the map inside the box is the "energy-based pointing game" (H. Wang et al., "Score-CAM", CVPR
Workshops 2020); whether its highest point is there is the pointing game (J. Zhang et al., "Top-down neural
attention by excitation backprop", IJCV 126, 2018). A flat map has the share that the box has of the image.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check


@dataclass(frozen=True)
class Localisation:
    """How well N maps meet their boxes; a map of zeros has nothing inside and is no hit."""

    inside: Tensor  #: share of a map's sum that lies in its box, in [0, 1], ``(N,)``
    hit: Tensor  #: whether the highest point of a map lies in its box, bool ``(N,)``
    area: Tensor  #: share of the image that the box takes, ``(N,)``: what a flat map has inside


def localisation(maps: Tensor, boxes: Tensor) -> Localisation:
    """Compare heat maps ``(N, H, W)``, which are not negative, with the boxes of what they should show.

    Boxes ``(N, 4)`` are left, top, right and bottom in pixels; a pixel belongs to one if its middle does.

    >>> maps = torch.zeros(1, 4, 4)
    >>> maps[0, 0] = torch.tensor([3.0, 0.0, 0.0, 1.0])
    >>> found = localisation(maps, torch.tensor([[0.0, 0.0, 2.0, 2.0]]))
    >>> found.inside.item(), found.hit.item(), found.area.item()
    (0.75, True, 0.25)
    """
    _check.finite("maps", maps, dims=3)
    _check.finite("boxes", boxes, dims=2)
    if boxes.shape != (len(maps), 4):
        raise ValueError(f"boxes: expected ({len(maps)}, 4), one for each map, got {tuple(boxes.shape)}")
    if maps.numel() and maps.min() < 0:
        raise ValueError(f"maps: expected numbers from 0 on, got {maps.min().item():g}")
    left, top, right, bottom = boxes.unsqueeze(2).unbind(1)  # (N, 1) each
    y, x = (torch.arange(side, device=maps.device) + 0.5 for side in maps.shape[1:])
    rows, columns = (y >= top) & (y <= bottom), (x >= left) & (x <= right)  # (N, H), (N, W)
    within = (rows.unsqueeze(2) & columns.unsqueeze(1)).flatten(1)  # (N, H W)
    heat = maps.flatten(1)
    total = heat.sum(1)  # (N,)
    share = (heat * within).sum(1) / total.clamp(min=torch.finfo(heat.dtype).tiny)
    peak = within.gather(1, heat.argmax(1, keepdim=True)).squeeze(1)
    return Localisation(share, peak & (total > 0), within.to(heat.dtype).mean(1))
