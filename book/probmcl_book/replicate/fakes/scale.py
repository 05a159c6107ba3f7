"""Draw COCO and ChestX-ray14 as large as they are: all names and random labels, on a few tiny images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from probmcl.data import COCO_CATEGORIES
from probmcl.data.public.chestxray14 import FINDINGS
from probmcl_book.replicate.fakes.layout import Film, Mark, Picture, image_bytes, write_chest, write_coco

DIFFERENT = 32  # images; the others are links to them


def draw_coco(folder: Path, part: str, *, images: int, labelled: int, pixels: int) -> None:
    """Write a part of COCO 2014, with about three labels per labelled image."""
    chance, files = _images(pixels, "JPEG")
    corner = [(0, 0), (pixels // 2, 0), (0, pixels // 2)]

    def pictures() -> Iterator[Picture]:
        for number in range(images):
            found = np.flatnonzero(chance.random(80) < 3 / 80).tolist() or [number % 80]
            marks = [Mark(COCO_CATEGORIES[k].id, corner) for k in found if number < labelled]
            name = f"COCO_{part}_{number + 1:012}.jpg"
            yield Picture(name, files[number % DIFFERENT], (pixels, pixels), marks)

    write_coco(folder, part, pictures(), COCO_CATEGORIES)


def draw_chest(folder: Path, *, train: int, test: int, pixels: int) -> None:
    """Write ChestX-ray14 in twelve folders, four films per patient, about half of them without a finding."""
    chance, files = _images(pixels, "PNG")
    films = []
    for number in range(train + test):
        names = tuple(FINDINGS[k] for k in np.flatnonzero(chance.random(14) < 0.05))
        tests = number >= train
        patient = (number - train * tests) // 4 + 1 + (train // 4 + 1) * tests
        name = f"{patient:08}_{number % 4:03}.png"
        films.append(Film(name, files[number % DIFFERENT], str(patient), names, tests))
    write_chest(folder, films, folders=12)


def _images(pixels: int, kind: str) -> tuple[np.random.Generator, list[bytes]]:
    chance = np.random.default_rng(0)
    noise = chance.integers(256, size=(DIFFERENT, pixels, pixels, 3), dtype=np.uint8)
    return chance, [image_bytes(Image.fromarray(image), kind) for image in noise]
