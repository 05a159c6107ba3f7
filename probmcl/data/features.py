"""Features of stored views: for methods that train on a frozen encoder, in seconds.

A contrastive loss wants two views of every image. A frozen encoder need not see them anew in each epoch: it
sees the plain image and some augmented views once, and its features are kept. A feature is then an image of
one pixel with F channels, so that whatever takes images takes features as well.
"""

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.labelled import LabelledImages


class LabelledVectors(LabelledImages):
    """Vectors such as the rows of a table, and their labels, held in memory.

    Arguments and errors as for ``LabelledImages``, but the images are float32 (N, F), none NaN or infinite.

    >>> from probmcl.data import TwoViews, make_loader
    >>> table = LabelledVectors(torch.randn(6, 4), torch.eye(2).repeat(3, 1), ["a", "b"])
    >>> view = TwoViews(lambda rows: rows + 0.1 * torch.randn_like(rows))
    >>> (first, second), labels = next(iter(make_loader(table, view, 3, shuffle=True, seed=0)))
    >>> first.shape, labels.shape
    (torch.Size([3, 4]), torch.Size([3, 2]))
    """

    dims = 2
    dtype = torch.float32


class LabelledFeatures(LabelledImages):
    """Features of several views of every image, and the images' labels, held in memory.

    Arguments and errors as for ``LabelledImages``, but images are float16 (N, V, F), none NaN or infinite:
    first the feature of the plain image, then those of V - 1 augmented views.

    >>> dataset = LabelledFeatures(torch.zeros(2, 9, 1280, dtype=torch.float16), torch.eye(2), ["a", "b"])
    >>> views, label = dataset[1]
    >>> views.shape, label.tolist()
    (torch.Size([9, 1280]), [0, 1])
    """

    dims = 3
    dtype = torch.float16


def plain_feature(stored: Tensor) -> Tensor:
    """Return the feature of the plain image, of one (V, F) or a batch (B, V, F).

    Returns:
        float32, (F, 1, 1) or (B, F, 1, 1).

    >>> plain_feature(torch.zeros(5, 9, 1280, dtype=torch.float16)).shape
    torch.Size([5, 1280, 1, 1])
    """
    if _check.floating("stored", _check.tensor("stored", stored)).dim() not in (2, 3):
        raise ValueError(f"stored: expected shape (V, F) or (B, V, F), got {tuple(stored.shape)}")
    return _as_pixel(stored[..., 0, :])


def two_features(stored: Tensor) -> tuple[Tensor, Tensor]:
    """Draw the features of two different augmented views of every image (M1).

    Draws from torch's global random numbers, as all views do.

    Args:
        stored: A batch (B, V, F), V at least 3.

    Returns:
        Two tensors, float32 (B, F, 1, 1).

    Raises:
        ValueError: If fewer than two augmented views are stored.

    >>> views = torch.arange(3.0).view(1, 3, 1).half()  # the plain one is 0
    >>> first, second = two_features(views)
    >>> sorted([first.item(), second.item()])
    [1.0, 2.0]
    """
    augmented = _check.floating("stored", _check.tensor("stored", stored, dims=3))[:, 1:]  # (B, V - 1, F)
    views, rows = augmented.shape[1], torch.arange(len(augmented), device=stored.device)
    if views < 2:
        raise ValueError(f"stored: expected at least two augmented views beside the plain one, got {views}")
    first = torch.randint(views, (len(rows),), device=stored.device)
    step = torch.randint(1, views, (len(rows),), device=stored.device)  # never a whole round: another view
    return _as_pixel(augmented[rows, first]), _as_pixel(augmented[rows, (first + step) % views])


def _as_pixel(features: Tensor) -> Tensor:
    return features.float()[..., None, None]
