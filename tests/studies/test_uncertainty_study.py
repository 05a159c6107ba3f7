"""The study of uncertainty in small: whose errors, whose doubts, and what the record says of them."""

from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from tiny import PROBMCL, SCENES, tiny_recipe

from probmcl.__main__ import main
from probmcl.data import THEMES, digit_scenes
from probmcl.evaluate import thresholds_from_validation
from probmcl_book import studies
from probmcl_book.records import Record, read_record, write_record
from probmcl_book.replicate import Recipe, pretrain, train_method

DATA = replace(SCENES, train=64, test=40, held_out_theme="squares")
RECIPE = tiny_recipe(PROBMCL, name="tiny_doubts", data=DATA)


@pytest.fixture(scope="module")
def asked() -> studies.Asked:
    splits = RECIPE.splits()
    (method,), starts = RECIPE.methods, [pretrain(RECIPE, seed=seed) for seed in range(3)]
    models = [train_method(method, start, RECIPE, splits, seed=seed) for seed, start in enumerate(starts)]
    return studies.ask_about_shifts(models, RECIPE, splits)


@pytest.fixture(scope="module")
def record() -> Record:
    return studies.run_uncertainty(RECIPE, (0, 1), members=3, resamples=20)


def test_training_scenes_never_show_the_theme_that_is_held_out() -> None:
    assert "squares" not in RECIPE.data.themes
    assert set(RECIPE.data.themes) == {*THEMES} - {"squares"}
    parts = RECIPE.splits()
    for name, part in (("train", parts.train), ("test", parts.test)):
        drawn = digit_scenes(name, len(part), seed=0, difficulty="easy", themes=RECIPE.data.themes)
        assert torch.equal(part.images, drawn.images)
    theme = studies.shifted_scenes(RECIPE, parts)["held-out theme"]
    member, stranger = theme.labels[:, [0, 1, 4, 9]].float().mean(), theme.labels[:, [2, 3, 5]].float().mean()
    assert member > 0.5 > 0.2 > stranger
    with pytest.raises(ValueError, match="held_out_theme: expected one of primes"):
        replace(RECIPE.data, held_out_theme="triangles")


def test_fewer_images_take_as_many_steps() -> None:
    whole, few = studies.uncertainty_recipe(), studies.scarcer(studies.uncertainty_recipe())
    steps = [one.data.train * one.methods[0].training.epochs for one in (whole, few)]
    assert steps[0] == steps[1]
    assert few.start == whole.start


def test_scores_belong_to_the_model_of_their_column(asked: studies.Asked) -> None:
    splits, second = RECIPE.splits(), asked.trained[1]
    torch.testing.assert_close(asked.clean.logits[1], second.test_scores)
    alone = studies.ask([second], splits.test, splits.validation.labels, RECIPE.views)
    together = asked.clean.of_images(3)
    for name, score in alone.of_images(1).items():
        torch.testing.assert_close(together[name][:, 1:2], score)
    assert not any("ensemble" in name for name in alone.of_images(1))
    known = {"validation_scores": second.validation_scores, "validation_labels": splits.validation.labels}
    thresholds = thresholds_from_validation(**known)
    wrong = (second.test_scores >= thresholds) != splits.test.labels.bool()
    assert torch.equal(asked.clean.wrong(splits.test.labels, 2)[:, 1], wrong)
    assert torch.equal(together["labels predicted"][:, 1], (second.test_scores >= thresholds).double().sum(1))


def test_an_ensemble_has_one_opinion_and_it_is_about_margins(asked: studies.Asked) -> None:
    score = asked.clean.of_images(2)["ensemble's mutual information"]
    assert torch.equal(score[:, 0], score[:, 1])
    p = torch.sigmoid(asked.clean.margins.double())  # (3, N, K)
    spread = asked.clean.of_labels(2)["ensemble's variance"]
    torch.testing.assert_close(spread, p.var(0, correction=0).repeat(1, 2))


def test_rows_hold_what_scikit_learn_finds(asked: studies.Asked) -> None:
    labels = RECIPE.splits().test.labels.clone()
    for seed, part in ((0, slice(0, 15)), (1, slice(15, 30))):  # or such tiny models are wrong everywhere
        labels[part] = (asked.clean.margins[seed] >= 0)[part].byte()
    rows = studies.doubt_rows(asked.trained, asked.clean, asked.shifted, asked.clean, labels, (0, 1), 5)
    score = "between variance"
    found = {row.seed: row.metrics for row in rows if row.method == score}
    doubt, failed = asked.clean.of_images(2)[score], asked.clean.wrong(labels, 2).any(2)
    for seed in (0, 1):
        expected = roc_auc_score(failed[:, seed], doubt[:, seed])
        assert found[seed]["errors AUROC"].value == pytest.approx(expected)
        shifted = torch.cat([doubt[:, seed], asked.shifted["blur 5"].of_images(2)[score][:, seed]])
        expected = roc_auc_score([0] * 40 + [1] * 40, shifted)
        assert found[seed]["blur 5 AUROC"].value == pytest.approx(expected)
        corrupted = [found[seed][f"{c} 3 AUROC"].value for c in ("blur", "noise", "contrast", "occlusion")]
        assert found[seed]["corruptions AUROC"].value == pytest.approx(sum(corrupted) / 4)
    for metric in ("errors AUROC", "label errors AUROC", "AURC", "corruptions AUROC"):
        mean = sum(found[seed][metric].value for seed in (0, 1)) / 2
        assert found[None][metric].value == pytest.approx(mean)
    assert found[None]["growth"].value == 1  # against itself


def test_a_record_is_whole_and_can_be_made_again(record: Record, tmp_path) -> None:
    write_record(record, tmp_path / "tiny_doubts.json")
    again = read_record(tmp_path / "tiny_doubts.json")
    assert Recipe.from_dict(again.recipe["recipe"]) == RECIPE
    assert again.recipe["members"] == [0, 1, 2]
    methods = dict.fromkeys(row.method for row in again.rows)
    assert [row.seed for row in again.rows] == [0, 1, None] * len(methods)
    assert {d.against for d in again.differences} == {"entropy at the thresholds"}
    assert {round(d.interval.level, 6) for d in again.differences} == {round(1 - 0.05 / 20, 6)}
    (curve,) = (r.series for r in again.rows if r.method == "within variance" and r.seed is None)
    (area,) = (r.metrics for r in again.rows if r.method == "ProbMCL" and r.seed is None)
    assert curve["coverage"][-1] == 1
    assert curve["risk"][-1] == pytest.approx(area["images with an error"].value, rel=1e-4)


def test_wrong_arguments_are_named(asked: studies.Asked) -> None:
    with pytest.raises(ValueError, match=r"seeds: expected 2 to 5 \(members\), got 1"):
        studies.run_uncertainty(RECIPE, (0,))
    with pytest.raises(ValueError, match="seeds: expected different ones, got 0, 0"):
        studies.run_uncertainty(RECIPE, (0, 0))
    headless = [replace(asked.trained[0], head=None)]
    splits = RECIPE.splits()
    with pytest.raises(ValueError, match="trained: expected models with a mixture head, got NoneType"):
        studies.ask(headless, splits.test, splits.validation.labels, RECIPE.views)


def test_the_command_writes_the_record_down_and_a_try_beside_it(record, tmp_path, monkeypatch, capsys):
    asked_for: list[dict[str, object]] = []

    def fake(recipe: Recipe | None, seeds: list[int], **others: object) -> Record:
        asked_for.append(others | {"recipe": recipe, "seeds": seeds})
        return record

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("probmcl_book.commands.measure.run_uncertainty", fake)
    words = ["uncertainty", "--seeds", "3", "4", "--members", "2", "--device", "cpu"]
    assert main(words) == 0
    assert "The word epistemic: " in " ".join(capsys.readouterr().out.split())  # wherever lines end
    assert main([*words, "--smoke"]) == 0
    assert "epistemic" not in capsys.readouterr().out
    assert [(a["seeds"], a["members"]) for a in asked_for] == 2 * [([3, 4], 2)]
    assert [a["recipe"] is None for a in asked_for] == [True, False]
    assert str(asked_for[0]["command"]).startswith("python -m probmcl uncertainty --seeds 3 4")
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["tiny_doubts.json", "tiny_doubts_smoke.json"]
    assert read_record(tmp_path / "runs" / names[0]).notes == tuple(record.notes)
