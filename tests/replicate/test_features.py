"""Features of stored views, the whole way: photographs, the tool, a data set, the command, a record."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import feature_views
import pytest
import torch
import tune_mirflickr14

from probmcl.__main__ import main
from probmcl.data import LabelledImages, load_features, load_npz, photo_view, save_npz
from probmcl_book.records import load_result, read_record
from probmcl_book.replicate import RECIPES, FeatureData, FeatureViews, Recipe, load_export, pretrain
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.parts import contrastive_parts, end_to_end_parts

PHOTOGRAPHS, FEATURES = RECIPES["mirflickr14-mobilenetv2-128"], RECIPES["mirflickr14-features"]
CLASSES = ["sea", "sky", "tree", "dog"]
PARTS = {"train": 48, "validation": 24, "test": 24}


def photographs() -> Recipe:
    recipe = PHOTOGRAPHS()
    return replace(recipe, start=None, encoder="timm/test_resnet", views=replace(recipe.views, size=32))


def on_features(entries: int) -> Recipe:
    recipe = FEATURES()
    methods = tuple(
        replace(m, trunk=m.trunk and (16, 8), training=replace(m.training, batch_size=12, epochs=1))
        for m in recipe.methods
    )
    probe = replace(recipe.probe, epochs=2)
    return replace(recipe, methods=methods, probe=probe, views=FeatureViews(entries))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    generator = torch.Generator().manual_seed(0)
    for part, images in PARTS.items():
        pixels = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
        labels = torch.rand(images, 4, generator=generator) < 0.4
        save_npz(LabelledImages(pixels, labels, CLASSES), folder / f"{part}.npz")
    return folder


def test_photographs_become_features_and_features_a_record(packed, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(RECIPES, "mirflickr14-mobilenetv2-128", photographs)
    features, out, exports = tmp_path / "features", tmp_path / "record.json", tmp_path / "exports"
    feature_views.main("mirflickr14-mobilenetv2-128", packed, features, views=4)
    encoder = pretrain(photographs(), seed=0).eval()
    for part in PARTS:
        found, images = load_features(features / f"{part}.npz"), load_npz(packed / f"{part}.npz")
        assert torch.equal(found.labels, images.labels)
        with torch.no_grad():
            plain = encoder(photo_view(32)(images.images))
        assert torch.allclose(found.images[:, 0].float(), plain, atol=2e-3)
        assert found.images.shape[1] == (5 if part == "train" else 1)
    train = load_features(features / "train.npz").images
    assert all((train[:, i] != train[:, j]).any() for i in range(5) for j in range(i))

    entries = train.shape[2]
    monkeypatch.setitem(RECIPES, "mirflickr14-features", partial(on_features, entries))
    arguments = ["--data", str(features), "--device", "cpu", "--out", str(out), "--export", str(exports)]
    assert main(["run", "mirflickr14-features", *arguments]) == 0
    record = read_record(out)
    assert record.data.access.startswith("private rebuild of MIRFLICKR-25000")
    names = [row.method for row in record.rows if row.seed is None]
    assert names[1:] == [method.name for method in FEATURES().methods]
    assert {row.image_views for row in record.rows if row.method in ("BCE", "ProbMCL")} == {96}
    exported = load_export(exports / "probmcl-seed-0")
    again = exported.evaluate(exported.recipe.splits(features).test)
    assert again == pytest.approx({key: exported.row.metrics[key].value for key in again}, abs=1e-6)


def test_a_folder_of_photographs_is_no_folder_of_features(packed) -> None:
    with pytest.raises(ValueError, match=r"train\.npz: images: expected float16, got dtype uint8"):
        FeatureData(Origin("x", "x", "x", "x")).splits(packed)


def test_every_method_gets_eight_trials_and_the_recipe_holds_the_best() -> None:
    tuned = load_result("mirflickr14_tuning")
    reached = {row.method: row.metrics["validation mAP"].value for row in tuned.rows}
    for method in FEATURES().methods:
        trials = dict(tune_mirflickr14.trials(method))
        assert len(trials) == 8
        assert trials[max(trials, key=lambda name: reached[name])] == method


def test_every_trial_is_one_that_its_criterion_takes() -> None:
    labels = torch.eye(3, dtype=torch.uint8)
    for method in FEATURES().methods:
        for _, trial in tune_mirflickr14.trials(method):
            parts = end_to_end_parts(trial, 8, labels) if trial.end_to_end else contrastive_parts(trial, 8, 3)
            rule = getattr(parts[1], "positives", None)
            taken = {name: getattr(rule if hasattr(rule, name) else parts[1], name) for name in trial.options}
            assert taken == trial.options
