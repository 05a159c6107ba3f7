"""On a pretended GPU everything public works, and gives what it gives on the CPU; every method trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from calls import NAMES, calls, numbers
from pretend_cuda import GPU, pretend_cuda
from torch import Tensor, nn

from probmcl import data, model, train
from probmcl.evaluate import mean_average_precision
from probmcl.loss import ProbMCLLoss
from probmcl_book.replicate import Method, Recipe, run_methods
from probmcl_book.replicate.recipe import CRITERIA, DigitsData


@pytest.fixture
def gpu() -> Iterator[torch.device]:
    with pretend_cuda() as device:
        yield device


def moved(value: Any) -> Any:
    if isinstance(value, Tensor | nn.Module | data.LabelledImages | model.GaussianMixture):
        return value.to(GPU)
    if isinstance(value, model.HeadOutput):
        return replace(value, **{part.name: moved(getattr(value, part.name)) for part in fields(value)})
    if isinstance(value, torch.Generator):
        return torch.Generator(GPU)
    if isinstance(value, list | tuple):
        return type(value)(map(moved, value))
    return GPU if value == "cpu" else value


def outcome(function: Any, arguments: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    try:
        return function(**arguments)
    except (ValueError, FileNotFoundError) as error:  # of files that are not there
        return str(error)


@pytest.mark.parametrize(("room", "name"), NAMES)
def test_a_public_callable_gives_what_it_gives_on_the_cpu(room: str, name: str) -> None:
    function, arguments, _ = calls(room)[name]
    expected = list(numbers(outcome(function, dict(arguments))))
    with pretend_cuda():
        function, arguments, _ = calls(room)[name]
        owner = getattr(function, "__self__", None)  # of a module, a mixture or a data set
        if hasattr(owner, "to"):
            function = getattr(moved(owner), function.__name__)
        made = outcome(function, {key: moved(value) for key, value in arguments.items()})
        found = [one.cpu() for one in numbers(made)]
    if room != "train":  # whose results tell the time
        torch.testing.assert_close(found, expected, equal_nan=True)


ONE = train.TrainingSettings(epochs=1, batch_size=16, learning_rate=1e-3)
WIDTHS = (16, 8)
METHODS = (
    Method("BCE", "bce", ONE),
    Method("ASL", "asl", ONE),
    Method("ML-Decoder", "ml-decoder", ONE, head={"width": 16, "heads": 2, "hidden": 16}),
    Method("Label graph", "label-graph", ONE, head={"hidden": 16, "threshold": 0.1}),
    Method("KMCL", "kmcl", ONE, WIDTHS, head={"covariance": "diagonal"}),
    Method("SupCon", "supcon", ONE, WIDTHS, {"rule": "weighted"}),
    Method("MulSupCon", "mulsupcon", ONE, WIDTHS),
    Method("ProbMCL", "probmcl", ONE, WIDTHS, {"queue": 16}, {"components": 3}),
)


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_trains(method: Method, precision: str, gpu: torch.device) -> None:
    settings = replace(ONE, precision=precision, ema_decay=None if precision == "float32" else 0.9)
    scenes = DigitsData(train=16, validation=16, test=16, difficulty="easy")
    recipe = Recipe("tiny", scenes, None, "small-cnn", (replace(method, training=settings),), ONE)
    trained = run_methods(recipe, [0], device=gpu).trained[method.name][0]
    assert trained.test_scores.isfinite().all()
    assert trained.test_scores.device.type == "cpu"
    assert {one.criterion for one in METHODS} == {*CRITERIA}


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")
def test_both_stages_go_on_where_they_stopped(gpu: torch.device, tmp_path: Path) -> None:
    scenes = data.digit_scenes("train", 32, difficulty="easy")

    def trained(images: data.LabelledImages, **options: Any) -> Tensor:
        torch.manual_seed(0)
        encoder = model.SmallCNN(widths=(4, 8))
        head = model.MixtureDensityHead(8, 3, trunk=(8, 4))
        found = train.two_stages(
            *(encoder, head, images, images, ProbMCLLoss(), replace(ONE, epochs=2)),
            probe=ONE,
            two_views=data.TwoViews(data.scene_augmentation()),
            plain_view=data.plain_view(),
            metric=mean_average_precision,
            seed=0,
            device=gpu,
            **options,
        )
        return found.classifier.weight.detach().cpu()

    whole = trained(scenes)
    assert torch.equal(trained(scenes, checkpoint=tmp_path), whole)
    (tmp_path / "probe.pt").unlink()
    assert torch.equal(trained(scenes, checkpoint=tmp_path), whole)
    torch.testing.assert_close(trained(scenes.to(gpu)), whole)


def test_what_cuda_refuses_is_refused(gpu: torch.device) -> None:
    there, here = torch.zeros(3, device=gpu), torch.zeros(3)
    for wrong, message in (
        (lambda: there + here, "same device"),
        (lambda: here.add_(there), "same device"),
        (lambda: torch.cat([there, here]), "same device"),
        (lambda: there.numpy(), "Use Tensor.cpu"),
        (lambda: np.asarray(there), "Use Tensor.cpu"),
        (lambda: there.pin_memory(), "pin"),
        (lambda: torch.rand(3, device=gpu, generator=torch.Generator()), "for generator"),
        (lambda: there.normal_(generator=torch.Generator()), "for generator"),
    ):
        with pytest.raises((RuntimeError, TypeError), match=message):
            wrong()
    assert (there + 1).device == there.new_zeros(1).device == gpu
    assert (there + torch.tensor(1.0)).cpu().tolist() == [1, 1, 1]  # one number may come from anywhere
