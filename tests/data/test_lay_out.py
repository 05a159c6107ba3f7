import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lay_out_npz import coco_ids, lay_out_coco, lay_out_nih, lay_out_parts
from PIL import Image

from probmcl.data import COCO_CATEGORIES, FINDINGS, chestxray14_parts, coco_images, load_npz

# The names and the order of a class list that is common with detectors of the YOLO family.
VOC = {"motorcycle": "motorbike", "airplane": "aeroplane", "couch": "sofa", "tv": "tvmonitor"}
CLASSES = [VOC.get(category.name, category.name) for category in COCO_CATEGORIES]


def packed(path: Path, rows: int, classes: Sequence[str], **arrays: Any) -> np.ndarray:
    """Write an npz of random labels, and return these."""
    labels = (np.random.default_rng(0).random((rows, len(classes))) < 0.2).astype(np.uint8)
    np.savez(path, labels=labels, classes=np.array(list(classes)), **arrays)
    return labels


def photographs(images: list[Image.Image]) -> dict[str, np.ndarray]:
    """JPEG files in one array, as a common archive has them."""
    jpegs = []
    for image in images:
        image.save(buffer := io.BytesIO(), format="JPEG")
        jpegs.append(buffer.getvalue())
    return {
        "blob": np.frombuffer(b"".join(jpegs), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, jpegs)]),
        "names": np.array([f"{number}.jpg" for number in range(len(jpegs))]),
    }


def test_packed_photographs_come_back_through_the_coco_reader(tmp_path: Path):
    split = np.array(["train", "val"] * 4)
    images = [Image.new("RGB", (16, 8 + shade), (30 * shade,) * 3) for shade in range(8)]
    labels = packed(tmp_path / "a.npz", 8, CLASSES, split=split, **photographs(images))
    lay_out_coco(tmp_path / "a.npz", tmp_path / "out")
    for part in ("train", "val"):
        found = coco_images(tmp_path / "out", f"{part}2014", unlabelled="keep")
        assert found.classes == tuple(category.name for category in COCO_CATEGORIES)
        assert torch.equal(found.labels, torch.from_numpy(labels[split == part]))
        for index, number in enumerate(np.flatnonzero(split == part)):
            assert found[index][0].shape == (3, 8 + number, 16)
            assert abs(int(found[index][0].max()) - 30 * number) <= 2


def test_packed_photographs_come_back_in_three_parts(tmp_path: Path):
    split = np.array(["train", "train", "train", "val"] * 10)
    images = [Image.new("L", (8, 8), 6 * shade).convert(["RGB", "L"][shade % 2]) for shade in range(40)]
    labels = packed(tmp_path / "a.npz", 40, "abcde", split=split, **photographs(images))
    lay_out_parts(tmp_path / "a.npz", tmp_path / "out")
    seen = []
    for part in ("train", "validation", "test"):
        found = load_npz(tmp_path / "out" / f"{part}.npz")
        rows = (found.images[:, 0, 0, 0].double() / 6).round().int().tolist()
        seen += rows
        assert {split[row] for row in rows} == {"val" if part == "test" else "train"}
        assert found.labels.tolist() == labels[rows].tolist()
    assert sorted(seen) == list(range(40))


def test_packed_films_come_back_through_the_nih_reader(tmp_path: Path):
    patients = np.arange(40) // 4
    split = np.where(patients % 5 == 0, "val", "train")
    films = {
        "images": np.arange(40, dtype=np.uint8).repeat(64).reshape(40, 8, 8),
        "names": np.array([f"{patient:08}_{row:03}.png" for row, patient in enumerate(patients)]),
        "patient": np.array([f"{patient:08}" for patient in patients]),
    }
    labels = packed(tmp_path / "a.npz", 40, FINDINGS, split=split, **films)
    lay_out_nih(tmp_path / "a.npz", tmp_path / "out")
    parts = chestxray14_parts(tmp_path / "out", split="official")
    assert len(parts.test) == 8
    for part in parts[:3]:
        for film, found in part:
            row = int(film[0, 0, 0])
            assert found.tolist() == labels[row].tolist()
            assert (split[row] == "val") == (part is parts.test)


def test_a_class_that_is_none_of_coco_is_named():
    with pytest.raises(ValueError, match="classes: expected COCO's, got unicorn"):
        coco_ids(["person", "unicorn"])
