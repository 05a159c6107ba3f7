"""A seed for everything inside a block, and nothing outside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's random numbers inside the block; outside, they go on as if nothing had happened.

    Weight initialisation, dropout and torchvision's transforms draw from torch's global generators. Inside
    the block they are a function of ``seed`` alone.

    Args:
        seed: any whole number.

    Example:
        >>> with seeded(0):
        ...     first = torch.rand(1)
        >>> with seeded(0):
        ...     print(torch.equal(first, torch.rand(1)))
        True
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
