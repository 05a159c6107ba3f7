"""One valid call of every public callable of the rooms: to be changed, and to be made on another device."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from probmcl import data, evaluate, loss, model, train


class Call(NamedTuple):
    """A valid call: what is called, and arguments for it. What is not given keeps its default."""

    function: Callable[..., object]
    arguments: Mapping[str, Any]
    then: Callable[[Any], object]
    """What is done with the result, such as calling the module that was made on what may not fit to it."""


def call(
    function: Any = None, /, *, then: Callable[[Any], object] = lambda made: made, **arguments: Any
) -> Call:
    """A call of a function, or of that by whose name it stands in its room."""
    return Call(function, arguments, then)


def on(*given: Any) -> Callable[[Any], object]:
    """Call what was made."""
    return lambda made: made(*given)


LABELS = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 0], [1, 0, 0]])
SCORES = torch.linspace(-2, 2, 16).view(4, 4)
POINTS = torch.linspace(-1, 1, 8).view(4, 2)
MIXTURE = model.GaussianMixture(
    torch.full((4, 3), 1 / 3).log(), torch.linspace(-1, 1, 24).view(4, 3, 2), torch.full((4, 3), 0.5)
)
LOGITS = SCORES[:, :3]
OUTPUT = model.HeadOutput(POINTS, MIXTURE, LOGITS)


def of_model() -> dict[str, Call]:
    images, features, maps = torch.rand(2, 1, 8, 8), torch.randn(4, 6), torch.rand(2, 3, 2, 2)
    small = model.SmallCNN(1, (2, 3))
    head = model.MixtureDensityHead(6, 3, trunk=(5, 2), weights="sigmoid")
    decoder = {"in_dim": 3, "classes": 3, "width": 4, "heads": 2, "hidden": 4, "dropout": 0.1}
    pixels = features[..., None, None]
    return {
        "Encoder": call(then=on(images), network=nn.Flatten(), feature_dim=64),
        "FeatureMLP": call(then=on(pixels), features=6, hidden=4),
        "FeatureMap": call(then=on(images), encoder=small),
        "FeatureMap()": call(model.FeatureMap(small).forward, images=images),
        "GaussianMixture": call(then=lambda made: made.log_prob(POINTS), **vars(MIXTURE)),
        "GaussianMixture.cat": call(model.GaussianMixture.cat, mixtures=[MIXTURE, MIXTURE]),
        "GaussianMixture.log_prob": call(MIXTURE.log_prob, z=POINTS),
        "GaussianMixture.sample": call(MIXTURE.sample, n=2, generator=torch.Generator()),
        "HeadOutput": call(then=loss.collapse_diagnostics, **vars(OUTPUT) | {"sigma_floor": 0.05}),
        "LabelGraphHead": call(then=on(features), in_dim=6, labels=LABELS, hidden=4),
        "LabelGraphHead()": call(model.LabelGraphHead(6, LABELS, hidden=4).forward, features=features),
        "MLDecoderHead": call(then=on(maps), **decoder),
        "MLDecoderHead()": call(model.MLDecoderHead(**decoder).eval().forward, maps=maps),
        "MixtureClassifier": call(then=on(features), head=head),
        "MixtureClassifier()": call(model.MixtureClassifier(head).forward, features=features),
        "MixtureDensityHead": call(then=on(features), in_dim=6, components=3, trunk=(5, 2)),
        "MixtureDensityHead()": call(head.forward, features=features),
        "ProjectionHead": call(then=on(features), in_dim=6, widths=(5, 2)),
        "ProjectionHead()": call(model.ProjectionHead(6, (5, 2)).forward, features=features),
        "SmallCNN": call(then=on(images), in_channels=1, widths=(2, 3)),
        "SmallCNN()": call(small.forward, images=images),
        "build_encoder": call(name="small-cnn", in_channels=1),
        "check_weights": call(name="torchvision/resnet18", weights="DEFAULT"),
        "label_correlation": call(labels=LABELS),
        "published_weights": call(name="torchvision/resnet18"),
    }


def of_loss() -> dict[str, Call]:
    pair, marked = {"a": MIXTURE, "b": MIXTURE[:3]}, {"logits": LOGITS, "labels": LABELS}
    rows = {"output": OUTPUT, "labels": LABELS[:2], "anchors": torch.tensor([0, 3])}
    ids = {"labels": LABELS, "image_ids": torch.arange(4)}
    calls = {
        "AsymmetricLoss": call(then=on(LOGITS, LABELS)),
        "AsymmetricLoss()": call(loss.AsymmetricLoss().forward, **marked),
        "ContrastiveCriterion": call(loss.SupConLoss().in_parts, **rows),
        "CrossBatchQueue": call(rows=3, names=["embedding"]),
        "CrossBatchQueue.add": call(
            lambda **rows: loss.CrossBatchQueue(3, ["embedding"]).add(**rows), labels=LABELS, embedding=POINTS
        ),
        "KMCLLoss": call(then=on(OUTPUT, LABELS[:2])),
        "KMCLLoss()": call(loss.KMCLLoss().forward, output=OUTPUT, labels=LABELS[:2]),
        "LabelSets": call(partial(loss.LabelSets.of, "labels"), labels=LABELS),
        "PositiveRule": call(),
        "ProbMCLLoss.in_parts": call(loss.ProbMCLLoss().in_parts, **rows),
        "ProbMCLLoss, mixtures": call(loss.ProbMCLLoss().forward, output=MIXTURE, labels=LABELS[:2]),
        "SupConLoss, embeddings": call(loss.SupConLoss().forward, output=POINTS, labels=LABELS[:2]),
        "asymmetric_loss": call(**marked),
        "collapse_diagnostics": call(output=OUTPUT),
        "contrastive_loss": call(logits=SCORES, weights=torch.ones(4, 4)),
        "cosine_similarity": call(a=POINTS, b=POINTS[:3]),
        "effective_rank": call(embedding=POINTS),
        "kmcl_contrastive_loss": call(mixture=MIXTURE, labels=LABELS),
        "kmcl_reconstruction_loss": call(mixture=MIXTURE, z=POINTS, labels=LABELS),
        "log_bhattacharyya": call(**pair),
        "log_expected_likelihood": call(**pair),
        "log_expected_likelihood_kernel": call(**pair),
        "mean_cosine": call(**pair),
        "mixture_nll": call(mixture=MIXTURE, target=POINTS),
        "mulsupcon_loss": call(logits=SCORES, labels=LABELS),
        "overlap": call(labels=LABELS, other=LABELS[:2]),
        "overlaps_enough": call(labels=LABELS, other=LABELS[:2]),
        "positive_set": call(**ids),
        "positive_statistics": call(labels=LABELS, thresholds=[0.5, 1.0]),
        "positive_weights": call(**ids),
        "similarity_scores": call(name="bhattacharyya", **pair),
        "two_view_labels": call(labels=LABELS),
        "view_targets": call(embedding=POINTS),
    }
    for criterion in (loss.ProbMCLLoss, loss.SupConLoss, loss.MulSupConLoss):
        calls[criterion.__name__] = call(then=on(OUTPUT, LABELS[:2]))
        calls[f"{criterion.__name__}()"] = call(criterion().forward, **rows)
    return calls


def of_evaluate() -> dict[str, Call]:
    scored = {"scores": LOGITS, "labels": LABELS}
    again = {"metric": evaluate.mean_auroc, **scored, "resamples": 3, "seed": 0}
    validation = {"validation_scores": LOGITS, "validation_labels": LABELS}
    alike = -torch.cdist(torch.randn(5, 2), torch.randn(5, 2))
    alike = alike + alike.T
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    images = torch.rand(2, 1, 8, 8)
    ranking = ("average_precision", "auroc", "mean_auroc", "mean_average_precision")
    return {name: call(**scored) for name in ranking} | {
        "area_under_risk_coverage": call(doubt=POINTS, losses=POINTS),
        "best_area": call(losses=POINTS),
        "bootstrap_interval": call(**again),
        "bootstrap_values": call(**again),
        "co_occurrence_similarity": call(graph=torch.eye(3) * 0.5),
        "ensemble_uncertainty": call(logits=SCORES.view(2, 4, 2)),
        "global_threshold_from_validation": call(**validation),
        "grad_cam": call(model=network, images=images, label=1),
        "jackknife_interval": call(metric=evaluate.mean_auroc, **scored, groups=3, seed=0),
        "label_entropy": call(logits=SCORES),
        "label_tree": call(similarity=alike),
        "mantel_test": call(similarity=alike, other=-alike, permutations=9, seed=0),
        "mixture_uncertainty": call(mixture=MIXTURE),
        "multilabel_metrics": call(**scored, thresholds=0.5, top_k=2),
        "multiply_adds": call(module=network, example=images),
        "paired_bootstrap_difference": call(**again, other_scores=SCORES[:, 1:]),
        "parameter_count": call(module=network),
        "percentile_interval": call(value=0.5, resampled=SCORES[0], level=0.9),
        "rank_correlation": call(similarity=alike, other=-alike),
        "ridge_probe": call(train_features=SCORES, train_labels=LABELS, features=SCORES[:2], alpha=1.0),
        "risk_coverage": call(doubt=SCORES[0], losses=SCORES[1]),
        "scored_classes": call(labels=LABELS),
        "seed_interval": call(values=[0.5, 0.7], level=0.95),
        "shifted_against_clean": call(clean=SCORES, shifted=SCORES[:2]),
        "thresholds_from_validation": call(**validation),
        "weight_similarity": call(weight=SCORES),
        "wrong_labels": call(**scored, thresholds=torch.tensor([0.1, 0.2, 0.3])),
    }


def of_data() -> dict[str, Call]:
    """Calls that open no file and no connection."""
    pixels = torch.randint(256, (4, 1, 8, 8), dtype=torch.uint8)
    photos, names = torch.zeros(2, 3, 9, 8, dtype=torch.uint8), ["a", "b", "c"]
    images = data.LabelledImages(pixels, LABELS, names)
    scenes = {"size": 2, "seed": 1, "difficulty": "easy", "image_size": 8}
    digits = {"split": "test", **scenes, "themes": ["odd"], "most": 3}
    labelled = {"labels": LABELS, "classes": names}
    loading = {"dataset": images, "view": data.plain_view(), "batch_size": 2}
    views = torch.zeros(2, 3, 5, dtype=torch.float16)
    nowhere, folder = Path("no/such/folder/table.csv"), {"root": Path("no/such/folder")}
    chosen = {"themes": ["odd"], "most": 3}
    return {
        "Difficulty": call(then=lambda made: data.digit_scenes("test", 2, difficulty=made)),
        "ImageFolderLabels": call(**folder, table=nowhere),
        "ImagesOnDisk": call(paths=[nowhere, nowhere.parent], **labelled),
        "LabelledFeatures": call(images=torch.zeros(4, 3, 2).half(), **labelled),
        "LabelledImages": call(images=pixels, **labelled),
        "LabelledImages.subset": call(images.subset, indices=[0, 1]),
        "LabelledVectors": call(images=POINTS, **labelled),
        "PerImage": call(then=on(photos), transform=data.photo_view(8)),
        "Share": call(),
        "TwoViews": call(then=on(pixels), augment=data.plain_view()),
        "check_patients": call(patients=names, tests=torch.tensor([1, 0, 1])),
        "checksum": call(lambda tensors: data.checksum(tensors), tensors=pixels),
        "chestmnist": call(**folder, part="test"),
        "chestxray14_parts": call(**folder, split="official"),
        "co_occurrence": call(**chosen),
        "coco_images": call(**folder, part="val2014"),
        "coco_parts": call(**folder),
        "corrupt": call(images=pixels, name="noise", strength=2, seed=1),
        "digit_boxes": call(**digits),
        "digit_scenes": call(**digits),
        "handwriting_indices": call(split="test"),
        "held_out": call(groups=["a", "b", "c", "d"], share=0.4, seed=1),
        "label_distribution": call(**chosen),
        "label_sets": call(),
        "label_statistics": call(**labelled),
        "letter_images": call(**scenes),
        "load_features": call(path=nowhere),
        "load_npz": call(path=nowhere),
        "make_loader": call(then=list, **loading, seed=1),
        "make_loader, skip": call(data.make_loader(**loading).skip, batches=1),
        "photo_augmentation": call(then=on(photos), size=8),
        "photo_view": call(then=on(photos), size=8),
        "plain_feature": call(stored=views),
        "plain_view": call(),
        "read_chest_table": call(path=nowhere),
        "read_instances": call(path=nowhere),
        "scene_augmentation": call(),
        "squish": call(then=on(photos), size=8),
        "suggested_workers": call(dataset=images, device="cpu"),
        "symbol_scenes": call(**scenes, themes=["odd"]),
        "two_features": call(stored=views),
        "two_photo_views": call(then=on(photos), size=8),
    }


def of_train() -> dict[str, Call]:
    """Calls that write no file: a step or two of small trainings."""
    settings = train.TrainingSettings(epochs=1, batch_size=4, learning_rate=0.1)
    vectors = data.LabelledVectors(POINTS, LABELS, ["a", "b", "c"])
    batches, nowhere = [((POINTS, POINTS), LABELS.float())], Path("no/such/folder/last.pt")
    criterion, asymmetric = loss.SupConLoss(), loss.AsymmetricLoss()
    layer, head = nn.Linear(2, 3), model.ProjectionHead(3, (4, 2))
    watched = {"watch": lambda module: 0.5}
    told = {"settings": settings, "seed": 0, "device": "cpu"}
    views = {"plain_view": nn.Identity(), "plain_batch": 2, "metric": evaluate.mean_average_precision}
    parts = {"train": vectors, "validation": vectors}
    contrast = {"encoder": layer, "head": head, "criterion": criterion, "chunk": 3}
    fitted = {"model": layer, "loader": batches, "criterion": criterion}
    step = lambda module, batch: loss.LossParts(module(batch[0][0]).square().mean(), {})  # noqa: E731
    return {
        "AcrossRanks": call(then=on(OUTPUT, LABELS[:2]), criterion=criterion),
        "AcrossRanks()": call(train.AcrossRanks(criterion).forward, output=OUTPUT, labels=LABELS[:2]),
        "TrainingSettings": call(**vars(settings) | {"ema_decay": 0.9}),
        "check_same_run": call(partial(train.check_same_run, nowhere), saved={"a": 1}, now={"a": 1}),
        "contrastive_stage": call(**contrast, loader=batches, **told, **watched),
        "device_loader": call(
            then=list, dataset=vectors, view=nn.Identity(), batch_size=2, device="cpu", seed=1
        ),
        "end_to_end": call(classifier=layer, loader=batches, criterion=asymmetric, **told, **watched),
        "fit": call(**fitted, step=step, **told, **watched, checkpoint_steps=1),
        "gather_rows": call(tensors=[POINTS, LABELS]),
        "is_first": call(),
        "latest_checkpoint": call(
            lambda path: train.latest_checkpoint(path) or train.load_checkpoint(path), path=nowhere
        ),
        "linear_probe": call(features=POINTS, labels=LABELS, criterion=asymmetric, **told, **watched),
        "load_checkpoint": call(path=nowhere),
        "parameter_groups": call(model=layer, weight_decay=0.1),
        "predict": call(model=layer, loader=[(POINTS, LABELS)], device="cpu"),
        "probe_encoder": call(encoder=layer, **parts, **views, criterion=asymmetric, **told),
        "process_group": call(lambda device: train.process_group(device).__enter__(), device="cpu"),
        "seeded": call(then=lambda made: made.__enter__(), seed=1),
        "this_share": call(),
        "two_stages": call(
            **contrast, **parts, **told, probe=settings, two_views=data.TwoViews(nn.Identity()), **views
        ),
    }


def calls(room: str) -> dict[str, Call]:
    """The calls of a room, made anew from one state of the random numbers."""
    torch.manual_seed(0)
    offered = import_module(f"probmcl.{room}")
    found: dict[str, Call] = globals()[f"of_{room}"]()
    return {
        name: made._replace(function=made.function or getattr(offered, name)) for name, made in found.items()
    }


NAMES = [(room, name) for room in ("data", "model", "loss", "train", "evaluate") for name in calls(room)]
"""Every call: its room and its name there."""


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
