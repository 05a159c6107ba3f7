"""The oracle itself: it keeps the names of the package, and it agrees with others."""

import inspect
import math
from fractions import Fraction

import pytest
import torch
from sklearn.metrics import jaccard_score
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

import probmcl.loss
from probmcl_book import reference


def test_every_function_of_loss_has_its_oracle():
    without = {"two_view_labels", "collapse_diagnostics", "effective_rank"}  # nothing to loop over
    functions = {n for n in probmcl.loss.__all__ if inspect.isfunction(getattr(probmcl.loss, n))}
    assert functions - without <= set(reference.__all__)


def test_shared_arguments_have_the_same_names_and_defaults():
    for name in set(probmcl.loss.__all__) & set(reference.__all__):
        fast = inspect.signature(getattr(probmcl.loss, name)).parameters
        slow = inspect.signature(getattr(reference, name)).parameters
        for argument in set(fast) & set(slow):
            assert fast[argument].default == slow[argument].default or argument == "b", (name, argument)


def test_jaccard_agrees_with_scikit_learn(make_labels):
    labels = make_labels(6, 5)
    found = reference.overlap(labels)
    for i in range(6):
        for j in range(6):
            assert found[i, j].item() == pytest.approx(jaccard_score(labels[i], labels[j]))


@pytest.mark.parametrize(
    ("index", "value"),
    [("jaccard", 2 / 5), ("dice", 4 / 7), ("overlap", 2 / 3), ("cosine", 2 / math.sqrt(12)), ("exact", 0)],
)
def test_indices_by_hand(index, value):
    a, b = frozenset({0, 1, 2}), frozenset({1, 2, 3, 4})
    assert reference.index_value(a, b, index) == pytest.approx(value)
    assert reference.sets_overlap_enough(a, b, index, value - 1e-5) or index == "exact"
    assert not reference.sets_overlap_enough(a, b, index, value + 1e-5)


def test_thresholds_are_fractions():
    """0.1 is read as 1/10, though the float 0.1 is a little more."""
    assert Fraction(0.1) > Fraction(1, 10)
    ten, one = frozenset(range(10)), frozenset({0})
    assert reference.sets_overlap_enough(ten, one, "jaccard", 0.1)
    assert not reference.sets_overlap_enough(frozenset({1}), one, "jaccard", 1e-7)  # not read as 0


def test_a_batch_of_one_row_has_no_positive():
    one = torch.ones(1, 1)
    assert reference.contrastive_loss(one, one) == reference.mulsupcon_loss(one, one) == 0


@pytest.mark.parametrize("diagonal", [False, True])
def test_log_prob_agrees_with_torch_distributions(diagonal, make_mixture):
    mixture = make_mixture(4, 3, 5, diagonal=diagonal)
    z = torch.randn(4, 5, dtype=torch.float64)
    sigmas = mixture.sigmas if diagonal else mixture.sigmas.unsqueeze(-1).expand(4, 3, 5)
    density = MixtureSameFamily(
        Categorical(logits=mixture.log_weights), Independent(Normal(mixture.means, sigmas), 1)
    )
    assert torch.allclose(reference.log_prob(mixture, z), density.log_prob(z), rtol=1e-12)
    assert torch.allclose(reference.mixture_mean(mixture), density.mean, rtol=1e-12)
    trace = reference.within_variance(mixture) + reference.between_variance(mixture)
    assert torch.allclose(trace, density.variance.sum(-1), rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda _: reference.overlap(torch.ones(1, 2), index="jacard"), "index"),
        (lambda _: reference.overlaps_enough(torch.ones(1, 2), index="jacard"), "index"),
        (lambda _: reference.positive_weights(torch.ones(2, 2), "most"), "rule"),
        (lambda _: reference.positive_weights(torch.zeros(2, 2), empty="ignore"), "empty"),
        (lambda _: reference.positive_weights(torch.zeros(2, 2), empty="own_view"), "image_ids"),
        (lambda _: reference.contrastive_loss(torch.zeros(2, 2), torch.eye(2), no_positives="x"), "no_pos"),
        (lambda _: reference.view_targets(torch.zeros(2, 2), "both"), "target"),
        (lambda mixture: reference.similarity_scores("cosine", mixture), "name"),
    ],
)
def test_unknown_names(call, argument, make_mixture):
    with pytest.raises(ValueError, match=argument):
        call(make_mixture(1, 1, 1))
