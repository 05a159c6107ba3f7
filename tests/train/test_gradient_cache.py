"""Gradients of a batch that goes through encoder and head in chunks: those of the whole batch."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from probmcl.data import LabelledImages, Share, TwoViews, make_loader, plain_view, scene_augmentation
from probmcl.evaluate import mean_average_precision
from probmcl.loss import ContrastiveCriterion, KMCLLoss, ProbMCLLoss, SupConLoss
from probmcl.model import HeadOutput, MixtureDensityHead, ProjectionHead
from probmcl.train import TrainingSettings, contrastive_stage, two_stages
from probmcl.train.gradient_cache import InChunks, _joined

LABELS = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1]])
CASES = {
    "supcon": (SupConLoss(), ProjectionHead(12, (8, 4))),
    "probmcl": (ProbMCLLoss(), MixtureDensityHead(12, 3, trunk=(8, 4))),
    "kmcl": (KMCLLoss(), MixtureDensityHead(12, 3, trunk=(8, 4), weights="sigmoid")),
}


class Noise(nn.Module):  # an augmentation inside the model
    def forward(self, images: Tensor) -> Tensor:
        return images + 0.3 * torch.randn_like(images)


def encoder(*chance: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(*chance, nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 12))


def gradients(model: nn.Module, criterion: ContrastiveCriterion, images: Tensor) -> list[Tensor]:
    """Loss, gradients, statistics, and the next random number."""
    torch.manual_seed(2)
    loss = deepcopy(criterion)(model(images), LABELS.to(images.device))
    loss.backward()
    return [loss, *(weight.grad for weight in model.parameters()), *model.buffers(), torch.rand(1)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("rows", [1, 4, 99])
@pytest.mark.parametrize("case", CASES)
def test_chunks_give_the_loss_and_the_gradients_of_the_whole_batch(case, rows, dtype, tolerance) -> None:
    criterion, head = CASES[case]
    whole = nn.Sequential(encoder(), deepcopy(head)).to(dtype)
    whole[0][1].eval()  # frozen: a mean over a batch is another than over a chunk
    chunked = InChunks(*deepcopy(whole), rows)
    images = torch.rand(10, 1, 8, 8).to(dtype)
    pairs = zip(gradients(chunked, criterion, images), gradients(whole, criterion, images), strict=True)
    for found, expected in pairs:
        assert torch.allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_chance_is_replayed_and_statistics_move_once(device: torch.device) -> None:
    class AtOnce(InChunks):
        """The same chunks, with all their activations kept."""

        def forward(self, images: Tensor) -> HeadOutput:
            return _joined([self[1](self[0](rows)) for rows in images.split(self.rows)])

    criterion, head = CASES["probmcl"]
    models = [kind(encoder(Noise(), nn.Dropout(0.3)), deepcopy(head), 4) for kind in (InChunks, AtOnce)]
    images = torch.rand(10, 1, 8, 8, device=device)
    found, expected = (gradients(model.to(device), criterion, images) for model in models)
    assert all(map(torch.allclose, found, expected))


def images() -> LabelledImages:
    pixels = torch.randint(256, (16, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return LabelledImages(pixels, torch.eye(2).repeat(8, 1), ["a", "b"])


def test_a_stage_in_chunks_is_that_of_whole_batches_with_few_rows_at_a_time() -> None:
    settings, rows, weights = TrainingSettings(2, 8, 0.01), [], []
    views = {"two_views": TwoViews(scene_augmentation()), "plain_view": plain_view()}
    for chunk in (None, 3):
        learner = encoder()
        learner[1].eval()
        if chunk is not None:
            learner.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
        head, probe = deepcopy(CASES["supcon"][1]), TrainingSettings(1, 8, 0.01)
        options = {"probe": probe, "metric": mean_average_precision, "seed": 0, "plain_batch": 2, **views}
        two_stages(learner, head, images(), images(), SupConLoss(), settings, chunk=chunk, **options)
        weights.append(torch.cat([weight.flatten() for weight in learner.parameters()]))
    assert torch.allclose(*weights, atol=1e-5)
    assert set(rows) == {3, 1, 2}  # 16 views by three, and the probe's batches


def test_chunks_of_a_batch_that_several_processes_share_are_refused() -> None:
    loader = make_loader(images(), TwoViews(scene_augmentation()), 8, share=Share(0, 2))
    parts = (encoder(), CASES["supcon"][1], loader, SupConLoss(), TrainingSettings(1, 8, 0.1))
    with pytest.raises(ValueError, match=r"chunk: expected None, as several processes share .*, got 4"):
        contrastive_stage(*parts, seed=0, chunk=4)
