"""A finished run, in memory and on the disk: its scores, its classifier, and all that was measured."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from probmcl.evaluate import Interval, multilabel_metrics
from probmcl.model import build_encoder
from probmcl.train import History, predict, seeded
from probmcl_book.records.provenance import Code, Hardware
from probmcl_book.records.record import DataIdentity, Row
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.parts import contrastive_parts, final_classifier, logits_model
from probmcl_book.replicate.recipe import LettersStart, Recipe
from probmcl_book.replicate.splits import Images
from probmcl_book.replicate.tensor_file import write_tensors
from probmcl_book.replicate.views import plain_loader


@dataclass(frozen=True, eq=False)
class Finished:
    """What is kept of a run.

    The recipe has one method, or none for the linear probe of the start. Of ``data``, runs that older studies
    wrote know the checksum alone, and of ``classes``, the K labels in the order of the scores, none. Scores
    are logits, float32 ``(N, K)``; a run of a ``tuning`` has those of validation in place of the test's. A
    label is predicted where its logit reaches its threshold, ``(K,)``, which validation chose. ``code`` and
    ``hardware`` are those with which it began, and ``seconds`` of the whole run, with scoring and measures.
    ``trained`` is None where only the numbers were kept.
    """

    recipe: Recipe
    seed: int
    data: DataIdentity
    classes: tuple[str, ...]
    tuning: bool
    row: Row
    validation_scores: Tensor
    test_scores: Tensor
    thresholds: Tensor
    classifier: Mapping[str, Tensor]
    code: Code
    hardware: Hardware
    seconds: float
    trained: Trained | None = None

    @property
    def key(self) -> str:
        """The run's identity, see :func:`run_key`."""
        return run_key(self.recipe, self.seed, self.data.checksum, tuning=self.tuning)

    @property
    def weight(self) -> Tensor:
        """Weights of the linear classifier, ``(K, F)``; empty where the classifier is no linear layer."""
        return self.classifier["weight"] if set(self.classifier) == {"weight", "bias"} else torch.zeros(0)

    def whole(self) -> Trained:
        """Encoder, classifier and head."""
        if self.trained is None:
            raise ValueError(
                f"run: expected one with its encoder, got the numbers of {self.row.method} alone"
            )
        return self.trained

    def scores(self, images: Images, *, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Logits ``(N, K)`` of images, seen as in the recipe, and their labels."""
        if images.classes != self.classes:
            raise ValueError(f"images: expected the classes {', '.join(self.classes[:3])} ..., got others")
        trained, loader = self.whole(), plain_loader(images, self.recipe.views, device=device)
        return predict(logits_model(trained.encoder, trained.classifier), loader, device=device)

    def evaluate(self, images: Images, *, device: torch.device | str = "cpu") -> dict[str, float]:
        """Measure again: mAP, AUROC, CF1 and OF1 of images, in [0, 1], at the thresholds of validation."""
        scores, labels = self.scores(images, device=device)
        found = multilabel_metrics(scores, labels, thresholds=self.thresholds).summary()
        return {name: found[name] for name in ("mAP", "AUROC", "CF1", "OF1")}


_PLAIN = ("seed", "classes", "tuning", "seconds")
_RECORDS = {"data": DataIdentity, "code": Code, "hardware": Hardware}
_SCORES = ("validation_scores", "test_scores", "thresholds")


def run_key(recipe: Recipe, seed: int, data: str, *, tuning: bool = False) -> str:
    """A digest of everything that decides a run's numbers: recipe, seed and images, but no prose.

    Two studies that hold the same run in different words give it the same key, so it is run once.

    ``data`` is the checksum of the images. A run of a tuning does not score test images.

    >>> from dataclasses import replace
    >>> from probmcl_book.replicate import digits_recipe
    >>> recipe = digits_recipe()
    >>> key = run_key(recipe, 0, "md5:0")
    >>> key == run_key(replace(recipe, name="renamed"), 0, "md5:0"), key == run_key(recipe, 1, "md5:0")
    (True, False)
    """
    run = {"seed": seed, "checksum": data, "tuning": tuning}
    return digest({**recipe.identity(), **run, "name": ""})  # the empty name stood in the first keys


def digest(identity: Mapping[str, Any]) -> str:
    """A short digest of plain values, for the name of a file."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def key_of(about: Mapping[str, Any]) -> str | None:
    """The key of the run that a file says it holds; None if this code knows no such run."""
    try:
        data = about["data"] if isinstance(about["data"], str) else about["data"]["checksum"]
        return run_key(Recipe.from_dict(about["recipe"]), about["seed"], data, tuning=about["tuning"])
    except (KeyError, TypeError, ValueError):
        return None


def write_finished(run: Finished, path: Path) -> None:
    """Write a run to one file, all of it or nothing; what it holds of ``trained`` goes with it."""
    about = {name: getattr(run, name) for name in _PLAIN}
    about |= {name: asdict(getattr(run, name)) for name in ("row", *_RECORDS)}
    tensors = {name: getattr(run, name) for name in _SCORES}
    tensors |= {f"classifier.{name}": value for name, value in run.classifier.items()}
    history = None
    if run.trained is not None:
        history = run.trained.history and run.trained.history.state()
        for part in ("encoder", "head"):
            module = getattr(run.trained, part)
            state = {} if module is None else module.state_dict()
            tensors |= {f"{part}.{name}": value for name, value in state.items()}
    write_tensors(path, {**about, "recipe": run.recipe.to_dict(), "history": history}, tensors)


def restored(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Finished:
    """The run that :func:`write_finished` wrote, from what was read of its file."""
    if isinstance(about["data"], str):  # of an older study
        about = {"classes": (), **about, "data": asdict(DataIdentity("", "", {}, about["data"], "", ""))}
    recipe, classes = Recipe.from_dict(about["recipe"]), tuple(about["classes"])
    metrics = {name: Interval(**found) for name, found in about["row"]["metrics"].items()}
    row = Row(**{**about["row"], "metrics": metrics})
    rest: dict[str, Any] = {name: about[name] for name in _PLAIN} | {"classes": classes}
    rest |= {name: kind(**about[name]) for name, kind in _RECORDS.items()}
    rest |= {name: tensors.get(name, torch.zeros(0)) for name in _SCORES}
    trained = _trained(recipe, row, about, tensors) if _part(tensors, "encoder") else None
    return Finished(recipe=recipe, row=row, classifier=_part(tensors, "classifier"), trained=trained, **rest)


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors of a part, by their names in it."""
    start = f"{part}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _trained(recipe: Recipe, row: Row, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Trained:
    """The networks of a run, in the modes and the layout that training leaves."""
    method = recipe.methods[0] if recipe.methods else None
    scores = tensors["validation_scores"]
    with seeded(0):  # the first weights are written over
        encoder = build_encoder(recipe.encoder, in_channels=recipe.views.channels)
        networks: dict[str, nn.Module] = {"encoder": encoder}
        networks["classifier"] = final_classifier(method, encoder.feature_dim, scores.shape[1])
        if method is not None and _part(tensors, "head"):
            networks["head"] = contrastive_parts(method, encoder.feature_dim, scores.shape[1])[0]
    try:
        for part, network in networks.items():
            network.load_state_dict(_part(tensors, part))
            network.eval()
    except RuntimeError as error:
        raise ValueError(f"run: the weights of {row.method} are of another network ({error})") from None
    if recipe.methods or isinstance(recipe.start, LettersStart):
        encoder.to(memory_format=torch.channels_last)  # as training lays out filters: others round otherwise
    return Trained(
        encoder,
        networks["classifier"],
        scores,
        tensors["test_scores"],
        history=None if about["history"] is None else History.from_state(about["history"]),
        seconds=row.seconds,
        image_views=row.image_views,
        head=networks.get("head"),
    )
