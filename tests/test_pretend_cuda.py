"""On a pretended GPU everything public works, and gives what it gives on the CPU; every method trains."""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from calls import NAMES, calls, numbers
from notebooks import run_cells
from pretend_cuda import GPU, pretend_cuda
from tiny import OF_EVERY_CRITERION, SCENES, TINY, tiny_recipe
from torch import Tensor, nn

from probmcl import data, model
from probmcl_book.pages import setup
from probmcl_book.replicate import Method, run_methods, sized_splits


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


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("method", OF_EVERY_CRITERION, ids=lambda method: method.name)
def test_every_method_trains(method: Method, precision: str, gpu: torch.device) -> None:
    settings = replace(TINY, precision=precision, ema_decay=None if precision == "float32" else 0.9)
    scenes = replace(SCENES, train=16, validation=16, test=16)
    recipe = tiny_recipe(replace(method, training=settings), start=None, data=scenes)
    trained = run_methods(recipe, [0], device=gpu).trained[method.name][0]
    assert trained.test_scores.isfinite().all()
    assert trained.test_scores.device.type == "cpu"


BOOK = Path(__file__).parents[1] / "book"
CHAPTERS = [path for path in sorted(BOOK.glob("*.ipynb")) if '"accelerator": "GPU"' in path.read_text()]
IN_SUITE = ("08_contrastive_stage", "09_classification_stage")


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")
@pytest.mark.parametrize(
    "chapter",
    [
        pytest.param(one, id=one.stem, marks=() if one.stem in IN_SUITE else pytest.mark.slow)
        for one in CHAPTERS
    ],
)
def test_a_chapter_runs_at_smoke(
    chapter: Path, gpu: torch.device, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROBMCL_PROFILE", "smoke")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("probmcl_book.pages.setup", lambda: replace(setup(), device=gpu))
    few = lambda recipe, *parts: sized_splits(recipe, 4, 2, 2, parts[-1])  # noqa: E731 - a step on this CPU
    monkeypatch.setattr("probmcl_book.replicate.sized_splits", few)
    run_cells(chapter)


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
