"""Studies in small: they resume, stop in time, tune on validation alone, and sum up what was run."""

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from tiny import BCE, PROBMCL, TINY, tiny_recipe

from probmcl.__main__ import main
from probmcl.evaluate import mean_average_precision, paired_bootstrap_difference
from probmcl_book.records import read_record, write_record
from probmcl_book.replicate import DataSets, Method, Splits, run_key, runner
from probmcl_book.replicate.finished import restored
from probmcl_book.replicate.tensor_file import read_tensors
from probmcl_book.studies import (
    STUDIES,
    WORLDS,
    Candidate,
    Study,
    StudyRuns,
    Trial,
    Tuning,
    planned_study,
    repeat_runs,
    run_study,
    summarise,
)
from probmcl_book.studies.planned.photographs import PROBE, RANGES, SHARES

BASE = tiny_recipe()
RATES = tuple(Candidate({"learning_rate": rate}) for rate in (1e-3, 1e-2))


def trial(method: Method | None, seeds: tuple[int, ...] = (0, 1), **fields: object) -> Trial:
    recipe = replace(BASE, methods=() if method is None else (method,))
    return Trial("Start" if method is None else method.name, recipe, seeds, **fields)


def study(*trials: Trial, **fields: object) -> Study:
    return Study("tiny", "digits", "Does it work?", trials, **{"reference": trials[-1].setting, **fields})


TUNED = study(trial(BCE), trial(PROBMCL), tuning=Tuning(9, {"BCE": RATES, "ProbMCL": RATES}))


def run(chosen: Study, folder: Path, **options: object) -> StudyRuns:
    return run_study(chosen, folder / "tiny", **options)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The methods that were trained, with their seeds, in order."""
    made: list[tuple[str, int]] = []
    original = runner.train_method

    def train(method: Method, *arguments: object, seed: int, **options: object) -> object:
        made.append((method.name, seed))
        return original(method, *arguments, seed=seed, **options)

    monkeypatch.setattr(runner, "train_method", train)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def finished(folder: Path) -> StudyRuns:
    return run(study(trial(None), trial(BCE), trial(PROBMCL)), folder)


def test_runs_come_seed_by_seed_and_are_not_made_twice(tmp_path, trained) -> None:
    chosen = study(trial(BCE), trial(PROBMCL))
    first = run(chosen, tmp_path)
    assert trained == [("BCE", 0), ("ProbMCL", 0), ("BCE", 1), ("ProbMCL", 1)]
    again = run(chosen, tmp_path)
    assert len(trained) == 4
    assert (first.made, again.made, again.left) == (4, 0, 0)
    for (name, one), (same, other) in zip(first.runs.items(), again.runs.items(), strict=True):
        assert (name, one.row.metrics["mAP"]) == (same, other.row.metrics["mAP"])
        assert torch.equal(one.test_scores, other.test_scores)
    run(study(trial(BCE, (0, 1, 2)), trial(PROBMCL)), tmp_path)
    assert trained[4:] == [("BCE", 2)]


def test_studies_beside_each_other_share_runs_and_starts(tmp_path, trained, monkeypatch) -> None:
    run_study(study(trial(BCE, (0,))), tmp_path / "one")
    monkeypatch.setattr("probmcl_book.replicate.starts.end_to_end", None)  # a second pretraining would fail
    both = study(trial(BCE, (0,)), trial(PROBMCL, (0,)))
    assert run_study(both, tmp_path / "two").made == 1
    assert trained == [("BCE", 0), ("ProbMCL", 0)]


def test_finished_runs_are_drawn_and_made_again(finished, trained) -> None:
    repeats = repeat_runs(finished, 3)
    assert len({kept.key for kept, _ in repeats}) == 3
    for kept, made in repeats:
        assert made.key == kept.key
        for name in ("test_scores", "validation_scores", "weight"):
            assert torch.equal(getattr(made, name), getattr(kept, name))
    assert trained


def test_what_is_kept_gives_the_metrics_again(finished) -> None:
    splits, _ = finished.images.of(BASE)
    for kept in finished.runs.values():
        found = mean_average_precision(kept.test_scores, splits.test.labels)
        assert found == kept.row.metrics["mAP"].value
        assert kept.weight.shape == (10, 128)
        assert {"parameters", "embedding graph", "classifier graph"} <= kept.row.metrics.keys()
    assert finished.runs["ProbMCL", 0].row.metrics["positives"].value > 1


@pytest.mark.parametrize("where", ["tiny", "starts"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content, other: content[:-100], "is torn"),
        (lambda content, other: content[:-1] + bytes([content[-1] ^ 1]), "is damaged"),
        (lambda content, other: other, "holds another (run|start)"),
        (
            lambda content, other: save(load(content), {"format": "probmcl-start-1"}),
            "is of another or an older format .probmcl-start-1.*remove it, and the command",
        ),
    ],
)
@pytest.mark.usefixtures("finished")
def test_a_torn_or_foreign_file_is_named_and_not_used(folder, tmp_path, where, damage, message) -> None:
    shutil.copytree(folder, tmp_path, ignore=shutil.ignore_patterns("probmcl-*"), dirs_exist_ok=True)
    path, other, *_ = sorted((tmp_path / where).glob("*"))
    path.write_bytes(damage(path.read_bytes(), other.read_bytes()))
    with pytest.raises(ValueError, match=f"{path.name} {message}"):
        run(study(trial(BCE), trial(PROBMCL)), tmp_path)


def test_a_process_that_is_killed_while_it_writes_leaves_no_run(tmp_path, monkeypatch, trained) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("probmcl._files.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(study(trial(None, (0,))), tmp_path)
    half = tmp_path / "tiny" / ".bce-seed-0-0123.safetensors.1.tmp"  # as kill -9 would leave one
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    assert run(study(trial(BCE, (0,))), tmp_path).made == 1


def test_a_spent_budget_starts_nothing_and_says_what_is_left(tmp_path, trained) -> None:
    found = run(study(trial(BCE), trial(PROBMCL)), tmp_path, budget=0.0)
    assert trained == []
    assert (found.made, found.left, found.runs) == (0, 4, {})
    with pytest.raises(ValueError, match="no finished run"):
        summarise(found, command="-")


def test_a_budget_stops_before_a_run_that_would_end_too_late(tmp_path, monkeypatch, trained) -> None:
    clock = iter(range(0, 10**6, 10))  # each look at the clock takes ten seconds
    monkeypatch.setattr("probmcl_book.replicate.clock.time.perf_counter", lambda: float(next(clock)))
    found = run(study(trial(BCE), trial(PROBMCL)), tmp_path, budget=1 / 60)
    assert 0 < len(trained) < 4
    assert found.left == 4 - len(trained)
    record = summarise(found, command="-", resamples=5)
    assert any(f"{found.left} runs are left" in note for note in record.notes)
    assert record.wall_seconds == pytest.approx(sum(run.seconds for run in found.runs.values()))


def poisoned(images: DataSets) -> None:
    """Test images that nobody may look at."""
    splits, identity = images.of(BASE)

    class Untouchable:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"tuning asked the test images for {name}")

        def __len__(self) -> int:
            raise AssertionError("tuning asked the test images for their number")

    secret: Splits = replace(splits, test=Untouchable())  # type: ignore[arg-type]
    images._known[next(iter(images._known))] = (secret, identity)


def test_tuning_never_sees_a_test_image(tmp_path, monkeypatch, trained) -> None:
    images = DataSets()
    poisoned(images)
    with pytest.raises(AssertionError, match="tuning asked"):  # the poison works
        run(study(trial(BCE, (0,))), tmp_path, images=images)
    trained.clear()
    monkeypatch.setattr("probmcl_book.studies.runner.choose", lambda tuning: pytest.exit("tuned"))
    with pytest.raises(pytest.exit.Exception, match="tuned"):
        run(TUNED, tmp_path, images=images)
    assert trained == [(name, 9) for name in ("BCE", "BCE", "ProbMCL", "ProbMCL")]
    for path in (tmp_path / "tiny").glob("*-seed-9-*"):
        kept = restored(*read_tensors(path))
        assert list(kept.row.metrics) == ["validation mAP"]
        assert torch.equal(kept.test_scores, kept.validation_scores)


def test_the_report_uses_the_best_candidate_on_validation(tmp_path) -> None:
    found = run(TUNED, tmp_path)
    for setting, candidate in found.chosen.items():
        tried = {c.name: r.row.metrics["validation mAP"].value for s, c, r in found.tuning if s == setting}
        assert tried[candidate.name] == max(tried.values())
        (method,) = found.runs[setting, 0].recipe.methods
        assert method.training.learning_rate == candidate.training["learning_rate"]
    record = summarise(found, command="-", resamples=5)
    tuning = [row for row in record.rows if row.seed == 9]
    assert len(tuning) == 4
    assert sum(row.method.startswith("chosen: ") for row in tuning) == 2
    assert record.recipe["chosen"] == {name: one.name for name, one in found.chosen.items()}


def test_tuning_may_try_decays_of_the_probe_for_the_start_too(tmp_path) -> None:
    tried = tuple(Candidate(probe={"weight_decay": decay}) for decay in (0.0, 1e3))
    planned = study(
        trial(None, (0,)), trial(PROBMCL, (0,)), tuning=Tuning(9, {"Start": tried, "ProbMCL": tried})
    )
    found = run(planned, tmp_path)
    assert [one.recipe.probe.weight_decay for _, _, one in found.tuning] == [0.0, 1e3, 0.0, 1e3]
    assert len({one.row.metrics["validation mAP"].value for _, _, one in found.tuning}) == 4
    for (name, _), one in found.runs.items():
        assert one.recipe.probe == replace(TINY, **found.chosen[name].probe)


def test_a_record_corrects_for_its_comparisons(tmp_path, finished) -> None:
    record = summarise(finished, command="-", resamples=50)
    write_record(record, tmp_path / "study_tiny.json")
    assert read_record(tmp_path / "study_tiny.json").kind == "study"
    over_images = [found for found in record.differences if found.metric == "mAP"]
    assert [found.against for found in over_images] == ["Start", "BCE"]
    labels, runs = finished.images.of(BASE)[0].test.labels.repeat(1, 2), finished.runs
    scores = (torch.cat([runs[name, seed].test_scores for seed in (0, 1)], 1) for name in ("ProbMCL", "BCE"))
    drawn = {"resamples": 400, "level": 1 - 0.05 / 2, "seed": 0}
    expected = paired_bootstrap_difference(mean_average_precision, *scores, labels, **drawn)
    assert over_images[1].interval.value == pytest.approx(expected.value)
    assert over_images[1].interval.low == pytest.approx(expected.low)
    assert over_images[1].interval.level == pytest.approx(0.975)
    _, over_seeds = [found.interval for found in record.differences if found.metric == "mAP over seeds"]
    assert over_seeds.value == pytest.approx(expected.value)


def test_a_record_holds_every_run_and_its_mean_and_its_study(finished) -> None:
    record = summarise(finished, command="-", resamples=5)
    names = ("Start", "BCE", "ProbMCL")
    ran = [(row.method, row.seed) for row in record.rows]
    assert ran == [(name, seed) for seed in (0, 1, None) for name in names]
    assert len(record.rows[-1].series["weight similarity"]) == 100
    assert Study.from_dict(record.recipe) == finished.study


@pytest.mark.parametrize("world", list(WORLDS))
@pytest.mark.parametrize("name", list(STUDIES))
def test_a_planned_study_keeps_its_promises(name: str, world: str) -> None:
    found = planned_study(name, world)
    assert Study.from_dict(found.to_dict()) == found
    assert len(found) <= 150
    views: dict[str, set[int]] = {}
    for one in found.trials:
        most = name in ("main", "topology") or one.group == "n = 15,000"
        assert len(one.seeds) == (5 if most else 3)
        for method in one.recipe.methods:
            views.setdefault(one.group, set()).add(method.training.epochs)
    assert all(len(epochs) == 1 for epochs in views.values())  # the same number of image views in a group
    assert len({run_key(one.recipe, 0, one.group) for one in found.trials}) == len(found.trials)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: study(trial(BCE), trial(BCE)), "'BCE' twice"),
        (lambda: study(trial(BCE), reference="ASL"), "reference: expected one of BCE"),
        (lambda: study(trial(BCE, tuple(range(151)))), "at most 150 runs, got 151"),
        (lambda: study(trial(BCE), tuning=Tuning(0, {"BCE": RATES})), "outside the report, got 0"),
        (lambda: study(trial(BCE), tuning=Tuning(9, {"ASL": RATES})), "in its group, got 'ASL'"),
        (lambda: trial(BCE, ()), "seeds: expected at least one seed"),
        (lambda: Tuning(9, {"BCE": RATES, "ProbMCL": RATES[:1]}), "the same number for every setting, got"),
        (lambda: Trial("two", replace(BASE, methods=(BCE, PROBMCL)), (0,)), "expected one method, got 2"),
    ],
)
def test_a_study_that_cannot_be_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_command_goes_on_where_it_was_stopped_and_makes_runs_again(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    planned = study(trial(None, (0,)), trial(BCE, (0,)))
    monkeypatch.setattr("probmcl_book.commands.study.planned_study", lambda *a, **b: planned)
    arguments = ["study", "main", "--smoke", "--device", "cpu", "--folder", "here/tiny", "--out", "tiny.json"]
    assert main([*arguments, "--repeat", "1"]) == 2
    assert "found: expected finished runs of tiny" in capsys.readouterr().out
    for more, words in (
        (["--budget", "0"], ["0 runs made", "2 left"]),
        ([], ["2 runs made"]),
        ([], ["0 runs made"]),
        (["--repeat", "1"], ["the same"]),
    ):
        assert main([*arguments, *more]) == 0
        said = capsys.readouterr().out
        assert all(word in said for word in words)
    assert read_record("tiny.json").kind == "study"


def test_a_record_of_some_seeds_says_how_many_runs_were_not_asked_for(tmp_path, monkeypatch, finished):
    monkeypatch.chdir(tmp_path)
    planned = study(trial(None), trial(BCE, (0, 1, 2)), trial(PROBMCL, (0, 1, 2)))
    monkeypatch.setattr("probmcl_book.commands.study.planned_study", lambda *a, **b: planned)
    monkeypatch.setattr("probmcl_book.commands.study.run_study", lambda *a, **b: finished)
    assert main(["study", "main", "--smoke", "--device", "cpu", "--seeds", "0", "1", "--out", "a.json"]) == 0
    words = "0 runs are left, and 2 of the 6 planned ones were not asked for."
    assert words in " ".join(read_record("a.json").notes)
    assert "0 runs are left." in " ".join(summarise(finished, command="-", resamples=5).notes)


def test_the_list_runs_nothing(capsys, trained) -> None:
    assert main(["study", "--list"]) == 0
    assert main(["study", "main", "--list"]) == 0
    assert "SupCon, weighted" in capsys.readouterr().out
    assert trained == []


def test_photographs_get_as_many_steps_whatever_their_number() -> None:
    planned = planned_study("photographs")
    for trial in planned.trials:
        for training in (method.training for method in trial.recipe.methods):
            images = round(15_000 * trial.recipe.train_share)
            assert images // training.batch_size * training.epochs == 1200


def test_draws_try_the_same_places_of_the_ranges_and_every_twelfth_of_each() -> None:
    tried = planned_study("photographs").tuning.candidates
    rates = {setting: [one.training.get("learning_rate") for one in each] for setting, each in tried.items()}
    assert len({tuple(each) for setting, each in rates.items() if setting != PROBE}) == 1
    low, high = RANGES["learning_rate"]
    twelfths = [math.log(rate / low) / math.log(high / low) * 12 for rate in rates["BCE"]]
    assert sorted(map(math.floor, twelfths)) == list(range(12))


def test_a_try_of_the_photographs_runs_every_method(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(SHARES, "n = 1,000")  # three groups are no more to see than two
    assert main(["study", "photographs", "--smoke", "--device", "cpu", "--out", "try.json"]) == 0
    record = read_record("try.json")
    best = next(row for row in record.rows if row.method == "ProbMCL, at its best · n = 4,000")
    assert {"distance in sigmas", "components per image", "information"} <= best.metrics.keys()
    assert best.metrics["components per image"].value >= 1
