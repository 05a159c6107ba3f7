"""Your own photographs as the data set of a recipe: a folder, and a table of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from probmcl.data import ImageFolderLabels, held_out
from probmcl_book.replicate.splits import Splits

TABLE, PARTS = "labels.csv", ("train", "validation", "test")


@dataclass(frozen=True)
class FolderData:
    """Photographs and their table, see :class:`~probmcl.data.ImageFolderLabels`.

    A column of the table named ``split`` cuts them. Without one a hash of the seed and the file names does.

    ``validation_share`` is of the images that are not for the test; another seed cuts otherwise.
    """

    test_share: float = 0.2
    validation_share: float = 0.15
    seed: int = 0

    kind: ClassVar[str] = "folder"
    benchmark: ClassVar[None] = None

    def splits(self, folder: Path | None = None) -> Splits:
        """Read a folder that holds its table as ``labels.csv``."""
        if folder is None:
            raise ValueError("data: expected the folder of your images, got none")
        return self.read(folder, folder / TABLE)

    def read(self, images: Path, labels: Path) -> Splits:
        """Read images and their table."""
        whole = ImageFolderLabels(images, labels)
        if whole.split:
            parts = [whole.part(name) for name in PARTS]
            words = "the column split of its table"
        else:
            test = held_out(whole.names, self.test_share, self.seed)
            known = [name for name, tested in zip(whole.names, test.tolist(), strict=True) if not tested]
            validation = torch.zeros_like(test)
            validation[~test] = held_out(known, self.validation_share, self.seed)
            parts = [whole.subset(mask) for mask in (~test & ~validation, validation, test)]
            words = (
                f"{self.test_share:.0%} for test, {self.validation_share:.0%} of the others for validation, "
                f"by a hash of the names, seed {self.seed}"
            )
        train, valid, test_images = parts
        name, own = f"{images.resolve().name}, own images", "own images"
        return Splits(train, valid, test_images, name, words, access=own, source=own)
