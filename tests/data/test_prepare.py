import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from probmcl.__main__ import main
from probmcl.data import ImageFolderLabels, prepare, prepare_images, squish
from probmcl.data.decode import read_image


@pytest.fixture
def photos(tmp_path) -> ImageFolderLabels:
    """Six smooth images of several kinds and sizes, one in a folder of its own."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    names = ["0.jpg", "1.png", "more/2.jpg", "3.png", "4.JPG", "5.jpeg"]
    for index, name in enumerate(names):
        ramp = np.linspace(20 * index, 255, (40 + index) * 50 * 3).reshape(40 + index, 50, 3)
        Image.fromarray(ramp.astype(np.uint8)).save(folder / name)
    rows = [f"{name};{index % 2};1;val" for index, name in enumerate(names)]
    (folder / "table.csv").write_text("\n".join(["file;cat;dog, or wolf;split", *rows]))
    return ImageFolderLabels(folder, folder / "table.csv")


def run(photos: ImageFolderLabels, size: int = 32) -> ImageFolderLabels:
    folder = photos.paths[0].parent
    return prepare_images(folder, folder / "table.csv", folder.parent / "small", size=size)


def test_the_copies_are_the_squished_images_with_the_same_labels(photos):
    small = run(photos)
    assert torch.equal(small.labels, photos.labels)
    assert small.classes == photos.classes
    assert small.split == photos.split == ["validation"] * 6
    assert small.names == ["0.jpg", "1.png.jpg", "more/2.jpg", "3.png.jpg", "4.JPG", "5.jpeg"]
    for (copy, _), (image, _) in zip(small, photos, strict=True):
        assert copy.shape == (3, 32, 32)
        assert (copy.float() - squish(32)(image).float()).abs().mean() < 1.5
    left = {path.name for path in photos.paths[0].parents[1].iterdir()}
    assert left == {"photos", "small"}


def test_an_interrupted_run_makes_the_copies_that_are_missing(photos, monkeypatch):
    content = photos.paths[4].read_bytes()
    photos.paths[4].write_bytes(b"no image")
    monkeypatch.setattr(prepare, "available_cores", lambda: 1)
    with pytest.raises(ValueError, match=r"4\.JPG: expected a readable image"):
        run(photos)
    out = photos.paths[0].parents[1] / "small"
    assert not out.exists()
    part = out.with_name("small.part")
    assert (part / "more" / "2.jpg").is_file()
    (part / "0.jpg").write_bytes(b"")  # as a power cut may leave it
    photos.paths[4].write_bytes(content)
    read: list[Path] = []
    monkeypatch.setattr(prepare, "read_image", lambda path: read.append(path) or read_image(path))
    small = run(photos)
    assert {path.name for path in read} >= {"0.jpg", "4.JPG"}
    assert {path.name for path in read} <= {"0.jpg", "4.JPG", "5.jpeg"}
    assert len(list(small)) == 6
    assert not part.exists()


def test_an_interrupted_run_does_not_go_on_with_another_size(photos):
    content = photos.paths[0].read_bytes()
    photos.paths[0].write_bytes(b"no image")
    with pytest.raises(ValueError, match="expected a readable image"):
        run(photos)
    photos.paths[0].write_bytes(content)
    with pytest.raises(ValueError, match=r"settings\.json: expected .*16.*, got another size or table; del"):
        run(photos, size=16)
    (photos.paths[0].parents[1] / "small.part/settings.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"settings\.json: expected .*32.*, got another size or table; del"):
        run(photos)


def test_copies_that_differ_in_their_ending_do_not_meet_in_one_file(photos, monkeypatch):
    folder = photos.paths[0].parent
    Image.new("RGB", (4, 4)).save(folder / "0.jpeg")
    with (folder / "table.csv").open("a") as table:
        table.write("\n0.jpeg;0;1;test")
    written: list[Path] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: written.append(Path(old)) or replace(old, new))
    small = run(photos)
    copies = [path for path in written if path.suffix == ".tmp" and "settings" not in path.name]
    assert len(copies) == len(set(copies)) == len(small) == 7


def test_what_stands_at_out_is_not_touched(photos):
    out = photos.paths[0].parents[1] / "small"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="out: expected a folder that is not there yet"):
        run(photos)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("../1.png.jpg", "expected names inside the folder"), ("1.png.jpg", "would both become")],
)
def test_names_that_cannot_be_copied_are_named(photos, name: str, message: str):
    folder = photos.paths[0].parent
    for place in (folder, folder.parent):
        Image.new("L", (4, 4)).save(place / "1.png.jpg")
    with (folder / "table.csv").open("a") as table:
        table.write(f"\n{name};0;1;test")
    with pytest.raises(ValueError, match=message):
        run(photos)


def test_the_command_prepares_a_folder(photos, capsys):
    folder = photos.paths[0].parent
    arguments = ["--images", str(folder), "--labels", str(folder / "table.csv"), "--size", "16"]
    out = folder.parent / "copies"
    assert main(["prepare", *arguments, "--out", str(out)]) == 0
    assert ImageFolderLabels(out, out / "labels.csv")[2][0].shape == (3, 16, 16)
    said = capsys.readouterr().out
    assert "images: 6, classes: 2, separator ';', labels as 0, 1" in said.replace("\n", " ")
    assert "6 images" in said
    assert main(["prepare", *arguments, "--out", str(out)]) == 2
    assert "not there yet" in capsys.readouterr().out
