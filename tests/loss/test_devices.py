"""The same numbers on every device: the CPU, and a GPU or, where there is none, a pretended one."""

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from probmcl import loss
from probmcl.loss import anchor_sum, gaussian_kernel, kmcl
from probmcl.model import GaussianMixture, HeadOutput

OF_LOGITS_AND_LABELS = [
    *(lambda s, y, index=index: loss.overlap(y, index=index) for index in loss.INDICES),
    *(lambda s, y, index=index: loss.overlaps_enough(y, index=index) for index in loss.INDICES),
    *(lambda s, y, rule=rule: weights_of_two_views(y, rule) for rule in loss.RULES),
    lambda s, y: loss.contrastive_loss(s, loss.positive_weights(y)),
    loss.mulsupcon_loss,
    lambda s, y: loss.asymmetric_loss(s[:, : y.shape[1]], y),
]


def weights_of_two_views(labels: torch.Tensor, rule: str) -> torch.Tensor:
    rows, image_ids = loss.two_view_labels(labels)
    return loss.positive_weights(rows, rule, empty="own_view", image_ids=image_ids)


@pytest.mark.parametrize("compute", OF_LOGITS_AND_LABELS)
def test_functions_of_logits_and_labels(compute, device, make_labels):
    logits, labels = torch.randn(8, 8, generator=torch.Generator().manual_seed(0)), make_labels(8, 6, empty=2)
    found = compute(logits.to(device), labels.to(device))
    assert found.device.type == device.type
    torch.testing.assert_close(found.cpu(), compute(logits, labels))


@pytest.mark.parametrize("name", loss.SIMILARITIES)
@pytest.mark.parametrize("half", [False, True], ids=["float32", "autocast"])
def test_similarities_and_their_gradients(name, diagonal, half, device, make_mixture):
    gradients, scores = [], []
    for place in (device, torch.device("cpu")):
        dtype = torch.float32 if place == device else torch.float64
        mixture = make_mixture(4, 5, 16, diagonal=diagonal, sigma=(0.2, 2.0), dtype=dtype).to(place)
        parts = [t.detach().requires_grad_() for t in (mixture.log_weights, mixture.means, mixture.sigmas)]
        with torch.autocast(place.type, dtype=torch.bfloat16, enabled=half and place == device):
            found = loss.similarity_scores(name, GaussianMixture(*parts))
        scores.append(found.detach().cpu().double())
        gradients.append(torch.autograd.grad(found.sum(), parts, allow_unused=True))
    tolerance = 1e-4  # mixed precision ends before distances and log-sum-exp
    assert torch.allclose(scores[0], scores[1], rtol=tolerance, atol=tolerance)
    for x, y in zip(*gradients, strict=True):
        if y is not None:
            assert (x.cpu().double() - y).abs().max() <= tolerance * (1 + y.abs().max())


@pytest.mark.parametrize("criterion", [loss.ProbMCLLoss(), loss.SupConLoss()], ids=["probmcl", "supcon"])
def test_criteria(criterion, device, make_mixture, make_labels):
    mixture, labels = make_mixture(8, 5, 16, dtype=torch.float32), make_labels(4, 3)
    embedding = torch.nn.functional.normalize(torch.randn(8, 16), dim=-1)
    expected = criterion.in_parts(HeadOutput(embedding, mixture), labels)
    found = criterion.in_parts(HeadOutput(embedding.to(device), mixture.to(device)), labels.to(device))
    for name in ("parts", "diagnostics"):
        for key, value in getattr(expected, name).items():
            assert getattr(found, name)[key].device.type == device.type
            assert torch.allclose(getattr(found, name)[key].cpu(), value, rtol=1e-4, atol=1e-5)
    assert torch.allclose(found.total.cpu(), expected.total, rtol=1e-4)


class Work(TorchDispatchMode):
    """Counts operations that start a kernel, and those for whose result the host has to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.waits = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = function._schema.name.removeprefix("aten::")
        if name.strip("_") in ("index", "index_put", "index_put_impl"):  # by a mask, which is counted first
            self.waits += any(index is not None and index.dtype == torch.bool for index in arguments[1])
        self.waits += name in ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select")
        self.operations += not function.is_view
        return function(*arguments, **(keywords or {}))


class Lists(TorchFunctionMode):
    """Counts the tensors that become lists, which a CPU does without an operation."""

    waits = 0

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        self.waits += function is torch.Tensor.tolist
        return function(*arguments, **(keywords or {}))


KINDS = (loss.ProbMCLLoss, loss.SupConLoss, loss.MulSupConLoss, loss.KMCLLoss)
CRITERIA = [*(kind() for kind in KINDS), loss.SupConLoss("weighted", empty="own_view")]


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: type(criterion).__name__)
def test_few_operations_and_waits_with_the_tiles_of_a_gpu(criterion, make_mixture, make_labels, monkeypatch):
    """As many, forward and backward, as 256 rows of 80 components have: a tenth, in tiles of a hundredth."""
    elements = gaussian_kernel.tile_elements(torch.device("cuda"), on_cpu=1) // 100
    for module in (anchor_sum, gaussian_kernel, kmcl):
        monkeypatch.setattr(module, "tile_elements", lambda device, on_cpu: elements)
    mixture = make_mixture(256, 8, 16, dtype=torch.float32)
    tensors = (mixture.mean(), mixture.log_weights, mixture.means, mixture.sigmas, torch.randn(256, 8))
    z, log_weights, means, sigmas, logits = (tensor.requires_grad_() for tensor in tensors)
    output = HeadOutput(z, GaussianMixture(log_weights, means, sigmas), logits)
    labels = make_labels(128, 8)
    with Work() as work, Lists() as lists:
        criterion(output, labels).backward()
    assert work.operations <= 600
    assert work.waits + lists.waits <= 2
