"""Recipes on photographs, the whole way: files in the real formats, the command, record, export, resume."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from probmcl.__main__ import main
from probmcl.model import build_encoder
from probmcl_book.records import read_record
from probmcl_book.replicate import Recipe, load_export, pretrain, weights_file
from probmcl_book.replicate.memory import device_memory, step_memory

COCO, CHEST = "coco-tresnet-m-224", "chestxray14-densenet121-320"
SHORT = ["--limit", "16", "--epochs", "1", "--device", "cpu"]


def run(name: str, data: Path, out: Path, *more: str, weights: str = "none") -> int:
    return main(["run", name, "--data", str(data), "--weights", weights, *SHORT, "--out", str(out), *more])


def words(text: str) -> str:
    """Text without the line breaks of the terminal."""
    return " ".join(text.split())


@pytest.mark.parametrize(("name", "folder"), [(COCO, "coco_folder"), (CHEST, "chest_folder")])
def test_the_way_from_files_to_a_record_and_an_export(name, folder, tiny_recipes, tmp_path, capsys, request):
    data = request.getfixturevalue(folder)
    out, exports = tmp_path / "record.json", tmp_path / "exports"
    assert run(name, data, out, "--export", str(exports), "--note", "A trial.") == 0
    said = words(capsys.readouterr().out)
    assert all(part in said for part in ("Estimate: 0.4 M parameters", "ours", "is no evidence"))
    assert not any(part in said for part in ("is above", "cannot be told apart"))
    record = read_record(out)
    assert record.data.name.endswith("not the whole data set")
    assert record.notes[0] == "A trial."
    assert record.command.startswith(f"python -m probmcl run {name} --data ")
    assert (record.data.sizes["train"], record.data.sizes["test"]) == (16, 16)
    assert "16 images of each part" in record.data.split
    assert {row.image_views for row in record.rows if row.method in ("BCE", "ASL", "ProbMCL")} == {32}
    recipe = Recipe.from_dict(record.recipe)
    assert recipe.start is None
    assert str(tmp_path) not in out.read_text()
    for method in ("bce", "probmcl"):
        exported = load_export(exports / f"{method}-seed-0")
        again = exported.evaluate(recipe.splits(data).test)
        assert again == pytest.approx({key: exported.row.metrics[key].value for key in again}, abs=1e-6)
        assert exported.recipe == replace(recipe, methods=exported.recipe.methods)
    card = (exports / "probmcl-seed-0" / "README.md").read_text()
    assert re.search("Not for clinical use.*It saw a part of the data set only", card, re.DOTALL)


@pytest.mark.parametrize(("name", "data", "train"), [(COCO, "coco", 22), (CHEST, "chestxray14", 20)])
def test_a_dry_run_is_killed_goes_on_and_exports(name, data, train, tiny_recipes, tmp_path) -> None:
    out = tmp_path / "record.json"
    assert main(["run", name, "--dry-run", "--limit", "24", "--device", "cpu", "--out", str(out)]) == 0
    record = read_record(out)
    assert record.name == f"dry_run_{data}"
    assert (record.data.sizes["train"], record.data.sizes["test"]) == (train, 24)
    assert Recipe.from_dict(record.recipe) == tiny_recipes[name]()
    trained = {row.method.removeprefix("one epoch: "): row for row in record.rows}
    for method in tiny_recipes[name]().methods:
        assert trained[method.name].image_views == method.views_per_image * 16  # two whole batches
    assert trained["the real encoder"].metrics["GMAC per view"].value > 0
    assert "trained before: seed 0, Start (linear probe)" in " ".join(record.notes)


def test_a_step_that_does_not_fit_is_refused(
    tiny_recipes, coco_folder, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 2**11)  # pages, and bytes of a page
    assert run(COCO, coco_folder, tmp_path / "x.json") == 2
    said = words(capsys.readouterr().out)
    assert re.search("a step takes about .* GiB, and .* has 0.0; expected a smaller --batch-size", said)
    (method,) = (one for one in tiny_recipes[COCO]().methods if not one.end_to_end)  # of 8 images, 16 views
    whole, part = (step_memory(one, 0, 10, torch.device("cpu")) for one in (method, replace(method, chunk=3)))
    assert (whole, part) == (160, 30)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (5, 9))  # free, and all
    assert device_memory(torch.device("cuda")) == 5


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("miil_in22k", "not a known tag of timm/test_resnet"),
        ("foreign.safetensors", "foreign.safetensors holds another network"),
        ("torn.pt", "torn.pt cannot be read as weights"),
    ],
)
def test_weights_that_do_not_fit_are_an_error(
    weights, message, tiny_recipes, coco_folder, tmp_path, capsys, monkeypatch
) -> None:
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    save_file({"conv1.weight": torch.zeros(2, 3, 3, 3)}, "foreign.safetensors")
    Path("torn.pt").write_bytes(b"PK\x03\x04 and nothing more")
    assert run(COCO, coco_folder, tmp_path / "x.json", weights=weights) == 2
    assert message in words(capsys.readouterr().out)


def test_a_file_of_weights_is_loaded_and_its_classifier_left(tiny_recipes, tmp_path) -> None:
    network = build_encoder("timm/test_resnet").network
    path = tmp_path / "mine.pt"
    torch.save(network.state_dict() | {"fc.weight": torch.zeros(10, 32)}, path)
    recipe = replace(tiny_recipes[COCO](), start=weights_file(path))
    started = pretrain(recipe, seed=1, weights=path).network
    for name, value in network.state_dict().items():
        assert torch.equal(started.state_dict()[name], value)
    torch.save({name: 2 * value for name, value in network.state_dict().items()}, path)
    with pytest.raises(ValueError, match=r"expected mine\.pt with sha256:.*, got another file"):
        pretrain(recipe, seed=1, weights=path)
