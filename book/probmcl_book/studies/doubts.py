"""What trained models doubt: every measure of uncertainty on the same images, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import evaluate
from probmcl.data import LabelledImages
from probmcl.evaluate.uncertainty import CLASSIFIER
from probmcl.model import MixtureDensityHead
from probmcl.train import predict
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.views import Views, plain_loader

AT_THRESHOLDS = "entropy at the thresholds"
COUNT = "labels predicted"
_FARTHEST = 100.0  # from a threshold, in nats; a class that is never predicted has it at infinity


@dataclass(frozen=True, eq=False)
class Doubts:
    """What M models, trained alike from different seeds, say about the same N images."""

    logits: Tensor  #: ``(M, N, K)``
    thresholds: Tensor  #: from validation, ``(M, K)``
    mixture: Mapping[str, Tensor]  #: of :func:`~probmcl.evaluate.mixture_uncertainty`, ``(N, M)`` each

    @property
    def margins(self) -> Tensor:
        """Logits counted from the thresholds, ``(M, N, K)``: 0 where a decision turns."""
        return (self.logits - self.thresholds.unsqueeze(1)).clamp(-_FARTHEST, _FARTHEST)

    def of_images(self, models: int) -> dict[str, Tensor]:
        """Doubt about images, ``(N, models)`` per score: one column for each of the first models.

        An ensemble repeats its one opinion. :data:`COUNT` shows what counting alone achieves.
        """
        found = {name: score[:, :models] for name, score in self.mixture.items()}
        found |= {name: score.mean(2).T for name, score in self._of_labels(models).items()}
        found[COUNT] = (self.margins[:models] >= 0).double().sum(2).T
        return found

    def of_labels(self, models: int) -> dict[str, Tensor]:
        """Doubt about single decisions, ``(N, models * K)``; one about the image serves all of them."""
        k = self.logits.shape[2]
        found = {
            name: score.repeat_interleave(k, dim=1)
            for name, score in self.of_images(models).items()
            if name in self.mixture or name == COUNT
        }
        of_labels = self._of_labels(models).items()
        return found | {name: score.transpose(0, 1).flatten(1) for name, score in of_labels}

    def wrong(self, labels: Tensor, models: int) -> Tensor:
        """Which decisions are wrong, bool ``(N, models, K)``."""
        of_models = zip(self.logits[:models], self.thresholds[:models], strict=True)
        return torch.stack([evaluate.wrong_labels(logits, labels, at) for logits, at in of_models], dim=1)

    def _of_labels(self, models: int) -> dict[str, Tensor]:
        """Scores that have an opinion on every label, ``(models, N, K)`` each."""
        margins = self.margins
        kinds = {CLASSIFIER: self.logits, AT_THRESHOLDS: margins}
        found = {name: evaluate.label_entropy(logits[:models]) for name, logits in kinds.items()}
        if len(margins) > 1:
            for name, score in evaluate.ensemble_uncertainty(margins).items():
                found[name] = score.expand(models, *score.shape)
        return found


def ask(
    trained: Sequence[Trained],
    images: LabelledImages,
    validation_labels: Tensor,
    views: Views,
    *,
    device: torch.device | str = "cpu",
) -> Doubts:
    """Ask models about images, whose labels are not looked at; thresholds are from validation."""
    logits, thresholds, mixtures = [], [], []
    for model in trained:
        if not isinstance(model.head, MixtureDensityHead):
            raise ValueError(f"trained: expected models with a mixture head, got {type(model.head).__name__}")
        features, _ = predict(model.encoder, plain_loader(images, views, device=device), device=device)
        with torch.no_grad():
            logits.append(model.classifier.cpu()(features))
            mixtures.append(evaluate.mixture_uncertainty(model.head.cpu()(features).mixture))
        known = {"validation_scores": model.validation_scores, "validation_labels": validation_labels}
        thresholds.append(evaluate.thresholds_from_validation(**known))
    mixture = {name: torch.stack([scores[name] for scores in mixtures], dim=1) for name in mixtures[0]}
    return Doubts(torch.stack(logits), torch.stack(thresholds), mixture)
