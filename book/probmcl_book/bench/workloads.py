"""What is timed: each function draws its inputs and returns one forward and backward pass to call."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from probmcl.data import TwoViews, digit_scenes, make_loader, scene_augmentation
from probmcl.loss import ProbMCLLoss, SupConLoss, contrastive_loss, positive_set, positive_weights
from probmcl.model import GaussianMixture, HeadOutput, build_encoder
from probmcl.train import contrastive_stage
from probmcl_book.bench.alternatives import (
    metric_learning_pairs,
    metric_learning_supcon,
    scikit_learn_jaccard,
    ten_lines_of_supcon,
)
from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.parts import contrastive_parts
from probmcl_book.replicate.recipes import digits_recipe

Pass = Callable[[], object]
Sizes = dict[str, int]


def draw_labels(rows: int, classes: int) -> Tensor:
    """Label sets of about 2.9 labels, as COCO has, ``(N, K)``."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(rows, classes, generator=generator) < 2.9 / classes).to(torch.uint8)


def draw_output(sizes: Sizes, device: torch.device | str = "cpu") -> tuple[HeadOutput, list[Tensor]]:
    """Unit embeddings and mixtures of N rows, and the leaves that take the gradient."""
    n, k, d = sizes["N"], sizes.get("K", 1), sizes["D"]
    generator = torch.Generator().manual_seed(0)
    z = functional.normalize(torch.randn(n, d, generator=generator), dim=-1)
    means = functional.normalize(torch.randn(n, k, d, generator=generator), dim=-1)
    log_weights = torch.randn(n, k, generator=generator).log_softmax(-1)
    sigmas = torch.rand(n, k, generator=generator) + 0.1
    leaves = [leaf.to(device).requires_grad_() for leaf in (z, log_weights, means, sigmas)]
    return HeadOutput(leaves[0], GaussianMixture(*leaves[1:])), leaves


def probmcl(sizes: Sizes, device: torch.device | str = "cpu") -> Pass:
    """The whole ProbMCL loss of N rows, forward and backward."""
    output, leaves = draw_output(sizes, device)
    labels, criterion = draw_labels(sizes["N"] // 2, sizes["K"]).to(device), ProbMCLLoss()
    return lambda: _backward(criterion(output, labels), leaves)


def written_out(similarity: Callable[[GaussianMixture], Tensor], sizes: Sizes) -> Pass:
    """L_PCL of the same mixtures with a similarity written the obvious way."""
    output, leaves = draw_output(sizes)
    labels = draw_labels(sizes["N"] // 2, sizes["K"]).repeat(2, 1)

    def run() -> None:
        assert output.mixture is not None
        logits = similarity(output.mixture) / 0.25
        _backward(contrastive_loss(logits, positive_weights(labels)), leaves)

    return run


def kmcl(loss: Callable[[GaussianMixture, Tensor, float], Tensor], sizes: Sizes) -> Pass:
    """The contrastive term of KMCL of N rows."""
    output, leaves = draw_output(sizes)
    labels = draw_labels(sizes["N"] // 2, sizes["K"]).repeat(2, 1)
    mixture = output.mixture
    assert mixture is not None
    return lambda: _backward(loss(mixture, labels, 0.17), leaves)


def cosine(sizes: Sizes) -> Pass:
    """SupCon with thresholded positives on N embeddings, forward and backward."""
    output, leaves = draw_output(sizes)
    labels, criterion = draw_labels(sizes["N"] // 2, sizes["classes"]), SupConLoss()
    return lambda: _backward(criterion(output.embedding, labels), leaves)


def ten_lines(sizes: Sizes) -> Pass:
    """The same in ten lines."""
    output, leaves = draw_output(sizes)
    labels = draw_labels(sizes["N"] // 2, sizes["classes"]).repeat(2, 1)
    return lambda: _backward(ten_lines_of_supcon(output.embedding, labels, 0.1), leaves)


def metric_learning(sizes: Sizes) -> Pass:
    """The same with pytorch-metric-learning, which is given the pairs."""
    output, leaves = draw_output(sizes)
    pairs = metric_learning_pairs(draw_labels(sizes["N"] // 2, sizes["classes"]).repeat(2, 1))
    return lambda: _backward(metric_learning_supcon(output.embedding, pairs, 0.1), leaves)


def positives(sizes: Sizes) -> Pass:
    """The positive sets of N rows; every index runs through the same code."""
    return partial(positive_set, draw_labels(sizes["N"], sizes["K"]), "cosine")


def scikit_learn(sizes: Sizes) -> Pass:
    """The Jaccard distances of the same rows, which would still have to be compared with a threshold."""
    return partial(scikit_learn_jaccard, draw_labels(sizes["N"], sizes["K"]))


def digits_epoch(criterion: str, sizes: Sizes) -> Pass:
    """An epoch of the contrastive stage on DigitScenes, with the recipe's settings and fewer images."""
    recipe = digits_recipe()
    method = next(method for method in recipe.methods if method.criterion == criterion)
    settings = replace(method.training, epochs=1, batch_size=sizes["N"] // 2)
    scenes = digit_scenes("train", sizes["images"], seed=0, difficulty=DigitsData().difficulty)
    views = TwoViews(scene_augmentation())
    loader = make_loader(scenes, views, settings.batch_size, shuffle=True, seed=0, drop_last=True)
    encoder = build_encoder(recipe.encoder, in_channels=1)
    head, loss = contrastive_parts(method, encoder.feature_dim, len(scenes.classes))
    return partial(contrastive_stage, encoder, head, loader, loss, settings, seed=0)


def _backward(loss: Tensor, leaves: list[Tensor]) -> None:
    for leaf in leaves:
        leaf.grad = None
    loss.backward()  # type: ignore[no-untyped-call]
