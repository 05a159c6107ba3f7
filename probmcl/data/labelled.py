"""Images with their labels: the container every other room takes, and the statistics of a label matrix."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor
from torch.utils.data import Dataset

from probmcl import _check
from probmcl.data.identifiers import check_classes


@dataclass(frozen=True, eq=False)
class LabelStatistics:
    """What a label matrix says before any image is looked at.

    Attributes:
        images: Number of images N.
        classes: Names of the K classes.
        cardinality: Mean number of labels an image.
        density: Cardinality divided by K: the share of ones in the matrix.
        label_sets: Number of different label sets among the N rows.
        empty_share: Share of images without any label.
        frequency: Share of images that carry each class, float64 (K,).
        co_occurrence: Share of images that carry both i and j, float64 (K, K); its diagonal is ``frequency``.
    """

    images: int
    classes: tuple[str, ...]
    cardinality: float
    density: float
    label_sets: int
    empty_share: float
    frequency: Tensor
    co_occurrence: Tensor


def label_statistics(labels: Tensor, classes: Sequence[str]) -> LabelStatistics:
    """Describe a label matrix.

    Args:
        labels: Zeros and ones of any dtype, (N, K).
        classes: K different names.

    Raises:
        ValueError: If labels hold anything but 0 and 1, or the number of names is not K.

    >>> statistics = label_statistics(torch.tensor([[1, 1], [1, 0], [0, 0], [1, 1]]), ["cat", "dog"])
    >>> statistics.cardinality, statistics.label_sets, statistics.empty_share
    (1.25, 3, 0.25)
    >>> statistics.co_occurrence.tolist()
    [[0.75, 0.5], [0.5, 0.5]]
    """
    checked = _check.labels("labels", labels)
    names = check_classes(classes, checked.shape[1])
    ones = checked.double()  # (N, K)
    co_occurrence = ones.T @ ones / len(ones)  # (K, K)
    cardinality = ones.sum(1).mean().item()
    return LabelStatistics(
        images=len(ones),
        classes=names,
        cardinality=cardinality,
        density=cardinality / len(names),
        label_sets=len(torch.unique(checked, dim=0)),
        empty_share=(ones.sum(1) == 0).double().mean().item(),
        frequency=co_occurrence.diagonal().clone(),
        co_occurrence=co_occurrence,
    )


@runtime_checkable
class LabelledDataset(Protocol):
    """What the loader and the experiments need of a data set, whether in memory or on disk."""

    @property
    def labels(self) -> Tensor:
        """Labels, uint8 (N, K)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]: ...

    def describe(self) -> LabelStatistics:
        """Statistics of ``labels``."""


def check_dataset(dataset: object, name: str = "dataset") -> LabelledDataset:
    """Return a data set if it is one."""
    if not isinstance(dataset, LabelledDataset):
        raise TypeError(f"{name}: expected labelled images, got {type(dataset).__name__}")
    return dataset


def chosen_rows(indices: Sequence[int] | Tensor, rows: int) -> Tensor:
    """Return numbers of rows, or the numbers of those that a mask marks, int64."""
    try:
        given = torch.as_tensor(indices, device="cpu")
        # PyTorch takes bytes for a mask, NumPy for numbers.
        chosen = torch.tensor(0) if given.dtype == torch.uint8 else torch.arange(rows)[given]
    except (TypeError, ValueError, RuntimeError, IndexError):
        chosen = torch.tensor(0)
    if chosen.dim() != 1 or not len(chosen):
        raise ValueError(f"indices: expected rows below {rows}, or a mask of as many, got {indices!r:.100}")
    return chosen


class LabelledImages(Dataset[tuple[Tensor, Tensor]]):
    """Images and their labels, held in memory.

    Args:
        images: uint8 (N, C, H, W).
        labels: Zeros and ones of any dtype, (N, K); stored as uint8.
        classes: K different names.

    Raises:
        TypeError: If images are not a uint8 tensor.
        ValueError: If a shape, a label or the class names are wrong.

    >>> dataset = LabelledImages(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), torch.eye(3), ["a", "b", "c"])
    >>> image, label = dataset[1]
    >>> image.shape, label.tolist(), len(dataset.subset([0, 2]))
    (torch.Size([1, 8, 8]), [0, 1, 0], 2)
    """

    dims: ClassVar[int] = 4
    dtype: ClassVar[torch.dtype] = torch.uint8

    def __init__(self, images: Tensor, labels: Tensor, classes: Sequence[str]) -> None:
        self.images = _check.tensor("images", images, dims=self.dims)
        if images.dtype != self.dtype:
            raise TypeError(f"images: expected dtype {self.dtype}, got {images.dtype}")
        if self.dtype.is_floating_point:
            _check.finite("images", images)
        elif images.shape[1] > 4 >= images.shape[3] != 2:
            got = f"shape {tuple(images.shape)}; use images.permute(0, 3, 1, 2)"
            raise ValueError(f"images: expected (N, C, H, W), channels before height and width, got {got}")
        self.labels = _check.labels("labels", labels).to(torch.uint8)
        _check.same_rows("labels", labels, "images", images)
        if labels.device != images.device:
            raise ValueError(f"labels: expected the device of images ({images.device}), got {labels.device}")
        self.classes = check_classes(classes, labels.shape[1])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Fetch a batch in one indexing; ``DataLoader`` prefers this to B times ``__getitem__``."""
        return self.images[indices], self.labels[indices]  # (B, C, H, W), (B, K)

    def subset(self, indices: Sequence[int] | Tensor) -> Self:
        """Return the images at ``indices``, or under a mask of N booleans, as a data set of their own."""
        chosen = chosen_rows(indices, len(self))
        return type(self)(self.images[chosen], self.labels[chosen], self.classes)

    def to(self, device: torch.device | str) -> Self:
        """Return the data set on ``device``."""
        return type(self)(self.images.to(device), self.labels.to(device), self.classes)

    def describe(self) -> LabelStatistics:
        """Return the statistics of the labels."""
        return label_statistics(self.labels, self.classes)


def checksum(*tensors: Tensor) -> str:
    """Return the SHA-256 of the tensors' types, shapes and values: the identity that a record states.

    >>> checksum(torch.zeros(2)) == checksum(torch.zeros(2)), checksum(torch.zeros(2))[:15]
    (True, 'sha256:21ff1b76')
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        _check.tensor("tensors", tensor)
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        array = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        digest.update(array.data)  # in place: a copy of four gigabytes of pixels may not fit
    return f"sha256:{digest.hexdigest()}"
