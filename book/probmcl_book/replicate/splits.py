"""The images of an experiment in three parts, and what a record says about them."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data import ImagesOnDisk, LabelledImages, checksum
from probmcl_book.records.record import DataIdentity

Images = LabelledImages | ImagesOnDisk

LIMIT_SEED = 0  # which images a limit keeps


@dataclass(frozen=True)
class Splits:
    """Train, validation and test images of an experiment.

    Weights are learned from ``train``, epochs and thresholds are chosen on ``validation``, and ``test`` is
    measured. The texts are those of a :class:`~probmcl_book.records.DataIdentity`; ``whole_test`` counts the
    test images of the whole public data set, and is None if there is no such number.
    """

    train: Images
    validation: Images
    test: Images
    name: str
    split: str
    access: str
    source: str
    whole_test: int | None = None

    def limited(self, images: int | None) -> Self:
        """The same with ``images`` of each part, or all it has, which a seed chooses; None keeps all."""
        if images is None:
            return self
        _check.count("limit", images)
        parts = [_some(part, images) for part in (self.train, self.validation, self.test)]
        train, validation, test = parts
        words = f"{'' if min(map(len, parts)) == images else 'at most '}{images} images of each part"
        split = f"{self.split}; {words}, seed {LIMIT_SEED}"
        return replace(self, train=train, validation=validation, test=test, split=split)

    def fewer_to_train(self, share: float) -> Self:
        """The same with a share of the training images, which a seed chooses; 1 keeps all.

        >>> from probmcl_book.replicate import digits_recipe
        >>> splits = digits_recipe(smoke=True).splits().fewer_to_train(0.1)
        >>> len(splits.train), len(splits.test), splits.split
        (38, 192, 'train/validation/test with disjoint handwriting; 10 % of the training images, seed 0')
        """
        if _check.number("share", share, low=0.0, high=1.0, above=True) == 1:
            return self
        train = _some(self.train, max(1, round(share * len(self.train))))
        split = f"{self.split}; {100 * share:g} % of the training images, seed {LIMIT_SEED}"
        return replace(self, train=train, split=split)

    def identity(self) -> DataIdentity:
        """What a record says about the images.

        The checksum covers pixels and labels of images in memory. Of images on disk it covers file names and
        labels: to read 19 GB of pixels takes longer than they are worth, as their archives have checksums.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        in_memory = isinstance(self.test, LabelledImages)
        whole = self.whole_test in (None, len(self.test))
        return DataIdentity(
            name=self.name if whole else f"{self.name}, not the whole data set",
            split=self.split,
            sizes={name: len(part) for name, part in parts.items()},
            checksum=checksum(*(tensor for part in parts.values() for tensor in _content(part))),
            access=self.access if in_memory else f"{self.access}; the checksum is of file names and labels",
            source=self.source,
        )


def _some(part: Images, images: int) -> Images:
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(LIMIT_SEED))
    return part.subset(order[:images].sort().values)


def _content(part: Images) -> tuple[Tensor, Tensor]:
    """What identifies a part: its images or their names, and its labels."""
    if isinstance(part, LabelledImages):
        return part.images, part.labels
    names = "\n".join(path.name for path in part.paths)
    return torch.frombuffer(bytearray(names.encode()), dtype=torch.uint8), part.labels
