"""A score becomes a decision: thresholds, chosen on validation images and nowhere else.

A threshold that is chosen on the test images is fitted to them, and the F1 measured there is too high by an
unknown amount. So the arguments here say what they are, and must be named in the call.
"""

import torch
from torch import Tensor

from probmcl import _check as check


def thresholds_from_validation(*, validation_scores: Tensor, validation_labels: Tensor) -> Tensor:
    """Return for each class the threshold whose decisions "score >= threshold" have the highest F1.

    Every distinct validation score is tried. Of thresholds with the same F1 the highest is taken: it predicts
    the fewest labels. A class without positives on validation gets ``inf``: it is never predicted.

    Args:
        validation_scores: (N, K) finite scores of the *validation* images.
        validation_labels: (N, K) their labels, zeros and ones.

    Returns:
        (K,) thresholds in the dtype of the scores, for
        ``multilabel_metrics(test_scores, test_labels, thresholds=...)``, which has the same errors.

    >>> scores = torch.tensor([[0.9, 0.3], [0.6, 0.2], [0.4, 0.1]])
    >>> labels = torch.tensor([[1, 0], [1, 0], [0, 0]])
    >>> thresholds_from_validation(validation_scores=scores, validation_labels=labels)
    tensor([0.6000,    inf])
    """
    check.scored("validation_scores", validation_scores, "validation_labels", validation_labels)
    scores, order = validation_scores.sort(dim=0, descending=True)  # (N, K) from the strictest threshold on
    correct = validation_labels.gather(0, order).double().cumsum(dim=0)  # (N, K) TP of the first n
    predicted = torch.arange(1, len(scores) + 1, device=scores.device).unsqueeze(1)  # (N, 1)
    f1 = 2 * correct / (predicted + correct[-1])  # whole numbers, so equal F1 are equal floats
    tied_with_next = scores[:-1] == scores[1:]  # a threshold takes all rows of a score or none
    f1[:-1][tied_with_next] = -1
    best = f1.argmax(dim=0, keepdim=True)  # the first of equal values
    thresholds = scores.gather(0, best).squeeze(0)  # (K,)
    return thresholds.masked_fill(correct[-1] == 0, float("inf"))


def global_threshold_from_validation(*, validation_scores: Tensor, validation_labels: Tensor) -> float:
    """Return the one threshold for all classes with the highest overall F1 (OF1) on validation.

    Ties, arguments and errors as for :func:`thresholds_from_validation`; ``inf`` if no class has a positive.

    >>> scores = torch.tensor([[0.75, 0.25], [0.5, 0.125]])
    >>> labels = torch.tensor([[1, 1], [0, 0]])
    >>> global_threshold_from_validation(validation_scores=scores, validation_labels=labels)
    0.25
    """
    check.tensor("validation_scores", validation_scores, dims=2)
    check.labels("validation_labels", validation_labels)
    check.same_shape("validation_scores", validation_scores, "validation_labels", validation_labels)
    one_class = {"validation_scores": validation_scores, "validation_labels": validation_labels}
    one_class = {name: values.reshape(-1, 1) for name, values in one_class.items()}
    return thresholds_from_validation(**one_class).item()
