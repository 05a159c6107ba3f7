"""What every loss and similarity does alike: its gradient, its precision, the labels that it takes."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from probmcl import loss
from probmcl.model import GaussianMixture, HeadOutput


def square(output: HeadOutput) -> Tensor:
    """Logits of the rows among each other, in the precision of the embeddings."""
    n, d = output.embedding.shape
    return output.embedding.repeat(1, n // d + 1)[:, :n]


def contrastive(
    output: HeadOutput, labels: Tensor, policy: str, dtype: torch.dtype = torch.float64
) -> Tensor:
    weights = loss.positive_weights(labels.repeat(2, 1), "any", empty="drop").to(dtype)  # some rows have none
    return loss.contrastive_loss(square(output), weights, no_positives=policy)


def asymmetric(output: HeadOutput, labels: Tensor, *parameters: float) -> Tensor:
    return loss.AsymmetricLoss(*parameters)(output.logits, labels.repeat(2, 1))


# Of what a head returns for two views, and the labels of the images.
LOSSES: dict[str, Callable[[HeadOutput, Tensor], Tensor]] = {
    "contrastive": lambda output, labels: contrastive(output, labels, "skip"),
    "contrastive, zero": lambda output, labels: contrastive(output, labels, "zero"),
    "contrastive, float32 weights": lambda output, labels: contrastive(output, labels, "skip", torch.float32),
    "contrastive, bool weights": lambda output, labels: contrastive(output, labels, "skip", torch.bool),
    "MulSupCon of logits": lambda output, labels: loss.mulsupcon_loss(square(output), labels.repeat(2, 1)),
    "asymmetric": lambda output, labels: asymmetric(output, labels, 0, 4, 0.05),
    "asymmetric, both exponents": lambda output, labels: asymmetric(output, labels, 1, 2, 0),
    "asymmetric, a margin alone": lambda output, labels: asymmetric(output, labels, 0, 0, 0.05),
    "likelihood": lambda output, labels: loss.mixture_nll(output.mixture, output.embedding),
    "cosines": lambda output, labels: loss.cosine_similarity(output.embedding),
    "SupCon": loss.SupConLoss(),
    "SupCon, weighted": loss.SupConLoss("weighted", empty="own_view"),
    "MulSupCon": loss.MulSupConLoss(),
    "ProbMCL": loss.ProbMCLLoss(nll_weight=0.5),
    "ProbMCL, moving target": loss.ProbMCLLoss(nll_weight=0.5, stop_gradient=False),
    "KMCL": loss.KMCLLoss(),
}
for similarity in loss.SIMILARITIES:
    LOSSES[similarity] = lambda output, labels, name=similarity: loss.similarity_scores(name, output.mixture)
    LOSSES[f"{similarity} of two batches"] = lambda output, labels, name=similarity: loss.similarity_scores(
        name, output.mixture[:2], output.mixture[2:]
    )

every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
def test_gradcheck(name, diagonal, make_output, make_labels):
    output, labels = make_output(4, 2, 2, diagonal=diagonal), make_labels(2, 2, empty=1)
    moving = [output.logits, output.mixture.means, output.mixture.sigmas]
    if name != "ProbMCL":  # which stops the gradient of its target
        moving.append(output.embedding)

    def loss(logits: Tensor, means: Tensor, sigmas: Tensor, z: Tensor = output.embedding) -> Tensor:
        mixture = GaussianMixture(functional.logsigmoid(logits).log_softmax(-1), means, sigmas)
        return LOSSES[name](HeadOutput(z, mixture, logits), labels)

    assert torch.autograd.gradcheck(loss, [tensor.clone().requires_grad_() for tensor in moving])


def converted(output: HeadOutput, dtype: torch.dtype) -> HeadOutput:
    return HeadOutput(output.embedding.to(dtype), output.mixture.to(dtype), output.logits.to(dtype))


@every_loss
def test_precision_of_the_input_is_kept(name, dtype, make_output, make_labels):
    assert LOSSES[name](make_output(8, dtype=dtype), make_labels(4, 3, empty=1)).dtype == dtype


@every_loss
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_computed_in_float32(name, half, make_output, make_labels):
    output, labels = converted(make_output(8, d=16), half), make_labels(4, 3, empty=1)
    leaves = [tensor.requires_grad_() for tensor in (output.embedding, output.mixture.means, output.logits)]
    found, expected = LOSSES[name](output, labels), LOSSES[name](converted(output, torch.float64), labels)
    gradients = torch.autograd.grad(found.sum(), leaves, materialize_grads=True)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, rtol=1e-5, atol=1e-5)


@every_loss
@pytest.mark.parametrize(
    "kind", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float32], ids=str
)
def test_labels_are_of_any_type_and_left_as_they_are(name, kind, make_output, make_labels):
    output, labels = make_output(8), make_labels(4, 3, empty=1)
    given = labels.to(kind)
    before = deepcopy([output.embedding, *vars(output.mixture).values(), output.logits, given])
    assert torch.equal(LOSSES[name](output, given), LOSSES[name](output, labels))
    after = [output.embedding, *vars(output.mixture).values(), output.logits, given]
    assert all(map(torch.equal, before, after))
