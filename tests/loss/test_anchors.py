"""Some anchors scored against all rows: what one process of many does, and what a tile is."""

import pytest
import torch
from torch.nn import functional

from probmcl.loss import EMPTY, RULES, SIMILARITIES, MulSupConLoss, ProbMCLLoss, SupConLoss
from probmcl.model import GaussianMixture, HeadOutput
from probmcl_book import reference

SETS = [[1, 8, 3], [0], [2, 4, 5, 6, 7, 9]]  # disjoint, unordered, uneven; together all ten rows


@pytest.fixture
def output(make_mixture):
    z = torch.randn(10, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    mixture = make_mixture(10, 3, 4, sigma=(0.2, 2.0))
    return HeadOutput(functional.normalize(z, dim=-1), mixture)


@pytest.fixture
def labels(make_labels):
    return make_labels(5, 4, empty=2)


def with_leaves(output: HeadOutput) -> tuple[HeadOutput, list[torch.Tensor]]:
    mixture = output.mixture
    parts = (output.embedding, mixture.log_weights, mixture.means, mixture.sigmas)
    leaves = [t.clone().requires_grad_() for t in parts]
    return HeadOutput(leaves[0], GaussianMixture(*leaves[1:])), leaves


CRITERIA = [
    *(SupConLoss(rule, empty=empty) for rule in RULES for empty in EMPTY),
    SupConLoss(empty="drop", no_positives="zero"),
    MulSupConLoss(),
    *(ProbMCLLoss(name, empty="drop", stop_gradient=False, nll_weight=0.7) for name in SIMILARITIES),
    ProbMCLLoss(no_positives="zero", nll_target="self"),
]


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: type(c).__name__)
def test_losses_of_disjoint_anchors_add_up_in_value_and_gradient(criterion, output, labels):
    made, leaves = with_leaves(output)
    whole = criterion(made, labels)
    parts = [criterion(made, labels, torch.tensor(anchors)) for anchors in SETS]
    assert torch.allclose(sum(p.total for p in parts), whole.total, rtol=1e-12)
    for name, value in whole.parts.items():
        assert torch.allclose(sum(p.parts[name] for p in parts), value, rtol=1e-12)
    gradients = [
        torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        for loss in (whole.total, sum(p.total for p in parts))
    ]
    for x, y in zip(*gradients, strict=True):
        assert torch.allclose(x, y, rtol=1e-9, atol=1e-12)
    assert any(x.any() for x in gradients[0])


@pytest.mark.parametrize("anchors", [*SETS, None], ids=str)
@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("policy", ["skip", "zero"])
class TestAgainstOracle:
    def test_probmcl(self, anchors, empty, policy, output, labels, assert_matches):
        arguments = {"empty": empty, "no_positives": policy}
        chosen = None if anchors is None else torch.tensor(anchors)
        found = ProbMCLLoss(**arguments)(output, labels, chosen)
        expected = reference.probmcl_loss(
            output.mixture, output.embedding, labels, anchors=anchors, **arguments
        )
        for value, by_hand in zip(
            (found.total, found.parts["contrastive"], found.parts["nll"]), expected, strict=True
        ):
            assert_matches(value, by_hand)

    def test_cosines(self, anchors, empty, policy, output, labels, assert_matches):
        chosen = None if anchors is None else torch.tensor(anchors)
        twice, images = labels.repeat(2, 1), torch.arange(5).repeat(2)
        logits = reference.cosine_similarity(output.embedding) / 0.1
        weights = reference.positive_weights(twice, empty=empty, image_ids=images)
        expected = reference.contrastive_loss(logits, weights, no_positives=policy, anchors=anchors)
        found = SupConLoss(empty=empty, no_positives=policy)(output, labels, chosen)
        assert_matches(found.total, expected)
        expected = reference.mulsupcon_loss(logits, twice, anchors=anchors)
        assert_matches(MulSupConLoss()(output, labels, chosen).total, expected)


@pytest.mark.parametrize("criterion", [SupConLoss(), MulSupConLoss(), ProbMCLLoss()])
@pytest.mark.parametrize(
    ("anchors", "error", "message"),
    [
        (torch.tensor([0, 10]), ValueError, r"anchors: expected row indices in \[0, 10\), got 10"),
        (torch.tensor([-1]), ValueError, r"anchors: expected row indices in \[0, 10\), got -1"),
        (torch.tensor([3, 3]), ValueError, "anchors: expected every row at most once"),
        (torch.tensor([[0]]), ValueError, "anchors: expected 1 dimensions"),
        (torch.tensor([0.0]), TypeError, r"anchors: expected row indices of type torch\.int64"),
        (torch.tensor([], dtype=torch.int64), ValueError, "anchors: expected at least one element"),
        ([0, 1], TypeError, r"anchors: expected a torch\.Tensor"),
    ],
)
def test_bad_anchors(criterion, anchors, error, message, output, labels):
    with pytest.raises(error, match=message):
        criterion(output, labels, anchors)
