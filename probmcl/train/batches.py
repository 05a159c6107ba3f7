"""The batches of an epoch, from its beginning or from where it was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch

from probmcl.train.seeding import random_state, set_random_state


class Loader(Protocol):
    """What the loop asks of a loader: batches, and how many.

    If it draws from a generator of its own, that is its attribute ``generator``. If it can leave out the
    first n batches of the next epoch without making them, it has a method ``skip(n)``.
    """

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


class Batches:
    """A loader together with all random numbers that its batches and the steps draw from.

    Args:
        loader: the batches of an epoch.
        device: where the training runs.

    Example:
        >>> loader = torch.utils.data.DataLoader(torch.arange(6), 2, shuffle=True)
        >>> batches = Batches(loader, torch.device("cpu"))
        >>> first, second, third = batches.epoch()
        >>> torch.equal(next(batches.epoch_from(2)), third)
        True
    """

    def __init__(self, loader: Loader, device: torch.device) -> None:
        self.loader, self.device = loader, device
        self.begin: dict[str, Any] = {}  # random numbers at the beginning of the latest epoch

    def __len__(self) -> int:
        return len(self.loader)

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        self.begin = self.random()
        return iter(self.loader)

    def epoch_from(self, step: int) -> Iterator[Any]:
        """The batches of the latest epoch again, without the first ``step``.

        The loader draws what it drew before; afterwards torch's random numbers are where they were.
        """
        interrupted = random_state(self.device)
        self.set_random(self.begin)
        skip = getattr(self.loader, "skip", None)
        if skip is not None:
            skip(step)
        batches = iter(self.loader)
        for _ in range(step if skip is None else 0):
            next(batches)
        set_random_state(interrupted, self.device)
        return batches

    def random(self) -> dict[str, Any]:
        """Where the random numbers stand: torch's, and the loader's own."""
        shuffle = getattr(self.loader, "generator", None)
        return {
            "random": random_state(self.device),
            "shuffle": None if shuffle is None else shuffle.get_state(),
        }

    def set_random(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`random`."""
        set_random_state(state["random"], self.device)
        shuffle = getattr(self.loader, "generator", None)
        if shuffle is not None:
            shuffle.set_state(state["shuffle"])
