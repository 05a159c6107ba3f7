"""One loader for every data set: it batches, applies the view and repeats under a seed."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    RandomSampler,
    SequentialSampler,
    default_collate,
    get_worker_info,
)

from probmcl import _check
from probmcl.data.labelled import LabelledDataset
from probmcl.data.share import Share, SharedBatches
from probmcl.data.views import View

Sample = tuple[Tensor, Tensor]  # an image or a batch of images, with its labels
Batch = tuple[Tensor | tuple[Tensor, Tensor], Tensor]  # one view or two, with float labels (B, K)


def make_loader(
    dataset: LabelledDataset,
    view: View,
    batch_size: int,
    *,
    shuffle: bool,
    seed: int,
    drop_last: bool = False,
    workers: int = 0,
    pin_memory: bool = False,
    share: Share = Share(),  # noqa: B008 (frozen)
) -> DataLoader[Sample]:
    """Return a loader of (views, labels).

    A data set in memory is augmented one batch at a time, in the process that trains; images on disk are
    decoded and augmented one at a time, in ``workers`` processes.

    The order and the views come from random numbers of the loader's own: whatever else draws, the same seed
    and the same number of workers give the same batches, and each epoch gives new ones. All of the loader's
    state is ``loader.generator``; restoring that generator's state continues a run where it stopped.

    Args:
        dataset: ``LabelledImages``, ``ImageFolderLabels`` or anything with their interface.
        view: ``plain_view()``, ``TwoViews(scene_augmentation())`` or any other view.
        batch_size: Number of images B in a batch.
        shuffle: Whether each epoch has a new order.
        seed: Seed of the order and the views.
        drop_last: Whether to leave out the last batch if it is smaller.
        workers: Number of processes that load; 0 loads in this one.
        pin_memory: Whether to keep batches where a copy to a GPU can run beside the computation.
        share: Which part of every batch to load when several processes train together. The order is that of
            one process, and all ranks keep the same ``loader.generator``; the views of each rank are its own.

    Returns:
        A loader of batches: the view (B, C, H, W), or a tuple of two for ``TwoViews``, and the labels as
        float32 (B, K).

    Raises:
        TypeError: If the view is not callable.
        ValueError: If a number is out of range, no batch would be left, or a rank would have no image.

    >>> from probmcl.data import TwoViews, digit_scenes, scene_augmentation
    >>> view = TwoViews(scene_augmentation())
    >>> loader = make_loader(digit_scenes("train", 20), view, 8, shuffle=True, seed=0)
    >>> for (first, second), labels in loader:
    ...     print(tuple(first.shape), tuple(second.shape), tuple(labels.shape))
    (8, 1, 32, 32) (8, 1, 32, 32) (8, 10)
    (8, 1, 32, 32) (8, 1, 32, 32) (8, 10)
    (4, 1, 32, 32) (4, 1, 32, 32) (4, 10)
    """
    if not callable(view):
        raise TypeError(f"view: expected a callable, got {type(view).__name__}")
    _check.count("batch_size", batch_size)
    _check.count("workers", workers, low=0)
    if drop_last and len(dataset) < batch_size:
        raise ValueError(
            f"batch_size: expected at most the {len(dataset)} images of the data set, as the last "
            f"incomplete batch is dropped, got {batch_size}"
        )
    generator = torch.Generator().manual_seed(_check.count("seed", seed, low=0))
    batches: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    if share.ranks > 1:
        _check_shares(len(dataset), batch_size, share, every_batch=shuffle and not drop_last)
        images = range(len(dataset))
        order = RandomSampler(images, generator=generator) if shuffle else SequentialSampler(images)
        batches = {"batch_sampler": SharedBatches(order, batch_size, drop_last=drop_last, share=share)}
        batches["worker_init_fn"] = partial(_own_seed, share.rank * workers)
    return DataLoader(
        cast(Dataset[Sample], dataset),
        num_workers=workers,
        pin_memory=pin_memory,
        generator=generator,
        collate_fn=_ViewedBatch(view, generator, share.rank),
        **batches,
    )


def _check_shares(images: int, batch_size: int, share: Share, *, every_batch: bool) -> None:
    """Raise if a rank would load nothing; with ``every_batch``, if it would have no part in some batch."""
    smallest = min(images, batch_size)
    if every_batch:  # training: a rank that skips a step leaves the others waiting
        smallest = images % batch_size or smallest
    if smallest < share.ranks:
        raise ValueError(
            f"share: expected at least one image for each of the {share.ranks} ranks in a batch, "
            f"got a batch of {smallest} ({images} images in batches of {batch_size})"
        )


def _own_seed(offset: int, worker: int) -> None:
    """Give the workers of each rank other random numbers: the ranks' loaders are seeded alike."""
    torch.manual_seed(torch.initial_seed() + offset)


class _ViewedBatch:
    """Turn what the data set gave for a batch of indices into views and float labels."""

    def __init__(self, view: View, generator: torch.Generator, rank: int) -> None:
        self.view = view
        self.generator = generator
        self.rank = rank

    def __call__(self, fetched: Sample | list[Sample]) -> Batch:
        if get_worker_info() is not None:  # PyTorch has seeded each worker from the loader's generator
            return self._viewed(fetched)
        gpus = [fetched[0].device] if isinstance(fetched, tuple) and fetched[0].is_cuda else []
        with torch.random.fork_rng(devices=gpus):
            seed = int(torch.randint(2**62, (), generator=self.generator)) + self.rank
            # Not torch.manual_seed, which would also seed GPUs that fork_rng was not asked to restore.
            torch.default_generator.manual_seed(seed)
            for gpu in gpus:
                with torch.cuda.device(gpu):
                    torch.cuda.manual_seed(seed)
            return self._viewed(fetched)

    def _viewed(self, fetched: Sample | list[Sample]) -> Batch:
        if isinstance(fetched, tuple):  # a batch from ``__getitems__``
            images, labels = fetched
            return self.view(images), labels.float()
        # Images from disk differ in size until the view has made them alike.
        views, labels = default_collate([(self.view(image), label.float()) for image, label in fetched])
        return tuple(views) if isinstance(views, list) else views, labels
