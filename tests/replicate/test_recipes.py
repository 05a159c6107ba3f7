"""Recipes, their data sets and the estimate: what stands in a record comes back, and is what it says."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
from torchvision import models

from probmcl.data import ImagesOnDisk, LabelledImages, save_npz
from probmcl.data.views import NORMALISATIONS
from probmcl.model import build_encoder
from probmcl.train import History
from probmcl_book import replicate
from probmcl_book.records import load_result
from probmcl_book.replicate.memory import kept_for_backward
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.recipes.photos import AT_224, comparison

PHOTOS = [name for name in replicate.RECIPES if name.startswith(("coco-", "chest"))]


@pytest.mark.parametrize("name", list(replicate.RECIPES))
def test_a_recipe_comes_back_from_its_plain_form(name: str) -> None:
    recipe = replicate.RECIPES[name]()
    assert replicate.Recipe.from_dict(recipe.to_dict()) == recipe


def test_records_from_before_there_were_photographs_still_load() -> None:
    plain = load_result("digits").recipe
    assert "kind" not in plain["data"] or plain["data"]["kind"] == "digits"
    old = {key: value for key, value in plain.items() if key not in ("views", "limit")}
    old["data"] = {key: value for key, value in old["data"].items() if key != "kind"}
    assert replicate.Recipe.from_dict(old) == replicate.digits_recipe()


@pytest.mark.parametrize("name", PHOTOS)
def test_published_weights_exist_and_get_the_pixels_they_were_trained_with(name: str) -> None:
    recipe = replicate.RECIPES[name]()
    assert isinstance(recipe.views, replicate.PhotoViews)
    *shared, method = [one for one in recipe.methods if one.views_per_image == 2]
    assert [one.criterion for one in (*shared, method)] == ["bce", "asl", "probmcl"]
    for other in shared:  # the same number of image views
        assert replace(other.training, weight_decay=method.training.weight_decay) == method.training
    if isinstance(recipe.start, replicate.PretrainedStart):
        library, _, model = recipe.encoder.partition("/")
        if library == "torchvision":
            published = models.get_model_weights(model)[recipe.start.weights].transforms()
        else:
            assert f"{model}.{recipe.start.weights}" in timm.list_pretrained()
            published = timm.get_pretrained_cfg(f"{model}.{recipe.start.weights}")
        mean, std = NORMALISATIONS[recipe.views.normalisation]
        assert (mean, std) == (tuple(published.mean), tuple(published.std))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encoder": ...}, "encoder: expected a value, got none"),
        ({"data": {"kind": "coco2"}}, "data.kind: expected one of digits, coco, chestxray14"),
        ({"data": {"kind": "coco", "validation_share": 2}}, "data.validation_share: expected a number in [0"),
        ({"start": {"images": 3}}, "start.training: expected a value, got none"),
        ({"views": {"size": 0}}, "views.size: expected a whole number >= 1, got 0"),
        ({"views": {"zoom": 1}}, "views.zoom: unknown field, expected none"),
        ({"train_share": None}, "train_share: expected a number in [0, 1], got nan"),
        ({"probe": {"epochs": 0, "batch_size": 1, "learning_rate": 1}}, "probe.epochs: expected a whole"),
        ({"methods": [{"name": "x"}]}, "methods[0].criterion: expected a value, got none"),
        ({"start": {"images": 9, "training": vars(AT_224)}}, "start: letters"),
    ],
)
def test_a_field_of_a_recipe_that_is_not_as_declared_is_named(fields: dict[str, Any], message: str) -> None:
    plain = replicate.RECIPES["coco-tresnet-m-224"]().to_dict() | fields
    plain = {name: value for name, value in plain.items() if value is not ...}
    with pytest.raises(ValueError, match=re.escape(f"recipe: {message}")):
        replicate.Recipe.from_dict(plain)


def test_the_identity_of_files_is_their_names_and_labels(coco_folder) -> None:
    splits = replicate.CocoData().splits(coco_folder)
    assert splits.identity() == replicate.CocoData().splits(coco_folder).identity()
    labels = splits.test.labels.clone()
    labels[0, 0] = 1 - labels[0, 0]
    other = replace(splits, test=ImagesOnDisk(splits.test.paths, labels, splits.test.classes))
    assert other.identity().checksum != splits.identity().checksum
    fewer = replace(splits, test=splits.test.subset(torch.arange(1, len(splits.test))))
    assert fewer.identity().checksum != splits.identity().checksum


def test_a_limit_keeps_the_same_images_each_time(chest_folder) -> None:
    splits = replicate.ChestData("official").splits(chest_folder)
    once, again = splits.limited(7), splits.limited(7)
    assert once.train.paths == again.train.paths
    assert len(once.train) == len(once.test) == 7
    assert set(once.train.paths) <= set(splits.train.paths)
    assert once.train.paths != splits.train.paths[:7]
    with pytest.raises(ValueError, match="limit: expected a whole number >= 1"):
        splits.limited(0)


def test_your_own_images_come_from_three_files(tmp_path) -> None:
    images = LabelledImages(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), torch.eye(3), ["a", "b", "c"])
    data = replicate.PackedData(Origin("pets", "as taken", "ask", "nobody"))
    with pytest.raises(FileNotFoundError, match=r"train\.npz"):
        data.splits(tmp_path)
    for part in ("train", "validation", "test"):
        save_npz(images, tmp_path / f"{part}.npz")
    assert data.splits(tmp_path).identity().sizes == {"train": 3, "validation": 3, "test": 3}
    save_npz(LabelledImages(images.images, images.labels, ["a", "b", "d"]), tmp_path / "test.npz")
    with pytest.raises(ValueError, match="the same classes in all files"):
        data.splits(tmp_path)


def test_an_estimate_counts_steps_of_the_time_that_one_takes() -> None:
    images = LabelledImages(torch.zeros(10, 3, 8, 8, dtype=torch.uint8), torch.ones(10, 5), list("abcde"))
    splits = replicate.Splits(images, images, images, "", "", "", "")
    views, view = replicate.PhotoViews(224), torch.zeros(1, 3, 224, 224)
    training = replace(AT_224, epochs=2, batch_size=4)
    recipe = comparison("x", replicate.CocoData(), "timm/resnet18", None, views, training)
    clocked = []

    def clock(train: Callable[[], History]) -> float:
        clocked.append(train)
        return 1.0

    found = replicate.estimate(recipe, splits, seeds=3, clock=clock)
    assert found.macs == pytest.approx(1.814e9, rel=0.01)  # He et al. 2016, table 1: 1.8
    assert found.parameters == 11_176_512
    assert found.image_views == 3 * 3 * 2 * 2 * 8  # seeds, methods, epochs, views, images of whole batches
    assert len(clocked) == 2  # the encoder's step, and a step of the contrastive head with its loss
    assert found.images == 1
    steps = 2 * 2  # of each method and seed: epochs, batches
    assert found.hours == pytest.approx(3 * steps * (3 * 4 * 1.0 + 1.0) / 3600)  # an image took a second
    assert "A GPU takes another time" in " ".join(found.lines())
    weights, views = 6 * 4 * 11_176_512, 2 * 4 * kept_for_backward(build_encoder(recipe.encoder), view)
    assert found.needed == weights + views  # gradients, two averages of Adam, the best and the mean weights
    assert 20e6 < views / 8 < 100e6  # what others report for a ResNet-18 at 224 pixels: 22 million numbers


@pytest.mark.parametrize("name", ["chestmnist-resnet18-28", "digits"])
def test_the_steps_of_an_estimate_are_real_ones(name: str) -> None:
    images = 8
    recipe = replicate.RECIPES[name]()
    methods = tuple(replace(one, training=replace(one.training, batch_size=images)) for one in recipe.methods)
    losses = []

    def clock(train: Callable[[], History]) -> float:
        losses.append(train().epochs[-1].loss)
        return 1.0

    splits = (
        recipe.splits() if name == "digits" else replicate.sized_splits(recipe, images, images, images, 14)
    )
    replicate.estimate(replace(recipe, methods=methods), splits, 1, clock=clock)
    contrastive = sum(bool(method.trunk) for method in methods)
    assert len(losses) == 1 + contrastive
    assert all(loss > 0 for loss in losses)
