"""A batch with a queue is the joined batch with the batch's rows as anchors and the rest held still."""

import pytest
import torch

from probmcl.loss import EMPTY, CrossBatchQueue, MulSupConLoss, ProbMCLLoss, SupConLoss
from probmcl.model import GaussianMixture, HeadOutput
from probmcl_book import reference


@pytest.fixture
def make_batch(make_mixture, make_labels):
    """Embeddings and mixtures of two views of ``images`` images, with gradient, and their labels."""

    def make(images: int, seed: int) -> tuple[HeadOutput, torch.Tensor]:
        z = torch.randn(2 * images, 4, generator=torch.Generator().manual_seed(seed)).double()
        mixture = make_mixture(2 * images, 3, 4, seed=seed, sigma=(0.2, 2.0))
        parts = [t.requires_grad_() for t in (z, mixture.log_weights, mixture.means, mixture.sigmas)]
        output = HeadOutput(parts[0], GaussianMixture(*parts[1:]))
        return output, make_labels(images, 4, seed=seed, empty=1)

    return make


def oracle(criterion, batches):
    """Of a batch and the earlier ones, newest first: the batch's terms of the joined loss, over its count."""
    outputs, labels = zip(*batches, strict=True)
    rows = range(2 * len(labels[0]))
    joined = torch.cat([part.repeat(2, 1) for part in labels])
    images = torch.cat([torch.arange(len(part)).repeat(2) + 100 * i for i, part in enumerate(labels)])
    if isinstance(criterion, ProbMCLLoss):
        mixture = GaussianMixture.cat([output.mixture.detach() for output in outputs])
        logits = reference.similarity_scores(criterion.similarity, mixture) / 0.25
    else:
        z = torch.cat([output.embedding for output in outputs]).detach()
        logits = reference.cosine_similarity(z) / 0.1
    if isinstance(criterion, MulSupConLoss):
        counts = ((joined.sum(0) > 1) * joined).sum(1).double()  # labels with a positive
        whole = reference.mulsupcon_loss(logits, joined, anchors=rows)
    else:
        weights = reference.positive_weights(joined, empty=criterion.positives.empty, image_ids=images)
        counts = (weights.sum(1) > 0).double()
        whole = reference.contrastive_loss(logits, weights, anchors=rows)
    return whole * counts.sum() / counts[: len(rows)].sum()


@pytest.mark.parametrize(
    "make_criterion",
    [
        *(lambda empty=empty: SupConLoss(empty=empty, queue=12) for empty in EMPTY),
        lambda: MulSupConLoss(queue=12),
        *(lambda empty=empty: ProbMCLLoss(empty=empty, queue=12) for empty in EMPTY),
        lambda: ProbMCLLoss("log_bhattacharyya", queue=12),
        lambda: ProbMCLLoss("mean_cosine", temperature=0.25, queue=12),
    ],
)
def test_equals_the_joined_batch(make_criterion, make_batch, assert_matches):
    criterion, seen = make_criterion(), []
    for seed, images in enumerate([4, 2, 3]):
        seen.insert(0, make_batch(images, seed))
        assert_matches(criterion.in_parts(*seen[0]).parts["contrastive"], oracle(criterion, seen))
    assert len(criterion.queue) == 12  # of 18 rows


@pytest.mark.parametrize("criterion", [SupConLoss(queue=12), MulSupConLoss(queue=12), ProbMCLLoss(queue=12)])
def test_only_the_batch_gets_a_gradient(criterion, make_batch):
    leaves = []
    for seed in range(2):
        output, labels = make_batch(3, seed)
        leaves.append((output.embedding, output.mixture.means))
        loss = criterion(output, labels)
    earlier, now = (torch.autograd.grad(loss, pair, allow_unused=True, retain_graph=True) for pair in leaves)
    assert earlier == (None, None)
    assert any(gradient is not None and gradient.any() for gradient in now)


@pytest.mark.parametrize("criterion_class", [SupConLoss, MulSupConLoss, ProbMCLLoss])
class TestState:
    def test_is_empty_at_first_and_stays_so_without_a_queue(self, criterion_class, make_batch):
        criterion = criterion_class()
        first, second = (criterion(*make_batch(3, 1)) for _ in range(2))
        assert torch.equal(first, second)
        assert len(criterion.queue) == 0

    def test_is_saved_and_loaded(self, criterion_class, make_batch):
        criterion, other = criterion_class(queue=9), criterion_class(queue=9)
        for seed in (1, 2):
            criterion(*make_batch(3, seed))
        other.load_state_dict(criterion.state_dict())
        batch = make_batch(2, 3)
        assert torch.equal(criterion(*batch), other(*batch))
        assert len(other.queue) == 9

    def test_evaluation_adds_nothing(self, criterion_class, make_batch):
        criterion = criterion_class(queue=9).eval()
        criterion(*make_batch(3, 1))
        assert len(criterion.queue) == 0


def test_the_oldest_rows_go_first():
    queue = CrossBatchQueue(3, ["embedding"])
    for value in (1.0, 2.0):
        queue.add(torch.full((2, 1), 1), embedding=torch.full((2, 1), value))
    assert queue.embedding.flatten().tolist() == [2, 2, 1]
