from dataclasses import replace

import pytest
import torch
from tiny import BCE, PROBMCL, SCENES, tiny_recipe
from torch import nn

from probmcl.__main__ import main
from probmcl_book.records import read_record, write_record
from probmcl_book.replicate import RECIPES, Recipe, Trained
from probmcl_book.studies import digit_looks, looks_record, scene_boxes

METHODS = (BCE, replace(BCE, name="ASL", criterion="asl"), PROBMCL)
RECIPE = tiny_recipe(*METHODS, data=replace(SCENES, test=32, seed=3))


def test_boxes_are_those_of_the_test_scenes() -> None:
    few = replace(RECIPE, data=replace(RECIPE.data, held_out_theme="squares", most=2))
    for scenes in (few, RECIPE):
        splits = scenes.splits()
        boxes = scene_boxes(scenes, splits)
        assert torch.equal(boxes.isfinite().all(2), splits.test.labels.bool())
    ink, image = splits.test.images[0, 0], boxes[0][splits.test.labels[0].bool()]
    rows, columns = (ink > 150).nonzero(as_tuple=True)  # easy scenes have no clutter
    points = torch.stack([columns, rows], dim=1).unsqueeze(1)  # (P, 1, 2)
    inside = ((points + 1 >= image[:, :2]) & (points <= image[:, 2:])).all(2)
    assert inside.any(1).double().mean() > 0.95  # a corner may stick out of the square when it is turned


def test_a_network_that_sees_ink_looks_at_digits_more_than_one_that_sees_paper() -> None:
    def seer(sign: float) -> Trained:
        first = nn.Conv2d(1, 1, 1)
        nn.init.constant_(first.weight, sign)
        nn.init.constant_(first.bias, 0.0)
        classifier = nn.Linear(1, 10)
        nn.init.ones_(classifier.weight)
        encoder = nn.Sequential(first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return Trained(encoder, classifier, torch.empty(0), torch.empty(0), None, 0.0, 0)

    splits = RECIPE.splits()
    ink, paper = (digit_looks(seer(sign), RECIPE, splits) for sign in (1.0, -1.0))
    assert ink.inside.mean() > ink.area.mean() > paper.inside.mean()
    assert len(ink.scene) == int(splits.test.labels.sum())
    assert ink.minus(paper)["heat inside"].low > 0


def test_the_record_holds_both_methods_and_their_difference(tmp_path, monkeypatch) -> None:
    record = looks_record(RECIPE, [0, 1], command="python -m probmcl gradcam")
    write_record(record, tmp_path / "x.json")
    record = read_record(tmp_path / "x.json")
    rows = {(row.method, row.seed): row.metrics for row in record.rows}
    names = ["Start (linear probe)", "ASL", "ProbMCL"]
    assert list(rows) == [*((name, seed) for name in names for seed in (0, 1)), *((n, None) for n in names)]
    for metric in ("heat inside", "peak inside"):
        (found,) = [d.interval for d in record.differences if (d.against, d.metric) == ("ASL", metric)]
        mean = rows["ProbMCL", None][metric].value - rows["ASL", None][metric].value
        assert found.value == pytest.approx(mean, abs=1e-5)
    assert Recipe.from_dict(record.recipe).name == "digits_gradcam"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("probmcl_book.commands.measure.looks_record", lambda *a, **b: record)
    for words in ([], ["--smoke"]):  # a try does not write over the record
        assert main(["gradcam", "--device", "cpu", *words]) == 0
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["digits_gradcam.json", "digits_gradcam_smoke.json"]


def test_other_images_are_refused() -> None:
    with pytest.raises(TypeError, match="recipe: expected one on DigitScenes, got CocoData"):
        scene_boxes(RECIPES["coco-tresnet-m-224"](), RECIPE.splits())
