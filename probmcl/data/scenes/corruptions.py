"""Disturb images step by step: blur, noise, contrast and occlusion in five strengths.

After D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019: nothing here is trained on, and the labels stay true unless a digit is covered.
A test asks how a model's scores, and its doubts, follow the strength.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from probmcl import _check

Disturb = Callable[[Tensor, float, torch.Generator], Tensor]
"""Disturbs images (N, C, H, W) in [0, 1] by an amount; the generator is drawn from alike for every amount."""


def _blur(images: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    blurred: Tensor = functional.gaussian_blur(images, [2 * round(3 * deviation) + 1] * 2, [deviation] * 2)
    return blurred


def _noise(images: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    return images + deviation * torch.randn(images.shape, generator=generator).to(images.device)


def _contrast(images: Tensor, kept: float, generator: torch.Generator) -> Tensor:
    mean = images.mean((1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    return mean + kept * (images - mean)


def _occlusion(images: Tensor, side: float, generator: torch.Generator) -> Tensor:
    """Cover a grey square; its middle stays where it is as it grows."""
    n, _, height, width = images.shape
    middle = torch.rand(n, 2, 1, generator=generator).to(images.device)  # (N, 2, 1) as shares of the image
    rows, columns = ((torch.arange(size, device=images.device) + 0.5) / size for size in (height, width))
    covered_rows = (rows - middle[:, 0]).abs() <= side / 2  # (N, H)
    covered_columns = (columns - middle[:, 1]).abs() <= side / 2  # (N, W)
    covered = covered_rows.unsqueeze(2) & covered_columns.unsqueeze(1)  # (N, H, W)
    return images.masked_fill(covered.unsqueeze(1), 0.5)


@dataclass(frozen=True)
class Corruption:
    """A way to disturb an image, by amounts from the weakest to the strongest."""

    disturb: Disturb
    amounts: tuple[float, ...]


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        "blur": Corruption(_blur, (0.4, 0.7, 1.0, 1.4, 2.0)),  # standard deviation in pixels
        "noise": Corruption(_noise, (0.08, 0.14, 0.2, 0.3, 0.4)),  # standard deviation; 1 is black to white
        "contrast": Corruption(_contrast, (0.7, 0.5, 0.35, 0.22, 0.12)),  # share of it that is kept
        "occlusion": Corruption(_occlusion, (0.2, 0.3, 0.4, 0.5, 0.6)),  # side of a square; 1 is the image's
    }
)
"""The corruptions, by name."""

STRENGTHS = tuple(range(1, 6))
"""From the weakest to the strongest."""


def corrupt(images: Tensor, name: str, strength: int, *, seed: int) -> Tensor:
    """Disturb every image.

    The seed decides the noise and the places of the squares; they are the same for all strengths, so an image
    is disturbed more and more, not each time differently.

    Args:
        images: uint8 (N, C, H, W).
        name: One of ``CORRUPTIONS``.
        strength: 1 to 5.
        seed: The same seed gives the same images, bit for bit, under the same version of PyTorch.

    Returns:
        uint8 (N, C, H, W), on the device of ``images``.

    Raises:
        TypeError: If images are not a uint8 tensor.
        ValueError: If an argument is out of range or names nothing known.

    >>> images = torch.full((2, 1, 8, 8), 100, dtype=torch.uint8)
    >>> corrupt(images, "occlusion", 5, seed=0).unique().tolist()
    [100, 128]
    """
    _check.tensor("images", images, dims=4)
    if images.dtype != torch.uint8:
        raise TypeError(f"images: expected dtype torch.uint8, got {images.dtype}")
    chosen = CORRUPTIONS[_check.one_of("name", name, CORRUPTIONS)]
    _check.count("strength", strength, high=len(STRENGTHS))
    generator = torch.Generator().manual_seed(_check.seed(seed))
    disturbed = chosen.disturb(images.float() / 255, chosen.amounts[strength - 1], generator)
    return (disturbed.clamp(0, 1) * 255).round().to(torch.uint8)
