"""The floor of the study of photographs: ``python tools/logistic_features.py DIR RUNS OUT.json``.

Logistic regression on the plain frozen features, one label at a time, no augmentation, no network of its own.
C is the best of six on validation; test is scored once per number of photographs. DIR holds the features,
RUNS the finished runs of ``python -m probmcl study photographs``: the difference to BCE's first seed there is
paired over test photographs. OUT is a record.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from probmcl.data import LabelledFeatures
from probmcl.evaluate import Interval, bootstrap_interval, mean_average_precision, paired_bootstrap_difference
from probmcl_book.records import Difference, Row, write_record
from probmcl_book.records.making import Making
from probmcl_book.replicate import RECIPES, DataSets
from probmcl_book.replicate.splits import Images
from probmcl_book.studies import planned_study, run_study
from probmcl_book.studies.planned.photographs import SHARES

NAME = "coco18_logistic"
PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""Values of C: it weighs the sum of losses over photographs against half the squared weights."""


def logistic(features: Tensor, labels: Tensor, c: float) -> torch.nn.Linear:
    """Fit one regression per label, all at once, from zero."""
    layer = torch.nn.Linear(features.shape[1], labels.shape[1])
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = functional.binary_cross_entropy_with_logits(layer(features), labels, reduction="sum")
        value: Tensor = (c * fit + layer.weight.square().sum() / 2) / (c * labels.numel())
        value.backward()
        return value

    optimiser.step(loss)
    return layer


def plain(part: Images) -> Tensor:
    """The features of the plain view, float32 (N, F)."""
    assert isinstance(part, LabelledFeatures)
    return part.images[:, 0].float()


@torch.no_grad()
def scores(layer: torch.nn.Linear, features: Tensor) -> Tensor:
    """Logits without a graph."""
    found: Tensor = layer(features)
    return found


def main(folder: Path, runs: Path, out: Path) -> None:
    """Fit, choose, score and write the record."""
    making = Making(f"python tools/logistic_features.py {folder.name} {runs.name} {out.name}")
    recipe, data = RECIPES["coco18-features"](), DataSets(folder)
    study = run_study(planned_study("photographs"), runs, images=data, budget=0.0)
    rows, differences, notes = [], [], []
    for group, share in SHARES.items():
        splits, _ = data.of(replace(recipe, train_share=share))
        features, seen = plain(splits.train), plain(splits.validation)
        labels, truth = splits.train.labels.float(), splits.validation.labels
        layers = {c: logistic(features, labels, c) for c in PENALTIES}
        tried = {c: mean_average_precision(scores(layer, seen), truth) for c, layer in layers.items()}
        best = max(tried, key=lambda c: tried[c])
        notes.append(
            f"{group}: C {best:g}, of " + ", ".join(f"{c:g} {v:.3f}" for c, v in tried.items()) + "."
        )
        ours = scores(layers[best], plain(splits.test))
        interval = bootstrap_interval(
            mean_average_precision, ours, splits.test.labels, resamples=1000, seed=0
        )
        name = f"Logistic regression · {group}"
        metrics = {"mAP": interval, "validation mAP": Interval(tried[best])}
        rows.append(Row(name, None, metrics, 0.0, 0))
        theirs = study.runs.get((f"BCE · {group}", 0))
        if theirs is not None:
            paired = paired_bootstrap_difference(
                mean_average_precision, ours, theirs.test_scores, splits.test.labels, resamples=1000, seed=0
            )
            differences.append(Difference(name, f"BCE · {group}", "mAP", paired))
    content = {"recipe": {"penalties": list(PENALTIES)}, "seeds": (0,), "data": data.of(recipe)[1]}
    record = making.record(NAME, "statistics", rows=rows, differences=differences, notes=notes, **content)
    write_record(record, out)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
