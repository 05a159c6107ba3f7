"""A whole run that was interrupted: what is finished is read back, and the record holds the same numbers."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import BCE, PROBMCL, TINY, TRUNK, tiny_recipe

from probmcl.train import stages
from probmcl_book.records import Record
from probmcl_book.replicate import Method, Recipe, run_experiment, runner

METHODS = (BCE, Method("SupCon, threshold", "supcon", TINY, TRUNK, {"threshold": 1.0}), PROBMCL)
RECIPE = tiny_recipe(*METHODS)


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


def numbers(record: Record) -> str:
    """All that must be the same, NaN included; times are not."""
    return repr([record.differences, *(replace(row, seconds=0.0) for row in record.rows)])


@pytest.fixture(scope="module")
def whole() -> Record:
    return experiment(None)


def test_a_run_interrupted_within_a_method_ends_with_the_same_record(tmp_path, monkeypatch, whole) -> None:
    with monkeypatch.context() as patched:  # within ProbMCL: its encoder is trained, its probe is not
        patched.setattr(stages, "linear_probe", failing_at(3, stages.linear_probe))
        with pytest.raises(PowerCutError):
            experiment(tmp_path)
    left = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.*"))]
    assert [re.sub(r"-?[0-9a-f]{20}", "", path) for path in left if "previous" not in path] == [
        "starts/.safetensors",
        "tiny/bce-seed-0.safetensors",
        "tiny/probmcl-seed-0/begun.json",
        "tiny/probmcl-seed-0/training.pt",
        "tiny/start-linear-probe-seed-0.safetensors",
        "tiny/supcon-threshold-seed-0.safetensors",
    ]
    (start,) = tmp_path.glob("starts/*.safetensors")
    start.with_suffix(".lock").touch()  # of a run that was killed before it could release it
    trained = []
    train = runner.train_method
    monkeypatch.setattr(
        runner, "train_method", lambda m, *a, **k: trained.append(m.name) or train(m, *a, **k)
    )
    record = experiment(tmp_path)
    assert trained == ["ProbMCL"]
    assert numbers(record) == numbers(whole)
    assert "trained before: seed 0, Start (linear probe); seed 0, BCE; seed 0, SupCon" in record.notes[-1]
    assert [*start.parent.iterdir()] == [start]


def test_a_finished_run_is_read_back_and_not_made_again(tmp_path, monkeypatch, whole) -> None:
    first = experiment(tmp_path)
    assert numbers(first) == numbers(whole)
    assert first.notes == whole.notes
    monkeypatch.setattr(runner, "train_method", failing_at(1, runner.train_method))
    for finished in list(tmp_path.glob("tiny/*.safetensors")):  # killed before it could remove its stages
        finished.with_suffix("").mkdir()
        finished.with_suffix("").joinpath("probe.pt").touch()
    (tmp_path / "tiny" / ".lock").touch()
    assert repr(experiment(tmp_path).rows) == repr(first.rows)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".safetensors"}
    assert not [path for path in tmp_path.glob("tiny/*") if path.is_dir()]
    slower = replace(METHODS[2], training=replace(TINY, learning_rate=1e-4))
    for other in (replace(RECIPE, methods=(slower,)), replace(RECIPE, data=replace(RECIPE.data, seed=1))):
        with pytest.raises(PowerCutError):  # another recipe, or other images: another run
            experiment(tmp_path, other)


def test_methods_that_swap_names_do_not_swap_weights(tmp_path, whole) -> None:
    experiment(tmp_path)
    names = [method.name for method in reversed(METHODS)]
    swapped = tuple(replace(method, name=name) for method, name in zip(METHODS, names, strict=True))
    found = experiment(tmp_path, replace(RECIPE, name="swapped", methods=swapped))
    assert repr([row.metrics for row in found.rows]) == repr([row.metrics for row in whole.rows])
    assert [row.method for row in found.rows][1:4] == names


def test_a_run_begun_on_another_machine_says_so(tmp_path, monkeypatch) -> None:
    code, hardware = runner.provenance()
    with monkeypatch.context() as patched:
        patched.setattr(runner, "provenance", lambda device: (code, replace(hardware, cpu="an abacus")))
        patched.setattr(stages, "linear_probe", failing_at(2, stages.linear_probe))
        with pytest.raises(PowerCutError):
            experiment(tmp_path, replace(RECIPE, methods=METHODS[2:]))
    for _ in range(2):  # it began there, wherever it was finished
        assert "another machine" in experiment(tmp_path, replace(RECIPE, methods=METHODS[2:])).notes[-1]


def test_a_folder_of_an_older_version_is_refused_with_what_to_do(tmp_path) -> None:
    (tmp_path / "run.pt").touch()
    with pytest.raises(ValueError, match="the same command with another folder trains anew"):
        experiment(tmp_path)
