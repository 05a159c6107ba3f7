"""A seed for everything inside a block, and nothing outside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


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


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Where torch's random numbers stand: the CPU's, and those of ``device`` if it is a GPU.

    Nothing in this package draws from Python's or NumPy's global random numbers.

    Args:
        device: where the training runs.

    Example:
        >>> state = random_state(torch.device("cpu"))
        >>> first = torch.rand(1)
        >>> set_random_state(state, torch.device("cpu"))
        >>> torch.equal(first, torch.rand(1))
        True
    """
    state = {"cpu": torch.get_rng_state()}
    return state | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Go on from a :func:`random_state`.

    Args:
        state: what :func:`random_state` returned.
        device: where the training runs.
    """
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
