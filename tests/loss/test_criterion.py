"""What all contrastive criteria share: arguments, views, anchors, derivatives and diagnostics."""

import math
from dataclasses import replace

import pytest
import torch
import torch._dynamo
from draws import unit
from torch.nn import functional

from probmcl.loss import (
    EMPTY,
    RULES,
    SIMILARITIES,
    KMCLLoss,
    MulSupConLoss,
    ProbMCLLoss,
    SupConLoss,
    anchor_sum,
    collapse_diagnostics,
    contrastive_loss,
    cosine_similarity,
    effective_rank,
    log_expected_likelihood,
    mulsupcon_loss,
    positive_weights,
)
from probmcl.model import GaussianMixture, HeadOutput, MixtureDensityHead

SETS = [[8, 1, 3], [0], [2, 4, 5, 6, 7, 9]]  # disjoint, unordered, uneven; together all ten rows
KINDS = [SupConLoss(), SupConLoss("weighted", empty="own_view"), MulSupConLoss(), ProbMCLLoss(), KMCLLoss()]


@pytest.fixture
def output(make_output):
    return make_output(10)


@pytest.fixture
def labels(make_labels):
    return make_labels(5, 3, empty=2)


def with_leaves(output: HeadOutput) -> tuple[HeadOutput, list[torch.Tensor]]:
    mixture = output.mixture
    tensors = (output.embedding, mixture.log_weights, mixture.means, mixture.sigmas)
    leaves = [t.clone().requires_grad_() for t in tensors]
    return HeadOutput(leaves[0], GaussianMixture(*leaves[1:]), output.logits, sigma_floor=0.2), leaves


@pytest.mark.parametrize("criterion", KINDS, ids=lambda c: type(c).__name__)
class TestEveryCriterion:
    def test_returns_a_scalar_that_is_the_total_of_its_parts(self, criterion, output, labels):
        made, leaves = with_leaves(output)
        loss, found = criterion(made, labels), criterion.in_parts(made, labels)
        assert loss.shape == ()
        assert torch.allclose(loss, found.total)
        loss.backward()
        assert all(leaf.grad is None or leaf.grad.isfinite().all() for leaf in leaves)
        assert any(leaf.grad is not None and leaf.grad.any() for leaf in leaves)
        assert not any(v.requires_grad for v in (found.parts | found.diagnostics).values())
        assert found.diagnostics["effective_rank"] > 1

    def test_second_derivatives_are_refused_or_right(self, criterion, make_output, make_labels, monkeypatch):
        """Those of tiles would be wrong without a word: PyTorch's own guard does not see a scalar loss."""
        output, labels = make_output(4, components=2, d=2), make_labels(2, 2)
        made, (z, _, means, _) = with_leaves(output)
        of_embeddings = isinstance(criterion, SupConLoss | MulSupConLoss)
        moving = z if of_embeddings else means

        def loss(x: torch.Tensor) -> torch.Tensor:
            changed = {"embedding": x} if of_embeddings else {"mixture": replace(made.mixture, means=x)}
            return criterion(replace(made, **changed), labels)

        if not isinstance(criterion, ProbMCLLoss):  # in one tile, of PyTorch's own operations
            assert torch.autograd.gradgradcheck(loss, moving)
        if not isinstance(criterion, KMCLLoss):
            monkeypatch.setattr(anchor_sum, "TILE_ELEMENTS", 1)
            monkeypatch.setattr(anchor_sum, "TILE_ANCHORS", 1)
            with pytest.raises(NotImplementedError, match="create_graph: expected False"):
                torch.autograd.grad(loss(moving), moving, create_graph=True)

    @pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:FutureWarning")  # PyTorch's own, in jvp
    def test_transforms_of_functions_are_refused(self, criterion, output, labels):
        def loss(z: torch.Tensor) -> torch.Tensor:
            return criterion(replace(output, embedding=z), labels)

        z = output.embedding
        for transformed in (
            lambda: torch.func.grad(loss)(z),
            lambda: torch.func.jvp(loss, (z,), (z,)),
            lambda: torch.func.vmap(loss)(torch.stack([z, z])),
        ):
            with pytest.raises(NotImplementedError, match="expected a call outside of its transforms"):
                transformed()


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # PyTorch's own
def test_a_compiled_step_is_broken_once(labels):
    """By the loss, which runs as it is; the head and what follows are compiled."""
    head, criterion = MixtureDensityHead(16, 3, trunk=(8, 4)), ProbMCLLoss()
    found = torch._dynamo.explain(lambda x: 2 * criterion(head(x), labels))(torch.randn(10, 16))
    assert found.graph_break_count == 1


def test_embeddings_mixtures_and_what_a_head_returns(output, labels):
    z, mixture = output.embedding, output.mixture
    for criterion in (SupConLoss(), MulSupConLoss()):
        assert torch.allclose(criterion(z, labels), criterion(output, labels))
        assert torch.allclose(criterion(mixture, labels), criterion(mixture.mean(), labels))
    expected = ProbMCLLoss()(HeadOutput(mixture.mean(), mixture), labels)
    assert torch.allclose(ProbMCLLoss()(mixture, labels), expected)


@pytest.mark.parametrize("views", [1, 2, 3])
class TestViews:
    def both(self, views, criterion, make_output, make_labels):
        """Of labels per image, two of which are alike, and of labels per embedding."""
        output, labels = make_output(4 * views), make_labels(4, 3, empty=1)
        labels[3] = labels[2]
        rows = labels.repeat(views, 1)
        return output, rows, criterion(output, labels), criterion(output, rows)

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize(("empty", "policy"), [("match", "skip"), ("drop", "zero")])
    def test_supcon(self, rule, empty, policy, views, make_output, make_labels):
        criterion = SupConLoss(rule, empty=empty, no_positives=policy)
        output, rows, *found = self.both(views, criterion, make_output, make_labels)
        weights = positive_weights(rows, rule, empty=empty)
        logits = cosine_similarity(output.embedding) / 0.1
        for loss in found:
            assert torch.allclose(loss, contrastive_loss(logits, weights, no_positives=policy))

    def test_mulsupcon(self, views, make_output, make_labels):
        output, rows, *found = self.both(views, MulSupConLoss(), make_output, make_labels)
        for loss in found:
            assert torch.allclose(loss, mulsupcon_loss(cosine_similarity(output.embedding) / 0.1, rows))

    @pytest.mark.parametrize("arguments", [{"nll_weight": 0.0}, {"nll_target": "self"}])
    def test_probmcl(self, arguments, views, make_output, make_labels):
        criterion = ProbMCLLoss(**arguments)
        output, rows, *found = self.both(views, criterion, make_output, make_labels)
        expected = contrastive_loss(log_expected_likelihood(output.mixture) / 0.25, positive_weights(rows))
        nll = -output.mixture.log_prob(output.embedding).mean() / 4
        for loss in found:
            assert torch.allclose(loss, expected + criterion.nll_weight * nll)

    def test_label_less_rows_need_to_know_their_image(self, views, make_output, make_labels):
        output, labels = make_output(4 * views), make_labels(4, 3, empty=1)
        criterion, rows = SupConLoss(empty="own_view"), labels.repeat(views, 1)
        with pytest.raises(ValueError, match="labels: expected one row per image of at least two views"):
            criterion(output, rows)
        if views > 1:
            weights = positive_weights(rows, empty="own_view", image_ids=torch.arange(4).repeat(views))
            expected = contrastive_loss(cosine_similarity(output.embedding) / 0.1, weights)
            assert torch.allclose(criterion(output, labels), expected)

    def test_the_likelihood_needs_another_view(self, views, make_output, make_labels):
        output, labels = make_output(4 * views), make_labels(4, 3)
        with pytest.raises(ValueError, match="labels: expected one row per image of at least two views"):
            ProbMCLLoss()(output, labels.repeat(views, 1))
        if views > 1:  # the next view, and of the last one the first
            expected = -output.mixture.log_prob(output.embedding.roll(-4, 0)).mean() / 4
            assert torch.allclose(ProbMCLLoss().in_parts(output, labels).parts["nll"], expected)


def test_one_view_counts_positives_of_the_queue(make_output):
    """One anchor has its only positive among the rows of an earlier batch."""
    criterion, labels = SupConLoss(queue=4), torch.eye(4)
    first, second = make_output(4).embedding, unit(4, 4).flip(0)
    with pytest.warns(UserWarning, match="no anchor of this batch has a positive"):
        criterion(first, labels)
    logits = cosine_similarity(second, torch.cat([second, first])) / 0.1
    others = logits.masked_fill(torch.eye(4, 8).bool(), -torch.inf)
    expected = -others.log_softmax(1)[torch.arange(4), torch.arange(4, 8)].mean()
    assert torch.allclose(criterion(second, labels), expected)


CRITERIA = [
    *(SupConLoss(rule, empty=empty) for rule in RULES for empty in EMPTY),
    SupConLoss(empty="drop", no_positives="zero"),
    MulSupConLoss(),
    *(ProbMCLLoss(name, empty="drop", stop_gradient=False, nll_weight=0.7) for name in SIMILARITIES),
    ProbMCLLoss(no_positives="zero", nll_target="self"),
    ProbMCLLoss(balance_weight=1.0, sharpness_weight=0.8),
    *(criterion(queue=9) for criterion in (SupConLoss, MulSupConLoss, ProbMCLLoss)),
]


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: type(c).__name__)
def test_losses_of_disjoint_anchors_add_up_in_value_and_gradient(criterion, output, labels):
    made, leaves = with_leaves(output)
    criterion.train()(output, labels.flip(0))  # fills a queue
    criterion.eval()
    whole = criterion.in_parts(made, labels)
    parts = [criterion.in_parts(made, labels, torch.tensor(anchors)) for anchors in SETS]
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


class TestEffectiveRank:
    @pytest.mark.parametrize("directions", [1, 2, 5])
    def test_counts_the_directions_in_use(self, directions):
        z = torch.eye(8)[:directions].repeat(3, 1)
        assert effective_rank(z).item() == pytest.approx(directions, rel=1e-4)

    def test_falls_as_embeddings_collapse_to_a_point(self):
        z = unit(64, 16)
        ranks = [effective_rank(functional.normalize(z + pull * z[0], dim=-1)) for pull in (0, 1, 5, 100)]
        assert ranks == sorted(ranks, reverse=True)
        assert ranks[0] > 12
        assert ranks[-1] < 1.1

    def test_the_origin_is_one_point(self):
        assert effective_rank(torch.zeros(3, 2)) == 1


class TestCollapseDiagnostics:
    def test_react_to_sigmas_at_their_floor(self, make_mixture):
        healthy = make_mixture(6, 4, 8, sigma=(0.2, 1.0))
        shares = []
        for part in (0, 3, 6):  # rows whose sigmas have fallen to the floor
            sigmas = healthy.sigmas.clone()
            sigmas[:part] = 0.05
            fallen = replace(healthy, sigmas=sigmas)
            found = collapse_diagnostics(HeadOutput(unit(6, 8), fallen, sigma_floor=0.05))
            shares.append(found["sigma_at_floor"].item())
            used = (healthy.log_weights.exp() * sigmas).sum(1).mean()
            assert found["mean_sigma"].item() == pytest.approx(used.item())
        assert shares == pytest.approx([0.0, 0.5, 1.0])

    def test_components_that_nobody_uses_hide_nothing(self, make_mixture):
        """Three of four sigmas are far from the floor, with no weight."""
        healthy = make_mixture(3, 4, 8, sigma=(1.0, 2.0))
        sigmas = healthy.sigmas.clone()
        sigmas[:, 0] = 0.05
        weights = torch.tensor([0.0, -200, -200, -200], dtype=torch.float64).expand(3, 4)
        for form in (sigmas, sigmas.unsqueeze(-1).expand(3, 4, 8)):
            collapsed = replace(healthy, log_weights=weights, sigmas=form)
            found = collapse_diagnostics(HeadOutput(unit(3, 8), collapsed, sigma_floor=0.05))
            assert found["mean_sigma"].item() == pytest.approx(0.05)
            assert found["sigma_at_floor"].item() == pytest.approx(1.0)

    def test_weight_entropy(self, make_mixture):
        mixture = make_mixture(3, 4, 8)
        even = replace(mixture, log_weights=torch.full((3, 4), -math.log(4)))
        one = replace(mixture, log_weights=torch.tensor([0.0, -200, -200, -200]).expand(3, 4))
        for weights, expected in ((even, math.log(4)), (one, 0.0)):
            found = collapse_diagnostics(HeadOutput(unit(3, 8), weights))
            assert found["weight_entropy"].item() == pytest.approx(expected, abs=1e-6)
            assert "sigma_at_floor" not in found

    def test_embeddings_alone(self):
        assert set(collapse_diagnostics(HeadOutput(unit(3, 8)))) == {"effective_rank"}
