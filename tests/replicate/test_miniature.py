"""The miniatures have the folders, files and fields of the real data sets, and labels of a known kind."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from probmcl.data import Category, co_occurrence, coco_images, read_chest_table, read_instances
from probmcl_book.replicate import write_chest_miniature, write_coco_miniature
from probmcl_book.replicate.fakes.layout import Mark, Picture, write_coco


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    write_coco_miniature(root, train=120, val=10, unlabelled=2, pixels=64)
    return root


@pytest.fixture(scope="module")
def content(coco: Path) -> dict[str, list[dict]]:
    return json.loads((coco / "annotations/instances_train2014.json").read_text())


def test_the_annotation_file_has_the_fields_of_coco(content):
    assert list(content) == ["info", "images", "licenses", "annotations", "categories"]
    assert set(content["images"][0]) == {
        *("license", "file_name", "coco_url", "height", "width", "date_captured", "flickr_url", "id")
    }
    assert set(content["annotations"][0]) == {
        *("segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "id")
    }
    assert set(content["categories"][0]) == {"supercategory", "id", "name"}
    assert len({annotation["id"] for annotation in content["annotations"]}) == len(content["annotations"])


def test_every_listed_picture_is_there_in_its_size(content, coco):
    assert len(content["images"]) == 122
    modes = set()
    for image in content["images"]:
        with Image.open(coco / "train2014" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
            assert picture.format == "JPEG"
            modes.add(picture.mode)
    assert modes == {"RGB", "L"}
    assert len({(image["width"], image["height"]) for image in content["images"]}) > 5


def mask_of(annotation: dict, size: tuple[int, int]) -> np.ndarray:
    """The pixels of an annotation, uint8 (H, W), from either of COCO's two forms."""
    outline = annotation["segmentation"]
    if annotation["iscrowd"]:
        values = np.arange(len(outline["counts"])) % 2
        return np.repeat(values, outline["counts"]).reshape(outline["size"], order="F")
    canvas = Image.new("1", size)
    ImageDraw.Draw(canvas).polygon(outline[0], fill=1)
    return np.asarray(canvas).astype(int)


def test_outline_area_and_box_of_an_annotation_agree(content):
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    for annotation in content["annotations"]:
        mask = mask_of(annotation, sizes[annotation["image_id"]])
        assert abs(mask.sum() - annotation["area"]) <= 0.1 * annotation["area"] + 2
        rows, columns = mask.nonzero()
        left, top, width, height = annotation["bbox"]
        assert left - 1 <= columns.min() <= columns.max() <= left + width + 1
        assert top - 1 <= rows.min() <= rows.max() <= top + height + 1
    crowds = sum(annotation["iscrowd"] for annotation in content["annotations"])
    assert 0 < crowds < len(content["annotations"]) / 8


def test_the_shapes_depend_on_each_other_as_digits_do(tmp_path):
    write_coco_miniature(tmp_path, train=1000, val=1, pixels=32)
    found = read_instances(tmp_path / "annotations/instances_train2014.json").labels.double()
    measured = found.T @ found / len(found)
    assert (measured - co_occurrence()).abs().max() < 0.06


def test_a_shape_is_drawn_in_its_colour_where_its_label_says_so(coco):
    images = coco_images(coco, "train2014")
    red = torch.tensor([220, 60, 60]).view(3, 1, 1)
    for index, path in enumerate(images.paths):
        picture, labels = images[index]
        if not torch.equal(picture[0], picture[1]):  # not the grey ones
            near = ((picture.int() - red).abs().sum(0) < 40).float().mean()
            assert (near > 0.01) == bool(labels[0]), path


def test_the_same_numbers_give_the_same_files(tmp_path):
    for folder in ("a", "b"):
        write_coco_miniature(tmp_path / folder, train=5, val=2)
        write_chest_miniature(tmp_path / folder, films=10)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 5 + 2 + 2 + 2 + 10 + 3
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_real_data_are_not_written_over(coco, tmp_path):
    with pytest.raises(FileExistsError, match=r"expected a folder without instances_train2014\.json"):
        write_coco_miniature(coco)
    write_chest_miniature(tmp_path, films=2)
    with pytest.raises(FileExistsError, match=r"expected a folder without Data_Entry_2017_v2020\.csv"):
        write_chest_miniature(tmp_path, films=2)


def test_the_table_has_the_columns_of_nih(tmp_path):
    write_chest_miniature(tmp_path, films=200, pixels=32)
    with (tmp_path / "Data_Entry_2017_v2020.csv").open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert ",".join(heading) == (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    )
    assert {len(row) for row in rows} == {len(heading)}
    folders = {path.parent.parent.name for path in tmp_path.rglob("*.png")}
    assert folders == {"images_001", "images_002"}
    labels = read_chest_table(tmp_path / "Data_Entry_2017_v2020.csv").labels
    assert 0.35 < (labels.sum(1) == 0).double().mean() < 0.65
    assert (labels.sum(0) > 0).all()


def test_a_crowd_that_begins_in_the_first_pixel_begins_with_an_empty_run(tmp_path):
    crowd = Mark(1, [(0, 0), (3, 0), (3, 1), (0, 1)], crowd=True)
    picture = Picture("a.jpg", b"", (4, 3), [crowd])
    write_coco(tmp_path, "val2014", [picture], [Category(1, "cat", "animal")])
    (written,) = json.loads((tmp_path / "annotations/instances_val2014.json").read_text())["annotations"]
    assert written["segmentation"] == {"counts": [0, 2, 1, 2, 1, 2, 1, 2, 1], "size": [3, 4]}
    assert written["area"] == 8
