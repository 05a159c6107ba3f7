"""Recipes on photographs made tiny: a small network, small images, data sets drawn in the real formats."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from probmcl_book.replicate import RECIPES, PhotoViews, Recipe, write_chest_miniature, write_coco_miniature


def tiny(make: Callable[[], Recipe]) -> Recipe:
    recipe = make()
    methods = tuple(
        replace(one, trunk=one.trunk and (16, 8), training=replace(one.training, batch_size=8))
        for one in recipe.methods
    )
    probe = replace(recipe.probe, epochs=2)
    return replace(recipe, encoder="timm/test_resnet", views=PhotoViews(32), methods=methods, probe=probe)


@pytest.fixture
def tiny_recipes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Recipe]]:
    """Recipes on photographs with a tiny network, for the command line too; images load in this process."""
    photos = [name for name in RECIPES if name.startswith(("coco-", "chest"))]
    small = {name: partial(tiny, RECIPES[name]) for name in photos}
    monkeypatch.setattr("probmcl_book.commands.run.RECIPES", RECIPES | small)
    monkeypatch.setattr("probmcl.train.stages.suggested_workers", lambda images, device: 0)
    return small


@pytest.fixture(scope="session")
def coco_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco")
    write_coco_miniature(folder, train=60, val=20, pixels=40)
    return folder


@pytest.fixture(scope="session")
def chest_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chest")
    write_chest_miniature(folder, films=80, pixels=32)
    return folder
