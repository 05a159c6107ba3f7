"""Where does a classifier look? Grad-CAM: the places of the last feature map that raise a label's logit.

R. R. Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based localization",
ICCV 2017. The paper shows such maps (ledger row F2). They show what the logit reacts to, coarsely; they are
no evidence that a label is right.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl._modes import evaluating


def grad_cam(model: nn.Module, images: Tensor, label: int, *, layer: nn.Module | None = None) -> Tensor:
    """Return a heat map of one label for each image.

    With feature maps A_c of ``layer`` and the logit s of the label, the map is ReLU(sum_c w_c A_c) with
    w_c = mean over positions of ds / dA_c, enlarged to the size of the image.

    Args:
        model: maps images to logits ``(N, K)``; used in evaluation mode, each module is left in its mode.
        images: ``(N, C, H, W)``, as the model takes them.
        label: index of the label, 0 to K - 1.
        layer: a module inside the model whose output is ``(N, c, h, w)``; the last convolution by default.

    Returns:
        ``(N, H, W)``, each divided by its maximum, so in [0, 1]; zeros where nothing speaks for the label.

    Raises:
        ValueError: if the model has no convolution, the layer's output is no feature map, or there is no
            such label.

    Example:
        >>> head = nn.Linear(2, 3)
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
        >>> grad_cam(model, torch.rand(4, 1, 8, 8), label=2).shape
        torch.Size([4, 8, 8])
    """
    _check.tensor("images", images, dims=4)
    _check.count("label", label, low=0)
    with evaluating(model):
        maps, slopes = _maps_and_slopes(model, images, label, layer or _last_convolution(model))
    weights = slopes.mean(dim=(2, 3), keepdim=True)  # (N, c, 1, 1)
    heat = (weights * maps).sum(1, keepdim=True).relu()  # (N, 1, h, w)
    size = [int(side) for side in images.shape[2:]]
    heat = functional.interpolate(heat.float(), size, mode="bilinear", align_corners=False).squeeze(1)
    highest = heat.amax(dim=(1, 2), keepdim=True)  # (N, 1, 1)
    return torch.where(highest > 0, heat / highest.clamp(min=torch.finfo(heat.dtype).tiny), 0.0)


@torch.enable_grad()
def _maps_and_slopes(model: nn.Module, images: Tensor, label: int, layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Feature maps of a layer and the logit's gradient with respect to them, each ``(N, c, h, w)``."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # a ReLU that works in place must not change what was seen

    handle = layer.register_forward_hook(keep)
    try:
        # A frozen encoder has no gradients of its own, so they begin at the image.
        logits = model(images.detach().clone().requires_grad_())
    finally:
        handle.remove()
    if label >= logits.shape[1]:
        raise ValueError(f"label: expected one of the {logits.shape[1]} labels, got {label}")
    if len(seen) != 1 or seen[0].dim() != 4:
        raise ValueError("layer: expected one feature map (N, c, h, w) a pass, got another output")
    (slopes,) = torch.autograd.grad(logits[:, label].sum(), seen[0])
    return seen[0].detach(), slopes


def _last_convolution(model: nn.Module) -> nn.Module:
    found = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    if not found:
        raise ValueError("layer: expected a model with a convolution, got one without")
    return found[-1]
