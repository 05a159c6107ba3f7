"""The batches of an epoch, from its beginning or from where it was interrupted."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Loader(Protocol):
    """What the loop asks of a loader: batches, and how many.

    If it draws from a generator of its own, that is its attribute ``generator``. If it can leave out the
    first n batches of the next epoch without making them, it has a method ``skip(n)``.
    """

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


def batch_size(loader: Loader) -> int | None:
    """Images of a batch, those of all ranks together; None where a loader does not say."""
    batches = getattr(getattr(loader, "sampler", None), "batches", loader)
    size: int | None = getattr(batches, "batch_size", None)
    return size


def checked_loader(loader: Loader) -> Loader:
    """Return a loader if it is one, and has a batch."""
    if not isinstance(loader, Loader):
        raise TypeError(f"loader: expected batches and their number, got {type(loader).__name__}")
    if not len(loader):
        raise ValueError("loader: expected at least one batch, got none")
    return loader


def views_and_labels(batch: Any) -> tuple[tuple[Tensor, ...], Tensor]:
    """The views of a batch, one or more, and the labels of its images."""
    with suppress(TypeError, ValueError):
        views, labels = batch
        views = (views,) if isinstance(views, Tensor) else tuple(views)
        if {len(view) for view in views} == {len(labels)}:
            return views, labels
    raise ValueError("loader: expected batches (views, labels) with as many rows of labels as of each view")


class Batches:
    """A loader together with all random numbers that its batches and the steps draw from."""

    def __init__(self, loader: Loader, device: torch.device) -> None:
        self.loader, self.device = loader, device
        self.begin: dict[str, Any] = {}  # random numbers at the beginning of the latest epoch

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        self.begin = self.random()
        return iter(self.loader)

    def epoch_from(self, step: int) -> Iterator[Any]:
        """The batches of the latest epoch again, without the first ``step``.

        The loader draws what it drew before; afterwards torch's random numbers are where they were.
        """
        interrupted = self.random()
        self.set_random(self.begin)
        skip = getattr(self.loader, "skip", None)
        if skip is not None:
            skip(step)
        batches = iter(self.loader)
        for _ in range(step if skip is None else 0):
            next(batches)
        self.set_random({**interrupted, "shuffle": None})
        return batches

    def random(self) -> dict[str, Any]:
        """Where the random numbers stand: torch's on the CPU and on a GPU, and the loader's own.

        Nothing in this package draws from Python's or NumPy's global random numbers.
        """
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        shuffle = getattr(self.loader, "generator", None)
        return {"random": state, "shuffle": None if shuffle is None else shuffle.get_state()}

    def set_random(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`random`."""
        torch.set_rng_state(state["random"]["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["random"]["cuda"], self.device)
        shuffle = getattr(self.loader, "generator", None)
        if shuffle is not None and state["shuffle"] is not None:
            shuffle.set_state(state["shuffle"])
