from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from probmcl.data import ImageFolderLabels, ImagesOnDisk, checksum, load_npz, save_npz

ARRAYS: dict[str, Any] = {
    "images": np.zeros((3, 1, 4, 4), dtype=np.uint8),
    "labels": np.eye(3, dtype=np.uint8),
    "classes": np.array(["a", "b", "c"]),
}


def test_a_data_set_comes_back_from_its_file(make_dataset, tmp_path):
    dataset = make_dataset(5, channels=3)
    save_npz(dataset, tmp_path / "set.npz")
    loaded = load_npz(tmp_path / "set.npz")
    assert checksum(loaded.images, loaded.labels) == checksum(dataset.images, dataset.labels)
    assert loaded.classes == dataset.classes
    assert [path.name for path in tmp_path.iterdir()] == ["set.npz"]


def test_a_failed_write_keeps_the_old_file(make_dataset, tmp_path, monkeypatch):
    path = tmp_path / "set.npz"
    save_npz(make_dataset(5), path)

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        save_npz(make_dataset(6), path)
    assert len(load_npz(path)) == 5
    assert [left.name for left in tmp_path.iterdir()] == ["set.npz"]


def test_labels_may_be_of_any_number_type(tmp_path):
    np.savez(tmp_path / "set.npz", **{**ARRAYS, "labels": np.eye(3, dtype=bool)})
    assert torch.equal(load_npz(tmp_path / "set.npz").labels, torch.eye(3, dtype=torch.uint8))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_a_truncated_file_is_named(make_dataset, tmp_path, share: float):
    path = tmp_path / "set.npz"
    save_npz(make_dataset(50), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"set\.npz: expected an npz file, got one that is damaged"):
        load_npz(path)


def test_a_damaged_array_is_named(make_dataset, tmp_path):
    path = tmp_path / "set.npz"
    save_npz(make_dataset(50), path)
    content = bytearray(path.read_bytes())
    content[200:240] = bytes(40)  # within the images, the first array
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"set\.npz: .*images"):
        load_npz(path)


@pytest.mark.parametrize("key", ["images", "labels", "classes"])
def test_a_missing_key_is_named(tmp_path, key: str):
    np.savez(tmp_path / "set.npz", **{name: array for name, array in ARRAYS.items() if name != key})
    with pytest.raises(ValueError, match=rf"set\.npz: expected the keys .* got none named {key}"):
        load_npz(tmp_path / "set.npz")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("images", ARRAYS["images"][:, 0], "images: expected 4 dimensions"),
        ("images", ARRAYS["images"].astype(np.float32), "images: expected uint8, got dtype float32"),
        ("images", ARRAYS["images"].astype(np.uint16), "images: expected uint8, got dtype uint16"),
        ("labels", ARRAYS["labels"][:2], "labels: expected as many rows as images"),
        ("labels", ARRAYS["labels"] * 2, "labels: expected only 0 and 1, got 2"),
        ("labels", np.full((3, 3), "1"), "labels: expected numbers, got dtype <U1"),
        ("classes", np.arange(3), "classes: expected strings, got dtype int64"),
        ("classes", np.array(["a", "b"]), "classes: expected 3 names"),
        ("classes", np.array(["a", "b", None], dtype=object), "classes: expected a readable array"),
    ],
)
def test_a_wrong_array_is_named(tmp_path, key: str, value: Any, message: str):
    np.savez(tmp_path / "set.npz", **{**ARRAYS, key: value})
    with pytest.raises(ValueError, match=rf"set\.npz: {message}"):
        load_npz(tmp_path / "set.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        load_npz(tmp_path / "none.npz")


def write_table(folder: Path, *lines: str) -> Path:
    table = folder / "labels.csv"
    table.write_text("\n".join(lines))
    return table


def test_images_of_every_kind_become_rgb(tmp_path):
    for mode in ("L", "RGB", "RGBA", "P", "1", "CMYK"):
        Image.new(mode, (6, 4)).save(tmp_path / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}")
    files = sorted(path.name for path in tmp_path.iterdir())
    dataset = ImageFolderLabels(tmp_path, write_table(tmp_path, "file,a", *(f"{file},1" for file in files)))
    for image, label in (dataset[index] for index in range(len(dataset))):
        assert image.shape == (3, 4, 6)
        assert image.dtype == label.dtype == torch.uint8


def test_the_table_gives_labels_and_classes(tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("a.png", "more/b.png"):
        Image.new("L", (2, 2), 9).save(tmp_path / name)
    table = write_table(tmp_path, '\ufefffile,cat,"dog, or wolf"', "a.png,1,0", "more/b.png, 1,1")
    dataset = ImageFolderLabels(tmp_path, table)
    assert dataset.classes == ("cat", "dog, or wolf")
    assert dataset.labels.tolist() == [[1, 0], [1, 1]]
    assert dataset.describe().cardinality == 1.5
    assert dataset[1][0].max() == 9


def test_missing_images_are_named(tmp_path):
    table = write_table(tmp_path, "file,cat", *(f"{index}.png,1" for index in range(5)))
    with pytest.raises(
        FileNotFoundError, match=r"paths: expected 5 images, got none at .*0\.png, .*2\.png and 2 more"
    ):
        ImageFolderLabels(tmp_path, table)


def test_a_truncated_image_is_named_when_it_is_read(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    dataset = ImageFolderLabels(tmp_path, write_table(tmp_path, "file,cat", "a.png,1"))
    with pytest.raises(ValueError, match=r"a\.png: expected a readable image"):
        dataset[0]


def test_an_image_of_sixteen_bits_is_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 5000, dtype=np.uint16)).save(tmp_path / "a.png")
    dataset = ImageFolderLabels(tmp_path, write_table(tmp_path, "file,cat", "a.png,1"))
    with pytest.raises(ValueError, match=r"a\.png: expected 8 bits a channel"):
        dataset[0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("file,cat", "a.png,2"), "line 2: expected 0 or 1 for cat, got '2'"),
        (("file,cat", "a.png,1", "a.png,"), "line 3: expected 0 or 1 for cat, got ''"),
        (("file,cat", "a.png,1,0"), "line 2: expected a file name and 1 labels, got 3 columns"),
        (("file,cat,cat", "a.png,1,0"), "classes: expected different names, got 'cat' twice"),
        (("file", "a.png"), "expected a heading"),
        (("file,cat",), "expected a heading"),
        ((), "expected a heading"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, lines: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=rf"labels\.csv.*{message}"):
        ImageFolderLabels(tmp_path, write_table(tmp_path, *lines))


def test_an_image_listed_twice_is_named(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"paths: expected each image once, got .*a\.png twice"):
        ImageFolderLabels(tmp_path, write_table(tmp_path, "file,cat", "a.png,1", "a.png,0"))


def test_a_subset_keeps_images_and_labels_together(tmp_path):
    for shade in range(3):
        Image.new("L", (2, 2), shade).save(tmp_path / f"{shade}.png")
    dataset = ImagesOnDisk([tmp_path / f"{shade}.png" for shade in range(3)], torch.eye(3), ["a", "b", "c"])
    for chosen in ([2, 0], torch.tensor([2, 0])):
        part = dataset.subset(chosen)
        assert [int(part[index][0].max()) for index in range(2)] == [2, 0]
        assert part.labels.tolist() == [[0, 0, 1], [1, 0, 0]]
    masked = dataset.subset(torch.tensor([True, False, True]))
    assert [path.name for path in masked.paths] == ["0.png", "2.png"]
    assert masked.labels.tolist() == [[1, 0, 0], [0, 0, 1]]
    with pytest.raises(ValueError, match="indices: expected at least one image"):
        dataset.subset([])


def test_as_many_paths_as_labels_are_asked_for(tmp_path):
    with pytest.raises(ValueError, match=r"paths: expected as many as rows of labels \(2\), got 1"):
        ImagesOnDisk([tmp_path / "a.png"], torch.eye(2), ["a", "b"])
