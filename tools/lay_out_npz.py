"""Lay packed images out as a recipe reads them: ``python tools/lay_out_npz.py coco|nih|parts FILE.npz DIR``.

For trying the whole way from disk to result on real images before the full data set is there. The npz file
holds ``labels`` (N, K), ``classes`` (K,), ``names`` (N,) and ``split`` (N,), "train" or "val". For ``coco``
also ``blob``, all image files one after another, and ``offsets`` (N + 1,); ``val`` becomes val2014, and a
label becomes an annotation whose box is the whole image. For ``nih`` also ``images`` (N, H, W) and
``patient`` (N,); ``val`` becomes the test set. ``parts`` takes what ``coco`` takes, if all images have one
size, and writes ``train.npz``, ``validation.npz`` and ``test.npz``, the data set of ``PackedData``: ``val``
becomes the test set, and validation is cut from ``train`` by a hash of the names, but a file whose splits are
called "train", "validation" and "test" is cut already.

Beside images in the layout of a public data set, ``ORIGIN.json`` says what they are: records state it in
place of the public data set.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from probmcl.data import COCO_CATEGORIES, LabelledImages, held_out, save_npz
from probmcl_book.replicate import Origin, write_origin
from probmcl_book.replicate.fakes.layout import Film, Mark, Picture, write_chest, write_coco

OTHER_NAMES = {"motorbike": "motorcycle", "aeroplane": "airplane", "sofa": "couch", "tvmonitor": "tv"}

PARTS = ("train", "validation", "test")

VALIDATION_SHARE, VALIDATION_SEED = 0.15, 0

ORIGINS = {
    "coco355_128": Origin(
        "COCO-355, images of MS-COCO 2017 at 128 pixels",
        "178 images of train2017 and 177 of val2017 in the files of 2014",
        "private rebuild of MS-COCO 2017 (python -m probmcl sources fetch coco2017 --root DIR): the images "
        "that lightly-ai/coco128_yolo, commit 6d6f7a05, and lizhogn/tiny_coco_dataset, commit 68523ddd, "
        "kept; laid out by tools/lay_out_npz.py coco, with a box of the whole image for each label",
        "https://cocodataset.org; https://github.com/lightly-ai/coco128_yolo; "
        "https://github.com/lizhogn/tiny_coco_dataset",
    ),
    "nih1000_64": Origin(
        "NIH-1000, films of ChestX-ray14 at 64 pixels",
        "264 patients, another draw by patient in the lists of the official split",
        "private rebuild of ChestX-ray14 (python -m probmcl sources fetch chestxray14 --root DIR): the films "
        "that dinbe0527/kcr2019d1, commit ab26402f, kept; laid out by tools/lay_out_npz.py nih",
        "https://nihcc.app.box.com/v/ChestXray-NIHCC; https://github.com/dinbe0527/kcr2019d1",
    ),
}
"""What is known of packed files, by their names without ``.npz``."""


def coco_ids(classes: list[str]) -> list[int]:
    """Return COCO's id of each class; names of PASCAL VOC are understood.

    Raises:
        ValueError: If a class is none of COCO's.

    >>> coco_ids(["tvmonitor", "person"])
    [72, 1]
    """
    ids = {category.name: category.id for category in COCO_CATEGORIES}
    unknown = [name for name in classes if OTHER_NAMES.get(name, name) not in ids]
    if unknown:
        raise ValueError(f"classes: expected COCO's, got {', '.join(unknown)}")
    return [ids[OTHER_NAMES.get(name, name)] for name in classes]


def lay_out_coco(path: Path, root: Path) -> None:
    """Write ``train2014/``, ``val2014/`` and their annotation files."""
    arrays = _read(path)
    ids = coco_ids(arrays["classes"].tolist())
    for part in ("train", "val"):
        write_coco(root, f"{part}2014", _pictures(arrays, part, ids), COCO_CATEGORIES)
    write_origin(root, _origin(path))


def lay_out_nih(path: Path, root: Path) -> None:
    """Write ``images_001/images/``, the table of labels and the two lists."""
    arrays = _read(path)
    films = []
    for row, name in enumerate(arrays["names"].tolist()):
        buffer = io.BytesIO()
        Image.fromarray(arrays["images"][row]).save(buffer, format="PNG")
        findings = arrays["classes"][arrays["labels"][row] > 0].tolist()
        patient = str(int(arrays["patient"][row]))
        films.append(Film(name, buffer.getvalue(), patient, findings, bool(arrays["split"][row] == "val")))
    write_chest(root, films)
    write_origin(root, _origin(path))


def lay_out_parts(path: Path, root: Path) -> None:
    """Write ``train.npz``, ``validation.npz`` and ``test.npz``."""
    arrays = _read(path)
    classes = arrays["classes"].astype(str).tolist()
    for part, rows in _rows_of_parts(arrays).items():
        pixels = np.stack([_pixels(_jpeg(arrays, row)) for row in rows.tolist()])  # (N, H, W, 3)
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        labels = torch.from_numpy(arrays["labels"])[rows]
        save_npz(LabelledImages(images, labels, classes), root / f"{part}.npz")


def _rows_of_parts(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Which rows are for training, validation and test."""
    split = arrays["split"]
    if "validation" in split:
        return {part: torch.from_numpy(np.flatnonzero(split == part)) for part in PARTS}
    names = arrays["names"].astype(str).tolist()
    test = torch.from_numpy(split == "val")
    learned = torch.nonzero(~test).flatten()
    held = held_out([names[row] for row in learned.tolist()], VALIDATION_SHARE, VALIDATION_SEED)
    return dict(zip(PARTS, (learned[~held], learned[held], torch.nonzero(test).flatten()), strict=True))


def _origin(path: Path) -> Origin:
    """What is known of a packed file."""
    of_its_own = "that of the packed file"
    unknown = Origin(
        path.stem, of_its_own, f"private rebuild: {path.name} by tools/lay_out_npz.py", "not public"
    )
    return ORIGINS.get(path.stem, unknown)


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _pictures(arrays: dict[str, np.ndarray], part: str, ids: list[int]) -> Iterator[Picture]:
    for row in np.flatnonzero(arrays["split"] == part).tolist():
        jpeg = _jpeg(arrays, row)
        with Image.open(io.BytesIO(jpeg)) as image:
            width, height = image.size
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        marks = [Mark(ids[column], corners) for column in np.flatnonzero(arrays["labels"][row]).tolist()]
        yield Picture(str(arrays["names"][row]), jpeg, (width, height), marks)


def _jpeg(arrays: dict[str, np.ndarray], row: int) -> bytes:
    start, end = arrays["offsets"][row : row + 2]
    return bytes(arrays["blob"][start:end])


def _pixels(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))


LAYOUTS = {"coco": lay_out_coco, "nih": lay_out_nih, "parts": lay_out_parts}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in LAYOUTS:
        sys.exit(__doc__)
    LAYOUTS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
