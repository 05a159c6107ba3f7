from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from probmcl.data import COCO_CATEGORIES, coco_images, coco_parts, make_loader, photo_view, read_instances
from probmcl_book.replicate import write_coco_miniature

# As in the file of 2014: ids with gaps, categories and annotations in no order.
CONTENT: dict[str, Any] = {
    "info": {},
    "licenses": [],
    "images": [
        {"id": 57, "file_name": "b.jpg", "width": 8, "height": 8},
        {"id": 9, "file_name": "a.jpg", "width": 8, "height": 8},
        {"id": 12, "file_name": "c.jpg", "width": 8, "height": 8},
        {"id": 90, "file_name": "d.jpg", "width": 8, "height": 8},
    ],
    "categories": [
        {"id": 90, "name": "toothbrush", "supercategory": "indoor"},
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 13, "name": "stop sign", "supercategory": "outdoor"},
    ],
    "annotations": [
        {"id": 1, "image_id": 9, "category_id": 90, "iscrowd": 0, "area": 0.5, "segmentation": [[1.5, 2.5]]},
        {"id": 2, "image_id": 57, "category_id": 1, "iscrowd": 0, "area": 9.5, "segmentation": [[1.5, 2.5]]},
        {"id": 3, "image_id": 9, "category_id": 1, "iscrowd": 0, "area": 9.5, "segmentation": [[1.5, 2.5]]},
        {"id": 4, "image_id": 9, "category_id": 1, "iscrowd": 0, "area": 9.5, "segmentation": [[1.5, 2.5]]},
        {
            "id": 5,
            "image_id": 12,
            "category_id": 13,
            "iscrowd": 1,
            "area": 9.5,
            "segmentation": {"counts": [1]},
        },
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write CONTENT, changed, as an annotation file."""

    def run(change: Callable[[dict[str, Any]], Any] | None = None) -> Path:
        content = json.loads(json.dumps(CONTENT))
        if change is not None:
            change(content)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        path = tmp_path / "annotations/instances_val2014.json"
        path.write_text(json.dumps(content))
        return path

    return run


def test_labels_are_contiguous_in_the_order_of_the_ids(write):
    found = read_instances(write())
    assert found.classes == ("person", "stop sign", "toothbrush")
    assert [category.supercategory for category in found.categories] == ["person", "outdoor", "indoor"]
    assert dict(zip(found.names, found.labels.tolist(), strict=True)) == {
        "b.jpg": [1, 0, 0],
        "a.jpg": [1, 0, 1],
        "c.jpg": [0, 1, 0],  # a crowd counts
    }


def test_images_without_annotation_are_kept_on_demand(write):
    found = read_instances(write(), unlabelled="keep")
    assert found.names == ("b.jpg", "a.jpg", "c.jpg", "d.jpg")
    assert found.labels[3].tolist() == [0, 0, 0]


def test_the_80_categories_are_those_of_coco():
    assert len(COCO_CATEGORIES) == 80
    ids = [category.id for category in COCO_CATEGORIES]
    assert ids == sorted(ids)
    assert sorted(set(range(1, 91)) - set(ids)) == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert len({category.name for category in COCO_CATEGORIES}) == 80
    assert len({category.supercategory for category in COCO_CATEGORIES}) == 12


def second(part: str, **change: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[part][1].update(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("categories"), "expected the lists .*, got no categories"),
        (lambda content: content.update(annotations={}), "expected the lists .*, got no annotations"),
        (second("annotations", image_id=58), "annotation 2: expected a listed image_id, got 58"),
        (second("annotations", category_id=12), "annotation 2: expected a listed category_id, got 12"),
        *(
            (
                second("annotations", image_id=wrong),
                "annotations: expected a whole number as image_id of every",
            )
            for wrong in (57.5, "b57", True, None, [57])
        ),
        (second("images", id=57), "images: expected each once, got 57 twice"),
        (second("images", file_name="./b.jpg"), r"images: expected each once, got 'b\.jpg' twice"),
        (second("images", file_name=7), "images: expected text as file_name of every"),
        (second("categories", id="090"), "categories: expected each once, got 90 twice"),
        (
            second("categories", name=" toothbrush"),
            "classes: expected different names, got 'toothbrush' twice",
        ),
    ],
)
def test_a_wrong_annotation_file_is_named(write, change: Callable[..., Any], message: str):
    with pytest.raises(ValueError, match=rf"instances_val2014\.json: {message}"):
        read_instances(write(change))


@pytest.mark.parametrize("spelling", [float, str, " {}.0 ".format, "{:012}".format])
def test_ids_may_be_fractions_or_text(write, spelling: Callable[[int], Any]):
    def respell(content: dict[str, Any]) -> None:
        for entry in content["annotations"]:
            entry |= {key: spelling(entry[key]) for key in ("image_id", "category_id")}
        content["images"][0]["id"] = spelling(57)

    found, expected = read_instances(write(respell)), read_instances(write())
    assert found.names == expected.names
    assert torch.equal(found.labels, expected.labels)


@pytest.mark.parametrize("content", ['{"images": [', "[" * 10_000 + "]" * 10_000])
def test_half_an_annotation_file_or_one_without_end_is_named(write, content: str):
    path = write()
    path.write_text(content)
    with pytest.raises(ValueError, match=r"instances_val2014\.json: expected a whole JSON file"):
        read_instances(path)


def test_missing_images_are_named(write, tmp_path):
    write()
    (tmp_path / "val2014").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "val2014/a.jpg")
    with pytest.raises(FileNotFoundError, match=r"expected 3 images, got none at .*b\.jpg, .*c\.jpg$"):
        coco_images(tmp_path, "val2014")


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    write_coco_miniature(root, train=60, val=20, pixels=64)
    return root


def test_val_is_the_test_set_and_validation_comes_from_train(miniature):
    parts = coco_parts(miniature, validation_share=0.2, validation_seed=3)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (48, 12, 20)
    assert {path.parent.name for path in parts.test.paths} == {"val2014"}
    assert not set(parts.train.paths) & set(parts.validation.paths)
    assert "0.2 of train2014, seed 3" in parts.split
    again, other = (coco_parts(miniature, validation_share=0.2, validation_seed=seed) for seed in (3, 4))
    assert again.validation.paths == parts.validation.paths
    assert other.validation.paths != parts.validation.paths


def test_unlabelled_images_come_into_every_part_on_demand(miniature):
    parts = coco_parts(miniature, unlabelled="keep")
    assert len(parts.train) + len(parts.validation) == 61
    assert parts.test.describe().empty_share == pytest.approx(1 / 21)


def test_grey_and_coloured_pictures_of_any_size_make_batches(miniature):
    loader = make_loader(coco_images(miniature, "val2014"), photo_view(32), 20, shuffle=False, seed=0)
    images, labels = next(iter(loader))
    assert images.shape == (20, 3, 32, 32)
    assert labels.shape == (20, 10)


def test_parts_with_other_categories_are_refused(miniature, tmp_path):
    for part in ("annotations", "train2014", "val2014"):
        (tmp_path / part).mkdir()
        for path in (miniature / part).iterdir():
            (tmp_path / part / path.name).hardlink_to(path)
    target = tmp_path / "annotations/instances_val2014.json"
    content = json.loads(target.read_text())
    content["categories"][0]["name"] = "disc"
    target.unlink()
    target.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="expected the same categories in train2014 and val2014"):
        coco_parts(tmp_path)


def test_many_annotations_give_the_labels_that_a_slow_loop_gives(tmp_path):
    generator = torch.Generator().manual_seed(0)
    pairs = torch.stack(
        [torch.randint(300, (3000,), generator=generator), torch.randint(80, (3000,), generator=generator)], 1
    ).tolist()
    content = {
        "images": [{"id": 7 * row, "file_name": f"{row}.jpg"} for row in range(300)],
        "categories": [category._asdict() for category in reversed(COCO_CATEGORIES)],
        "annotations": [
            {"id": number, "image_id": 7 * row, "category_id": COCO_CATEGORIES[column].id, "area": 1.5}
            for number, (row, column) in enumerate(pairs)
        ],
    }
    (tmp_path / "i.json").write_text(json.dumps(content))
    expected = torch.zeros(300, 80, dtype=torch.uint8)
    for row, column in pairs:
        expected[row, column] = 1
    found = read_instances(tmp_path / "i.json", unlabelled="keep")
    assert torch.equal(found.labels, expected)
    assert found.categories == COCO_CATEGORIES


def write_as_large_as_train2014(path: Path) -> None:
    """600,000 annotations with 30 numbers of outline each and more: about 450 MB."""
    generator = torch.Generator().manual_seed(0)
    with path.open("w") as file:
        images = [{"id": row, "file_name": f"COCO_train2014_{row:012}.jpg"} for row in range(82_783)]
        file.write(f'{{"images": {json.dumps(images)}, "annotations": [')
        for chunk in range(600):
            outlines = (torch.rand(1000, 90, generator=generator, dtype=torch.float64) * 640).tolist()
            rows = torch.randint(82_783, (1000,), generator=generator).tolist()
            columns = torch.randint(80, (1000,), generator=generator).tolist()
            file.write(",\n" * (chunk > 0))
            file.write(
                ",\n".join(
                    json.dumps(
                        {"segmentation": [[round(value, 2) for value in outline]], "area": 1234.5678}
                        | {"iscrowd": 0, "image_id": row, "bbox": [1.08, 187.69, 611.59, 285.84]}
                        | {"category_id": COCO_CATEGORIES[column].id, "id": 1000 * chunk + number}
                    )
                    for number, (outline, row, column) in enumerate(zip(outlines, rows, columns, strict=True))
                )
            )
        categories = [category._asdict() for category in COCO_CATEGORIES]
        file.write(f'], "categories": {json.dumps(categories)}}}')


if __name__ == "__main__":  # not a test: python tests/data/public/test_coco.py FILE
    import sys

    large = Path(sys.argv[1])
    if not large.exists():
        write_as_large_as_train2014(large)
    started, busy = time.perf_counter(), time.process_time()
    labels = read_instances(large).labels
    print(
        f"{large.stat().st_size / 1e6:.0f} MB, labels {tuple(labels.shape)}: "
        f"{time.perf_counter() - started:.1f} s wall, {time.process_time() - busy:.1f} s of one core, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )
