"""A whole run that was interrupted: what is finished is read back, and the record holds the same numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from probmcl.model import build_encoder
from probmcl.train import TrainingSettings, load_checkpoint, stages
from probmcl_book.records import Record
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate import PackedData, Recipe, run, run_experiment
from probmcl_book.replicate.checkpoints import RunCheckpoints
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.recipe import DigitsData, LettersStart, Method

TINY = TrainingSettings(epochs=2, batch_size=16, learning_rate=1e-3)
METHODS = (
    Method("BCE", "bce", TINY),
    Method("SupCon, threshold", "supcon", TINY, trunk=(16, 8), options={"threshold": 1.0}),
    Method("ProbMCL", "probmcl", TINY, trunk=(16, 8)),
)
RECIPE = Recipe(
    "tiny",
    DigitsData(train=48, validation=48, test=48, difficulty="easy"),
    LettersStart(32, TINY),
    "small-cnn",
    METHODS,
    probe=TINY,
)


class PowerCutError(Exception):
    pass


def failing_at(call: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, with a power cut instead of its call of that number."""
    calls = iter(range(1, call))

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            raise PowerCutError
        return function(*arguments, **named)

    return wrapped


def experiment(checkpoints: Path | None, recipe: Recipe = RECIPE) -> Record:
    return run_experiment(recipe, [0], command="-", resamples=20, checkpoints=checkpoints)


def numbers(record: Record) -> list[Any]:
    """All that must be the same; times are not."""
    return [record.differences, *(replace(row, seconds=0.0) for row in record.rows)]


@pytest.fixture(scope="module")
def whole() -> Record:
    return experiment(None)


def test_a_run_interrupted_twice_ends_with_the_same_record(tmp_path, monkeypatch, whole) -> None:
    with monkeypatch.context() as patched:  # within ProbMCL: its encoder is trained, its probe is not
        patched.setattr(stages, "linear_probe", failing_at(3, stages.linear_probe))
        with pytest.raises(PowerCutError):
            experiment(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pt"))
    assert [path for path in left if "previous" not in path] == [
        "run.pt",
        "seed-0/bce/trained.pt",
        "seed-0/probmcl/training.pt",
        "seed-0/start-linear-probe/trained.pt",
        "seed-0/start.pt",
        "seed-0/supcon-threshold/trained.pt",
    ]
    trained = []
    train_method = run.train_method
    monkeypatch.setattr(
        run,
        "train_method",
        lambda method, *a, **k: trained.append(method.name) or train_method(method, *a, **k),
    )
    record = experiment(tmp_path)
    assert trained == ["ProbMCL"]
    assert numbers(record) == numbers(whole)
    assert "trained before: seed 0, Start (linear probe); seed 0, BCE; seed 0, SupCon" in record.notes[-1]


def test_a_finished_run_is_read_back_whole(tmp_path, monkeypatch, whole) -> None:
    first = experiment(tmp_path)
    assert numbers(first) == numbers(whole)
    assert first.notes == whole.notes
    monkeypatch.setattr(run, "train_method", failing_at(1, run.train_method))
    again = experiment(tmp_path)
    assert again.rows == first.rows
    assert not list(tmp_path.rglob("training*.pt"))


def test_the_checkpoints_of_another_recipe_are_an_error_that_names_what_differs(tmp_path) -> None:
    checkpoints = RunCheckpoints(tmp_path, RECIPE, *provenance())
    assert checkpoints.notes() == []
    slower = replace(METHODS[2], training=replace(TINY, learning_rate=1e-4))
    with pytest.raises(ValueError, match=r"methods\.2\.training\.learning_rate: 0\.001 there, 0\.0001 here"):
        experiment(tmp_path, replace(RECIPE, methods=(*METHODS[:2], slower)))
    assert load_checkpoint(tmp_path / "run.pt")["recipe"] == RECIPE.to_dict()


def test_checkpoints_go_on_whatever_words_describe_the_images(tmp_path) -> None:
    for access in ("ask me", "ask-me"):
        data = PackedData(Origin("pets", "as taken", access, "nobody"))
        recipe = replace(RECIPE, name=f"pets, {access}", start=None, data=data)
        RunCheckpoints(tmp_path, recipe, *provenance(), data="md5:0")
    with pytest.raises(ValueError, match=r"data: md5:0 there, md5:1 here"):
        RunCheckpoints(tmp_path, recipe, *provenance(), data="md5:1")


def test_methods_that_swap_names_do_not_swap_weights(tmp_path) -> None:
    RunCheckpoints(tmp_path, RECIPE, *provenance())
    names = [method.name for method in reversed(METHODS)]
    swapped = tuple(replace(method, name=name) for method, name in zip(METHODS, names, strict=True))
    with pytest.raises(ValueError, match=r"names: .* there, .* here"):
        RunCheckpoints(tmp_path, replace(RECIPE, methods=swapped), *provenance())


def test_a_run_begun_on_another_machine_says_so(tmp_path) -> None:
    code, hardware = provenance()
    RunCheckpoints(tmp_path, RECIPE, code, replace(hardware, cpu="an abacus"))
    (note,) = RunCheckpoints(tmp_path, RECIPE, code, hardware).notes()
    assert "another machine" in note


def test_a_method_read_back_has_its_weights(tmp_path) -> None:
    checkpoints = RunCheckpoints(tmp_path, RECIPE, *provenance())
    assert checkpoints.finished(0, "BCE", torch.nn.Identity()) is None
    runs = run.run_methods(replace(RECIPE, methods=METHODS[:1]), [0], checkpoints=checkpoints)
    (trained,) = runs.trained["BCE"]
    again = checkpoints.finished(0, "BCE", build_encoder("small-cnn", in_channels=1))
    assert again is not None
    assert torch.equal(again.classifier.weight, trained.classifier.weight)
    image = torch.ones(1, 1, 32, 32)  # the two lay out their filters differently, and so round differently
    torch.testing.assert_close(again.encoder(image), trained.encoder(image))
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(again.encoder.state_dict()[name], value)
    assert again.history == trained.history
