"""A trained method leaves the run: weights, recipe, metrics, label names, and a card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from probmcl import _check
from probmcl._files import whole_file
from probmcl.evaluate import multilabel_metrics, thresholds_from_validation
from probmcl.model import Encoder, build_encoder
from probmcl.train import predict
from probmcl_book.records.record import DataIdentity, Record
from probmcl_book.replicate.checkpoints import slug
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.model_card import model_card
from probmcl_book.replicate.parts import final_classifier, logits_model
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.splits import Images, Splits
from probmcl_book.replicate.views import plain_loader

FORMAT = "probmcl-export-1"
WEIGHTS, RUN, CARD = "model.safetensors", "run.json", "README.md"


@dataclass(frozen=True)
class Exported:
    """A trained method read back by :func:`load_export`.

    Attributes:
        method: its name.
        seed: its seed.
        recipe: the experiment it comes from.
        classes: names of the K labels, in the order of the scores.
        encoder: images to features.
        classifier: features to logits, ``(N, K)``; a :class:`~probmcl.model.MLDecoderHead` takes the
            encoder's map.
        thresholds: chosen on validation, ``(K,)``; a label is predicted where its logit reaches it.
        metrics: what was measured on the test images.
        data: which images these were.
    """

    method: str
    seed: int
    recipe: Recipe
    classes: tuple[str, ...]
    encoder: Encoder
    classifier: nn.Module
    thresholds: Tensor
    metrics: dict[str, float]
    data: DataIdentity

    def scores(self, images: Images, *, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Logits ``(N, K)`` of images, seen as in the recipe, and their labels.

        Raises:
            ValueError: if the images have other classes, or the same in another order.
        """
        if images.classes != self.classes:
            raise ValueError(f"images: expected the classes {', '.join(self.classes[:3])} ..., got others")
        loader = plain_loader(images, self.recipe.views, device=device)
        return predict(logits_model(self.encoder, self.classifier), loader, device=device)

    def evaluate(self, images: Images, *, device: torch.device | str = "cpu") -> dict[str, float]:
        """Measure again: mAP, AUROC, CF1 and OF1 of images, in [0, 1], at the thresholds of validation."""
        scores, labels = self.scores(images, device=device)
        found = multilabel_metrics(scores, labels, thresholds=self.thresholds).summary()
        return {name: found[name] for name in ("mAP", "AUROC", "CF1", "OF1")}


def export_run(
    record: Record, trained: Mapping[str, Sequence[Trained]], splits: Splits, folder: str | Path
) -> list[Path]:
    """Write every trained method and seed into a folder of its own.

    Each folder holds ``model.safetensors`` (encoder, classifier, thresholds), ``run.json`` (recipe, metrics,
    label names, data and code) and ``README.md``, a model card. Files appear whole or not at all; those of an
    earlier export are replaced.

    Args:
        record: the record of the run.
        trained: the trained methods, one a seed, by name.
        splits: the images.
        folder: where the folders ``<method>-seed-<seed>`` go.

    Returns:
        The folders.
    """
    folders = []
    for name, all_seeds in trained.items():
        for seed, one in zip(record.seeds, all_seeds, strict=True):
            target = Path(folder) / f"{slug(name)}-seed-{seed}"
            _write(target, record, name, seed, one, splits)
            folders.append(target)
    return folders


def load_export(folder: str | Path) -> Exported:
    """Read a trained method, ready to score images.

    Args:
        folder: one of the folders that :func:`export_run` wrote.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file is damaged, or of another kind or network.

    Example:
        >>> load_export("no/such/folder")
        Traceback (most recent call last):
        ...
        FileNotFoundError: [Errno 2] No such file or directory: '...run.json'
    """
    folder = Path(folder)
    try:
        run = json.loads((folder / RUN).read_bytes())
        kind = run["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{folder / RUN}: expected the file of an export, got another ({error!r})") from None
    _check.one_of(f"{folder / RUN}: format", kind, (FORMAT,))
    recipe = Recipe.from_dict(run["recipe"])
    encoder = build_encoder(recipe.encoder, in_channels=recipe.views.channels)
    method = next((method for method in recipe.methods if method.name == run["method"]), None)
    classifier = final_classifier(method, encoder.feature_dim, len(run["classes"]))
    try:
        tensors = load((folder / WEIGHTS).read_bytes())
        thresholds = tensors.pop("thresholds")
        nn.ModuleDict({"encoder": encoder, "classifier": classifier}).load_state_dict(tensors)
    except (safetensors.SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(f"{folder / WEIGHTS}: expected the weights of {run['method']}: {error}") from None
    # As after training: filters laid out otherwise would round otherwise.
    encoder.eval().to(memory_format=torch.channels_last)
    return Exported(
        run["method"],
        run["seed"],
        recipe,
        tuple(run["classes"]),
        encoder,
        classifier.eval(),
        thresholds,
        run["metrics"],
        DataIdentity(**run["data"]),
    )


def _write(folder: Path, record: Record, name: str, seed: int, trained: Trained, splits: Splits) -> None:
    (row,) = (row for row in record.rows if (row.method, row.seed) == (name, seed))
    thresholds = thresholds_from_validation(
        validation_scores=trained.validation_scores, validation_labels=splits.validation.labels
    )
    model = nn.ModuleDict({"encoder": trained.encoder, "classifier": trained.classifier})
    tensors = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    run: dict[str, Any] = {
        "format": FORMAT,
        "method": name,
        "seed": seed,
        "classes": list(splits.test.classes),
        "metrics": {key: found.value for key, found in row.metrics.items()},
        "recipe": record.recipe,
        "data": asdict(record.data),
        "code": asdict(record.code),
        "command": record.command,
    }
    for file, content in (
        (WEIGHTS, save({**tensors, "thresholds": thresholds})),
        (RUN, json.dumps(run, indent=2).encode()),
        (CARD, model_card(record, row, splits.test.classes).encode()),
    ):
        with whole_file(folder / file) as opened:
            opened.write(content)
