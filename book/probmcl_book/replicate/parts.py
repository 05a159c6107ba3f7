"""What a method is made of: head and criterion, the classifier it trains, the classifier that is left."""

from torch import Tensor, nn
from torch.nn import functional

from probmcl import loss, model
from probmcl.train import Criterion
from probmcl_book.replicate.recipe import Method


def contrastive_parts(
    method: Method, feature_dim: int, classes: int
) -> tuple[nn.Module, loss.ContrastiveCriterion]:
    """Head and criterion of a method with two views: a contrastive one, or KMCL."""
    if method.criterion == "kmcl":
        return _mixture_head(method, feature_dim, classes), loss.KMCLLoss(**method.options)
    if method.criterion == "probmcl":
        return _mixture_head(method, feature_dim, classes), loss.ProbMCLLoss(**method.options)
    criterion = loss.SupConLoss if method.criterion == "supcon" else loss.MulSupConLoss
    return model.ProjectionHead(feature_dim, method.trunk, **method.head), criterion(**method.options)


def end_to_end_parts(method: Method, feature_dim: int, labels: Tensor) -> tuple[nn.Module, Criterion]:
    """Classifier and criterion of a method that trains the encoder through its classifier.

    BCE, ASL, a transformer head (with ASL) or a label-graph head (with BCE, as in ML-GCN), whose graph is
    that of the training ``labels``, ``(N, K)``.
    """
    bce = functional.binary_cross_entropy_with_logits
    if method.criterion == "label-graph":
        return model.LabelGraphHead(feature_dim, labels, **method.head), bce
    criterion = bce if method.criterion == "bce" else loss.AsymmetricLoss(**method.options)
    return final_classifier(method, feature_dim, labels.shape[1]), criterion


def final_classifier(method: Method | None, feature_dim: int, classes: int) -> nn.Module:
    """A classifier of the kind that a method ends with, with random weights.

    It is a linear layer, also for None, the linear probe of the start, but for KMCL and for the transformer
    head.
    """
    if method is not None and method.criterion == "ml-decoder":
        return model.MLDecoderHead(feature_dim, classes, **method.head)
    if method is not None and method.criterion == "kmcl":
        return model.MixtureClassifier(_mixture_head(method, feature_dim, classes))
    return nn.Linear(feature_dim, classes)


def logits_model(encoder: model.Encoder, classifier: nn.Module) -> nn.Sequential:
    """Images to logits ``(N, K)``: a transformer head sees the encoder's map, all others its feature."""
    on_map = isinstance(classifier, model.MLDecoderHead)
    return nn.Sequential(model.FeatureMap(encoder) if on_map else encoder, classifier)


def _mixture_head(method: Method, feature_dim: int, classes: int) -> model.MixtureDensityHead:
    """The mixture density head: one component per class unless the method says otherwise.

    KMCL's mixture weights are the sigmoids of a classifier.
    """
    weights = "sigmoid" if method.criterion == "kmcl" else "softmax"
    arguments = {"weights": weights, **method.head}
    components = arguments.pop("components", None)
    return model.MixtureDensityHead(
        feature_dim, classes if components is None else components, trunk=method.trunk, **arguments
    )
