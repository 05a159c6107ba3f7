from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from probmcl.data import ImagesOnDisk, checksum, load_npz, save_npz

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


@pytest.mark.parametrize("share", [0.1, 0.5, 0.98, None])
def test_a_file_that_is_cut_off_or_damaged_is_named(make_dataset, tmp_path, share: float | None):
    path = tmp_path / "set.npz"
    save_npz(make_dataset(50), path)
    content = path.read_bytes()
    wiped = content[:200] + bytes(40) + content[240:]  # within the images, the first array
    path.write_bytes(content[: int(share * len(content))] if share else wiped)
    message = "expected an npz file, got one that is damaged" if share else ".*images"
    with pytest.raises(ValueError, match=rf"set\.npz: {message}"):
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


FIVE = [f"{number}.png" for number in range(5)]


@pytest.mark.parametrize(
    ("names", "rows", "message"),
    [
        (FIVE, 5, r"5 images, got none at .*0\.png, .*2\.png and 2 more"),
        (FIVE, 6, r"as many as rows of labels \(6\), got 5"),
        (["a.png", "x/../a.png"], 2, r"each image once, got .*a\.png twice"),
        (["a.png"] * 2, 2, r"each image once, got .*a\.png twice"),
    ],
)
def test_missing_images_and_those_listed_twice_are_named(tmp_path, names: list[str], rows: int, message: str):
    with pytest.raises((FileNotFoundError, ValueError), match=f"paths: expected {message}"):
        ImagesOnDisk([tmp_path / name for name in names], torch.ones(rows, 1), ["cat"])


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
    with pytest.raises(ValueError, match="indices: expected rows below 3"):
        dataset.subset([])
