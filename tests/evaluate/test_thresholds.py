import math

import pytest
import torch
from sklearn.metrics import f1_score

from probmcl.evaluate import global_threshold_from_validation, thresholds_from_validation


def validation_set(ties: bool) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    labels = (torch.rand(20, 4, generator=generator) < 0.4).byte()
    scores = torch.randn(20, 4, generator=generator) + labels
    return (scores.round() if ties else scores), labels


@pytest.mark.parametrize("ties", [False, True])
def test_each_class_gets_the_highest_threshold_of_the_best_f1(ties: bool) -> None:
    scores, labels = validation_set(ties)
    thresholds = thresholds_from_validation(validation_scores=scores, validation_labels=labels)
    for k, threshold in enumerate(thresholds.tolist()):
        f1 = {c: f1_score(labels[:, k], scores[:, k] >= c) for c in scores[:, k].unique().tolist()}
        assert threshold == max(c for c in f1 if f1[c] == pytest.approx(max(f1.values()), abs=1e-12))


@pytest.mark.parametrize("ties", [False, True])
def test_the_global_threshold_has_the_best_overall_f1(ties: bool) -> None:
    scores, labels = validation_set(ties)
    threshold = global_threshold_from_validation(validation_scores=scores, validation_labels=labels)
    f1 = {c: f1_score(labels, scores >= c, average="micro") for c in scores.unique().tolist()}
    assert threshold == max(c for c in f1 if f1[c] == pytest.approx(max(f1.values()), abs=1e-12))


def test_of_equal_f1_the_highest_threshold_wins() -> None:
    # 3 predicts one of one right of two: F1 2/3; 1 predicts two right among four: F1 2/3
    scores, labels = torch.tensor([[3.0], [2.0], [1.5], [1.0]]), torch.tensor([[1], [0], [0], [1]])
    assert thresholds_from_validation(validation_scores=scores, validation_labels=labels).tolist() == [3.0]


def test_one_kind_of_label() -> None:
    scores = torch.tensor([[0.3, 0.3], [0.1, 0.1]])
    labels = torch.tensor([[1, 0], [1, 0]])
    thresholds = thresholds_from_validation(validation_scores=scores, validation_labels=labels)
    assert thresholds.tolist() == [pytest.approx(0.1), math.inf]  # always predicted, never predicted
    none = torch.zeros_like(labels)
    assert global_threshold_from_validation(validation_scores=scores, validation_labels=none) == math.inf


@pytest.mark.parametrize("choose", [thresholds_from_validation, global_threshold_from_validation])
def test_the_caller_must_say_that_the_data_is_validation(choose):
    with pytest.raises(TypeError, match="positional"):
        choose(torch.rand(3, 4), torch.zeros(3, 4))
