"""Your own folder and table, the whole way: README's three lines, and what they read."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

from probmcl.__main__ import main
from probmcl_book.records import read_record
from probmcl_book.replicate import FolderData, Recipe, own_recipe

README = Path(__file__).parents[2] / "README.md"
PARTS = ["train"] * 24 + ["validation"] * 8 + ["test"] * 8


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty JPEG files of three colours, and a table of which is strong."""
    monkeypatch.chdir(tmp_path)
    folder = Path("photos")
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(40, 3, generator=generator) < 0.5).int()
    rows = ["file,red,green,blue"]
    for number, colours in enumerate(labels.tolist()):
        name = f"{number}.jpg"
        Image.new("RGB", (60, 40), tuple(40 + 180 * colour for colour in colours)).save(folder / name)
        rows.append(",".join([name, *map(str, colours)]))
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def test_the_three_lines_of_the_readme_prepare_and_compare(photos, monkeypatch, capsys) -> None:
    monkeypatch.setattr("probmcl.train.stages.suggested_workers", lambda images, device: 0)
    lines = re.findall(r"^python -m probmcl (.*--images [^#\n]*)", README.read_text("utf-8"), re.MULTILINE)
    assert len(lines) == 3
    tiny = ["--weights", "none", "--size", "32", "--epochs", "1", "--device", "cpu"]
    tiny += ["--batch-size", "9", "--precision", "float32"]
    for line in lines:
        words = shlex.split(line.replace("timm/resnet18", "timm/test_resnet"))
        assert main([*words, *(tiny if words[0] == "run" else [])]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("ProbMCL") > 2
    record, smoke = (read_record(f"runs/own-small{kind}.json") for kind in ("", "-smoke"))
    assert {row.method for row in record.rows} == {"Start (linear probe)", "BCE", "ASL", "ProbMCL"}
    assert record.data.sizes == {"train": 27, "validation": 5, "test": 8}
    assert (record.data.name, record.data.checksum) == ("small, own images", smoke.data.checksum)
    assert "by a hash of the names" in record.data.split
    recipe = Recipe.from_dict(record.recipe)
    assert {(one.training.batch_size, one.training.precision) for one in recipe.methods} == {(9, "float32")}
    assert recipe.splits(Path("small")).identity().checksum == record.data.checksum


def test_a_column_of_the_table_cuts_the_images(photos) -> None:
    heading, *rows = (photos / "labels.csv").read_text().splitlines()
    cut = [f"{heading},split", *(f"{row},{part}" for row, part in zip(rows, PARTS, strict=True))]
    (photos / "labels.csv").write_text("\n".join(cut))
    splits = FolderData().splits(photos)
    assert splits.identity().sizes == {"train": 24, "validation": 8, "test": 8}
    assert splits.test.paths[0].name == "32.jpg"
    assert splits.train.classes == ("red", "green", "blue")


def test_an_encoder_comes_with_its_weights_size_and_normalisation() -> None:
    recipe = own_recipe("mine", "timm/tresnet_m", images=1000)
    assert (recipe.start.weights, recipe.views.normalisation) == ("miil_in21k_ft_in1k", "unit")
    assert own_recipe("mine", "timm/resnet18", images=3, size=64).methods[0].training.batch_size == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name: expected one of chestmnist-resnet18-224"),
        (["digits", "--images", "photos"], "images: digits has its own, expected none, got photos"),
        (["--images", "photos", "--data", "x"], "data: your own photographs are in --images"),
        (["--images", "photos", "--encoder", "timm/resnet19"], "name: 'timm/resnet19' is not a known"),
        (["--images", "photos", "--labels", "no.csv"], "no.csv"),
        (["coco-tresnet-m-224"], "data: expected the folder of the data set, got none"),
        (
            ["coco-tresnet-m-224", "--weights", "miil_in22k"],
            "'miil_in22k' is not a known tag of timm/tresnet",
        ),
        (["digits", "--limit", "9"], "limit: digits is no experiment on photographs"),
        (["digits", "--data", "."], "data: DigitScenes are drawn and need no folder"),
    ],
)
def test_arguments_that_do_not_go_together_are_named(words, message, photos, capsys) -> None:
    assert main(["run", *words, "--device", "cpu"]) == 2
    assert message in " ".join(capsys.readouterr().out.split())
