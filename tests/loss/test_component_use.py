import math

import pytest
import torch
from draws import normal

from probmcl.loss import ProbMCLLoss
from probmcl.loss.component_use import balance, excess_entropy
from probmcl.model import GaussianMixture, HeadOutput


def log_weights(rows: int = 6, components: int = 4, *, spread: float = 3.0) -> torch.Tensor:
    return (spread * normal(rows, components, seed=1)).log_softmax(-1)


def slow_balance(rows: list[list[float]]) -> float:
    """KL(mean of pi, uniform), term by term."""
    total, count = 0.0, len(rows[0])
    for k in range(count):
        mean = sum(math.exp(row[k]) for row in rows) / len(rows)
        total += mean * math.log(mean * count)
    return total


def slow_excess(rows: list[list[float]], sizes: list[float]) -> float:
    """The mean of max(0, H(pi_i) - log m), row by row."""
    bound = math.log(max(1.0, sum(sizes) / len(sizes)))
    return sum(max(0.0, -sum(math.exp(w) * w for w in row) - bound) for row in rows) / len(rows)


@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("sizes", [[0, 0, 0], [1, 2, 3], [4, 4, 4]])
def test_against_loops(spread, sizes):
    rows = log_weights(spread=spread)
    assert balance(rows).item() == pytest.approx(slow_balance(rows.tolist()), abs=1e-12)
    found = excess_entropy(rows, torch.tensor(sizes, dtype=torch.float64)).item()
    assert found == pytest.approx(slow_excess(rows.tolist(), sizes), abs=1e-12)


def test_gradcheck():
    logits = log_weights().requires_grad_()
    sizes = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: balance(x.log_softmax(-1)), logits)
    assert torch.autograd.gradcheck(lambda x: excess_entropy(x.log_softmax(-1), sizes), logits)


def test_gradients_of_weights_that_nobody_uses_are_finite():
    logits = torch.tensor([[200.0, 0.0, -200.0], [200.0, -200.0, 0.0]], requires_grad=True)
    rows = logits.log_softmax(-1)
    (balance(rows) + excess_entropy(rows, torch.ones(1))).backward()
    assert torch.isfinite(logits.grad).all()


def test_the_criterion_adds_what_the_weights_say():
    means = normal(6, 4, 3)
    mixture = GaussianMixture(log_weights(), means, torch.ones(6, 4, dtype=torch.float64))
    output, labels = HeadOutput(mixture.mean(), mixture), torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    plain = ProbMCLLoss()(output, labels)
    found = ProbMCLLoss(balance_weight=2.0, sharpness_weight=0.5).in_parts(output, labels)
    terms = [slow_balance(log_weights().tolist()), slow_excess(log_weights().tolist(), [2, 1, 1])]
    assert found.total.item() == pytest.approx(plain.item() + 2 * terms[0] + 0.5 * terms[1])
    assert [found.parts["balance"], found.parts["excess_entropy"]] == pytest.approx(terms)
