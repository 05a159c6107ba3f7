"""Make folded MobileNetV2 weights trainable: ``python tools/unfold_mobilenetv2.py FOLDED IMAGES OUT``.

``FOLDED``, an npz file, holds a MobileNetV2 whose batch normalisation has been multiplied into its
convolutions, as networks are stored for phones: ``conv1.weight``, ``conv1.bias``, ``b0.dw.weight`` and so on,
for pixels in -1..1. Training needs the normalisation back. Any mean m and variance v of an output give the
same function, if the weight of its normalisation is sqrt(v + eps) and its bias the folded bias + m; only the
true ones give a network whose training mode computes that function as well. They are measured.

``IMAGES`` is a data set of :func:`probmcl.data.load_npz`. ``OUT``, a ``.safetensors`` file, gets a state dict
of torchvision's ``mobilenet_v2`` for its own normalisation of pixels, which ``run ... --weights OUT`` takes.
One difference stays: TensorFlow pads an image that is halved at its far side, torchvision at both. How far it
moves the features is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from probmcl._files import whole_file
from probmcl.data import load_npz, photo_view
from probmcl.data.views import IMAGENET_MEAN, IMAGENET_STD

CALIBRATION = 1024  # images


def unfolded(folded: dict[str, np.ndarray]) -> nn.Module:
    """Return torchvision's network that computes the folded function, in evaluation mode.

    Its normalisations hold mean 0 and variance 1 until :func:`calibrate` has measured them.

    Args:
        folded: weights and biases by name, in the order of the network.
    """
    network = models.mobilenet_v2(weights=None).eval()
    names = [name.removesuffix(".weight") for name in folded if name.endswith(".weight")]
    *_, classifier = names
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for name, conv, norm in zip(names[:-1], convolutions, normalisations(network), strict=True):
        conv.weight.data = torch.from_numpy(folded[f"{name}.weight"]).float().view_as(conv.weight)
        norm.running_var.fill_(1 - norm.eps)
        norm.bias.data = torch.from_numpy(folded[f"{name}.bias"]).float()
    last: Any = network.classifier[1]
    last.weight.data = torch.from_numpy(folded[f"{classifier}.weight"]).float()[-1000:]
    last.bias.data = torch.from_numpy(folded[f"{classifier}.bias"]).float()[-1000:]
    _take_imagenet_pixels(convolutions[0], next(iter(normalisations(network))))
    return network


def normalisations(network: nn.Module) -> list[nn.BatchNorm2d]:
    """Return the network's normalisations in the order of its convolutions."""
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def _take_imagenet_pixels(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Let the first layer take pixels as torchvision normalises them, in place of -1..1."""
    scale = 2 * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    shift = 2 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) - 1
    norm.bias.data += (conv.weight.data * shift).sum(dim=(1, 2, 3))
    conv.weight.data *= scale


@torch.no_grad()
def calibrate(network: nn.Module, images: Tensor) -> None:
    """Measure mean and variance of every convolution's output, and let its normalisation hold them.

    Args:
        network: of :func:`unfolded`; its function stays the same.
        images: normalised, ``(N, 3, H, W)``.
    """
    sums = {
        norm: [torch.zeros(norm.num_features, dtype=torch.float64) for _ in range(2)]
        for norm in normalisations(network)
    }
    counts = dict.fromkeys(sums, 0)

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        (found,) = inputs  # (B, C, H, W)
        for power, total in enumerate(sums[norm], start=1):
            total += found.pow(power).sum(dim=(0, 2, 3)).double()
        counts[norm] += found[:, 0].numel()

    hooks = [norm.register_forward_pre_hook(measure) for norm in sums]
    for batch in images.split(64):
        network(batch)
    for hook in hooks:
        hook.remove()
    for norm, (first, second) in sums.items():
        mean = first / counts[norm]
        variance = (second / counts[norm] - mean.square()).clamp(min=1e-6)
        norm.bias += mean.float()
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)


def padded_as_tensorflow(network: nn.Module) -> nn.Module:
    """Let every convolution that halves the image pad its far side alone; changes ``network`` in place."""

    def pad(conv: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
        return functional.pad(inputs[0], (0, 1, 0, 1))

    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            module.register_forward_pre_hook(pad)
    return network


def features(network: Any) -> Callable[[Tensor], Tensor]:
    """Return what maps images ``(B, 3, H, W)`` to features ``(B, 1280)``."""
    return lambda images: network.features(images).mean(dim=(2, 3))


@torch.no_grad()
def main(weights: Path, packed: Path, out: Path) -> None:
    """Unfold, calibrate, write, and print how far evaluation, training and padding are apart."""
    with np.load(weights, allow_pickle=False) as arrays:
        network = unfolded({name: arrays[name] for name in arrays.files})
    images = load_npz(packed).images
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:CALIBRATION]
    view = photo_view(images.shape[-1])
    normalised = view(images[chosen]).to(memory_format=torch.channels_last)
    before = network(normalised[:64])
    calibrate(network, normalised)
    with whole_file(out) as file:
        file.write(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    found = features(network)(normalised[:256])
    print(f"calibrated on {len(chosen)} images of {tuple(normalised.shape[1:])}")
    print(f"logits before and after differ by {(network(normalised[:64]) - before).abs().max():.2g} at most")
    for name, other in (
        ("TensorFlow's padding", padded_as_tensorflow(deepcopy(network))),
        ("training mode", deepcopy(network).train()),  # it moves the measured means
    ):
        print(f"{name}: {_cosine(features(other)(normalised[:256]), found):.3f} mean cosine of features")


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(functional.cosine_similarity(one, other).mean())


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
