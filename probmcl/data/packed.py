"""Your own images: packed into one npz file, or left in a folder beside a table of labels."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from probmcl import _check
from probmcl._files import DAMAGED, whole_file
from probmcl.data.decode import read_image
from probmcl.data.features import LabelledFeatures
from probmcl.data.identifiers import check_classes
from probmcl.data.labelled import LabelledImages, LabelStatistics, chosen_rows, label_statistics
from probmcl.data.table import read_labels

KEYS = ("images", "labels", "classes")

T = TypeVar("T", bound=LabelledImages)


def save_npz(dataset: LabelledImages, path: str | Path) -> None:
    """Write a data set into one compressed npz file, whole or not at all; an existing one is replaced.

    >>> from tempfile import TemporaryDirectory
    >>> dataset = LabelledImages(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.eye(2), ["cat", "dog"])
    >>> with TemporaryDirectory() as folder:
    ...     save_npz(dataset, f"{folder}/pets.npz")
    ...     load_npz(f"{folder}/pets.npz").classes
    ('cat', 'dog')
    """
    _check.instance("dataset", dataset, LabelledImages)
    with whole_file(_check.path("path", path)) as file:
        np.savez_compressed(
            file,
            images=dataset.images.cpu().numpy(),
            labels=dataset.labels.cpu().numpy(),
            classes=np.array(dataset.classes, dtype=np.str_),
        )


def load_npz(path: str | Path) -> LabelledImages:
    """Read a data set from an npz file.

    Args:
        path: A file with the keys ``images``, uint8 (N, C, H, W); ``labels``, zeros and ones (N, K); and
            ``classes``, K names as an array of strings.

    Raises:
        ValueError: If the file is damaged, a key is missing or an array is not what it should be; the
            message names the file and the key. Pickled objects are refused, as they could run code.

    >>> load_npz(__file__)
    Traceback (most recent call last):
    ...
    ValueError: ...packed.py: expected an npz file, got one that is damaged or of another kind...
    """
    return _load(path, LabelledImages)


def load_features(path: str | Path) -> LabelledFeatures:
    """Read features of stored views from an npz file, as ``save_npz`` writes them.

    Keys and errors are those of ``load_npz``, but ``images`` are float16 (N, V, F), the plain view first.

    >>> from tempfile import TemporaryDirectory
    >>> dataset = LabelledFeatures(torch.zeros(2, 9, 16, dtype=torch.float16), torch.eye(2), ["cat", "dog"])
    >>> with TemporaryDirectory() as folder:
    ...     save_npz(dataset, f"{folder}/pets.npz")
    ...     load_features(f"{folder}/pets.npz").images.shape
    torch.Size([2, 9, 16])
    """
    return _load(path, LabelledFeatures)


def _load(path: str | Path, kind: type[T]) -> T:
    path = _check.path("path", path)
    arrays = {key: read_array(path, key, KEYS) for key in KEYS}
    pixels = str(kind.dtype).removeprefix("torch.")
    for key, fits, wanted in (
        ("images", arrays["images"].dtype == pixels, pixels),
        ("labels", arrays["labels"].dtype.kind in "biuf", "numbers"),
        ("classes", arrays["classes"].dtype.kind == "U", "strings"),
    ):
        if not fits:
            raise ValueError(f"{path}: {key}: expected {wanted}, got dtype {arrays[key].dtype}")
    try:
        return kind(
            torch.from_numpy(arrays["images"]),
            torch.from_numpy(arrays["labels"]),
            [str(name) for name in arrays["classes"].ravel()],
        )
    except (TypeError, ValueError) as error:  # these messages begin with the key
        raise ValueError(f"{path}: {error}") from None


def read_array(path: Path, key: str, keys: Sequence[str]) -> np.ndarray:
    """Read one array of an npz file that should hold ``keys``, and say what is wrong if that fails."""
    try:
        with zipfile.ZipFile(path) as archive:
            if f"{key}.npy" not in archive.namelist():
                raise KeyError(key)
            with archive.open(f"{key}.npy") as member:
                return np.lib.format.read_array(member, allow_pickle=False)
    except KeyError:
        raise ValueError(f"{path}: expected the keys {', '.join(keys)}, got none named {key}") from None
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path}: expected an npz file, got one that is damaged or of another kind ({key}: {error})"
        ) from None
    except DAMAGED as error:
        raise ValueError(f"{path}: {key}: expected a readable array, got: {error}") from None


class ImagesOnDisk(Dataset[tuple[Tensor, Tensor]]):
    """Images in files, decoded when they are asked for, with their labels.

    Args:
        paths: One image file for each row of ``labels``, each once.
        labels: Zeros and ones of any dtype, (N, K); stored as uint8.
        classes: K different names.

    Raises:
        FileNotFoundError: If some images are missing; the message names them.
        ValueError: If a label, the number of rows or the class names are wrong, or a file is listed twice.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("a.png", "b.png"):
    ...         Image.new("L", (6, 4)).save(f"{folder}/{name}")
    ...     pets = ImagesOnDisk([f"{folder}/a.png", f"{folder}/b.png"], torch.eye(2), ["cat", "dog"])
    ...     image, label = pets.subset([1])[0]
    >>> image.shape, label.tolist()
    (torch.Size([3, 4, 6]), [0, 1])
    """

    def __init__(self, paths: Sequence[str | Path], labels: Tensor, classes: Sequence[str]) -> None:
        self.labels = _check.labels("labels", labels).to(torch.uint8)
        self.classes = check_classes(classes, labels.shape[1])
        self.paths = [_check.path("paths", path) for path in _check.in_order("paths", paths)]
        if len(self.paths) != len(labels):
            raise ValueError(
                f"paths: expected as many as rows of labels ({len(labels)}), got {len(self.paths)}"
            )
        if twice := [path for path, count in Counter(map(os.path.abspath, self.paths)).items() if count > 1]:
            raise ValueError(f"paths: expected each image once, got {twice[0]} twice")
        listed = {  # a folder is listed once, not asked for each image
            folder: {one.name for one in os.scandir(folder) if one.is_file()} if folder.is_dir() else set()
            for folder in {path.parent for path in self.paths}
        }
        if missing := [str(path) for path in self.paths if path.name not in listed[path.parent]]:
            rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise FileNotFoundError(
                f"paths: expected {len(self.paths)} images, got none at {', '.join(missing[:3])}{rest}"
            )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return image ``index`` as RGB, uint8 (3, H, W), and its labels, uint8 (K,)."""
        return read_image(self.paths[index]), self.labels[index]

    def subset(self, indices: Sequence[int] | Tensor) -> ImagesOnDisk:
        """Return the images at ``indices``, or under a mask of N booleans, as a data set of their own."""
        chosen = chosen_rows(indices, len(self))
        paths = [self.paths[index] for index in chosen.tolist()]
        return ImagesOnDisk(paths, self.labels[chosen], self.classes)

    def describe(self) -> LabelStatistics:
        """Return the statistics of the labels."""
        return label_statistics(self.labels, self.classes)


class ImageFolderLabels(ImagesOnDisk):
    r"""Images in a folder, decoded when they are asked for, with labels from a table.

    The table is a CSV file with a heading, separated by ``,``, ``;`` or tabs. Its first column holds the
    images' file names, relative to ``root``; each further column is a class and holds 0 or 1 (also ``1.0``,
    ``true``, ``yes``; ``x`` or nothing). For example::

        file,cat,dog
        a.jpg,1,0
        more/b.png,1,1

    One column ``labels`` may hold names instead, as ``cat|dog`` or ``"cat,dog"``; classes are then in
    alphabetical order. A column ``split`` holds the part. The ``repr`` says in one line what was read.

    Args:
        root: The folder.
        table: The CSV file.

    Raises:
        FileNotFoundError: If the table or some images are missing; the message names them.
        ValueError: If a row or a label of the table is wrong; the message names the line.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("L", (6, 4)).save(f"{folder}/a.png")
    ...     _ = Path(f"{folder}/labels.csv").write_text("file;cat;dog\na.png;1;0\n")
    ...     pets = ImageFolderLabels(folder, f"{folder}/labels.csv")
    ...     image, label = pets[0]
    >>> image.shape, label.tolist()
    (torch.Size([3, 4, 6]), [1, 0])
    >>> pets
    ImageFolderLabels(images: 1, classes: 2, separator ';', labels as 0, 1)
    """

    def __init__(self, root: str | Path, table: str | Path) -> None:
        self.names, labels, classes, self.split, self._read = read_labels(_check.path("table", table))
        super().__init__([_check.path("root", root) / name for name in self.names], labels, classes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._read})"

    def part(self, name: str) -> ImagesOnDisk:
        """Return what the column ``split`` puts into ``"train"``, ``"validation"`` or ``"test"``, if any."""
        rows = [row for row, part in enumerate(self.split or ()) if part == name]
        if not rows:
            parts = ", ".join(sorted(set(self.split or ())))
            wanted = parts or "a part that a column named split gives, of none"
            raise ValueError(f"name: expected one of {wanted}, got {name!r}")
        return self.subset(rows)
