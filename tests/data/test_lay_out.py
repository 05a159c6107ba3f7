from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from lay_out_npz import coco_ids, lay_out_coco, lay_out_nih, lay_out_parts
from PIL import Image

from probmcl.data import COCO_CATEGORIES, FINDINGS, chestxray14_parts, coco_images, load_npz

# The names and the order of a class list that is common with detectors of the YOLO family.
VOC = {"motorcycle": "motorbike", "airplane": "aeroplane", "couch": "sofa", "tv": "tvmonitor"}
CLASSES = np.array([VOC.get(category.name, category.name) for category in COCO_CATEGORIES])


def random_labels(rows: int, columns: int) -> np.ndarray:
    return (np.random.default_rng(0).random((rows, columns)) < 0.2).astype(np.uint8)


def test_packed_photographs_come_back_through_the_coco_reader(tmp_path: Path):
    jpegs = []
    for shade in range(8):
        buffer = io.BytesIO()
        Image.new("RGB", (16, 8 + shade), (30 * shade,) * 3).save(buffer, format="JPEG")
        jpegs.append(buffer.getvalue())
    labels, split = random_labels(8, 80), np.array(["train", "val"] * 4)
    np.savez(
        tmp_path / "a.npz",
        blob=np.frombuffer(b"".join(jpegs), dtype=np.uint8),
        offsets=np.cumsum([0, *map(len, jpegs)]),
        labels=labels,
        classes=CLASSES,
        names=np.array([f"{number}.jpg" for number in range(8)]),
        split=split,
    )
    lay_out_coco(tmp_path / "a.npz", tmp_path / "out")
    for part in ("train", "val"):
        images = coco_images(tmp_path / "out", f"{part}2014", unlabelled="keep")
        assert images.classes == tuple(category.name for category in COCO_CATEGORIES)
        assert torch.equal(images.labels, torch.from_numpy(labels[split == part]))
        for index, number in enumerate(np.flatnonzero(split == part)):
            assert images[index][0].shape == (3, 8 + number, 16)
            assert abs(int(images[index][0].max()) - 30 * number) <= 2


def test_packed_photographs_come_back_in_three_parts(tmp_path: Path):
    jpegs = []
    for shade in range(40):
        buffer = io.BytesIO()
        Image.new("L" if shade % 2 else "RGB", (8, 8), 6 * shade if shade % 2 else (6 * shade,) * 3).save(
            buffer, format="JPEG"
        )
        jpegs.append(buffer.getvalue())
    labels, split = random_labels(40, 5), np.array(["train", "train", "train", "val"] * 10)
    np.savez(
        tmp_path / "a.npz",
        blob=np.frombuffer(b"".join(jpegs), dtype=np.uint8),
        offsets=np.cumsum([0, *map(len, jpegs)]),
        labels=labels,
        classes=np.array(list("abcde")),
        names=np.array([f"{number}.jpg" for number in range(40)]),
        split=split,
    )
    lay_out_parts(tmp_path / "a.npz", tmp_path / "out")
    seen = []
    for part in ("train", "validation", "test"):
        images = load_npz(tmp_path / "out" / f"{part}.npz")
        rows = (images.images[:, 0, 0, 0].double() / 6).round().int().tolist()
        seen += rows
        assert {split[row] for row in rows} == {"val" if part == "test" else "train"}
        assert images.labels.tolist() == labels[rows].tolist()
    assert sorted(seen) == list(range(40))


def test_packed_films_come_back_through_the_nih_reader(tmp_path: Path):
    labels, patients = random_labels(40, 14), np.arange(40) // 4
    split = np.where(patients % 5 == 0, "val", "train")
    images = np.arange(40, dtype=np.uint8).repeat(64).reshape(40, 8, 8)
    np.savez(
        tmp_path / "a.npz",
        images=images,
        labels=labels,
        classes=np.array(FINDINGS),
        names=np.array([f"{patient:08}_{row:03}.png" for row, patient in enumerate(patients)]),
        patient=np.array([f"{patient:08}" for patient in patients]),
        split=split,
    )
    lay_out_nih(tmp_path / "a.npz", tmp_path / "out")
    parts = chestxray14_parts(tmp_path / "out", split="official")
    assert len(parts.test) == 8
    for part in parts[:3]:
        for index in range(len(part)):
            film, found = part[index]
            row = int(film[0, 0, 0])
            assert found.tolist() == labels[row].tolist()
            assert (split[row] == "val") == (part is parts.test)


def test_a_class_that_is_none_of_coco_is_named():
    with pytest.raises(ValueError, match="classes: expected COCO's, got unicorn"):
        coco_ids(["person", "unicorn"])
