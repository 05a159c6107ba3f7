"""The training loop: determinism, resuming, the kept epoch, the moving average, errors."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from probmcl.loss import LossParts
from probmcl.train import TrainingSettings, fit, load_checkpoint, save_checkpoint
from probmcl.train.loop import parameter_groups

SETTINGS = TrainingSettings(epochs=3, batch_size=8, learning_rate=0.05)


def regression_step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
    inputs, targets = batch
    noise = torch.randn_like(inputs)  # random numbers that the loop's seed must cover
    loss = functional.mse_loss(model(inputs + 0.01 * noise), targets)
    return LossParts(loss, {"mse": loss.detach()}, {"constant": torch.tensor(2.0)})


def make_model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def make_loader(seed: int = 0) -> DataLoader:
    generator = torch.Generator().manual_seed(5)
    data = TensorDataset(torch.randn(32, 3, generator=generator), torch.randn(32, 2, generator=generator))
    return DataLoader(data, 8, shuffle=True, generator=torch.Generator().manual_seed(seed))


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])


def test_same_seed_gives_the_same_weights_bit_by_bit_and_another_seed_does_not() -> None:
    models = [make_model() for _ in range(3)]
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    for model, seed in zip(models, (0, 0, 1), strict=True):
        fit(model, make_loader(), regression_step, SETTINGS, seed=seed)
    assert torch.equal(weights(models[0]), weights(models[1]))
    assert not torch.equal(weights(models[0]), weights(models[2]))
    assert torch.equal(torch.rand(1), expected)  # the loop leaves the global random numbers alone


def test_the_loss_falls_and_is_logged() -> None:
    long = TrainingSettings(epochs=20, batch_size=8, learning_rate=0.05)
    history = fit(make_model(), make_loader(), regression_step, long, seed=0)
    assert history.curve("loss")[-1] < history.curve("loss")[0]
    assert history.curve("mse") == pytest.approx(history.curve("loss"))
    assert history.curve("constant") == pytest.approx([2.0] * 20)
    assert [log.epoch for log in history.epochs] == list(range(1, 21))
    assert all(log.views_per_second > 0 for log in history.epochs)
    assert all(0 < log.data_share < 1 for log in history.epochs)
    with pytest.raises(ValueError, match="name: expected a loss part"):
        history.curve("nonsense")


def test_the_share_of_time_spent_waiting_for_data_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr("probmcl.train.history.time", clock)

    class Slow(list):
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            for batch in super().__iter__():
                clock.now += 3.0
                yield batch

    def slow(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
        clock.now += 1.0
        return regression_step(model, batch)

    history = fit(make_model(), Slow(make_loader()), slow, SETTINGS, seed=0)
    assert history.curve("seconds") == [16.0] * 3
    assert history.curve("data_share") == [0.75] * 3


@pytest.mark.parametrize("decay", [None, 0.9])
def test_the_best_watched_epoch_is_kept_of_the_moving_average_if_there_is_one(decay: float | None) -> None:
    seen: list[Tensor] = []

    def watch(model: nn.Module) -> float:
        assert not model.training
        seen.append(weights(model).clone())
        return (0.1, 0.9, 0.5)[len(seen) - 1]

    model, settings = make_model(), replace(SETTINGS, ema_decay=decay)
    history = fit(model, make_loader(), regression_step, settings, seed=0, watch=watch)
    assert history.best_epoch == 2
    assert history.curve("watched") == [0.1, 0.9, 0.5]
    assert torch.equal(weights(model), seen[1])


def test_a_watched_metric_that_is_nan_stops_the_run_and_says_so() -> None:
    scores = iter([0.1, float("nan"), 0.5])
    with pytest.raises(ValueError, match="watch: expected a number after epoch 2, got NaN"):
        fit(make_model(), make_loader(), regression_step, SETTINGS, seed=0, watch=lambda model: next(scores))


def test_biases_and_normalisation_do_not_decay() -> None:
    decayed, free = parameter_groups(make_model(), 0.1)
    assert [p.dim() for p in decayed["params"]] == [2, 2]
    assert all(p.dim() == 1 for p in free["params"])
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("epochs", 0), ("batch_size", 0), ("learning_rate", 0.0), ("weight_decay", -1.0)],
        *[("warmup", 0.0), ("warmup", 1.0), ("ema_decay", 1.5), ("precision", "float8")],
    ],
)
def test_bad_settings_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**{"epochs": 1, "batch_size": 1, "learning_rate": 0.1, name: value})


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"epochs": [1.0, np.float64(2.0)]}, r"state\.epochs\.1: expected .* got numpy\.float64"),
        ({"run": {("a", np.str_("b")): 1}}, r"a key of state\.run\.1: expected .* got numpy\.str_"),
        ({"path": Path("x")}, r"state\.path: expected .* got pathlib"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(state: dict[str, Any], message: str, tmp_path) -> None:
    with pytest.raises(TypeError, match=message):
        save_checkpoint(tmp_path / "last.pt", state)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_become_plain_and_can_be_read_back(tmp_path: Path) -> None:
    settings = TrainingSettings(2, 8, learning_rate=np.float64(0.1), ema_decay=np.float64(0.9))
    path, scores = tmp_path / "last.pt", iter(np.array([0.25, 0.5]))
    watched = {"watch": lambda model: next(scores), "checkpoint": path}
    fit(make_model(), make_loader(), regression_step, settings, seed=0, **watched)
    state = load_checkpoint(path)
    assert [log["watched"] for log in state["history"]["epochs"]] == [0.25, 0.5]
    assert state["run"]["settings"]["learning_rate"] == 0.1


@pytest.mark.parametrize(
    ("capability", "asked", "computed"),
    [
        *[((7, 5), "bfloat16", "float16"), ((8, 0), "bfloat16", "bfloat16")],
        *[((7, 5), "float32", "float32"), ((9, 0), "float16", "float16")],
    ],
)
def test_float16_stands_in_for_emulated_bfloat16(capability, asked, computed, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    settings = replace(SETTINGS, precision=asked)
    assert settings.arithmetic(torch.device("cuda:0")) == computed
    assert settings.arithmetic(torch.device("cpu")) == "float32"


@pytest.mark.parametrize("warmup", [False, True])
def test_a_moving_average_has_its_decay_from_the_first_step_or_rises_to_it(warmup: bool) -> None:
    model, seen = make_model(), []

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
        seen.append(model[0].weight.detach().clone())
        return regression_step(model, batch)

    settings = replace(SETTINGS, epochs=2, ema_decay=0.9, ema_warmup=warmup)
    fit(plain := make_model(), make_loader(), step, replace(settings, ema_decay=None), seed=0)
    expected = seen[0]
    for weight in (*seen[1:], plain[0].weight):
        expected = 0.9 * expected + 0.1 * weight
    fit(model, make_loader(), regression_step, settings, seed=0)
    assert torch.allclose(model[0].weight, expected, atol=1e-6) is not warmup


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("warmup", [0.2, 0.5, 0.9])
def test_a_run_of_any_number_of_steps_trains(steps: int, warmup: float) -> None:
    model, batches = make_model(), [(torch.randn(8, 3), torch.randn(8, 2))] * steps
    before = model[0].weight.detach().clone()
    history = fit(model, batches, regression_step, TrainingSettings(1, 8, 0.05, warmup=warmup), seed=0)
    assert history.epochs[0].learning_rate <= 0.05
    moved = (model[0].weight - before).abs().max().item()
    assert moved > 0.002
    assert steps > 1 or moved == pytest.approx(0.05, rel=0.01)  # AdamW's first step is as long as its rate
