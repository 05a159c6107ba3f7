"""A trained module over all images of a loader, without gradients."""

import torch
from torch import Tensor, nn

from probmcl import _check
from probmcl._modes import evaluating
from probmcl.train.batches import Loader, checked_loader, views_and_labels
from probmcl.train.distributed import shared_batches
from probmcl.train.gathering import gather_in_order
from probmcl.train.loop import to_device


@torch.no_grad()
def predict(model: nn.Module, loader: Loader, *, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Outputs and labels of every image, in the loader's order, on the CPU in float32.

    Args:
        model: maps images to one vector an image: an encoder (features) or a classifier (logits). It is used
            in evaluation mode, and each module left in its mode; it is moved to ``device`` and stays there.
        loader: batches ``(images, labels)`` without shuffling, one plain view an image. If it gives each
            rank its share, all ranks must call this together, and each gets the rows of all images.
        device: where to compute.

    Returns:
        Outputs ``(N, F)`` and labels ``(N, K)``.

    >>> outputs, labels = predict(nn.Identity(), [(torch.ones(2, 3), torch.zeros(2, 1))])
    >>> outputs.shape, labels.shape
    (torch.Size([2, 3]), torch.Size([2, 1]))
    """
    device = _check.device(device)
    model = _check.instance("model", model, nn.Module).to(device)
    outputs, labels = [], []
    with evaluating(model):
        for batch in checked_loader(loader):
            (images,), batch_labels = views_and_labels(to_device(batch, device))
            outputs.append(model(images).float().cpu())
            labels.append(batch_labels.cpu())
    joined = torch.cat(outputs), torch.cat(labels)
    batches = shared_batches(loader)
    return joined if batches is None else gather_in_order(batches, *joined, device)
