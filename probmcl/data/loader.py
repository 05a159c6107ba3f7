"""One loader for every data set: it batches, applies the view and repeats under a seed."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler
from torchvision.transforms import v2

from probmcl import _check
from probmcl.data.labelled import LabelledDataset, LabelledImages, check_dataset
from probmcl.data.seeded import Batch, SeededBatches, ViewedBatches
from probmcl.data.share import Share, SharedBatches
from probmcl.data.views import PerImage, TwoViews, View, normalise

PREFETCH = 4  # batches that a worker makes ahead: images differ in cost, and a queue evens that out
PREFETCH_BYTES = 4 * 2**30
"""Shared memory for batches that are made ahead, of all ranks on a machine together."""
FEW = 64  # images that are decoded sooner than a process starts


class ViewLoader(DataLoader[Batch]):
    """A loader of views and labels, made by :func:`make_loader`.

    Attributes:
        generator: source of the order and of the seeds of all views.
        finish: the view's last step, where it is left to the process that trains; None where nothing is left.
    """

    finish: Callable[[Tensor], Tensor] | None = None

    def skip(self, batches: int) -> None:
        """Leave out the first batches of the next epoch: their seeds are drawn, their images are not read.

        >>> from probmcl.data import digit_scenes, plain_view
        >>> scenes = digit_scenes("train", 20)
        >>> whole, rest = (make_loader(scenes, plain_view(), 8, shuffle=True, seed=0) for _ in range(2))
        >>> rest.skip(2)
        >>> (images, _), = rest
        >>> torch.equal(images, list(whole)[2][0])
        True
        """
        cast(SeededBatches, self.sampler).skip = _check.count("batches", batches, low=0)

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Yield the batches of an epoch.

        Raises:
            RuntimeError: if a worker dies, naming the images that were in work.
            ValueError: if an image cannot be read, or is of another size than the others of its batch.
        """
        try:
            yield from self._batches() if self.finish is None else self._finished(self.finish)
        except ValueError as error:
            if not str(error).startswith("Caught ValueError in DataLoader worker"):
                raise
            raise ValueError(str(error).rpartition("\nValueError: ")[2].rstrip()) from error
        except RuntimeError as error:
            if "DataLoader worker (pid" not in str(error):
                raise
            images = ", ".join(cast(ViewedBatches, self.dataset).in_work()) or "its first image"
            raise RuntimeError(
                f"loader: a worker died ({error}); in work, or read last: {images}. An image may need more "
                "memory than there is; with workers=0 it is read in this process"
            ) from error

    def _finished(self, finish: Callable[[Tensor], Tensor]) -> Iterator[Batch]:
        for views, labels in self._batches():
            whole = finish(views) if isinstance(views, Tensor) else (finish(views[0]), finish(views[1]))
            yield whole, labels

    def _batches(self) -> Iterator[Batch]:
        """The batches. A connection that breaks is a worker that died a moment ago: PyTorch soon says so."""
        batches = super().__iter__()
        try:
            yield from batches
        except (ConnectionError, EOFError) as error:
            if not self.num_workers or str(error).startswith("Caught "):  # so it hands on a data set's own
                raise
            while True:
                with suppress(ConnectionError, EOFError):  # one for each batch that it had sent
                    next(batches)


def make_loader(
    dataset: LabelledDataset,
    view: View,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int | None = None,
    drop_last: bool = False,
    workers: int = 0,
    pin_memory: bool = False,
    device: torch.device | str | None = None,
    share: Share = Share(),  # noqa: B008 (frozen)
) -> ViewLoader:
    """Return a loader of (views, labels).

    A data set in memory is augmented one batch at a time, in the process that trains; images on disk are
    decoded and augmented one at a time, in ``workers`` processes, and come with their channels last. The
    processes start with an epoch and end with it.

    The order and the views come from random numbers of the loader's own: whatever else draws, the same seed
    gives the same batches with any number of workers, and each epoch gives new ones. All of the loader's
    state between epochs is ``loader.generator``; restoring that generator's state continues a run where it
    stopped, and ``loader.skip`` where it stopped within an epoch.

    Args:
        dataset: ``LabelledImages``, ``LabelledVectors``, ``ImageFolderLabels`` or what has their interface.
        view: ``plain_view()``, ``TwoViews(scene_augmentation())`` or any other view.
        batch_size: Number of images B in a batch.
        shuffle: Whether each epoch has a new order.
        seed: Seed of the order and the views; 0 where it is None, which it may be if nothing is shuffled.
        drop_last: Whether to leave out the last batch if it is smaller.
        workers: Number of processes that load, see ``suggested_workers``; 0 loads in this one. Each makes up
            to 4 batches ahead; both are fewer if all ranks on this machine would need more than 4 GiB.
        pin_memory: Whether to keep batches where a copy to a GPU can run beside the computation.
        device: Where to normalise views of photographs. They then travel there as bytes, a quarter of the
            memory; None normalises them where they are made, which is as exact. Other views stay as they are.
        share: Which part of every batch to load when several processes train together. The order is that of
            one process, and all ranks keep the same ``loader.generator``; the views of each rank are its own.

    Returns:
        A loader of batches: the view (B, C, H, W), or a tuple of two for ``TwoViews``, and the labels as
        float32 (B, K).

    Raises:
        TypeError: If the view is not callable.
        ValueError: If a number is out of range, a seed is missing, no batch would be left, or a rank would
            have no image.

    >>> from probmcl.data import TwoViews, digit_scenes, scene_augmentation
    >>> view = TwoViews(scene_augmentation())
    >>> loader = make_loader(digit_scenes("train", 20), view, 8, shuffle=True, seed=0)
    >>> for (first, second), labels in loader:
    ...     print(tuple(first.shape), tuple(second.shape), tuple(labels.shape))
    (8, 1, 32, 32) (8, 1, 32, 32) (8, 10)
    (8, 1, 32, 32) (8, 1, 32, 32) (8, 10)
    (4, 1, 32, 32) (4, 1, 32, 32) (4, 10)
    """
    check_dataset(dataset)
    _check.function("view", view)
    _check.instance("share", share, Share)
    for name, value in (("shuffle", shuffle), ("drop_last", drop_last), ("pin_memory", pin_memory)):
        _check.flag(name, value)
    batch_size = _check.count("batch_size", batch_size)
    _check.count("workers", workers, low=0)
    if drop_last and len(dataset) < batch_size:
        most = f"at most the {len(dataset)} images of the data set"
        raise ValueError(f"batch_size: expected {most}, as a smaller last batch is dropped, got {batch_size}")
    if seed is None and shuffle:
        raise ValueError("seed: expected a whole number for the order, as shuffle is True, got None")
    generator = torch.Generator().manual_seed(_check.seed(0 if seed is None else seed))
    finish = None
    if device is not None:
        view, finish = _normalised_on(view, _check.device(device))
    viewed = ViewedBatches(dataset, view, workers)
    if workers:
        workers, prefetch = _prefetch(viewed, -(-batch_size // share.ranks), workers)
    positions = range(len(dataset))
    order = RandomSampler(positions, generator=generator) if shuffle else SequentialSampler(positions)
    batches = BatchSampler(order, batch_size, bool(drop_last))
    if share.ranks > 1:
        _check_shares(len(dataset), batch_size, share, every_batch=shuffle and not drop_last)
        batches = SharedBatches(order, batch_size, drop_last=bool(drop_last), share=share)
    loader = ViewLoader(
        viewed,
        batch_size=None,  # an item is a batch already
        collate_fn=_as_it_is,
        sampler=SeededBatches(batches, generator, rank=share.rank),
        num_workers=workers,
        prefetch_factor=prefetch if workers else None,
        pin_memory=pin_memory,
        generator=generator,
    )
    loader.finish = finish
    return loader


def _normalised_on(view: View, device: torch.device) -> tuple[View, Callable[[Tensor], Tensor] | None]:
    """A view without its normalisation of bytes, and that as a step on a device; None where it has none."""
    bytes_alone, last = _without_normalisation(view)
    if last is None:
        return view, None
    constants = {name: value.to(device) for name, value in last.keywords.items()}
    return bytes_alone, lambda images: normalise(images.to(device, non_blocking=True), **constants)


def _without_normalisation(view: Any) -> tuple[Any, partial[Tensor] | None]:
    """A view up to its last step, and that step, if it normalises bytes; else the whole view, and None."""
    if type(view) is TwoViews:
        augment, last = _without_normalisation(view.augment)
        return TwoViews(augment, view.once), last
    if type(view) is PerImage:
        transform, last = _without_normalisation(view.transform)
        return PerImage(transform), last
    *steps, last = view.transforms if type(view) is v2.Compose else [None]
    return (v2.Compose(steps), last) if getattr(last, "func", None) is normalise else (view, None)


def _prefetch(viewed: ViewedBatches, images: int, workers: int) -> tuple[int, int]:
    """Workers, and batches that each makes ahead: as many as PREFETCH_BYTES has room for, at least one."""
    size = images * sum(tensor.nbytes for tensor in tree_leaves(viewed[0, [0]]))
    room = PREFETCH_BYTES // _ranks_here() // size
    workers = max(1, min(workers, room))
    return workers, max(1, min(PREFETCH, room // workers))


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


def _as_it_is(batch: Any) -> Any:
    return batch


def suggested_workers(dataset: LabelledDataset, device: torch.device | str) -> int:
    """Return a sensible number of loading processes.

    A data set in memory needs none, and a few images on disk are decoded sooner than a process starts. Others
    get one process for each core this process may use, of which the ranks on a machine take equal shares;
    where the model computes on the CPU as well, one core is left to it.

    Args:
        dataset: What will be loaded.
        device: Where the model computes.

    >>> from probmcl.data import digit_scenes
    >>> suggested_workers(digit_scenes("train", 2), "cuda")
    0
    """
    beside = available_cores() // _ranks_here() - (_check.device(device).type == "cpu")
    return 0 if isinstance(dataset, LabelledImages) or len(check_dataset(dataset)) < FEW else max(1, beside)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ranks_here() -> int:
    """How many processes ``torchrun`` started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))
