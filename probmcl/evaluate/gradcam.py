"""Where does a classifier look? Grad-CAM: the places of the last feature map that raise a label's logit.

R. R. Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based localization",
ICCV 2017. The paper shows such maps (ledger row F2). They show what the logit reacts to, coarsely; they are
no evidence that a label is right.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn import functional

from probmcl import _check
from probmcl._modes import evaluating

Output = tuple[nn.Module, Tensor]


def grad_cam(model: nn.Module, images: Tensor, label: int, *, layer: nn.Module | None = None) -> Tensor:
    """Return a heat map of one label for each image.

    With feature maps A_c of ``layer`` and the logit s of the label, the map is ReLU(sum_c w_c A_c) with
    w_c = mean over positions of ds / dA_c, enlarged to the size of the image.

    Args:
        model: maps images to logits ``(N, K)``; used in evaluation mode, each module is left in its mode.
        images: ``(N, C, H, W)``, as the model takes them.
        label: index of the label, 0 to K - 1.
        layer: a module inside the model whose output is ``(N, c, h, w)``, or ``(N, h, w, c)`` as in Swin. By
            default the last whose map has more than one cell and carries all that the logits know of the
            image: no gate, no shortcut, no side branch.

    Returns:
        ``(N, H, W)``, each divided by its maximum, so in [0, 1]; zeros where nothing speaks for the label.

    Raises:
        ValueError: if the layer's output is no feature map or the logit does not depend on it, no layer is
            named and the model does not end in a map (a ViT ends in tokens), or there is no such label.

    >>> head = nn.Linear(2, 3)
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    >>> grad_cam(model, torch.rand(4, 1, 8, 8), label=2).shape
    torch.Size([4, 8, 8])
    """
    _check.instance("model", model, nn.Module)
    _check.finite("images", images, dims=4)
    _check.same_dtype("images", images, "the model", next(model.parameters(), images))
    _check.count("label", label, low=0)
    with evaluating(model), torch.enable_grad():
        maps, slopes = _maps_and_slopes(model, images, label, layer or _last_map(model, images[:1]))
    weights = slopes.mean(dim=(2, 3), keepdim=True)  # (N, c, 1, 1)
    heat = (weights * maps).sum(1, keepdim=True).relu()  # (N, 1, h, w)
    size = [int(side) for side in images.shape[2:]]
    heat = functional.interpolate(heat.float(), size, mode="bilinear", align_corners=False).squeeze(1)
    highest = heat.amax(dim=(1, 2), keepdim=True)  # (N, 1, 1)
    return torch.where(highest > 0, heat / highest.clamp(min=torch.finfo(heat.dtype).tiny), 0.0)


def _maps_and_slopes(model: nn.Module, images: Tensor, label: int, layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Feature maps of a layer and the logit's gradient with respect to them, each ``(N, c, h, w)``."""
    with _outputs_kept([layer]) as outputs:
        logits = _check.tensor("logits", model(_with_gradient(images)), dims=2)
    if label >= logits.shape[1]:
        raise ValueError(f"label: expected one of the {logits.shape[1]} labels, got {label}")
    if not outputs or outputs[-1][1].dim() != 4:
        found = f"shape {tuple(outputs[-1][1].shape)}" if outputs else "no tensor"
        raise ValueError(f"layer: expected one whose output is a feature map (N, c, h, w), got {found}")
    output = outputs[-1][1]
    (slopes,) = torch.autograd.grad(logits[:, label].sum(), output, allow_unused=True)
    if slopes is None:
        raise ValueError("layer: expected one that the logits depend on, got one beside their way")
    if not _is_map(output, images) and _is_map(output.permute(0, 3, 1, 2), images):
        output, slopes = output.permute(0, 3, 1, 2), slopes.permute(0, 3, 1, 2)  # channels were last
    return output.detach(), slopes


def _last_map(model: nn.Module, image: Tensor) -> nn.Module:
    """The last module whose output has several cells, and lies on every way from the image to the logits."""
    seen = _with_gradient(image)
    with _outputs_kept(list(model.modules())) as outputs:
        logits = _check.tensor("logits", model(seen), dims=2)
    for layer, output in reversed(outputs):
        several = sum(side > 1 for side in output.shape[1:]) > 1  # not (1, C, 1, 1), nor (1, C)
        if several and not _passed_by(output.grad_fn, logits.grad_fn, seen):
            if any(_is_map(one, image) for one in (output, output.transpose(1, -1))):
                return layer
            break  # tokens, in which no place can be told from another without knowing the network
    raise ValueError(
        "layer: expected a model that ends in a feature map, got another; name the layer to show"
    )


def _with_gradient(images: Tensor) -> Tensor:
    """A frozen network has no gradients of its own, so they begin at the image."""
    return images.detach().clone().requires_grad_()


@contextmanager
def _outputs_kept(layers: Sequence[nn.Module]) -> Iterator[list[Output]]:
    """Collect the tensors that modules return, in their order."""
    outputs: list[Output] = []

    def keep(module: nn.Module, inputs: object, output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        outputs.append((module, output))
        return output.clone()  # a ReLU that works in place must not change what was seen

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _passed_by(point: Node | None, end: Node | None, start: Tensor) -> bool:
    """Whether a way leads back from the end of the graph to ``start`` that does not touch ``point``."""
    known, waiting = {point, None}, [end]
    while waiting:
        node = waiting.pop()
        if node is None or node in known:
            continue
        if getattr(node, "variable", None) is start:
            return True
        known.add(node)
        waiting += [before for before, _ in node.next_functions]
    return False


def _is_map(output: Tensor, images: Tensor) -> bool:
    """Whether ``(N, c, h, w)`` has sides like those of the images, smaller and rounded."""
    if output.dim() != 4:
        return False
    scale = (images.shape[2:].numel() / output.shape[2:].numel()) ** 0.5
    return all(abs(a - b / scale) <= 1 for a, b in zip(output.shape[2:], images.shape[2:], strict=True))
