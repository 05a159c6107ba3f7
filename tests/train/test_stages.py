"""The two stages: what moves, what the linear probe returns, and both after each other."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl.data import LabelledImages, TwoViews, digit_scenes, make_loader, plain_view, scene_augmentation
from probmcl.data.seeded import seeded
from probmcl.evaluate import mean_average_precision, multilabel_metrics, thresholds_from_validation
from probmcl.loss import AsymmetricLoss, ProbMCLLoss, SupConLoss
from probmcl.model import MixtureDensityHead, ProjectionHead, SmallCNN
from probmcl.train import TrainingSettings, contrastive_stage, end_to_end, linear_probe, predict
from probmcl.train.checkpoint import load_checkpoint
from probmcl.train.stages import TwoStages, two_stages

SETTINGS = TrainingSettings(epochs=1, batch_size=16, learning_rate=1e-3)


@pytest.fixture(scope="module")
def scenes():
    return digit_scenes("train", 48, seed=0)


def two_view_loader(scenes):
    return make_loader(scenes, TwoViews(scene_augmentation()), 16, shuffle=True, seed=0)


def build(kind: str) -> tuple[nn.Module, nn.Module, nn.Module]:
    with seeded(0):
        encoder = SmallCNN(widths=(8, 8, 16))
        if kind == "probmcl":
            return encoder, MixtureDensityHead(16, 10, trunk=(16, 8)), ProbMCLLoss()
        return encoder, ProjectionHead(16, (16, 8)), SupConLoss()


@pytest.mark.parametrize("kind", ["probmcl", "supcon"])
def test_contrastive_stage_moves_encoder_and_head_and_repeats_bit_by_bit(kind: str, scenes) -> None:
    states = []
    for _ in range(2):
        encoder, head, criterion = build(kind)
        before = copy.deepcopy(encoder.state_dict())
        history = contrastive_stage(encoder, head, two_view_loader(scenes), criterion, SETTINGS, seed=0)
        assert not torch.equal(before["network.0.weight"], encoder.state_dict()["network.0.weight"])
        assert history.epochs[0].views_per_second > 0
        assert "effective_rank" in history.epochs[0].diagnostics
        states.append(encoder.state_dict() | head.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def both_stages(images: LabelledImages, **options: Any) -> TwoStages:
    encoder, head, criterion = build("probmcl")
    views = {"two_views": TwoViews(scene_augmentation()), "plain_view": plain_view()}
    options |= {"probe": TrainingSettings(2, 16, 1e-2), "metric": mean_average_precision, **views}
    return two_stages(encoder, head, images, images, criterion, SETTINGS, seed=0, **options)


@pytest.mark.parametrize("classes", [1, 2, 300])
def test_any_number_of_classes_goes_the_whole_way_from_images_to_metrics(classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (32, 1, 16, 16), generator=generator, dtype=torch.uint8)
    labels = torch.rand(32, classes, generator=generator) < 0.5
    images = LabelledImages(pixels, labels, [f"class {k}" for k in range(classes)])
    trained = both_stages(images)
    scores, seen = predict(trained.model, make_loader(images, plain_view(), 20))
    thresholds = thresholds_from_validation(validation_scores=scores, validation_labels=seen)
    found = multilabel_metrics(scores, seen, thresholds=thresholds).summary()
    assert found["mAP"] == pytest.approx(max(trained.probe.curve("watched")))


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")
def test_two_stages_go_on_from_their_checkpoints(scenes, device, tmp_path: Path, monkeypatch) -> None:
    whole = both_stages(scenes, device=device).model.cpu().state_dict()
    saved = {"checkpoint": tmp_path, "checkpoint_steps": 2, "device": device}
    with monkeypatch.context() as patched:
        patched.setattr("probmcl.train.stages.linear_probe", None)
        with pytest.raises(TypeError):
            both_stages(scenes, **saved)
    assert load_checkpoint(tmp_path / "training.pt")["history"]["best_epoch"] == 1
    resumed = both_stages(scenes, **saved).model.cpu().state_dict()
    assert len(load_checkpoint(tmp_path / "probe.pt")["history"]["epochs"]) == 2
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    there = both_stages(scenes.to(device), device=device).model.cpu().state_dict()
    torch.testing.assert_close(there, whole)


def test_another_batch_size_than_that_of_the_loader_is_an_error(scenes) -> None:
    other = TrainingSettings(1, 8, 1e-3)
    with pytest.raises(ValueError, match=r"settings\.batch_size: expected .* loader \(16\), got 8"):
        end_to_end(SmallCNN(), two_view_loader(scenes), AsymmetricLoss(), other, seed=0)


def test_the_floor_in_the_log_is_that_of_the_head(scenes) -> None:
    encoder, _, criterion = build("probmcl")
    head = MixtureDensityHead(16, 10, trunk=(16, 8), sigma_floor=1000.0)
    history = contrastive_stage(encoder, head, two_view_loader(scenes), criterion, SETTINGS, seed=0)
    assert history.curve("sigma_at_floor") == pytest.approx([1])


def test_contrastive_stage_watches_the_encoder_alone(scenes) -> None:
    encoder, head, criterion = build("supcon")
    named = {"seed": 0, "watch": lambda model: model(torch.zeros(1, 1, 32, 32)).shape[1]}
    history = contrastive_stage(encoder, head, two_view_loader(scenes), criterion, SETTINGS, **named)
    assert history.curve("watched") == [16]


def test_a_criterion_with_weights_to_train_is_an_error_in_every_stage() -> None:
    features, labels = torch.randn(4, 2), torch.eye(2).repeat(2, 1)
    asymmetric, contrastive = AsymmetricLoss(), SupConLoss()
    for criterion in (asymmetric, contrastive):
        criterion.learnt = nn.Parameter(torch.ones(()))
    stages = (
        lambda: contrastive_stage(nn.Linear(2, 2), nn.Linear(2, 2), [0], contrastive, SETTINGS, seed=0),
        lambda: end_to_end(nn.Linear(2, 2), [(features, labels)], asymmetric, SETTINGS, seed=0),
        lambda: linear_probe(features, labels, asymmetric, SETTINGS, seed=0),
    )
    for stage in stages:
        with pytest.raises(ValueError, match=r"criterion: expected .* weights to train, got \w+Loss"):
            stage()


def test_end_to_end_trains_on_both_views(scenes) -> None:
    rows: list[int] = []

    def criterion(logits: Tensor, labels: Tensor) -> Tensor:
        rows.append(len(logits))
        assert len(labels) == len(logits)
        half = len(labels) // 2
        assert torch.equal(labels[:half], labels[half:])
        return functional.binary_cross_entropy_with_logits(logits, labels)

    classifier = nn.Sequential(SmallCNN(widths=(8, 8, 16)), nn.Linear(16, 10))
    history = end_to_end(classifier, two_view_loader(scenes), criterion, SETTINGS, seed=0)
    assert rows == [32, 32, 32]
    assert history.epochs[0].parts["classification"] == pytest.approx(history.epochs[0].loss)


def test_linear_probe_takes_and_watches_raw_features_and_does_not_touch_them() -> None:
    generator = torch.Generator().manual_seed(0)
    features = 100 + 5 * torch.randn(256, 4, generator=generator)  # far from standardised
    labels = (features[:, :2] > 100).float()
    kept = features.clone()
    settings, seen = TrainingSettings(epochs=30, batch_size=32, learning_rate=0.1), []

    def watch(layer: nn.Module) -> float:
        seen.append(layer(features).detach())
        return float(len(seen))

    bce = functional.binary_cross_entropy_with_logits
    layer, history = linear_probe(features, labels, bce, settings, seed=0, watch=watch)
    assert torch.equal(features, kept)
    assert torch.allclose(seen[-1], layer(features), atol=1e-5)
    assert ((layer(features) > 0) == labels.bool()).float().mean() > 0.97
    assert history.curve("loss")[-1] < 0.2


def test_linear_probe_gives_a_constant_feature_no_weight() -> None:
    last_bit = torch.tensor([0.1, 0.1 + 1e-8]).repeat(16).view(32, 1)
    columns = [torch.randn(32, 1), torch.zeros(32, 1), torch.full((32, 1), 100.1), last_bit]
    features = torch.cat(columns, dim=1)
    layer, _ = linear_probe(
        features, (features[:, :1] > 0).float(), AsymmetricLoss(), TrainingSettings(1, 8, 0.01), seed=0
    )
    assert (layer.weight != 0).tolist() == [[True, False, False, False]]
    assert layer.bias.abs() < 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_linear_probe_takes_features_of_any_precision(dtype: torch.dtype) -> None:
    features = torch.randn(32, 2).half()  # in any precision the same
    labels = (features[:, :1] > 0).float()
    found, expected = (
        linear_probe(given, labels, AsymmetricLoss(), TrainingSettings(1, 8, 0.01), seed=0)[0]
        for given in (features.to(dtype), features.float())
    )
    assert torch.equal(found.weight, expected.weight)


def test_predict_keeps_the_order_and_computes_in_evaluation_mode(scenes) -> None:
    encoder = SmallCNN(widths=(8, 8, 16)).train()
    encoder.network[1].eval()
    modes = [module.training for module in encoder.modules()]
    loader = make_loader(scenes, plain_view(), 20, shuffle=False, seed=0)
    features, labels = predict(encoder, loader)
    assert [module.training for module in encoder.modules()] == modes
    assert torch.equal(labels, scenes.labels.float())
    assert torch.allclose(features[:20], encoder.eval()(plain_view()(scenes.images[:20])), atol=1e-5)
    assert not features.requires_grad
    nn.Linear(16, 1)(features).sum().backward()  # no inference tensor: it can be trained on
