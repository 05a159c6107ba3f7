"""What the user froze stays as it was, in every training function; every module gets its mode back."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional

from probmcl.data import LabelledVectors, TwoViews, make_loader
from probmcl.evaluate import mean_average_precision
from probmcl.loss import SupConLoss
from probmcl.model import ProjectionHead
from probmcl.train import TrainingSettings, contrastive_stage, end_to_end, two_stages

SETTINGS = {name: TrainingSettings(2, 8, 0.05, ema_decay=decay) for name, decay in (("", None), ("ema", 0.9))}
TABLE = LabelledVectors(
    torch.randn(24, 6, generator=torch.Generator().manual_seed(0)), torch.eye(3).repeat(8, 1), ["a", "b", "c"]
)
NOISE = TwoViews(lambda rows: rows + 0.1 * torch.randn_like(rows))
bce = functional.binary_cross_entropy_with_logits


def block(width: int = 6) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))


def loader():
    return make_loader(TABLE, NOISE, 8, shuffle=True, seed=0)


def by_contrast(encoder: nn.Module, settings: TrainingSettings) -> None:
    contrastive_stage(encoder, ProjectionHead(5, (4,)), loader(), SupConLoss(), settings, seed=0)


def from_end_to_end(encoder: nn.Module, settings: TrainingSettings) -> None:
    watch = iter((0.2, 0.1))
    model = nn.Sequential(encoder, nn.Linear(5, 3))
    end_to_end(model, loader(), bce, settings, seed=0, watch=lambda model: next(watch))


def in_two_stages(encoder: nn.Module, settings: TrainingSettings) -> None:
    head, probe = ProjectionHead(5, (4,)), TrainingSettings(1, 8, 0.05)
    options = {"two_views": NOISE, "plain_view": nn.Identity(), "metric": mean_average_precision, "seed": 0}
    two_stages(encoder, head, TABLE, TABLE, SupConLoss(), settings, probe=probe, **options)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("train", [by_contrast, from_end_to_end, in_two_stages])
def test_a_frozen_encoder_works_as_in_evaluation(train: Callable, mode: bool, settings) -> None:
    encoder = block().requires_grad_(False).train(mode)
    before, modes = deepcopy(encoder.state_dict()), []
    encoder[2].register_forward_hook(lambda module, inputs, output: modes.append(module.training))
    train(encoder, settings)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert len(modes) >= 6
    assert not any(modes)
    assert all(module.training is mode for module in encoder.modules())


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_frozen_part_stays_and_the_others_learn(settings: TrainingSettings) -> None:
    encoder = nn.Sequential(block().requires_grad_(False), block(5), block(5))
    encoder[2][1].eval()  # statistics alone: its weights learn
    modes, before = [module.training for module in encoder.modules()], deepcopy(encoder.state_dict())
    by_contrast(encoder, settings)
    moved = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    learnt = {f"{part}.{layer}.{kind}" for part in "12" for layer in "01" for kind in ("weight", "bias")}
    assert moved == learnt | {
        f"1.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")
    }
    assert [module.training for module in encoder.modules()] == modes


def test_an_encoder_that_was_only_evaluated_learns() -> None:
    encoder, other = block(), block().eval()
    other.load_state_dict(encoder.state_dict())
    for module in (encoder, other):
        torch.manual_seed(0)
        from_end_to_end(module, SETTINGS[""])
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in encoder.state_dict().items())
    assert not any(module.training for module in other.modules())


def test_a_model_with_nothing_to_train_is_an_error() -> None:
    model = nn.Sequential(block(), nn.Linear(5, 3)).requires_grad_(False)
    with pytest.raises(ValueError, match="model: expected at least one weight to train, got none"):
        end_to_end(model, loader(), bce, SETTINGS[""], seed=0)
