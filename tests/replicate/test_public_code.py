"""The full recipes on COCO are as the code of KMCL or say why not, and their settings do what they say."""

import pytest
import torch
from torch import nn

from probmcl.data import digit_scenes
from probmcl.loss import LossParts
from probmcl.train import TrainingSettings, fit
from probmcl_book.replicate import RECIPES, SceneViews
from probmcl_book.replicate.public_code import line_by_line
from probmcl_book.replicate.views import cutout, training_loader

FULL = ("coco-tresnet-m-224", "coco-tresnet-l-448", "coco-resnet101-448")


@pytest.mark.parametrize("name", FULL)
def test_a_line_is_as_in_the_code_of_kmcl_or_says_why_not(name: str) -> None:
    lines = line_by_line(RECIPES[name]())
    for setting, _, theirs, ours, why in lines:
        assert (ours == theirs) == (not why) or setting == "pixels", setting
    assert lines[-1][1] == lines[-1][3]


@pytest.mark.parametrize("name", FULL)
def test_the_epoch_is_chosen_on_more_images_than_a_feature_has_entries(name: str) -> None:
    assert RECIPES[name]().probe_images >= 4 * 2432  # TResNet-L's, the widest


@pytest.mark.parametrize(("optimiser", "step"), [("adam", 0.1), ("adamw", 0.1 * 0.01)])
def test_weight_decay_is_in_the_gradient_of_adam_and_beside_that_of_adamw(optimiser, step) -> None:
    model = nn.Linear(2, 1, bias=False)
    nn.init.ones_(model.weight)
    settings = TrainingSettings(1, 4, 0.1, weight_decay=0.01, optimiser=optimiser)
    still = lambda model, batch: LossParts(0 * model(batch).mean(), {})  # noqa: E731
    fit(model, [torch.ones(4, 2)], still, settings, seed=0)
    assert torch.allclose(1 - model.weight, torch.full((1, 2), step), rtol=1e-3)


def test_a_cutout_is_one_colour_and_the_border_cuts_it_off() -> None:
    torch.manual_seed(0)
    white = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    shares, colours = [], set()
    for _ in range(80):
        covered = cutout(white)
        rows, columns = (covered != white).any(0).nonzero(as_tuple=True)
        colours.add(tuple(covered[:, rows[0], columns[0]].tolist()))
        assert len(covered[:, rows, columns].unique(dim=1).T) == 1
        shares.append(len(rows) / 64**2)
    assert min(shares) < 0.1
    assert max(shares) == 0.25
    assert len(colours) == 80


def test_a_method_of_one_view_sees_each_image_once() -> None:
    scenes = digit_scenes("train", 16)
    loader = training_loader(scenes, SceneViews(), 8, seed=0, device="cpu", per_image=1)
    assert [views.shape for views, _ in loader] == [(8, 1, 32, 32)] * 2
