"""MS-COCO as a multi-label data set: an image has the labels of whatever is annotated in it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.identifiers import check_classes, image_name
from probmcl.data.packed import ImagesOnDisk
from probmcl.data.public.coco_categories import Category
from probmcl.data.split import Parts, held_out

PARTS = ("train2014", "val2014", "train2017", "val2017")
UNLABELLED = ("drop", "keep")


@dataclass(frozen=True, eq=False)
class CocoLabels:
    """What an annotation file says about labels.

    Attributes:
        names: File name of each image, in the order of the file.
        labels: uint8 (N, K).
        categories: The K categories in the order of their ids, one for each column.
    """

    names: tuple[str, ...]
    labels: Tensor
    categories: tuple[Category, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K categories."""
        return tuple(category.name for category in self.categories)


def read_instances(path: str | Path, *, unlabelled: str = "drop") -> CocoLabels:
    """Read the labels of an ``instances_*.json`` in one pass.

    An annotation gives its image its category, however small it is, and also where it marks a crowd
    (``iscrowd``): so do the data sets of ASL and of ML-Decoder, which look at neither, and so do the
    published tables. Columns are contiguous: COCO's ids have gaps. An id 7 may be written 7.0 or "7".

    Args:
        path: The annotation file.
        unlabelled: What becomes of images without any annotation: ``"drop"`` as in the published tables
            (82,081 of 82,783 images of train2014 and 40,137 of 40,504 of val2014 stay), or ``"keep"`` as
            rows of zeros.

    Raises:
        ValueError: If the file is no whole JSON, a part is missing, an image or category is listed twice, or
            an annotation belongs to an image or category that is not listed.

    >>> from tempfile import TemporaryDirectory
    >>> from probmcl_book.replicate import write_coco_miniature
    >>> with TemporaryDirectory() as folder:
    ...     write_coco_miniature(folder, train=8, val=4)
    ...     found = read_instances(f"{folder}/annotations/instances_val2014.json")
    >>> found.labels.shape, found.categories[0]
    (torch.Size([4, 10]), Category(id=1, name='circle', supercategory='round'))
    """
    _check.one_of("unlabelled", unlabelled, UNLABELLED)
    path = _check.path("path", path)
    images, annotations, listed = _read_parts(path)
    categories = _categories(path, listed)
    names = [image_name(_text(path, "images", image, "file_name")) for image in images]
    rows = _places(path, "images", [_id(path, "images", image, "id") for image in images])
    _places(path, "images", names)
    columns = {category.id: column for column, category in enumerate(categories)}
    where = _cells(path, annotations, rows, columns)
    labels = torch.zeros(len(names), len(categories), dtype=torch.uint8)
    labels[where[:, 0], where[:, 1]] = 1
    if unlabelled == "drop":
        kept = labels.sum(1) > 0
        names = [name for name, keep in zip(names, kept.tolist(), strict=True) if keep]
        labels = labels[kept]
    return CocoLabels(tuple(names), labels, categories)


def coco_images(root: str | Path, part: str, *, unlabelled: str = "drop") -> ImagesOnDisk:
    """Return one part of COCO.

    Args:
        root: The folder that holds ``annotations/instances_PART.json`` and ``PART/``.
        part: ``"train2014"``, ``"val2014"``, ``"train2017"``, ``"val2017"``.
        unlabelled: As in ``read_instances``, which has the same errors; missing images are named.

    >>> coco_images("no/such/folder", "val2014")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: '...instances_val2014.json'
    """
    _check.one_of("part", part, PARTS)
    root = _check.path("root", root)
    found = read_instances(root / "annotations" / f"instances_{part}.json", unlabelled=unlabelled)
    return ImagesOnDisk([root / part / name for name in found.names], found.labels, found.classes)


def coco_parts(
    root: str | Path,
    *,
    year: int = 2014,
    unlabelled: str = "drop",
    validation_share: float = 0.05,
    validation_seed: int = 0,
) -> Parts:
    """Return COCO as published tables use it: ``val`` is the test set, so validation is cut from ``train``.

    Args:
        root: As in ``coco_images``.
        year: 2014 as in the published multi-label tables, or 2017.
        unlabelled: As in ``read_instances``.
        validation_share: Share of the training images held out for validation.
        validation_seed: Which images these are.

    Raises:
        ValueError: If train and val do not have the same classes; other errors as in ``coco_images``.

    >>> from tempfile import TemporaryDirectory
    >>> from probmcl_book.replicate import write_coco_miniature
    >>> with TemporaryDirectory() as folder:
    ...     write_coco_miniature(folder, train=40, val=12)
    ...     parts = coco_parts(folder, validation_share=0.1)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (36, 4, 12)
    """
    _check.one_of("year", str(year), ("2014", "2017"))
    learned = coco_images(root, f"train{year}", unlabelled=unlabelled)
    test = coco_images(root, f"val{year}", unlabelled=unlabelled)
    if learned.classes != test.classes:
        raise ValueError(f"root: expected the same categories in train{year} and val{year}, got others")
    held = held_out([path.name for path in learned.paths], validation_share, validation_seed)
    split = (
        f"train{year} and val{year} (as test), images without labels {unlabelled}; validation: "
        f"{validation_share:g} of train{year}, seed {validation_seed}"
    )
    return Parts(learned.subset(~held), learned.subset(held), test, split)


def _read_parts(path: Path) -> list[list[dict[str, Any]]]:
    """Return images, annotations and categories of an annotation file."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            # Nine tenths of the file are polygons. Each is dropped as soon as its annotation is read, and a
            # fraction stays text, as only an id could be needed: a third of the memory, a third of the time.
            content = json.load(file, object_hook=_without_outline, parse_float=str)
    except (ValueError, RecursionError) as error:  # JSON or UTF-8, or nested without end
        raise ValueError(f"{path}: expected a whole JSON file, got: {error}") from None
    keys = ("images", "annotations", "categories")
    for key in keys:
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            found = ", ".join(content) if isinstance(content, dict) else type(content).__name__
            raise ValueError(f"{path}: expected the lists {', '.join(keys)}, got no {key} (but {found})")
    return [content[key] for key in keys]


def _without_outline(entry: dict[str, Any]) -> dict[str, Any]:
    for key in ("segmentation", "bbox", "area"):
        entry.pop(key, None)
    return entry


def _text(path: Path, part: str, entry: dict[str, Any], key: str) -> str:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"{path}: {part}: expected text as {key} of every entry, got {entry!r:.100}")
    return value


def _id(path: Path, part: str, entry: dict[str, Any], key: str) -> int:
    value = entry.get(key) if isinstance(entry, dict) else None
    if type(value) is int:  # not a bool
        return value
    if not isinstance(value, str) or not (whole := re.fullmatch(r"\s*([0-9]{1,18})(\.0*)?\s*", value)):
        raise ValueError(
            f"{path}: {part}: expected a whole number as {key} of every entry, got {entry!r:.100}"
        )
    return int(whole[1])


def _categories(path: Path, listed: Sequence[dict[str, Any]]) -> tuple[Category, ...]:
    """Return the categories in the order of their ids."""
    ids = [_id(path, "categories", category, "id") for category in listed]
    _places(path, "categories", ids)
    names: Sequence[str] = [_text(path, "categories", category, "name") for category in listed]
    try:
        names = check_classes(names, len(ids))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    groups = [str(category.get("supercategory", "")) for category in listed]
    return tuple(sorted(map(Category, ids, names, groups)))


def _places(path: Path, part: str, keys: Sequence[Any]) -> dict[Any, int]:
    """Return the place of each key, all of which are different."""
    places: dict[Any, int] = {}
    for place, key in enumerate(keys):
        if key in places:
            raise ValueError(f"{path}: {part}: expected each once, got {key!r} twice")
        places[key] = place
    return places


def _cells(
    path: Path, annotations: Sequence[dict[str, Any]], rows: dict[Any, int], columns: dict[Any, int]
) -> Tensor:
    """Return row and column of every annotation, int64 (A, 2)."""
    cells = []
    for annotation in annotations:
        image = _id(path, "annotations", annotation, "image_id")
        category = _id(path, "annotations", annotation, "category_id")
        if image not in rows or category not in columns:
            what, key = ("image_id", image) if image not in rows else ("category_id", category)
            raise ValueError(
                f"{path}: annotation {annotation.get('id')}: expected a listed {what}, got {key}"
            )
        cells.append((rows[image], columns[category]))
    return torch.tensor(cells, dtype=torch.int64).view(-1, 2)
