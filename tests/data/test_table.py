"""Tables as people have them: each is read as it is meant, or refused with its line."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from probmcl.data import ImageFolderLabels, LabelledImages, held_out, read_chest_table
from probmcl.data.labelled import check_classes
from probmcl.data.table import read_labels

PLAIN = "file,cat,dog\na.png,1,0\nb.png,0,1\n"
READ = {
    "plain": (PLAIN.encode(), "separator ',', labels as 0, 1"),
    "semicolons": (PLAIN.replace(",", ";").encode(), "separator ';'"),
    "tabs": (PLAIN.replace(",", "\t").encode(), r"separator '\t'"),
    "commas in names": (b'file;cat;dog\n"a, b.png/../a.png";1;0\nb.png;0;1', "separator ';'"),
    "spaces": (b" file , cat,dog \n a.png,1 , 0\nb.png,0, 1", "separator ','"),
    "mark of byte order": (b"\xef\xbb\xbf" + PLAIN.encode(), "separator ','"),
    "Excel's text": (PLAIN.replace(",", "\t").encode("utf-16"), "encoding utf-16"),
    "blank lines": (PLAIN.encode() + b"\n  \n,,\n", "blank lines left out: 3"),
    "empty columns": (b"file,cat,dog,,\na.png,1,0,,\nb.png,0,1,,", "separator ','"),
    "carriage returns": (PLAIN.replace("\n", "\r").encode(), "labels as 0, 1"),
    "floats": (b"file,cat,dog\na.png,1.0,0.0\nb.png,0,1.0", "labels as 0, 0.0, 1.0"),
    "words": (b"file,cat,dog\na.png,True,FALSE\nb.png,no,yes", "labels as false, no, true, yes"),
    "crosses": (b"file,cat,dog\na.png,x,\nb.png,,X", "labels as blank, x"),
    "names by bars": (b"file,Labels\na.png,cat\nb.png,dog|dog|\n", "names joined by '|'"),
    "names by commas": (b'file,labels\na.png,"cat, cat"\nb.png,dog', "names joined by ','"),
    "names by commas, columns by others": (b"file;tags\na.png;cat,cat\nb.png;dog", "names joined by ','"),
    "one name": (b"file,class\na.png,cat\nb.png, dog", "one name an image"),
    "lists in quotes": (b"file,labels\na.png,['cat']\nb.png,\"['dog', 'dog']\"", "names joined by '|'"),
    "lists without quotes": (b'file,labels\na.png,[cat]\nb.png,"[dog, dog]"', "names joined by ','"),
    "row numbers": (b",file,cat,dog\n0,a.png,1,0\n1,b.png,0,1", "column of row numbers left out"),
    "files without a heading": (b",cat,dog\na.png,1,0\nb.png,0,1", "labels as 0, 1"),
    "wide in the other order": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), "encoding utf-16"),
    "a line break in a heading": (b'file,cat,"dog\n"\na.png,1,0\nb.png,0,1', "labels as 0, 1"),
    "backslashes": (PLAIN.replace("a.png", r".\x\..\a.png").encode(), "separator ','"),
    "a split": (b"file,cat,Split,dog\na.png,1,train,0\nb.png,0,val,1", "labels as 0, 1"),
}


@pytest.mark.parametrize(("content", "said"), READ.values(), ids=READ)
def test_a_table_of_any_dialect_is_read_and_says_so(tmp_path, content: bytes, said: str):
    (tmp_path / "t.csv").write_bytes(content)
    found = read_labels(tmp_path / "t.csv")
    assert found.names == ["a.png", "b.png"]
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [[1, 0], [0, 1]]
    assert found.said.startswith("images: 2, classes: 2, ")
    assert said in found.said
    assert found.split == (["train", "validation"] if b"plit" in content else None)


REFUSED = {
    "a two": (b"file,cat\na.png,2", "line 2: expected 0 or 1 for cat, got '2'"),
    "uncertain": (b"file,cat\na.png,1\nb.png,-1", "line 3: expected 0 or 1 for cat, got '-1'"),
    "a gap": (b"file,cat\na.png,1\na.png,", "line 3: expected 0 or 1 for cat, got ''"),
    "only gaps": (b"file,cat,dog\na.png,,", "line 2: expected 0 or 1 for cat, got ''"),
    "too long": (b"file,cat\n\na.png,1,0", "line 3: expected 2 columns, got 3"),
    "too short": (b"file,cat,dog\na.png,1", "line 2: expected 3 columns, got 2"),
    "an open quote": (b'file,cat\na.png,1\n"b.png,0\nc.png,1', "line 3: expected quotes that are closed"),
    "a lost quote": (b'file,cat\n"a.png,1\n"b.png",0', "line 2: expected quotes that are closed, got"),
    "a formula": (b"file,cat\na.png,=B1", "line 2: expected values, got the formula '=B1'"),
    "a command": (b'file,"=cmd|x"\na.png,1', "line 1: expected values, got the formula"),
    "twice": (b"file,cat\na.png,1\nb,0\n./a.png,1", "line 4: expected each image once, got a.png on line 2"),
    "no file": (b"file,cat\n ,1", "line 2: expected the name of an image, got none"),
    "class twice": (b"file,cat, cat\na.png,1,0", "classes: expected different names, got 'cat' twice"),
    "class in capitals": (b"file,cat,Cat\na.png,1,0", "classes: expected one spelling for each, got 'Cat'"),
    "an invisible class": ("file,cat,cat\u200b\na.png,1,0".encode(), "different names, got 'cat' twice"),
    "no class": (b"file,labels\na.png,\nb.png,[]", "expected the name of a class, got none"),
    "decimal commas": (b"file;cat;dog\na.png;1,0;0,0", "line 2: expected 0 or 1 for cat, got '1,0'"),
    "class unnamed": (b"file,,cat\na.png,1,0", "classes: expected different names, got ''"),
    "two spellings": (b"file,labels\na.png,Cat|cat", "classes: expected one spelling for each, got 'Cat'"),
    "split": (b"file,cat,split\na.png,1,fold 3", "line 2: expected train, validation or test as split, got"),
    "NUL": (b"file,cat\na.png,1\0", "expected a table as text"),
    "wide without a mark": (PLAIN.encode("utf-16-le"), "expected a table as text"),
    "a workbook": (b"PK\x03\x04\x00", "expected a table as text"),
    "odd bytes": (b"file,caf\x81\na.png,1", "expected a table as text"),
    "one column": (b"file\na.png", "expected a heading"),
    "no rows": (b"file,cat", "expected a heading"),
    "nothing": (b"", "expected a heading"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_table_is_named(tmp_path, content: bytes, message: str):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.csv.*{message}"):
        read_labels(tmp_path / "t.csv")


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
