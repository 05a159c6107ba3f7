from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from probmcl.data import FINDINGS, check_patients, chestmnist, chestxray14_parts, read_chest_table
from probmcl_book.replicate import write_chest_miniature

HEADING = "Image Index,Finding Labels,Follow-up #,Patient ID"
TABLE = "Data_Entry_2017_v2020.csv"


def patients(paths: list[Path]) -> set[str]:
    return {path.name.split("_")[0] for path in paths}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    write_chest_miniature(tmp_path, films=120, pixels=32)
    return tmp_path


def lines(path: Path) -> list[str]:
    return path.read_text().split()


def test_the_official_split_is_that_of_the_lists(films):
    parts = chestxray14_parts(films, split="official")
    assert sorted(path.name for path in parts.test.paths) == sorted(lines(films / "test_list.txt"))
    learned = parts.train.paths + parts.validation.paths
    assert sorted(path.name for path in learned) == sorted(lines(films / "train_val_list.txt"))
    assert parts.train.classes == FINDINGS
    assert parts.split.startswith("official, Data_Entry_2017_v2020.csv")


@pytest.mark.parametrize("split", ["official", "random-patient"])
def test_no_patient_is_in_two_parts(films, split: str):
    parts = chestxray14_parts(films, split=split)
    seen = [patients(part.paths) for part in parts[:3]]
    assert sum(map(len, seen)) == len(set.union(*seen))
    assert sum(len(part) for part in parts[:3]) == 120


def test_the_random_split_is_70_10_20_depends_on_the_seed_and_needs_no_lists(films):
    (films / "test_list.txt").unlink()
    parts = chestxray14_parts(films, split="random-patient")
    for part, share in zip(parts[:3], (84, 12, 24), strict=True):
        assert abs(len(part) - share) <= 6  # of at most two patients
    other = chestxray14_parts(films, split="random-patient", seed=1)
    assert other.test.paths != parts.test.paths
    assert other.split.endswith("seed 1")


def test_there_is_no_split_by_default(films):
    with pytest.raises(TypeError, match="split"):
        chestxray14_parts(films)


def test_films_without_finding_are_kept_or_dropped_by_name(films):
    kept = chestxray14_parts(films, split="official")
    dropped = chestxray14_parts(films, split="official", no_finding="drop")
    assert kept.test.describe().empty_share > 0.3
    for before, after in zip(kept[:3], dropped[:3], strict=True):
        assert after.describe().empty_share == 0
        assert len(after) == int((before.labels.sum(1) > 0).sum())
        assert set(after.paths) <= set(before.paths)


def test_films_may_lie_in_one_folder(films):
    (films / "images").mkdir()
    (films / "test_list.txt").write_text((films / "test_list.txt").read_text(), encoding="utf-8-sig")
    for path in films.glob("images_*/images/*.png"):
        path.rename(films / "images" / path.name)
    assert len(chestxray14_parts(films, split="official").test) == len(lines(films / "test_list.txt"))


FILM = "images_001/images/00000001_000.png"


@pytest.mark.parametrize("name", [TABLE, "test_list.txt", "train_val_list.txt", FILM])
def test_a_missing_file_is_named(films, name: str):
    (films / name).unlink()
    with pytest.raises(FileNotFoundError, match=Path(name).name):
        chestxray14_parts(films, split="official")


def test_a_patient_on_both_sides_of_the_lists_is_an_error(films):
    learned, tests = films / "train_val_list.txt", films / "test_list.txt"
    moved, *rest = lines(learned)
    assert any(moved.split("_")[0] in name for name in rest), "the patient has several films"
    learned.write_text("\n".join(rest))
    tests.write_text("\n".join([*lines(tests), moved]))
    with pytest.raises(ValueError, match="split: expected each patient on one side, got 1 on both: 1"):
        chestxray14_parts(films, split="official")


def test_patients_on_both_sides_are_counted_and_named():
    names = [f"p{number}" for number in (1, 2, 3, 4, 1, 2, 3, 4)]
    with pytest.raises(ValueError, match=r"got 4 on both: p1, p2, p3$"):
        check_patients(names, torch.arange(8) < 4)
    with pytest.raises(ValueError, match="got 1 on both: 7"):
        check_patients(["7", "007"], torch.tensor([True, False]))
    check_patients(names, torch.tensor([1, 0, 0, 0, 1, 0, 0, 0], dtype=torch.bool))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda learned, tests: (learned[1:], tests), "or test_list.txt, got in neither: 1"),
        (lambda learned, tests: (learned, [*tests, learned[0]]), "in one of the two lists, got in both: 1"),
        (lambda learned, tests: (learned, [*tests, "x.png"]), r"in the table, got not there: 1, x\.png"),
        (lambda learned, tests: (learned, [*tests, tests[0]]), r"test_list\.txt: expected each film once"),
    ],
    ids=["neither", "both", "unknown", "twice"],
)
def test_lists_that_disagree_are_named(films, change: Callable[..., Any], message: str):
    paths = (films / "train_val_list.txt", films / "test_list.txt")
    for path, content in zip(paths, change(*map(lines, paths)), strict=True):
        path.write_text("\n".join(content))
    with pytest.raises(ValueError, match=message):
        chestxray14_parts(films, split="official")


def write_table(folder: Path, *rows: str, heading: str = HEADING) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([heading, *rows, ""]))
    return path


def test_labels_have_the_order_of_the_findings(tmp_path):
    rows = ("a.png,Hernia|Atelectasis,0,7", "b.png,No Finding,0,7", "c.png,Pleural_Thickening,0,8")
    found = read_chest_table(write_table(tmp_path, *rows))
    findings = [[FINDINGS[k] for k in row.nonzero()] for row in found.labels]
    assert findings == [["Atelectasis", "Hernia"], [], ["Pleural_Thickening"]]
    assert found.patients == ("7", "7", "8")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b.png,Fracture,0,8", "line 3: expected one of Atelectasis, .*, got 'Fracture' in 'Fracture'"),
        ("b.png,Mass|mass,0,8", "line 3: expected one of .*, got 'mass' in"),
        ("b.png,Mass|No Finding,0,8", "line 3: expected 'No Finding' alone, got"),
        ("a.png,Mass,0,8", r"line 3: expected each image once, got a\.png on line 2 too"),
        ("b.png,,0,8", "line 3: expected one of Atelectasis, .*, got ''"),
        ("b.png,Mass,0,", "line 3: expected the patient of a film, got none"),
        ("b.png,Mass", "line 3: expected 4 columns, got 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row: str, message: str):
    with pytest.raises(ValueError, match=rf"table\.csv, {message}"):
        read_chest_table(write_table(tmp_path, "a.png,No Finding,0,7", row))


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"expected the columns .*, got none named Patient ID"):
        read_chest_table(write_table(tmp_path, "a.png,Mass", heading="Image Index,Finding Labels"))
    with pytest.raises(ValueError, match="expected at least one film"):
        read_chest_table(write_table(tmp_path))


def write_chestmnist(folder: Path, pixels: int = 28, **change: np.ndarray) -> None:
    name = "chestmnist.npz" if pixels == 28 else f"chestmnist_{pixels}.npz"
    arrays = {}
    for count, part in enumerate(("train", "val", "test"), start=3):
        arrays[f"{part}_images"] = np.full((count, pixels, pixels), count, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.eye(count, 14, k=12, dtype=np.uint8)
    np.savez_compressed(folder / name, **{**arrays, **change})


@pytest.mark.parametrize("pixels", [28, 64])
def test_chestmnist_is_read_part_by_part(tmp_path, pixels: int):
    write_chestmnist(tmp_path, pixels)
    for count, part in enumerate(("train", "validation", "test"), start=3):
        films = chestmnist(tmp_path, part, pixels=pixels)
        assert films.images.shape == (count, 1, pixels, pixels)
        assert films.images.max() == count
        assert films.labels.sum(0)[12:].tolist() == [1, 1]  # pleural thickening, hernia
        assert films.describe().empty_share == pytest.approx(1 - 2 / count)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_images": np.zeros((5, 64, 64), np.uint8)}, r"images \(N, 28, 28\) and labels \(N, 14"),
        ({"test_labels": np.zeros((5, 1), np.uint8)}, r"images .*got .*\(5, 1\)"),
    ],
)
def test_a_chestmnist_of_another_kind_is_named(tmp_path, change: dict[str, np.ndarray], message: str):
    write_chestmnist(tmp_path, **change)
    with pytest.raises(ValueError, match=rf"chestmnist\.npz: expected {message}"):
        chestmnist(tmp_path, "test")
