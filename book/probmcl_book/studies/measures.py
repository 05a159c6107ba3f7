"""What a study measures of a run beside its metrics: cost, positives, the label graph, the mixture."""

import torch
from torch import Tensor, nn

from probmcl.data import co_occurrence, label_statistics
from probmcl.evaluate import (
    co_occurrence_similarity,
    multiply_adds,
    parameter_count,
    rank_correlation,
    weight_similarity,
)
from probmcl.loss import positive_weights
from probmcl.model import MixtureDensityHead
from probmcl.train import predict
from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.parts import logits_model
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.runner import Measure
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.views import plain_loader

COUNTED_BATCHES = 20


def cost(trained: Trained, splits: Splits, recipe: Recipe) -> dict[str, float]:
    """Parameters and multiply-adds of what scores an image, and parameters of the head beside it."""
    scoring = logits_model(trained.encoder, trained.classifier)
    view = recipe.views.plain()(splits.validation[0][0].unsqueeze(0))
    assert isinstance(view, Tensor)
    view = view.to(next(scoring.parameters()).device)
    everything = parameter_count(nn.ModuleList([scoring, *([] if trained.head is None else [trained.head])]))
    return {
        "parameters": float(parameter_count(scoring)),
        "head parameters": float(everything - parameter_count(scoring)),
        "multiply-adds": float(multiply_adds(scoring, view)),
    }


def positives(trained: Trained, splits: Splits, recipe: Recipe) -> dict[str, float]:
    """Mean number of positives per anchor, over random batches of the method's size, two views per image."""
    if not recipe.methods or recipe.methods[0].criterion not in ("supcon", "probmcl"):
        return {}
    method, labels = recipe.methods[0], splits.train.labels
    rule = {name: method.options[name] for name in _RULE if name in method.options}
    generator = torch.Generator().manual_seed(0)
    counts = []
    for _ in range(COUNTED_BATCHES):
        chosen = torch.randperm(len(labels), generator=generator)[: method.training.batch_size]
        weights = positive_weights(labels[chosen].repeat(2, 1), image_ids=chosen.repeat(2), **rule)
        counts.append((weights > 0).sum(1).double().mean().item())
    return {"positives": sum(counts) / len(counts)}


def label_graph(trained: Trained, splits: Splits, recipe: Recipe) -> dict[str, float]:
    """Rank correlation of learned similarities with the label graph, over pairs of labels.

    Learned similarities are the cosines of the classifier's weights, and the cosines of the centred mean
    features of each label's validation images. Images that carry both labels enter both means, so the
    second is high for any encoder; compare it with that of a random one.
    """
    graph = _graph(splits, recipe)
    loader = plain_loader(splits.validation, recipe.views, device="cpu")
    features, labels = (found.double() for found in predict(trained.encoder, loader))
    means = labels.T @ features / labels.sum(0).clamp(min=1).unsqueeze(1)  # (K, F)
    found = {"embedding graph": rank_correlation(weight_similarity(means - features.mean(0)), graph)}
    if isinstance(trained.classifier, nn.Linear):
        found["classifier graph"] = rank_correlation(weight_similarity(trained.classifier.weight), graph)
    return found


def mixture(trained: Trained, splits: Splits, recipe: Recipe) -> dict[str, float]:
    """Collapse diagnostics of the epoch that was kept: effective rank, widths and weights of the mixture."""
    if trained.history is None:
        return {}
    kept = next(log for log in trained.history.epochs if log.epoch == trained.history.best_epoch)
    return {name.replace("_", " "): value for name, value in kept.diagnostics.items()}


@torch.inference_mode()
def components(trained: Trained, splits: Splits, recipe: Recipe) -> dict[str, float]:
    """How far a mixture's components stand apart, in sigmas, and what their weights tell about the image.

    The distance is the root mean square of |mu_k - mu_l| over draws of k and l from pi, sqrt(2 between), over
    that of sigma, sqrt(within / D). The information is H(mean of pi) - mean of H(pi_i), in nats.
    """
    if not isinstance(trained.head, MixtureDensityHead):
        return {}
    features, _ = predict(trained.encoder, plain_loader(splits.validation, recipe.views, device="cpu"))
    found = trained.head.cpu()(features).mixture
    apart = 2 * found.between_variance().mean() / (found.within_variance().mean() / found.dimensions)
    weights = found.log_weights.exp()
    used, each = torch.special.entr(weights.mean(0)).sum(), torch.special.entr(weights).sum(-1).mean()
    return {
        "distance in sigmas": apart.sqrt().item(),
        "components per image": each.exp().item(),
        "information": (used - each).item(),
    }


MEASURES: tuple[Measure, ...] = (cost, positives, label_graph, mixture, components)  # of every run
_RULE = ("rule", "index", "threshold", "empty")


def _graph(splits: Splits, recipe: Recipe) -> Tensor:
    """Correlation of the labels ``(K, K)``: exact for DigitScenes, that of the training images elsewhere."""
    if isinstance(recipe.data, DigitsData):
        return co_occurrence_similarity(co_occurrence(recipe.data.themes, most=recipe.data.most))
    counted = label_statistics(splits.train.labels, splits.train.classes)
    return co_occurrence_similarity(counted.co_occurrence)
