import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor
from torchmetrics.functional import classification as theirs

from probmcl.evaluate import (
    auroc,
    average_precision,
    mean_auroc,
    mean_average_precision,
    multilabel_metrics,
    scored_classes,
    wrong_labels,
)
from probmcl.evaluate.metrics import decide


def scored_images(rows: int = 60, classes: int = 5, *, ties: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows + classes)
    labels = (torch.rand(rows, classes, generator=generator) < 0.3).byte()
    scores = torch.rand(rows, classes, generator=generator).double() * 0.7 + 0.3 * labels
    return ((scores * 6).round() / 6 if ties else scores), labels


@pytest.mark.parametrize("ties", [False, True])
def test_ranking_metrics_equal_scikit_learn(ties: bool) -> None:
    scores, labels = scored_images(ties=ties)
    for k in range(5):
        truth, column = labels[:, k].numpy(), scores[:, k].numpy()
        for ours, oracle in ((average_precision, average_precision_score), (auroc, roc_auc_score)):
            assert ours(scores, labels)[k].item() == pytest.approx(oracle(truth, column))
    for mean, oracle in ((mean_average_precision, average_precision_score), (mean_auroc, roc_auc_score)):
        assert mean(scores, labels) == pytest.approx(oracle(labels, scores, average="macro"))


def test_tied_scores_are_one_point_whatever_the_order_of_rows() -> None:
    for labels in ([1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]):
        for metric in (average_precision, auroc):
            assert metric(torch.zeros(4, 1), torch.tensor(labels)[:, None]).item() == 0.5


def test_classes_without_positives_are_left_out_and_counted() -> None:
    scores, labels = scored_images()
    labels[:, 1] = 0
    metrics = multilabel_metrics(scores, labels)
    others = [0, 2, 3, 4]
    alone = multilabel_metrics(scores[:, others], labels[:, others])
    assert metrics.average_precision.isnan().tolist() == [False, True, False, False, False]
    assert metrics.auroc.isnan().tolist() == [False, True, False, False, False]
    assert (metrics.classes, metrics.classes_scored) == (5, 4)
    assert scored_classes(labels).tolist() == [True, False, True, True, True]
    for name in ("mAP", "AUROC", "CP", "CR", "CF1", "OR"):
        assert metrics.summary()[name] == pytest.approx(alone.summary()[name])
    assert metrics.chance == pytest.approx(alone.chance)
    assert metrics.at_threshold.OP < alone.at_threshold.OP  # its false positives are decisions all the same


def test_a_class_of_positives_only_has_average_precision_one_and_no_auroc() -> None:
    scores, labels = scored_images()
    labels[:, 0] = 1
    metrics = multilabel_metrics(scores, labels)
    assert metrics.average_precision[0] == 1
    assert metrics.auroc.isnan().tolist() == [True, False, False, False, False]
    assert metrics.mean_auroc == pytest.approx(mean_auroc(scores[:, 1:], labels[:, 1:]))


def test_without_any_positive_nothing_is_measured() -> None:
    metrics = multilabel_metrics(torch.rand(4, 3), torch.zeros(4, 3))
    assert metrics.classes_scored == 0
    assert metrics.cardinality == 0
    assert metrics.at_threshold.OP == 0
    for name in ("mAP", "AUROC", "CP", "CR", "CF1", "OR", "OF1"):
        assert math.isnan(metrics.summary()[name])
    assert math.isnan(metrics.chance)


def test_where_torchmetrics_agrees_and_where_it_does_not() -> None:
    scores, labels = scored_images()
    given = {"preds": scores, "target": labels, "num_labels": 5}
    decisions = asdict(multilabel_metrics(scores, labels).at_threshold)
    macro_f1 = theirs.multilabel_f1_score(**given, average="macro").item()
    CP, CR, CF1 = decisions["CP"], decisions["CR"], decisions["CF1"]
    assert pytest.approx(2 * CP * CR / (CP + CR)) == CF1 != pytest.approx(macro_f1, abs=1e-3)
    for kind, average in (("C", "macro"), ("O", "micro")):
        assert decisions[f"{kind}P"] == pytest.approx(theirs.multilabel_precision(**given, average=average))
        assert decisions[f"{kind}R"] == pytest.approx(theirs.multilabel_recall(**given, average=average))
    assert decisions["OF1"] == pytest.approx(theirs.multilabel_f1_score(**given, average="micro"))
    # it predicts above the threshold only; we, like ML-GCN, from the threshold on
    at_the_threshold, positive = torch.full((2, 2), 0.5), torch.ones(2, 2)
    assert multilabel_metrics(at_the_threshold, positive, top_k=1).at_threshold.OR == 1
    assert theirs.multilabel_recall(at_the_threshold, positive.int(), 2, average="micro") == 0


def test_top_k_takes_the_highest_that_reach_the_threshold() -> None:
    labels = torch.tensor([[1, 1, 1], [0, 0, 1]])
    scores = torch.tensor([[0.9, 0.8, 0.7], [0.1, 0.2, 0.3]])
    above = multilabel_metrics(scores, labels, top_k=2).top_k  # two labels, then none
    assert (above.OP, above.OR) == (1, 0.5)
    always = multilabel_metrics(scores, labels, thresholds=-math.inf, top_k=2).top_k  # two, and two
    assert (always.OP, always.OR) == (0.75, 0.75)


@pytest.mark.parametrize("classes", [1, 2])
def test_fewer_classes_than_k_have_no_top_k_and_all_other_metrics(classes: int) -> None:
    scores, labels = scored_images(classes=classes)
    found = multilabel_metrics(scores, labels).summary()
    assert {name for name, value in found.items() if math.isnan(value)} == {
        f"top-3 {name}" for name in ("CP", "CR", "CF1", "OP", "OR", "OF1")
    }
    assert found["OR"] == multilabel_metrics(scores, labels, top_k=classes).top_k.OR


def test_top_k_gives_ties_to_the_first_classes() -> None:
    labels = torch.tensor([[1, 1, 0, 0]])
    assert multilabel_metrics(torch.ones(1, 4), labels, top_k=2).top_k.OP == 1
    assert multilabel_metrics(torch.ones(1, 4), labels.flip(1), top_k=2).top_k.OP == 0


def test_a_threshold_for_each_class() -> None:
    scores, labels = scored_images()
    thresholds = torch.tensor([0.2, 0.4, 0.5, 0.6, math.inf])
    metrics = multilabel_metrics(scores, labels, thresholds=thresholds)
    shifted = multilabel_metrics(scores - thresholds.clamp(max=2), labels, thresholds=0.0)
    assert metrics.at_threshold == shifted.at_threshold
    for same in (torch.full((5,), 0.5), torch.tensor(0.5), np.float32(0.5)):
        found = multilabel_metrics(scores, labels, thresholds=same)
        assert found.at_threshold == multilabel_metrics(scores, labels).at_threshold


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("given", [torch.bfloat16, torch.float16, torch.float32, torch.float64, None])
def test_a_score_reaches_the_threshold_that_was_made_of_it_in_any_precision(dtype, given) -> None:
    """200 tied decisions; in another precision a threshold is what rounding makes of it, for all alike."""
    scores = (torch.arange(1, 201, dtype=torch.float64) / 201).expand(2, 200).to(dtype)
    thresholds, labels = scores[0].to(given or dtype), torch.ones(2, 200)
    expected = scores >= thresholds.to(dtype)
    assert torch.equal(wrong_labels(scores, labels, thresholds), ~expected)
    metrics = multilabel_metrics(scores, labels, thresholds=thresholds)
    assert expected.double().mean() == metrics.at_threshold.OR
    if torch.promote_types(dtype, given or dtype) == (given or dtype):
        assert expected.all()
    if given is None:  # one number for all, as it is read from a file
        one = scores[:, :1]
        assert all(decide(one * 0 + score, score.item()).all() for score in scores[0, ::4])


def test_counts_and_chance() -> None:
    _, labels = scored_images(rows=20_000, classes=4)
    random_scores = torch.rand(labels.shape, generator=torch.Generator().manual_seed(0))
    metrics = multilabel_metrics(random_scores, labels)
    assert (metrics.rows, metrics.classes) == (20_000, 4)
    assert metrics.cardinality == pytest.approx(labels.sum().item() / 20_000)
    assert metrics.chance == pytest.approx(metrics.mean_average_precision, abs=0.01)
