import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from probmcl.data import COCO_CATEGORIES, coco_images, coco_parts, read_instances
from probmcl_book.replicate import write_coco_miniature

# As in the file of 2014: ids with gaps, categories and annotations in no order.
CONTENT: dict[str, Any] = {
    "info": {},
    "images": [
        {"id": id, "file_name": f"{name}.jpg", "width": 8}
        for id, name in ((57, "b"), (9, "a"), (12, "c"), (90, "d"))
    ],
    "categories": [
        {"id": 90, "name": "toothbrush", "supercategory": "indoor"},
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 13, "name": "stop sign", "supercategory": "outdoor"},
    ],
    "annotations": [
        {"id": id, "image_id": image, "category_id": category, "area": 0.5, "segmentation": [[1.5, 2.5]]}
        for id, image, category in ((1, 9, 90), (2, 57, 1), (3, 9, 1), (4, 9, 1))
    ]
    + [{"id": 5, "image_id": 12, "category_id": 13, "iscrowd": 1, "segmentation": {"counts": [1]}}],
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
    assert found.names == ("b.jpg", "a.jpg", "c.jpg")
    assert found.labels.tolist() == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]  # a crowd counts
    kept = read_instances(write(), unlabelled="keep")
    assert kept.names == ("b.jpg", "a.jpg", "c.jpg", "d.jpg")
    assert kept.labels[3].tolist() == [0, 0, 0]


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
            (second("annotations", image_id=wrong), "annotations: expected a whole number as image_id of")
            for wrong in (57.5, "b57", True, None, [57])
        ),
        (second("images", id=57), "images: expected each once, got 57 twice"),
        (second("images", file_name="./b.jpg"), r"images: expected each once, got 'b\.jpg' twice"),
        (second("images", file_name=7), "images: expected text as file_name of every"),
        (second("categories", id="090"), "categories: expected each once, got 90 twice"),
        (second("categories", name=" toothbrush"), "classes: expected different names, got 'toothbrush' tw"),
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


def test_parts_with_other_categories_are_refused(miniature, tmp_path):
    shutil.copytree(miniature, tmp_path, dirs_exist_ok=True)
    target = tmp_path / "annotations/instances_val2014.json"
    content = json.loads(target.read_text())
    content["categories"][0]["name"] = "disc"
    target.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="expected the same categories in train2014 and val2014"):
        coco_parts(tmp_path)
