"""A whole experiment in small: the record holds every method, and its numbers can be made again."""

import math
from dataclasses import replace

import pytest
from tiny import BCE, PROBMCL, SCENES, TINY, TRUNK, tiny_recipe

from probmcl.__main__ import main
from probmcl.evaluate import Interval
from probmcl_book.records import Difference, verdict
from probmcl_book.replicate import Method, Recipe, Runs, best_baseline, run_experiment, run_methods
from probmcl_book.replicate.run import START

METHODS = (
    BCE,
    Method("SupCon", "supcon", TINY, TRUNK, {"threshold": 1.0}),
    Method("MulSupCon", "mulsupcon", TINY, TRUNK),
    replace(PROBMCL, options={"temperature": 0.5}),
)
RECIPE = tiny_recipe(*METHODS)


@pytest.fixture(scope="module")
def record():
    return run_experiment(RECIPE, [0, 1], command="python -m probmcl run tiny", resamples=20)


def test_a_record_holds_every_method_and_seed_and_their_means(record) -> None:
    names = [START, *(method.name for method in METHODS)]
    assert [(row.method, row.seed) for row in record.rows[:-5]] == [(n, s) for n in names for s in (0, 1)]
    assert [(row.method, row.seed) for row in record.rows[-5:]] == [(n, None) for n in names]
    for name in names:
        *runs, mean = (row.metrics["mAP"] for row in record.rows if row.method == name)
        per_seed = [run.value for run in runs]
        assert mean.value == pytest.approx(sum(per_seed) / 2)
        assert mean.low < mean.value < mean.high or len(set(per_seed)) == 1
    assert Recipe.from_dict(record.recipe) == RECIPE


def test_differences_are_of_the_mean_map_over_seeds(record) -> None:
    means = {row.method: row.metrics["mAP"].value for row in record.rows if row.seed is None}
    assert [found.against for found in record.differences] == [START, "BCE", "SupCon", "MulSupCon"]
    for found in record.differences:
        assert found.interval.value == pytest.approx(means["ProbMCL"] - means[found.against])
        assert found.interval.low <= found.interval.value <= found.interval.high


def test_the_best_baseline_is_chosen_on_validation_among_the_rivals() -> None:
    runs = run_methods(replace(RECIPE, methods=METHODS[::3]), [0])
    assert best_baseline(runs) == "BCE"


def test_a_method_alone_has_no_best_baseline() -> None:
    alone = replace(RECIPE, methods=METHODS[-1:], data=replace(SCENES, test=32), limit=40)
    found = run_experiment(alone, [0], command="-", resamples=5)
    assert found.notes == ["At most 40 images of each part: it shows that the parts fit and is no evidence."]
    assert found.data.split.endswith("; at most 40 images of each part, seed 0")
    runs = Runs(alone, alone.splits(), found.data, (0,), {START: [], "ProbMCL": []})
    with pytest.raises(ValueError, match="runs: expected two methods or more, got 1"):
        best_baseline(runs)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.03, "A is above B"),
        (-0.03, -0.01, "A is below B"),
        (0.0, 0.02, "A and B cannot be told apart"),
        (math.nan, math.nan, "A less B, without an interval"),
    ],
)
def test_a_verdict_says_what_its_interval_allows(low: float, high: float, words: str) -> None:
    found = verdict(Difference("A", "B", "mAP", Interval(-0.02, low, high)))
    assert found.startswith(f"{words}: mAP -0.020")


@pytest.mark.parametrize(
    ("seeds", "notes", "message"),
    [
        ([], [], "seeds: expected at least one"),
        ([-1], [], "seeds: expected a whole number >= 0, got -1"),
        ([0], ["see /home/somebody/x"], r"notes\[0\]: .*on one machine only"),
    ],
)
def test_what_no_record_could_hold_is_refused_first(seeds, notes, message, monkeypatch) -> None:
    monkeypatch.setattr("probmcl_book.replicate.run.Runner", None)  # a call would fail
    with pytest.raises(ValueError, match=message):
        run_experiment(RECIPE, seeds, command="-", notes=notes)


WRITING = (
    "run digits",
    "study main",
    "gradcam",
    "uncertainty",
    "bench",
    "statistics chestxray14 --labels x",
)
REFUSED = {f"{words} --out .": "--out: expected a file, got the folder" for words in WRITING} | {
    "run digits --device nonsense": "--device: expected one that torch can use here",
    "run digits --device cpu --data [/x]": "[/x]",  # brackets are no markup
    "study main --device cpu --repeat 0": "repeat: expected a whole number >= 1, got 0",
    "study main --device cpu --weights a.pt": "weights: expected none, digits has no start from a file",
}


@pytest.mark.parametrize(("command", "message"), REFUSED.items(), ids=REFUSED)
def test_what_a_command_cannot_do_is_refused_before_training(command, message, capsys, monkeypatch) -> None:
    monkeypatch.setattr("probmcl_book.replicate.runner.train_method", None)  # a call would fail
    with pytest.raises(SystemExit, match="2"):
        raise SystemExit(main(command.split()))  # argparse exits by itself
    assert message in " ".join("".join(capsys.readouterr()).split())
