"""Seeded random numbers in float64."""

import torch
from torch import Tensor


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def unit(n: int, d: int, seed: int = 0) -> Tensor:
    """Points on the sphere, (n, d)."""
    return torch.nn.functional.normalize(normal(n, d, seed=seed), dim=-1)
