"""Draw small data sets in the formats of COCO and ChestX-ray14, to try the whole way from disk to result.

Nothing in them is a photograph or a film of a person. Numbers measured on them say that code runs, not how
well a method does on the real data.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from probmcl import _check
from probmcl.data.public.chestxray14 import FINDINGS
from probmcl.data.public.coco_categories import Category
from probmcl.data.scenes.themes import draw_label_sets
from probmcl_book.replicate.fakes.layout import (
    Film,
    Mark,
    Picture,
    Polygon,
    image_bytes,
    write_chest,
    write_coco,
)

# Ten shapes, whose ids have gaps as COCO's have: corners, share of the radius between corners, colour.
SHAPES = {
    Category(1, "circle", "round"): (24, 1.0, (220, 60, 60)),
    Category(2, "flower", "round"): (12, 0.75, (230, 140, 40)),
    Category(3, "triangle", "straight"): (3, 0.5, (225, 205, 60)),
    Category(5, "square", "straight"): (4, 0.7071, (90, 190, 80)),
    Category(8, "pentagon", "straight"): (5, 0.809, (60, 200, 190)),
    Category(13, "hexagon", "straight"): (6, 0.866, (70, 130, 230)),
    Category(16, "dart", "pointed"): (3, 0.2, (150, 90, 220)),
    Category(21, "cross", "pointed"): (4, 0.3, (225, 100, 190)),
    Category(44, "star", "pointed"): (5, 0.4, (160, 160, 160)),
    Category(90, "sun", "pointed"): (9, 0.55, (150, 100, 60)),
}
CELLS = 3  # shapes stand in a grid of 3 x 3 cells
EVERY = 16  # one picture of so many is grey, one shape of so many a crowd, one film of so many RGBA


def write_coco_miniature(
    root: str | Path, *, train: int = 96, val: int = 48, unlabelled: int = 1, pixels: int = 128
) -> None:
    """Draw pictures of ten kinds of shapes in the format of COCO 2014.

    Shape k appears where digit k of a DigitScene would, so that the labels depend on each other as
    ``label_distribution`` says. Pictures differ in size, some are grey, some shapes are marked as a crowd.

    The folder gets ``train2014/`` and ``val2014/``, each with ``unlabelled`` further pictures without any
    annotation, and ``annotations/``. ``pixels`` is the longer side of a picture.
    """
    for name, count in (("train", train), ("val", val)):
        _check.count(name, count)
    _check.count("unlabelled", unlabelled, low=0)
    _check.count("pixels", pixels, low=32)
    for seed, (part, count) in enumerate((("train2014", train), ("val2014", val))):
        pictures = _pictures(part, count, unlabelled, pixels, seed)
        write_coco(root, part, pictures, list(SHAPES))


def write_chest_miniature(root: str | Path, *, films: int = 96, pixels: int = 128) -> None:
    """Draw films in the format of ChestX-ray14: two dark fields, a spot in its own place for each finding.

    About half of the films have no finding; a patient has one to four films; NIH's lists put about a quarter
    of the patients into the test set. Some films are RGBA.

    The folder gets ``images_001/images/``, ``images_002/images/``, the table and the lists. Films are
    squares.
    """
    _check.count("films", films)
    _check.count("pixels", pixels, low=32)
    chance = np.random.default_rng(0)
    drawn: list[Film] = []
    patient = 0
    while len(drawn) < films:
        patient += 1
        test = patient % 4 == 0
        for number in range(min(int(chance.integers(1, 5)), films - len(drawn))):
            found = np.flatnonzero(chance.random(len(FINDINGS)) < 0.12) if chance.random() < 0.6 else ()
            film = _film(found, pixels, chance)
            if len(drawn) % EVERY == 3:
                film = film.convert("RGBA")
            names = tuple(FINDINGS[finding] for finding in found)
            drawn.append(
                Film(f"{patient:08}_{number:03}.png", image_bytes(film, "PNG"), str(patient), names, test)
            )
    write_chest(root, drawn, folders=2)


def _pictures(part: str, count: int, unlabelled: int, pixels: int, seed: int) -> Iterator[Picture]:
    chance = np.random.default_rng(seed)
    labels = draw_label_sets(count, None, torch.Generator().manual_seed(seed)).tolist()
    for number, row in enumerate(labels + [[0] * len(SHAPES)] * unlabelled, start=1):
        shorter = int(chance.integers(pixels * 3 // 4, pixels + 1))
        size = (pixels, shorter) if chance.random() < 0.7 else (shorter, pixels)
        noise = chance.normal(60, 15, (size[1], size[0], 3)).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(noise)
        marks = []
        present = [category for category, wanted in zip(SHAPES, row, strict=True) if wanted]  # at most six
        for place, category in zip(chance.permutation(CELLS * CELLS), present, strict=False):
            outline = _outline(category, int(place), size, chance)
            ImageDraw.Draw(image).polygon(list(outline), fill=SHAPES[category][2])
            marks.append(Mark(category.id, outline, crowd=bool(chance.integers(EVERY) == 0)))
        if number % EVERY == 5:
            image = image.convert("L")
        yield Picture(f"COCO_{part}_{number:012}.jpg", image_bytes(image, "JPEG"), size, marks)


def _outline(category: Category, place: int, size: tuple[int, int], chance: np.random.Generator) -> Polygon:
    """Return the corners of a shape in its cell of the grid, turned a little."""
    corners, between, _ = SHAPES[category]
    width, height = (side / CELLS for side in size)
    middle = ((place % CELLS + 0.5) * width, (place // CELLS + 0.5) * height)
    radius = chance.uniform(0.3, 0.45) * min(width, height)
    turn = chance.uniform(-0.3, 0.3)
    points = []
    for step in range(2 * corners):
        angle = turn + step * math.pi / corners
        reach = radius * (between if step % 2 else 1.0)
        points.append((middle[0] + reach * math.sin(angle), middle[1] - reach * math.cos(angle)))
    return points


def _film(found: np.ndarray | tuple[()], pixels: int, chance: np.random.Generator) -> Image.Image:
    rows, columns = np.mgrid[0:pixels, 0:pixels] / pixels  # (H, W)
    film = 170 + 12 * chance.standard_normal((pixels, pixels))
    for middle in (0.3, 0.7):
        film -= 90 * ((((columns - middle) / 0.17) ** 2 + ((rows - 0.5) / 0.36) ** 2) < 1)
    for finding in found:
        side, level = divmod(int(finding), len(FINDINGS) // 2)  # seven places in each field, top to bottom
        x, y = 0.3 + 0.4 * side, 0.22 + 0.09 * level
        across, down = columns - x - chance.normal(0, 0.01), rows - y - chance.normal(0, 0.01)
        film += 70 * np.exp(-(across**2 + down**2) / 0.03**2)
    return Image.fromarray(film.clip(0, 255).astype(np.uint8))
