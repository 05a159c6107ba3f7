"""Every method a recipe can name, trained once on a few scenes: what it leaves, and what reads it back."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import OF_EVERY_CRITERION, PROBMCL, TINY, TRUNK, tiny_recipe

from probmcl import model
from probmcl.data import LabelledImages
from probmcl.evaluate import mean_average_precision
from probmcl.loss import RULES, SIMILARITIES, ProbMCLLoss
from probmcl.train import predict
from probmcl_book.replicate import Method, Runs, load_export, run_experiment, run_methods
from probmcl_book.replicate.folder import slug
from probmcl_book.replicate.parts import contrastive_parts, end_to_end_parts, logits_model
from probmcl_book.replicate.recipe import CRITERIA
from probmcl_book.replicate.run import START

OTHER_RULES = [rule for rule in RULES if rule != "weighted"]
SUPCON = [Method(f"SupCon, {rule}", "supcon", TINY, TRUNK, {"rule": rule}) for rule in OTHER_RULES]
METHODS = (*OF_EVERY_CRITERION, *SUPCON, PROBMCL)
RECIPE = tiny_recipe(*METHODS, start=None)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def runs(saved: Path) -> Runs:
    return run_methods(RECIPE, [0], checkpoints=saved)


def test_every_criterion_is_here_and_trains_on_as_many_views(runs: Runs) -> None:
    assert {method.criterion for method in METHODS} == set(CRITERIA)
    for name, (trained,) in runs.trained.items():
        assert trained.test_scores.shape == (48, 10)
        assert torch.isfinite(trained.test_scores).all()
        assert trained.image_views == (0 if name == START else 2 * 48)
    assert len({float(trained[0].test_scores.sum()) for trained in runs.trained.values()}) == len(METHODS) + 1


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_scores_are_what_encoder_and_classifier_say_of_plain_views(runs: Runs, method: Method) -> None:
    (trained,) = runs.trained[method.name]
    images = runs.splits.test
    loader = [(RECIPE.views.plain()(images.images), images.labels)]
    scores, _ = predict(logits_model(trained.encoder, trained.classifier), loader)
    torch.testing.assert_close(scores, trained.test_scores, atol=1e-5, rtol=1e-5)


def test_end_to_end_methods_watch_the_scores_that_they_end_with(runs: Runs) -> None:
    for method in METHODS:
        (trained,) = runs.trained[method.name]
        (watched,) = trained.history.curve("watched")
        found = mean_average_precision(trained.validation_scores, runs.splits.validation.labels)
        assert (watched == pytest.approx(found, abs=1e-6)) is method.end_to_end  # others: a ridge probe


def test_the_head_is_kept_where_there_is_one(runs: Runs) -> None:
    heads = {name: trained.head for name, (trained,) in runs.trained.items()}
    without = {name for name, head in heads.items() if head is None}
    assert without == {START, "BCE", "ASL", "ML-Decoder", "Label graph"}
    assert all(isinstance(heads[method.name], model.ProjectionHead) for method in SUPCON)
    three, ten = heads["ProbMCL, 3"], heads["ProbMCL"]
    assert isinstance(three, model.MixtureDensityHead)
    assert isinstance(ten, model.MixtureDensityHead)
    assert (three.components, three.sigma_floor, ten.components) == (3, 0.1, 10)
    torch.manual_seed(0)  # the seed of the run draws the first weights; training moves all of them
    first, _ = contrastive_parts(METHODS[-1], 128, 10)
    for before, after in zip(first.parameters(), ten.parameters(), strict=True):
        assert not torch.equal(before, after)


def test_the_classifiers_are_what_each_method_ends_with(runs: Runs) -> None:
    kinds = {name: type(trained.classifier) for name, (trained,) in runs.trained.items()}
    assert kinds.pop("ML-Decoder") is model.MLDecoderHead
    assert kinds.pop("KMCL") is model.MixtureClassifier
    assert set(kinds.values()) == {torch.nn.Linear}
    (kmcl,) = runs.trained["KMCL"]
    assert kmcl.classifier.head is kmcl.head
    assert not kmcl.head.isotropic


def test_the_label_graph_is_that_of_the_training_labels(runs: Runs) -> None:
    (method,) = (method for method in METHODS if method.criterion == "label-graph")
    labels = runs.splits.train.labels
    head, _ = end_to_end_parts(method, 128, labels)
    assert isinstance(head, model.LabelGraphHead)
    assert torch.equal(head.correlation, model.label_correlation(labels, threshold=0.1))


def test_finished_methods_are_read_back_with_their_networks(runs: Runs, saved: Path) -> None:
    read = run_methods(RECIPE, [0], checkpoints=saved).trained
    for name, (trained,) in runs.trained.items():
        (again,) = read[name]
        assert again.history == trained.history
        for part in ("encoder", "classifier", "head"):
            there, here = getattr(trained, part), getattr(again, part)
            assert type(there) is type(here)
            if there is not None:
                assert not here.training
                for key, value in there.state_dict().items():
                    assert torch.equal(here.state_dict()[key], value)
        image = torch.ones(1, 1, 32, 32)
        assert torch.equal(again.encoder(image), trained.encoder(image))


def test_exports_are_the_same_files_and_score_as_the_trained_methods_did(runs, saved, tmp_path) -> None:
    run_experiment(RECIPE, [0], command="-", checkpoints=saved, export=tmp_path)
    for name, (trained,) in runs.trained.items():
        exported = load_export(tmp_path / f"{slug(name)}-seed-0")
        scores, _ = exported.scores(runs.splits.test)
        torch.testing.assert_close(scores, trained.test_scores, atol=1e-5, rtol=1e-5)
    test = runs.splits.test
    with pytest.raises(ValueError, match=r"images: expected the classes 0, 1, 2 \.\.\., got others"):
        exported.scores(LabelledImages(test.images, test.labels, test.classes[::-1]))
    card = (tmp_path / "ml-decoder-seed-0" / "README.md").read_text()
    assert "then a transformer head, trained" in card


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("components", [1, 5, 20])
def test_the_components_need_not_be_as_many_as_the_classes(similarity, components, make_labels) -> None:
    method = replace(METHODS[-1], head={"components": components}, options={"similarity": similarity})
    torch.manual_seed(0)
    head, criterion = contrastive_parts(method, 16, 10)
    assert isinstance(criterion, ProbMCLLoss)
    criterion(head(torch.randn(16, 16)), make_labels(8, 10)).backward()
    assert head.mu.out_features == components * 8
    assert head.mu.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "bce", "head": {"components": 3}}, "head: X has a linear classifier"),
        ({"criterion": "kmcl"}, "trunk: X is contrastive"),
        ({"criterion": "softmax"}, "criterion: expected one of"),
        ({"criterion": "asl", "chunk": 3}, "chunk: expected None, as X trains end to end"),
        ({"criterion": "supcon", "trunk": TRUNK, "views_per_image": 1}, "views_per_image: expected 2, or 1"),
    ],
)
def test_a_method_that_cannot_be_built_is_named(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        Method("X", training=TINY, **arguments)


def test_kmcl_needs_one_component_per_class() -> None:
    kmcl = Method("KMCL", "kmcl", TINY, TRUNK, head={"components": 3})
    with pytest.raises(ValueError, match="labels: expected 3 classes"):
        run_methods(replace(RECIPE, methods=(kmcl,)), [0])
