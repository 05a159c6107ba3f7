"""What the labels of public data sets look like: counted once, recorded, and read by the chapters.

A label matrix says how many labels an image has, how rare the classes are, what saying nothing scores, and
how many positives an anchor finds in a batch.
"""

import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from probmcl import _check as check
from probmcl._files import DAMAGED
from probmcl.data import checksum, label_statistics
from probmcl.evaluate import Interval, scored_classes, seed_interval
from probmcl.loss import positive_statistics
from probmcl_book.records.making import Making
from probmcl_book.records.record import DataIdentity, Record, Row
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.recipes.coco18 import ORIGIN as COCO18

THRESHOLDS = (0.3, 0.5, 0.7, 1.0)
BATCH_SIZE, BATCHES, SEED = 128, 500, 0  # the random batches in which positives are counted

LABEL_SOURCES: dict[str, Origin] = {
    "coco-val2017": Origin(
        name="MS-COCO",
        split="val2017, images with an annotation",
        access="Read instances_val2017.json from annotations_trainval2017.zip: one row for each image with "
        "an annotation, one column for each of the 80 categories in the order of their ids, 1 where the "
        "image has an annotation of the category, crowds included. Counted on data/dataset/val2017.txt of "
        "hunglc007/tensorflow-yolov4-tflite, commit 9f16748a, which has the same content.",
        source="https://cocodataset.org; https://github.com/hunglc007/tensorflow-yolov4-tflite",
    ),
    "chestxray14": Origin(
        name="ChestX-ray14",
        split="random by patient, 70/10/20 (CheXNet re-run); not the official one",
        access="Join ChestX-ray14/labels/train_list.txt, val_list.txt and test_list.txt of arnoweng/CheXNet, "
        "commit 3d45ee77: a line is an image name and 14 labels, a file is a part of the split. The same "
        "labels stand in the first release of Data_Entry_2017.csv of the NIH Clinical Center.",
        source="https://nihcc.app.box.com/v/ChestXray-NIHCC; https://github.com/arnoweng/CheXNet",
    ),
    "mirflickr14": Origin(
        name="MIRFLICKR-25000, 14 topics",
        split="im1 to im20000 with at least one topic; imstrain.txt and imsval.txt of the source",
        access="Join the 14 files annotations/baby.txt to tree.txt of "
        "VilleAR/IDL_Image_Classification_Project, commit 628aecfa: a file lists the images that carry its "
        "topic; imstrain.txt and imsval.txt give the split.",
        source="https://press.liacs.nl/mirflickr; "
        "https://github.com/VilleAR/IDL_Image_Classification_Project",
    ),
    "coco18": COCO18,
}
"""The label matrices of the book, by the name that ``python -m probmcl statistics`` takes."""


def read_label_matrix(path: str | Path) -> tuple[Tensor, tuple[str, ...], dict[str, Tensor]]:
    """Read labels, uint8 (N, K), K classes, and a mask (N,) per part of the split from an npz file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/pets.npz", labels=[[1], [0]], classes=["cat"], split=["a", "b"])
    ...     labels, classes, parts = read_label_matrix(f"{folder}/pets.npz")
    >>> classes, parts["b"].tolist()
    (('cat',), [False, True])
    """
    if not zipfile.is_zipfile(path) and Path(path).is_file():
        raise ValueError(f"path: expected an npz file, got {Path(path).name}, which is none")
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("labels", "classes", "split") if name in arrays.files}
            names = arrays.files
    except DAMAGED as error:
        raise ValueError(f"path: {Path(path).name} is damaged or no npz file ({error})") from None
    for name in ("classes", "labels"):
        if name not in found:
            raise ValueError(f"labels: expected the key {name!r} in the file, got {names}")
    if found["labels"].dtype.kind not in "biuf":
        raise ValueError(f"labels: expected zeros and ones, got {found['labels'].dtype}")
    labels = check.labels("labels", torch.from_numpy(found["labels"])).to(torch.uint8)
    split = found.get("split", np.array([]))
    if "split" in found and split.shape != (len(labels),):
        raise ValueError(f"split: expected a part for each of {len(labels)} images, got {split.shape}")
    parts = {str(part): torch.from_numpy(split == part) for part in np.unique(split)}
    return labels, tuple(str(name) for name in found["classes"]), parts


def label_record(
    name: str,
    labels: Tensor,
    classes: Sequence[str],
    *,
    command: str,
    parts: Mapping[str, Tensor] | None = None,
) -> Record:
    """Describe a label matrix, one of :data:`LABEL_SOURCES`, in a record of kind "statistics".

    Rows count all images and each part of the split (a mask (N,) of ``parts``), and again its labelled
    images. Rows "positives" are of one view per image: of all images with label-less rows matching each other
    (``"match"``) and not (``"drop"``), and of labelled images.
    """
    source = LABEL_SOURCES[check.one_of("name", name, LABEL_SOURCES)]
    making = Making(command)
    labelled = check.labels("labels", labels).bool().any(dim=1)
    if int(labelled.sum()) < BATCH_SIZE:
        raise ValueError(f"labels: expected at least {BATCH_SIZE} labelled images, got {int(labelled.sum())}")
    everything = torch.ones_like(labelled)
    rows = []
    for part, mask in {"all": everything, **(parts or {})}.items():
        rows.append(_counts(part, labels[mask], classes, series=part == "all"))
        rows.append(_counts(f"{part}, labelled", labels[mask & labelled], classes))
    for policy, mask in (("match", everything), ("drop", everything), ("labelled", labelled)):
        empty = "match" if policy == "labelled" else policy
        rows.append(_positives(policy, labels[mask], empty))
    drawn: dict[str, Any] = {"batch_size": BATCH_SIZE, "batches": BATCHES}
    return making.record(
        f"labels_{name.replace('-', '_')}",
        "statistics",
        recipe=drawn | {"classes": list(classes), "index": "jaccard", "thresholds": list(THRESHOLDS)},
        seeds=(SEED,),
        data=DataIdentity(
            **asdict(source),
            sizes={part: int(mask.sum()) for part, mask in (parts or {"all": everything}).items()},
            checksum=checksum(labels.to(torch.uint8)),
        ),
        rows=rows,
        notes=("Labels only: no image was read.",),
    )


def _counts(method: str, labels: Tensor, classes: Sequence[str], *, series: bool = False) -> Row:
    """Count one set of rows; nothing is sampled, so nothing has an interval."""
    start = time.perf_counter()
    statistics = label_statistics(labels, classes)
    metrics = {
        "images": statistics.images,
        "cardinality": statistics.cardinality,
        "density": statistics.density,
        "label sets": statistics.label_sets,
        "label-less share": statistics.empty_share,
        "accuracy of nothing": 1 - statistics.density,
        "chance mAP": statistics.frequency[scored_classes(labels)].mean().item(),
    }
    counts = (statistics.co_occurrence * statistics.images).round().int()  # (K, K)
    pairs = {"images of class": counts.diagonal().tolist(), "images of pair": counts.flatten().tolist()}
    found = {key: Interval(value) for key, value in metrics.items()}
    seconds = time.perf_counter() - start
    return Row(method, None, found, seconds, image_views=0, series=pairs if series else {})


def _positives(policy: str, labels: Tensor, empty: str) -> Row:
    """Count positives in random batches; the intervals say how well the batches stand for all batches."""
    start = time.perf_counter()
    generator = torch.Generator().manual_seed(SEED)
    drawn = (torch.randperm(len(labels), generator=generator)[:BATCH_SIZE] for _ in range(BATCHES))
    found = [positive_statistics(labels[batch], THRESHOLDS, empty=empty) for batch in drawn]
    metrics = {}
    for position, threshold in enumerate(THRESHOLDS):
        for key, field in (("positives", "mean_positives"), ("without", "share_without")):
            values = [getattr(statistics, field)[position] for statistics in found]
            how = f"t-interval over {BATCHES} random batches"
            metrics[f"{key} at {threshold:g}"] = replace(seed_interval(values), how=how)
    return Row(f"positives, {policy}", SEED, metrics, time.perf_counter() - start, image_views=0)
