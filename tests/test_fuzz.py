"""Every public callable of the package with wrong and odd arguments: an answer, or an error that names one.

From one valid call of each, every argument is replaced by what people pass by mistake, and seeded pairs of
arguments at once. A call returns what is finite, with finite gradients, or it raises an error of ``CLEAR``
that begins with the name of an argument. What is of a wrong type, or NaN, must be refused.
"""

from __future__ import annotations

import faulthandler
import inspect
import math
import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from probmcl import data, evaluate, loss, model, train

CLEAR = (ValueError, TypeError, NotImplementedError, FileNotFoundError)
HUGE = 10**20
PAIRS = 12
"""How many pairs of arguments are replaced at once, of each callable."""


class Call(NamedTuple):
    """A valid call: what is called, and arguments for it. What is not given keeps its default."""

    function: Callable[..., object]
    arguments: Mapping[str, Any]
    then: Callable[[Any], object] = lambda made: made
    """What is done with the result, such as calling the module that was made on what may not fit to it."""


def call(function: Callable[..., object], **arguments: Any) -> Call:
    return Call(function, arguments)


def use(function: Callable[..., object], then: Callable[[Any], object], **arguments: Any) -> Call:
    return Call(function, arguments, then)


LABELS = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 0], [1, 0, 0]])
SCORES = torch.linspace(-2, 2, 16).view(4, 4)
POINTS = torch.linspace(-1, 1, 8).view(4, 2)
MIXTURE = model.GaussianMixture(
    torch.full((4, 3), 1 / 3).log(), torch.linspace(-1, 1, 24).view(4, 3, 2), torch.full((4, 3), 0.5)
)
OUTPUT = model.HeadOutput(POINTS, MIXTURE, SCORES[:, :3])


def calls_of_model() -> dict[str, Call]:
    """Valid calls of the room ``model``."""
    images, features = torch.rand(2, 1, 8, 8), torch.randn(4, 6)
    small = model.SmallCNN(1, (2, 3))
    head = model.MixtureDensityHead(6, 3, trunk=(5, 2), weights="sigmoid")
    decoder = {"in_dim": 3, "classes": 3, "width": 4, "heads": 2, "hidden": 4, "dropout": 0.1}
    return {
        "Encoder": use(model.Encoder, lambda made: made(images), network=nn.Flatten(), feature_dim=64),
        "FeatureMLP": use(
            model.FeatureMLP, lambda made: made(features[..., None, None]), features=6, hidden=4
        ),
        "FeatureMap": use(model.FeatureMap, lambda made: made(images), encoder=small),
        "FeatureMap()": call(model.FeatureMap(small).forward, images=images),
        "GaussianMixture": use(
            model.GaussianMixture,
            lambda made: made.log_prob(POINTS),
            log_weights=MIXTURE.log_weights,
            means=MIXTURE.means,
            sigmas=MIXTURE.sigmas,
        ),
        "GaussianMixture.cat": call(model.GaussianMixture.cat, mixtures=[MIXTURE, MIXTURE]),
        "GaussianMixture.log_prob": call(MIXTURE.log_prob, z=POINTS),
        "GaussianMixture.sample": call(MIXTURE.sample, n=2, generator=torch.Generator()),
        "HeadOutput": use(
            model.HeadOutput,
            loss.collapse_diagnostics,
            embedding=POINTS,
            mixture=MIXTURE,
            logits=SCORES[:, :3],
            sigma_floor=0.05,
        ),
        "LabelGraphHead": use(
            model.LabelGraphHead, lambda made: made(features), in_dim=6, labels=LABELS, hidden=4
        ),
        "LabelGraphHead()": call(model.LabelGraphHead(6, LABELS, hidden=4).forward, features=features),
        "MLDecoderHead": use(model.MLDecoderHead, lambda made: made(torch.rand(2, 3, 2, 2)), **decoder),
        "MLDecoderHead()": call(model.MLDecoderHead(**decoder).forward, maps=torch.rand(2, 3, 2, 2)),
        "MixtureClassifier": use(model.MixtureClassifier, lambda made: made(features), head=head),
        "MixtureClassifier()": call(model.MixtureClassifier(head).forward, features=features),
        "MixtureDensityHead": use(
            model.MixtureDensityHead, lambda made: made(features), in_dim=6, components=3, trunk=(5, 2)
        ),
        "MixtureDensityHead()": call(head.forward, features=features),
        "ProjectionHead": use(model.ProjectionHead, lambda made: made(features), in_dim=6, widths=(5, 2)),
        "ProjectionHead()": call(model.ProjectionHead(6, (5, 2)).forward, features=features),
        "SmallCNN": use(model.SmallCNN, lambda made: made(images), in_channels=1, widths=(2, 3)),
        "SmallCNN()": call(small.forward, images=images),
        "build_encoder": call(model.build_encoder, name="small-cnn", in_channels=1),
        "check_weights": call(model.check_weights, name="torchvision/resnet18", weights="DEFAULT"),
        "label_correlation": call(model.label_correlation, labels=LABELS),
        "published_weights": call(model.published_weights, name="torchvision/resnet18"),
    }


def calls_of_loss() -> dict[str, Call]:
    """Valid calls of the room ``loss``."""
    pair = {"a": MIXTURE, "b": MIXTURE[:3]}
    rows = {"output": OUTPUT, "labels": LABELS[:2], "anchors": torch.tensor([0, 3])}
    calls = {
        "AsymmetricLoss": use(loss.AsymmetricLoss, lambda made: made(SCORES[:, :3], LABELS)),
        "AsymmetricLoss()": call(loss.AsymmetricLoss().forward, logits=SCORES[:, :3], labels=LABELS),
        "ContrastiveCriterion": call(loss.SupConLoss().in_parts, **rows),
        "CrossBatchQueue": call(loss.CrossBatchQueue, rows=3, names=["embedding"]),
        "CrossBatchQueue.add": call(
            lambda **rows: loss.CrossBatchQueue(3, ["embedding"]).add(**rows), labels=LABELS, embedding=POINTS
        ),
        "KMCLLoss": use(loss.KMCLLoss, lambda made: made(OUTPUT, LABELS[:2])),
        "KMCLLoss()": call(loss.KMCLLoss().forward, output=OUTPUT, labels=LABELS[:2]),
        "LabelSets": call(partial(loss.LabelSets.of, "labels"), labels=LABELS),
        "PositiveRule": call(loss.PositiveRule),
        "ProbMCLLoss.in_parts": call(loss.ProbMCLLoss().in_parts, **rows),
        "ProbMCLLoss, mixtures": call(loss.ProbMCLLoss().forward, output=MIXTURE, labels=LABELS[:2]),
        "SupConLoss, embeddings": call(loss.SupConLoss().forward, output=POINTS, labels=LABELS[:2]),
        "asymmetric_loss": call(loss.asymmetric_loss, logits=SCORES[:, :3], labels=LABELS),
        "collapse_diagnostics": call(loss.collapse_diagnostics, output=OUTPUT),
        "contrastive_loss": call(loss.contrastive_loss, logits=SCORES, weights=torch.ones(4, 4)),
        "cosine_similarity": call(loss.cosine_similarity, a=POINTS, b=POINTS[:3]),
        "effective_rank": call(loss.effective_rank, embedding=POINTS),
        "kmcl_contrastive_loss": call(loss.kmcl_contrastive_loss, mixture=MIXTURE, labels=LABELS),
        "kmcl_reconstruction_loss": call(
            loss.kmcl_reconstruction_loss, mixture=MIXTURE, z=POINTS, labels=LABELS
        ),
        "mixture_nll": call(loss.mixture_nll, mixture=MIXTURE, target=POINTS),
        "mulsupcon_loss": call(loss.mulsupcon_loss, logits=SCORES, labels=LABELS),
        "overlap": call(loss.overlap, labels=LABELS, other=LABELS[:2]),
        "overlaps_enough": call(loss.overlaps_enough, labels=LABELS, other=LABELS[:2]),
        "positive_set": call(loss.positive_set, labels=LABELS, image_ids=torch.arange(4)),
        "positive_statistics": call(loss.positive_statistics, labels=LABELS, thresholds=[0.5, 1.0]),
        "positive_weights": call(loss.positive_weights, labels=LABELS, image_ids=torch.arange(4)),
        "similarity_scores": call(loss.similarity_scores, name="bhattacharyya", **pair),
        "two_view_labels": call(loss.two_view_labels, labels=LABELS),
        "view_targets": call(loss.view_targets, embedding=POINTS),
    }
    for name in (
        "log_bhattacharyya",
        "log_expected_likelihood_kernel",
        "log_expected_likelihood",
        "mean_cosine",
    ):
        calls[name] = call(getattr(loss, name), **pair)
    for criterion in (loss.ProbMCLLoss, loss.SupConLoss, loss.MulSupConLoss):
        calls[criterion.__name__] = use(criterion, lambda made: made(OUTPUT, LABELS[:2]))
        calls[f"{criterion.__name__}()"] = call(criterion().forward, **rows)
    return calls


def calls_of_evaluate() -> dict[str, Call]:
    """Valid calls of the room ``evaluate``."""
    scored = {"scores": SCORES[:, :3], "labels": LABELS}
    again = {"metric": evaluate.mean_auroc, **scored, "resamples": 3, "seed": 0}
    validation = {"validation_scores": SCORES[:, :3], "validation_labels": LABELS}
    alike = -torch.cdist(torch.randn(5, 2), torch.randn(5, 2))
    alike = alike + alike.T
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    calls = {name: call(getattr(evaluate, name), **scored) for name in ("average_precision", "auroc")}
    calls |= {
        name: call(getattr(evaluate, name), **scored) for name in ("mean_auroc", "mean_average_precision")
    }
    return calls | {
        "area_under_risk_coverage": call(evaluate.area_under_risk_coverage, doubt=POINTS, losses=POINTS),
        "best_area": call(evaluate.best_area, losses=POINTS),
        "bootstrap_interval": call(evaluate.bootstrap_interval, **again),
        "bootstrap_values": call(evaluate.bootstrap_values, **again),
        "co_occurrence_similarity": call(evaluate.co_occurrence_similarity, graph=torch.eye(3) * 0.5),
        "ensemble_uncertainty": call(evaluate.ensemble_uncertainty, logits=SCORES.view(2, 4, 2)),
        "global_threshold_from_validation": call(evaluate.global_threshold_from_validation, **validation),
        "grad_cam": call(evaluate.grad_cam, model=network, images=torch.rand(2, 1, 8, 8), label=1),
        "label_entropy": call(evaluate.label_entropy, logits=SCORES),
        "label_tree": call(evaluate.label_tree, similarity=alike),
        "mantel_test": call(evaluate.mantel_test, similarity=alike, other=-alike, permutations=9, seed=0),
        "mixture_uncertainty": call(evaluate.mixture_uncertainty, mixture=MIXTURE),
        "multilabel_metrics": call(evaluate.multilabel_metrics, **scored, thresholds=0.5, top_k=2),
        "multiply_adds": call(evaluate.multiply_adds, module=network, example=torch.rand(2, 1, 8, 8)),
        "paired_bootstrap_difference": call(
            evaluate.paired_bootstrap_difference, **again, other_scores=SCORES[:, 1:]
        ),
        "parameter_count": call(evaluate.parameter_count, module=network),
        "percentile_interval": call(evaluate.percentile_interval, value=0.5, resampled=SCORES[0], level=0.9),
        "rank_correlation": call(evaluate.rank_correlation, similarity=alike, other=-alike),
        "ridge_probe": call(
            evaluate.ridge_probe, train_features=SCORES, train_labels=LABELS, features=SCORES[:2], alpha=1.0
        ),
        "risk_coverage": call(evaluate.risk_coverage, doubt=SCORES[0], losses=SCORES[1]),
        "scored_classes": call(evaluate.scored_classes, labels=LABELS),
        "seed_interval": call(evaluate.seed_interval, values=[0.5, 0.7], level=0.95),
        "shifted_against_clean": call(evaluate.shifted_against_clean, clean=SCORES, shifted=SCORES[:2]),
        "thresholds_from_validation": call(evaluate.thresholds_from_validation, **validation),
        "weight_similarity": call(evaluate.weight_similarity, weight=SCORES),
        "wrong_labels": call(evaluate.wrong_labels, **scored, thresholds=torch.tensor([0.1, 0.2, 0.3])),
    }


def calls_of_data() -> dict[str, Call]:
    """Valid calls of the room ``data`` that open no file and no connection."""
    pixels = torch.randint(256, (4, 1, 8, 8), dtype=torch.uint8)
    photos, names = torch.zeros(2, 3, 9, 8, dtype=torch.uint8), ["a", "b", "c"]
    images = data.LabelledImages(pixels, LABELS, names)
    scenes = {"size": 2, "seed": 1, "difficulty": "easy", "image_size": 8}
    digits = {"split": "test", **scenes, "themes": ["odd"], "most": 3}
    labelled = {"labels": LABELS, "classes": names}
    loading = {"dataset": images, "view": data.plain_view(), "batch_size": 2}
    views = torch.zeros(2, 3, 5, dtype=torch.float16)
    calls = {
        "Difficulty": use(data.Difficulty, lambda made: data.digit_scenes("test", 2, difficulty=made)),
        "LabelledFeatures": call(data.LabelledFeatures, images=torch.zeros(4, 3, 2).half(), **labelled),
        "LabelledImages": call(data.LabelledImages, images=pixels, **labelled),
        "LabelledImages.subset": call(images.subset, indices=[0, 1]),
        "LabelledVectors": call(data.LabelledVectors, images=POINTS, **labelled),
        "PerImage": use(data.PerImage, lambda made: made(photos), transform=data.photo_view(8)),
        "Share": call(data.Share),
        "TwoViews": use(data.TwoViews, lambda made: made(pixels), augment=data.plain_view()),
        "check_patients": call(data.check_patients, patients=names, tests=torch.tensor([1, 0, 1])),
        "checksum": call(lambda tensors: data.checksum(tensors), tensors=pixels),
        "co_occurrence": call(data.co_occurrence, themes=["odd"], most=3),
        "corrupt": call(data.corrupt, images=pixels, name="noise", strength=2, seed=1),
        "digit_boxes": call(data.digit_boxes, **digits),
        "digit_scenes": call(data.digit_scenes, **digits),
        "handwriting_indices": call(data.handwriting_indices, split="test"),
        "held_out": call(data.held_out, groups=["a", "b", "c", "d"], share=0.4, seed=1),
        "label_distribution": call(data.label_distribution, themes=["odd"], most=3),
        "label_sets": call(data.label_sets),
        "label_statistics": call(data.label_statistics, **labelled),
        "letter_images": call(data.letter_images, **scenes),
        "make_loader": use(data.make_loader, list, **loading, seed=1, device="cpu"),
        "make_loader, skip": call(data.make_loader(**loading).skip, batches=1),
        "photo_augmentation": use(data.photo_augmentation, lambda made: made(photos), size=8),
        "photo_view": use(data.photo_view, lambda made: made(photos), size=8),
        "plain_feature": call(data.plain_feature, stored=views),
        "plain_view": call(data.plain_view),
        "scene_augmentation": call(data.scene_augmentation),
        "squish": use(data.squish, lambda made: made(photos), size=8),
        "suggested_workers": call(data.suggested_workers, dataset=images, device="cpu"),
        "symbol_scenes": call(data.symbol_scenes, **scenes, themes=["odd"]),
        "two_features": call(data.two_features, stored=views),
        "two_photo_views": use(data.two_photo_views, lambda made: made(photos), size=8),
    }
    nowhere, folder = Path("no/such/folder/table.csv"), {"root": Path("no/such/folder")}
    return calls | {
        "ImageFolderLabels": call(data.ImageFolderLabels, **folder, table=nowhere),
        "ImagesOnDisk": call(data.ImagesOnDisk, paths=[nowhere, nowhere.parent], **labelled),
        "chestmnist": call(data.chestmnist, **folder, part="test"),
        "chestxray14_parts": call(data.chestxray14_parts, **folder, split="official"),
        "coco_images": call(data.coco_images, **folder, part="val2014"),
        "coco_parts": call(data.coco_parts, **folder),
        "load_features": call(data.load_features, path=nowhere),
        "load_npz": call(data.load_npz, path=nowhere),
        "read_chest_table": call(data.read_chest_table, path=nowhere),
        "read_instances": call(data.read_instances, path=nowhere),
    }


def calls_of_train() -> dict[str, Call]:
    """Valid calls of the room ``train`` that write no file: a step or two of small trainings."""
    settings = train.TrainingSettings(epochs=1, batch_size=4, learning_rate=0.1)
    vectors = data.LabelledVectors(POINTS, LABELS, ["a", "b", "c"])
    batches, nowhere = [((POINTS, POINTS), LABELS.float())], Path("no/such/folder/last.pt")
    criterion = loss.SupConLoss()
    layer, head = nn.Linear(2, 3), model.ProjectionHead(3, (4, 2))
    named = {"settings": settings, "seed": 0, "device": "cpu", "watch": lambda module: 0.5}
    views = {"plain_view": nn.Identity(), "plain_batch": 2, "metric": evaluate.mean_average_precision}
    parts = {"train": vectors, "validation": vectors}
    step = lambda module, batch: loss.LossParts(module(batch[0][0]).square().mean(), {})  # noqa: E731
    probed = {"criterion": loss.AsymmetricLoss(), "settings": settings, "seed": 0, "device": "cpu"}
    return {
        "AcrossRanks": use(train.AcrossRanks, lambda made: made(OUTPUT, LABELS[:2]), criterion=criterion),
        "AcrossRanks()": call(train.AcrossRanks(criterion).forward, output=OUTPUT, labels=LABELS[:2]),
        "TrainingSettings": call(train.TrainingSettings, **vars(settings) | {"ema_decay": 0.9}),
        "check_same_run": call(partial(train.check_same_run, nowhere), saved={"a": 1}, now={"a": 1}),
        "contrastive_stage": call(
            train.contrastive_stage,
            **{
                "encoder": layer,
                "head": head,
                "loader": batches,
                "criterion": criterion,
                "chunk": 3,
                **named,
            },
        ),
        "device_loader": use(
            train.device_loader, list, dataset=vectors, view=nn.Identity(), batch_size=2, device="cpu", seed=1
        ),
        "end_to_end": call(
            train.end_to_end,
            **{"classifier": layer, "loader": batches, "criterion": loss.AsymmetricLoss(), **named},
        ),
        "fit": call(
            train.fit,
            model=layer,
            loader=batches,
            step=step,
            criterion=criterion,
            identity={"of": "x"},
            **named,
            checkpoint_steps=1,
        ),
        "gather_rows": call(train.gather_rows, tensors=[POINTS, LABELS]),
        "is_first": call(train.is_first),
        "latest_checkpoint": call(
            lambda path: train.latest_checkpoint(path) or train.load_checkpoint(path), path=nowhere
        ),
        "linear_probe": call(
            train.linear_probe, features=POINTS, labels=LABELS, **probed, watch=named["watch"]
        ),
        "load_checkpoint": call(train.load_checkpoint, path=nowhere),
        "parameter_groups": call(train.parameter_groups, model=layer, weight_decay=0.1),
        "predict": call(train.predict, model=layer, loader=[(POINTS, LABELS)], device="cpu"),
        "probe_encoder": call(train.probe_encoder, encoder=layer, **parts, **views, **probed),
        "process_group": call(lambda device: train.process_group(device).__enter__(), device="cpu"),
        "seeded": use(train.seeded, lambda made: made.__enter__(), seed=1),
        "this_share": call(train.this_share),
        "two_stages": call(
            train.two_stages,
            **{
                "encoder": layer,
                "head": head,
                **parts,
                "criterion": criterion,
                "settings": settings,
                "probe": settings,
            },
            **{"two_views": data.TwoViews(nn.Identity()), **views, "seed": 0, "chunk": 3, "device": "cpu"},
        ),
    }


ROOMS: dict[str, Callable[[], dict[str, Call]]] = {
    "data": calls_of_data,
    "model": calls_of_model,
    "loss": calls_of_loss,
    "evaluate": calls_of_evaluate,
    "train": calls_of_train,
}
"""The rooms whose public callables are all called."""

UNDEFINED = (
    "digit_boxes",
    *("average_precision", "auroc", "mean_average_precision", "mean_auroc", "multilabel_metrics"),
    *("bootstrap_interval", "bootstrap_values", "paired_bootstrap_difference", "percentile_interval"),
    *("co_occurrence_similarity", "global_threshold_from_validation", "thresholds_from_validation"),
)
"""What says in its docstring where it is NaN: a class without positives, a label that never occurs."""

NOT_CALLED = {
    "model": (),
    "loss": ("LossParts", "NoPositivesWarning", "PositiveStatistics"),  # what is returned and warned of
    "data": (
        *("Category", "ChestTable", "CocoLabels", "Corruption", "DownloadRefusedError", "LabelStatistics"),
        *("LabelledDataset", "Parts", "RemoteFile", "SharedBatches", "Source", "Theme", "ViewLoader"),
        *("download", "fetch", "prepare_images", "save_npz", "unpack"),  # write files, fetch from far
    ),
    "train": (
        *("Criterion", "EpochLog", "History", "Options", "TwoStages", "Watch"),  # types, and what is returned
        *("broadcast", "save_checkpoint"),  # any number of modules; writes a file
    ),
    "evaluate": (
        *("Decisions", "Interval", "LabelTree", "MantelTest", "MultiLabelMetrics", "RiskCoverage", "Metric"),
    ),
}
"""Public classes that nobody makes."""


class Odd(NamedTuple):
    """An argument that is not the valid one."""

    value: Any
    refused: bool = False
    """Whether it must not be accepted."""


def wrong(*values: Any) -> Iterator[Odd]:
    return (Odd(value, refused=True) for value in values)


def odd(*values: Any) -> Iterator[Odd]:
    return (Odd(value) for value in values)


def odd_values(valid: object, optional: bool) -> Iterator[Odd]:
    """What people pass by mistake, or legitimately but rarely, where an argument is ``valid``."""
    yield Odd(None, refused=not optional)
    yield from wrong(object())
    if isinstance(valid, bool):
        yield from wrong("nonsense", "", 2, 0.5, math.nan, [True], torch.ones(2))
        yield from odd(not valid, np.bool_(valid))
    elif isinstance(valid, int):
        yield from wrong("3", 1.5, math.nan, math.inf, True, [valid], torch.ones(2), HUGE, -HUGE)
        yield from odd(0, -1, 1, np.int64(valid), torch.tensor(valid))
    elif isinstance(valid, float):
        yield from wrong("0.5", math.nan, True, [valid], torch.ones(2), 1j)
        yield from odd(0, 1, -1.0, math.inf, -math.inf, 1e-30, 1e30, 1e300, HUGE, np.float32(valid))
    elif isinstance(valid, str):
        yield from wrong("nonsense", "", 3, True, math.nan, [valid], valid.encode())
    elif isinstance(valid, Tensor):
        yield from odd_tensors(valid)
    elif isinstance(valid, model.GaussianMixture):
        yield from odd_mixtures(valid)
    elif isinstance(valid, model.HeadOutput):
        yield from odd_outputs(valid)
    elif isinstance(valid, Sequence):
        kind: Callable[..., Any] = type(valid)
        yield from wrong(3, [[]], [None], [object()], kind([*valid, "?"]) if valid[0] != str(valid[0]) else 1)
        yield from odd([], kind([valid[0]]), kind([*valid, valid[0]]), iter(valid))
    else:
        yield from wrong("nonsense", 3, True, math.nan, [])


def odd_tensors(valid: Tensor) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, math.nan, valid.tolist(), valid.numpy(), valid.to_sparse())
    yield from odd(
        valid[:0], valid[:1], valid[:-1], torch.cat([valid, valid]), valid.unsqueeze(0), valid.sum()
    )
    yield from odd(
        valid[..., :0], valid[..., :-1], valid * 0, -valid, valid * 10**6, valid.long(), valid.bool()
    )
    yield from odd(valid.double(), valid.half(), valid.bfloat16(), valid.to(torch.complex64), valid.int())
    yield from odd(valid.flip(0), valid.mT if valid.dim() > 1 else valid, valid.double() * 1e300, valid + 0.5)
    yield from odd(*(valid.float() * scale for scale in (1e-30, 1e4, 1e20, 1e38)), valid.half() * 6e4)
    if valid.is_floating_point():
        for bad in (math.nan, math.inf, -math.inf):
            broken = valid.clone()
            broken.view(-1)[-1] = bad
            yield Odd(broken)


def odd_mixtures(valid: model.GaussianMixture) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, valid.means)
    yield from odd(valid[:1], valid[:-1], valid.to(torch.float64), valid.to(torch.float16))
    yield from odd(replace(valid, sigmas=valid.scale.expand_as(valid.means)))
    yield from odd(model.GaussianMixture(*(part[:, :2] for part in vars(valid).values())))
    yield from odd(replace(valid, means=valid.means[..., :1]))
    yield from wrong(*(replace(valid, sigmas=valid.sigmas * scale) for scale in (0, -1, 1e-30, 1e20)))
    yield from odd(replace(valid, sigmas=valid.sigmas * 1e-3), replace(valid, sigmas=valid.sigmas * 1e3))
    yield from odd(*(replace(valid, means=valid.means * scale) for scale in (0, 1e4, 1e20, 1e38)))
    yield from odd(*(replace(valid, log_weights=valid.log_weights * scale) for scale in (0, 1e4, 1e30)))
    for bad, field in product((math.nan, math.inf), ("log_weights", "means", "sigmas")):
        broken = getattr(valid, field).clone()
        broken[0, 0] = bad
        yield from wrong(replace(valid, **{field: broken}))


def odd_outputs(valid: model.HeadOutput) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, [valid.embedding])
    yield from odd(valid.embedding, valid.mixture, replace(valid, mixture=None), replace(valid, logits=None))
    for name in ("embedding", "mixture", "logits"):
        for part in odd_values(getattr(valid, name), optional=True):
            try:
                yield Odd(replace(valid, **{name: part.value}))
            except CLEAR:  # such a head cannot be: its output is tried as a callable of its own
                continue


def numbers(value: object) -> Iterator[Tensor]:
    """The floating-point numbers in a result, as tensors."""
    if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
        yield value
    elif isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    ):
        yield torch.as_tensor(value, dtype=torch.float64)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from numbers(part)


def with_gradients(value: Any) -> Any:
    """A copy of an argument whose floating-point tensors want a gradient."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.is_floating_point())
    if isinstance(value, model.GaussianMixture | model.HeadOutput):
        return replace(
            value, **{field.name: with_gradients(getattr(value, field.name)) for field in fields(value)}
        )
    return value


def fault(valid: Call, changed: Mapping[str, Odd]) -> str | None:
    """What is wrong with the outcome of a call of which some arguments are changed."""
    arguments = {**valid.arguments, **{name: each.value for name, each in changed.items()}}
    arguments = {name: with_gradients(value) for name, value in arguments.items()}
    named = "|".join({*inspect.signature(valid.function).parameters, *arguments})
    try:
        made = valid.function(**arguments)
        named = r"\w+"  # what is then done with the result has arguments of its own
        found = list(numbers(valid.then(made)))
        moving = [each.sum() for each in found if each.requires_grad]
        if moving:
            torch.autograd.backward(moving)
    except CLEAR as error:
        paths = [str(value) for value in arguments.values() if isinstance(value, str | Path) and str(value)]
        clear = re.match(rf"({named})[:.\[]", str(error)) or any(path in str(error) for path in paths)
        return None if clear else repr(error)
    except Exception as error:  # every other class is what is looked for
        return repr(error)
    undefined = getattr(valid.function, "__name__", "") in UNDEFINED
    if any(each.refused and not (undefined and each.value is math.nan) for each in changed.values()):
        return "accepted"
    if undefined:
        return None
    # In float16 only the gradient of logits, at most one, is sure to have a place.
    leaves = [
        leaf.grad
        for name, value in arguments.items()
        for leaf in numbers(value)
        if leaf.is_leaf and leaf.grad is not None and (name == "logits" or leaf.dtype != torch.float16)
    ]
    given = all(part.isfinite().all() for each in changed.values() for part in numbers(each.value))
    for kind, values in (("result", found), ("gradient", leaves)):
        if given and not all(each.isfinite().all() for each in values):
            return f"a {kind} that is NaN or infinite"
    return None


def described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {tuple(value.shape)} ... {value.flatten()[-1:].tolist()}"
    if isinstance(value, model.GaussianMixture | model.HeadOutput):
        parts = (f"{name}={described(part)}" for name, part in vars(value).items())
        return f"{type(value).__name__}({', '.join(parts)})"
    return " ".join(repr(value).split())[:200]


def faults(valid: Call) -> Iterator[str]:
    """All faults of one callable: every argument by itself, and pairs of them."""
    parameters = inspect.signature(valid.function).parameters
    given = {
        name: valid.arguments.get(name, parameter.default)
        for name, parameter in parameters.items()
        if name in valid.arguments or parameter.default not in (None, inspect.Parameter.empty)
    } | dict(valid.arguments)
    odds = {
        name: list(odd_values(value, name in parameters and parameters[name].default is None))
        for name, value in given.items()
    }
    trials: list[dict[str, Odd]] = [{}, *({name: each} for name, all_odd in odds.items() for each in all_odd)]
    chosen = random.Random(0)
    if len(odds) > 1:
        for _ in range(PAIRS):
            trials.append({name: chosen.choice(odds[name]) for name in chosen.sample(sorted(odds), 2)})
    for changed in trials:
        if found := fault(valid, changed):
            what = ", ".join(f"{name}={described(each.value)}" for name, each in changed.items())
            yield f"({what}): {found}"


@pytest.fixture
def ended() -> Iterator[None]:
    """End the process with a traceback if a call never returns."""
    faulthandler.dump_traceback_later(300, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_callable_has_a_valid_call(room: str) -> None:
    offered = import_module(f"probmcl.{room}")
    called = {name.split(",")[0].split(".")[0].removesuffix("()") for name in ROOMS[room]()}
    public = {name for name in offered.__all__ if callable(getattr(offered, name))}
    assert called == public - {*NOT_CALLED[room]}


@pytest.mark.parametrize(
    ("room", "name"), [(room, name) for room, calls in ROOMS.items() for name in calls()]
)
def test_odd_arguments_are_answered_or_named(room: str, name: str, ended: None) -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", loss.NoPositivesWarning)
        warnings.filterwarnings("ignore", "'pin_memory' argument")
        found = list(faults(ROOMS[room]()[name]))
    assert not found, "\n".join([f"{len(found)} faults", *found])
