"""Batches that carry their own seed, so that a batch is the same whichever process makes it, and when."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, Dataset, Sampler, default_collate, get_worker_info

from probmcl import _check
from probmcl.data.labelled import LabelledDataset
from probmcl.data.views import View

Batch = tuple[Tensor | tuple[Tensor, Tensor], Tensor]  # one view or two, with float labels (B, K)
Seeded = tuple[int, list[int]]  # the seed of a batch and the indices of its images


@contextmanager
def seeded(seed: int, gpus: Sequence[torch.device] | None = None) -> Iterator[None]:
    """Seed torch's random numbers inside the block; outside, they go on as if nothing had happened.

    Weight initialisation, dropout and torchvision's transforms draw from torch's global generators. Inside
    the block they are a function of ``seed`` alone.

    Args:
        seed: a whole number from 0.
        gpus: those whose random numbers are seeded as well; None for all.

    >>> with seeded(0):
    ...     first = torch.rand(1)
    >>> with seeded(0):
    ...     print(torch.equal(first, torch.rand(1)))
    True
    """
    seed = _check.seed(seed)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if gpus is None else gpus):
        if gpus is None:
            torch.manual_seed(seed)
        else:  # not torch.manual_seed, which would also seed GPUs that fork_rng was not asked to restore
            torch.default_generator.manual_seed(seed)
            for gpu in gpus:
                with torch.cuda.device(gpu):
                    torch.cuda.manual_seed(seed)
        yield


class SeededBatches(Sampler[Seeded]):
    """Give each batch of indices a seed for its views, drawn from the generator.

    ``rank`` sets the views apart where several processes share every batch and draw alike.
    """

    def __init__(self, batches: BatchSampler, generator: torch.Generator, rank: int = 0) -> None:
        self.batches = batches
        self.generator = generator
        self.rank = rank
        self.skip = 0  # batches to leave out at the beginning of the next epoch; their seeds are drawn

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Seeded]:
        skip, self.skip = self.skip, 0  # at the first batch: PyTorch makes an iterator too many
        for position, indices in enumerate(self.batches):
            seed = int(torch.randint(2**62, (), generator=self.generator))
            if position >= skip:
                yield seed + self.rank, indices


class ViewedBatches(Dataset[Batch]):
    """Make the views and float labels of a batch from its seed and indices."""

    def __init__(self, dataset: LabelledDataset, view: View, workers: int) -> None:
        self.dataset = dataset
        self.view = view
        self._at = torch.full((workers,), -1)  # the image that each worker reads
        self._at.share_memory_()  # type: ignore[no-untyped-call]

    def __getitem__(self, batch: Seeded) -> Batch:
        """Return the batch: views (B, C, H, W), or two of them, and labels (B, K)."""
        seed, indices = batch
        whole = getattr(self.dataset, "__getitems__", None)
        fetched = None if whole is None else whole(indices)
        gpus = [fetched[0].device] if fetched is not None and fetched[0].is_cuda else []
        with seeded(seed, gpus):
            if fetched is not None:
                images, labels = fetched
                return self.view(images), labels.float()
            return self._one_by_one(indices)

    def _one_by_one(self, indices: Sequence[int]) -> Batch:
        """Images from disk differ in size until the view has made them alike."""
        worker = get_worker_info()
        samples = []
        for index in indices:
            if worker is not None:
                self._at[worker.id] = index
            image, label = self.dataset[index]
            samples.append((_channels_last(self.view(image)), label.float()))
            _check_size(samples[0][0], samples[-1][0], self._name(indices[0]), self._name(index))
        views, labels = default_collate(samples)
        if isinstance(views, Tensor):
            return _channels_first(views), labels
        first, second = map(_channels_first, views)
        return (first, second), labels

    def in_work(self) -> list[str]:
        """The images that the workers read now or read last: files, or indices where there are none."""
        return [self._name(index) for index in sorted(int(index) for index in self._at if index >= 0)]

    def _name(self, index: int) -> str:
        paths = getattr(self.dataset, "paths", None)
        return f"image {index}" if paths is None else str(paths[index])


def _check_size(first: Any, other: Any, first_name: str, other_name: str) -> None:
    """Raise unless two views, or pairs of them, are of one size."""
    sizes = [(view if isinstance(view, Tensor) else view[0]).shape for view in (first, other)]  # (H, W, C)
    if sizes[0] != sizes[1]:
        one, two = (f"{width} x {height} pixels of" for height, width, _ in sizes)
        found = f"{one} {first_name} and {two} {other_name}"
        wanted = "view: expected images of one size in a batch, such as photo_view(size) makes"
        raise ValueError(f"{wanted}, got {found}")


def _channels_last(view: Any) -> Any:
    """Rearrange (C, H, W) to (H, W, C): decoders and convolutions keep a pixel's channels together."""
    return view.permute(1, 2, 0) if isinstance(view, Tensor) else [part.permute(1, 2, 0) for part in view]


def _channels_first(views: Tensor) -> Tensor:
    return views.permute(0, 3, 1, 2)  # (B, H, W, C) to (B, C, H, W), in place
