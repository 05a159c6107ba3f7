from itertools import permutations

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from probmcl.evaluate import (
    area_under_risk_coverage,
    best_area,
    mean_auroc,
    multilabel_metrics,
    risk_coverage,
    shifted_against_clean,
    wrong_labels,
)


def area_by_loop(doubt: list[float], losses: list[float]) -> float:
    order = sorted(range(len(doubt)), key=lambda i: doubt[i])
    risks = [sum(losses[i] for i in order[:kept]) / kept for kept in range(1, len(order) + 1)]
    return sum(risks) / len(risks)


def scored(rows: int = 40, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    doubt = torch.rand(rows, generator=draw)
    return doubt, (torch.rand(rows, generator=draw) < 0.2 + 0.6 * doubt).double()


def test_the_area_is_that_of_a_loop() -> None:
    doubt, losses = scored()
    curve = risk_coverage(doubt, losses)
    assert curve.area == pytest.approx(area_by_loop(doubt.tolist(), losses.tolist()), abs=1e-12)
    assert curve.risk[-1].item() == pytest.approx(losses.mean().item())
    assert curve.coverage[[0, -1]].tolist() == [1 / 40, 1]


def test_equal_doubt_means_the_average_over_all_orders() -> None:
    doubt, losses = [0.1, 0.5, 0.5, 0.5, 0.9], [0.0, 1.0, 0.0, 0.25, 1.0]
    orders = permutations((0.5, 0.51, 0.52))
    areas = [area_by_loop([0.1, *order, 0.9], losses) for order in orders]
    found = risk_coverage(torch.tensor(doubt), torch.tensor(losses))
    assert found.area == pytest.approx(sum(areas) / len(areas), abs=1e-12)


def test_blind_doubt_has_the_mean_risk_and_no_doubt_is_better_than_the_loss_itself() -> None:
    doubt, losses = scored()
    assert risk_coverage(torch.zeros(40), losses).area == pytest.approx(losses.mean().item())
    best = best_area(losses.unsqueeze(1))
    assert best == pytest.approx(area_by_loop(losses.tolist(), losses.tolist()), abs=1e-12)
    assert best < risk_coverage(doubt, losses).area


def test_columns_are_ranked_by_themselves_and_averaged() -> None:
    (a, x), (b, y) = scored(seed=0), scored(seed=1)
    both = area_under_risk_coverage(torch.stack([a, b], 1), torch.stack([x, y], 1))
    assert both == pytest.approx((risk_coverage(a, x).area + risk_coverage(b, y).area) / 2)


def test_wrong_decisions_are_those_that_the_metrics_count() -> None:
    draw = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(50, 4, generator=draw), (torch.rand(50, 4, generator=draw) < 0.5).byte()
    scores[0, 0] = 0.3  # a score at the threshold is a yes
    thresholds = torch.tensor([0.3, 0.0, -1.0, float("inf")])
    wrong = wrong_labels(scores, labels, thresholds)
    predicted = wrong ^ labels.bool()
    counted = multilabel_metrics(scores, labels, thresholds=thresholds).at_threshold
    correct = (predicted & labels.bool()).sum().item()
    assert correct / predicted.sum().item() == pytest.approx(counted.OP)
    assert not bool(predicted[:, 3].any())
    assert bool(predicted[0, 0])


def test_detection_is_scikit_learns_area() -> None:
    draw = torch.Generator().manual_seed(0)
    clean, shifted = torch.randn(30, 2, generator=draw), torch.randn(20, 2, generator=draw) + 0.5
    scores = torch.cat([clean, shifted])
    expected = [roc_auc_score([0] * 30 + [1] * 20, scores[:, column]) for column in range(2)]
    assert mean_auroc(*shifted_against_clean(clean, shifted)) == pytest.approx(sum(expected) / 2)
