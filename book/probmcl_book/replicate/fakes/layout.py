"""Write images and labels the way COCO and NIH lay theirs out on disk: same folders, same files, same fields.

For small data sets that stand in for the real ones where code that reads them is tried.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from probmcl._files import whole_file
from probmcl.data.public.chestxray14 import LISTS, NO_FINDING, TABLE
from probmcl.data.public.coco_categories import Category

Polygon = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Mark:
    """One annotation of a picture.

    ``polygon`` is its outline, x and y in pixels. A crowd marks many things at once; COCO then stores a mask.
    """

    category: int
    polygon: Polygon
    crowd: bool = False


@dataclass(frozen=True)
class Picture:
    """A JPEG file with its annotations."""

    name: str
    jpeg: bytes
    size: tuple[int, int]  # width, height
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Film:
    """A PNG file with its row of the table."""

    name: str
    png: bytes
    patient: str
    findings: Sequence[str]
    test: bool


def write_coco(
    root: str | Path, part: str, pictures: Iterable[Picture], categories: Sequence[Category]
) -> None:
    """Write ``PART/`` and ``annotations/instances_PART.json``.

    A folder that holds this annotation file already is refused.
    """
    root = Path(root)
    target = root / "annotations" / f"instances_{part}.json"
    _refuse_to_replace(target)
    placed: dict[bytes, Path] = {}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=1):
        _place(root / part / picture.name, picture.jpeg, placed)
        width, height = picture.size
        images.append(
            {"license": 1, "file_name": picture.name, "coco_url": "", "height": height, "width": width}
            | {"date_captured": "", "flickr_url": "", "id": number}
        )
        for mark in picture.marks:
            annotations.append(_annotation(mark, picture.size, number, len(annotations) + 1))
    content = {
        "info": {"description": part, "url": "", "version": "", "year": 0, "contributor": ""}
        | {"date_created": ""},
        "images": images,
        "licenses": [{"url": "", "id": 1, "name": ""}],
        "annotations": annotations,
        "categories": [
            {"supercategory": category.supercategory, "id": category.id, "name": category.name}
            for category in categories
        ],
    }
    _write(target, json.dumps(content))


def write_chest(root: str | Path, films: Sequence[Film], *, folders: int = 1) -> None:
    """Write ``images_001/images/`` and so on, the table of labels and the two lists of the official split.

    Columns that no code reads hold constants.

    A folder that holds a table already is refused.
    """
    root = Path(root)
    _refuse_to_replace(root / TABLE)
    placed: dict[bytes, Path] = {}
    for number, film in enumerate(films):
        place = root / f"images_{1 + number * folders // len(films):03}" / "images" / film.name
        _place(place, film.png, placed)
    for name, test in zip(LISTS, (False, True), strict=True):
        _write(root / name, "".join(f"{film.name}\n" for film in films if film.test == test))
    heading = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    )
    rows = [
        f"{film.name},{'|'.join(film.findings) or NO_FINDING},0,{film.patient},50,M,PA,1024,1024,0.143,0.143"
        for film in films
    ]
    _write(root / TABLE, "\n".join([heading, *rows, ""]))


def _annotation(mark: Mark, size: tuple[int, int], image: int, number: int) -> dict[str, Any]:
    canvas = Image.new("1", size)
    ImageDraw.Draw(canvas).polygon(list(mark.polygon), fill=1)
    mask = np.asarray(canvas)  # (H, W)
    columns, rows = zip(*mark.polygon, strict=True)
    left, top = min(columns), min(rows)
    outline: Any = [[round(float(value), 2) for point in mark.polygon for value in point]]
    if mark.crowd:  # a mask as run lengths down the columns, beginning with a run of zeros
        pixels = mask.flatten(order="F")
        changes = np.flatnonzero(np.diff(pixels, prepend=False, append=not pixels[-1]))
        outline = {"counts": np.diff(changes, prepend=0).tolist(), "size": list(mask.shape)}
    box = (left, top, max(columns) - left, max(rows) - top)
    return {
        "segmentation": outline,
        "area": float(mask.sum()),
        "iscrowd": int(mark.crowd),
        "image_id": image,
        "bbox": [round(float(value), 2) for value in box],
        "category_id": mark.category,
        "id": number,
    }


def image_bytes(image: Image.Image, kind: str) -> bytes:
    """The file of an image, JPEG or PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, quality=90)
    return buffer.getvalue()


def _place(path: Path, content: bytes, placed: dict[bytes, Path]) -> None:
    """Write a file, or link it to one that was placed with the same content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.hardlink_to(placed[content])
    except (KeyError, OSError):  # the first; or the file system has no links, or not so many to one file
        path.write_bytes(content)
        placed[content] = path


def _refuse_to_replace(path: Path) -> None:
    if path.exists():
        raise FileExistsError(f"root: expected a folder without {path.name}, got one with it: {path}")


def _write(path: Path, content: str) -> None:
    with whole_file(path) as file:
        file.write(content.encode())
