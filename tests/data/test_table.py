"""Tables as people have them: each is read as it is meant, or refused with its line."""

from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from probmcl.data import ImageFolderLabels, LabelledImages, held_out, read_chest_table
from probmcl.data.labelled import check_classes
from probmcl.data.table import read_labels

TABLES = yaml.safe_load(Path(__file__).with_name("tables.yml").read_text("utf-8"))


def write_table(folder: Path, case: dict[str, str]) -> Path:
    path = folder / "t.csv"
    path.write_bytes(case["table"].encode(case.get("encoding", "utf-8")))
    return path


@pytest.mark.parametrize("case", TABLES["read"].values(), ids=TABLES["read"])
def test_a_table_of_any_dialect_is_read_and_says_so(tmp_path, case: dict[str, str]):
    found = read_labels(write_table(tmp_path, case))
    assert found.names == ["a.png", "b.png"]
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [[1, 0], [0, 1]]
    assert found.said.startswith("images: 2, classes: 2, ")
    assert case["said"] in found.said
    assert found.split == (["train", "validation"] if "plit" in case["table"] else None)


@pytest.mark.parametrize("case", TABLES["refused"].values(), ids=TABLES["refused"])
def test_a_wrong_table_is_named(tmp_path, case: dict[str, str]):
    with pytest.raises(ValueError, match=rf"t\.csv.*{case['message']}"):
        read_labels(write_table(tmp_path, case))


def test_quotes_inside_a_name_stay(tmp_path):
    (tmp_path / "t.csv").write_text('file,labels\na.png,women\'s|""\nb.png,"[""men\'s""]"')
    assert read_labels(tmp_path / "t.csv").classes == ('""', "men's", "women's")


def test_old_encodings_are_read_and_named(tmp_path):
    (tmp_path / "t.csv").write_bytes("file,café\nä.png,1".encode("cp1252"))
    found = read_labels(tmp_path / "t.csv")
    assert (found.names, found.classes) == (["ä.png"], ("café",))
    assert "encoding cp1252" in found.said


def write_folder(folder: Path, content: str, *names: str) -> ImageFolderLabels:
    for shade, name in enumerate(names):
        (folder / name).parent.mkdir(exist_ok=True)
        Image.new("L", (2, 2), shade).save(folder / name)
    (folder / "labels.csv").write_text(content, encoding="utf-8")
    return ImageFolderLabels(folder, folder / "labels.csv")


def test_a_folder_has_the_labels_and_the_split_of_its_table(tmp_path):
    content = '\ufefffile,cat,"dog, or wolf",split\na.png,1,0,test\nmore/b.png, 1,1,training\n'
    dataset = write_folder(tmp_path, content, "a.png", "more/b.png")
    assert dataset.classes == ("cat", "dog, or wolf")
    assert dataset.describe().cardinality == 1.5
    assert dataset[1][0].max() == 1
    assert repr(dataset) == "ImageFolderLabels(images: 2, classes: 2, separator ',', labels as 0, 1)"
    assert dataset.part("train").paths == [tmp_path / "more/b.png"]
    with pytest.raises(ValueError, match="name: expected one of test, train, got 'validation'"):
        dataset.part("validation")


@pytest.mark.parametrize("count", [1, 2, 1000, 100_000])
def test_any_number_of_classes_is_read(tmp_path, count: int):
    names = [f"class {number}" for number in range(count)]
    found = write_folder(tmp_path, f"file;{';'.join(names)}\na.png;1{';0' * (count - 1)}", "a.png")
    assert found.classes == tuple(names)
    assert found.labels.sum() == 1


def test_names_are_not_compared_each_with_each():
    compared = []

    class Name(str):
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return str.__eq__(self, other)

    check_classes([Name(number) for number in range(1000)], 1000)
    assert len(compared) < 10_000


def test_a_patient_is_one_however_it_is_written(tmp_path):
    """86 patients in three spellings each: none may be on two sides."""
    written = ("{}", " {} ", "{:08}", "{}.0")
    spellings = [spelling.format(number) for spelling in written for number in range(86)]
    rows = [f"{row}.png,Mass,{patient}" for row, patient in enumerate(spellings)]
    (tmp_path / "t.csv").write_text("\n".join(["Image Index,Finding Labels,Patient ID", *rows]))
    assert read_chest_table(tmp_path / "t.csv").patients == tuple(map(str, range(86))) * 4
    for groups in (spellings, [number for _ in range(4) for number in range(86)]):
        held = held_out(groups, 0.3, seed=0).view(4, 86)
        assert torch.equal(held, held[:1].expand(4, -1))


def test_composed_characters_and_spaces_do_not_make_two_classes():
    images = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    assert LabelledImages(images, torch.ones(1, 1), [" stop  sign "]).classes == ("stop sign",)
    with pytest.raises(ValueError, match="classes: expected different names"):
        LabelledImages(images, torch.ones(1, 2), ["caf\u00e9", "cafe\u0301"])
