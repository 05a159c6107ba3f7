"""Where do trained methods look? Grad-CAM on scenes whose digits have known places (beside F2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from probmcl.data import LabelledImages, digit_boxes
from probmcl.evaluate import Interval, grad_cam
from probmcl_book.records.making import Making
from probmcl_book.records.provenance import provenance
from probmcl_book.records.record import Difference, Record
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.digits import digits_of
from probmcl_book.replicate.rows import with_means
from probmcl_book.replicate.run import run_methods
from probmcl_book.replicate.splits import Splits
from probmcl_book.studies.clusters import clustered_mean
from probmcl_book.studies.localisation import localisation

HEAT, PEAK = "heat inside", "peak inside"


@dataclass(frozen=True)
class Looks:
    """The heat maps of every digit that stands in a test scene, M of them; all fields are ``(M,)``."""

    inside: Tensor  #: share of a map inside the digit's box
    hit: Tensor  #: 1 where its hottest point is there
    area: Tensor  #: share of the image that the box takes
    scene: Tensor  #: number of the scene, int64

    def metrics(self) -> dict[str, Interval]:
        """Means with intervals over scenes."""
        return {
            HEAT: clustered_mean(self.inside, self.scene),
            PEAK: clustered_mean(self.hit, self.scene),
            "box": Interval(self.area.mean().item()),
        }

    def minus(self, other: Self) -> dict[str, Interval]:
        """Means of the differences to the maps of another method on the same digits, by metric."""
        found = replace(self, inside=self.inside - other.inside, hit=self.hit - other.hit).metrics()
        return {name: found[name] for name in (HEAT, PEAK)}


def heat_of(trained: Trained, recipe: Recipe, images: Tensor, label: int) -> Tensor:
    """Grad-CAM of a label at the last feature map: of uint8 ``(n, 1, H, W)``, ``(n, H, W)`` in [0, 1]."""
    model = nn.Sequential(trained.encoder, trained.classifier).cpu()
    view = recipe.views.plain()(images)
    assert isinstance(view, Tensor)
    return grad_cam(model, view, label)


def scene_boxes(recipe: Recipe, splits: Splits) -> Tensor:
    """Where the digits of the test scenes stand, ``(N, 10, 4)``."""
    return digit_boxes("test", len(splits.test), **digits_of(recipe).drawing)


def digit_looks(trained: Trained, recipe: Recipe, splits: Splits) -> Looks:
    """Compare the heat maps of a method with the places of the digits, over all test scenes."""
    boxes, test = scene_boxes(recipe, splits), splits.test
    assert isinstance(test, LabelledImages)
    found = []
    for digit in range(len(test.classes)):
        scene = test.labels[:, digit].nonzero().squeeze(1)
        if len(scene):
            place = localisation(heat_of(trained, recipe, test.images[scene], digit), boxes[scene, digit])
            found.append((place.inside, place.hit.float(), place.area, scene))
    return Looks(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def looks_record(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    command: str,
    device: torch.device | str = "cpu",
    progress: bool = False,
    checkpoints: Path | None = None,
) -> Record:
    """Train ASL and ProbMCL of a recipe on DigitScenes, and write down where they look.

    Intervals are over scenes, but t intervals over seeds in rows without one.
    """
    making = Making(command, provenance(device))
    both = tuple(method for method in recipe.methods if method.name in ("ASL", "ProbMCL"))
    recipe = replace(recipe, name="digits_gradcam", methods=both)
    runs = run_methods(recipe, seeds, device=device, progress=progress, checkpoints=checkpoints)
    looks = {
        name: [digit_looks(run.whole(), recipe, runs.splits) for run in every]
        for name, every in runs.finished.items()
    }
    rows = [
        replace(run.row, metrics={"mAP": Interval(run.row.metrics["mAP"].value)} | one.metrics(), series={})
        for name, every in runs.finished.items()
        for run, one in zip(every, looks[name], strict=True)
    ]
    *others, last = looks
    return making.record(
        recipe.name,
        "study",
        recipe=recipe.to_dict(),
        seeds=runs.seeds,
        data=runs.data,
        rows=with_means(rows),
        differences=[
            Difference(last, other, metric, found)
            for other in others
            for metric, found in over_seeds(looks[last]).minus(over_seeds(looks[other])).items()
        ],
        notes=runs.notes,
    )


def over_seeds(looks: Sequence[Looks]) -> Looks:
    """The mean over seeds, digit by digit: the scenes are the same for all of them."""
    inside = torch.stack([one.inside for one in looks]).mean(0)
    hit = torch.stack([one.hit for one in looks]).mean(0)
    return replace(looks[0], inside=inside, hit=hit)
