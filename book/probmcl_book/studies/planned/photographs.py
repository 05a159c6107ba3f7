"""Which loss for n labelled photographs? Every method at two numbers of images and one budget of steps.

The rules, written before the first run of the report:

* **Budget**: as many optimiser steps of as many images for every method and every n: fewer images come round
  more often. Every step shows two augmented views of each image.
* **Tuning**: random draws of a method's rate and of its own option, as many for every method and at the same
  places of their ranges; each is run with a seed that the report does not use, at the larger n; the highest
  validation mAP is chosen and serves every n. A choice from the outer part of a range is said to be one.
* **Contrasts**: every setting with BCE; ProbMCL at its best with SupCon, ASL, KMCL and with ProbMCL as first
  read; KMCL with ASL, which is a published relation too. The interval is the paired one over test images,
  corrected for all comparisons at that n, and the paired t interval over seeds beside it. A sign is *decided*
  where both exclude 0.
* Test images are scored once, by the runs of the report.

A first round was stopped before its test images were looked at: on validation the linear probe, then that of
other recipes, lay .1 below a regularised regression on the same features. Its decay is now the one that was
best for the start, and all methods were tuned again.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.studies import Candidate, Study, Trial, Tuning
from probmcl_book.studies.planned.settings import PROBE, SEEDS, TUNING_SEED, alone
from probmcl_book.studies.planned.worlds import World, base_method

SHARES = {"n = 4,000": 1.0, "n = 1,000": 0.25}
"""Nested sets of training images; a group of trials each."""

TUNED_AT = "n = 4,000"
DRAWS = 2
REFERENCE = "BCE"
FIRST_READ, BEST = "ProbMCL, as first read", "ProbMCL, at its best"

AT_ITS_BEST: dict[str, Any] = {
    "similarity": "log_bhattacharyya",
    "temperature": 0.3,
    "balance_weight": 1.0,
    "sharpness_weight": 0.8,
}
HEAD_AT_ITS_BEST: dict[str, Any] = {"sigma_floor": 0.3, "first_sigma": 0.4}
"""ProbMCL with components that stay apart and that the image chooses, as trials on DigitScenes found them.

Sigma begins at 0.4 and ends at 0.3 or above, so unit means can lie several sigmas apart and the temperature
is of the order of SupCon's; the batch uses all components, an image about as many as images have labels.
The similarity compares component k with component k, which costs K times less than all pairs.
"""

_RANGES: dict[str, tuple[str, float, float]] = {
    "bce": ("weight_decay", 1e-3, 30.0),
    "asl": ("gamma_negative", 0.5, 8.0),
    "supcon": ("temperature", 0.05, 0.8),
    "mulsupcon": ("temperature", 0.05, 0.8),
    "kmcl": ("contrastive_weight", 1e-3, 1.0),
    "probmcl": ("temperature", 0.05, 0.8),
}
"""What each criterion is tuned in beside its rate, and the range; a draw is uniform in its logarithm."""

RATE_FACTOR = 6.0  # a rate is drawn between a sixth and six times the base recipe's


def photographs_study(base: Recipe, world: World, name: str) -> Study:
    """The study of losses over numbers of photographs."""
    compared = photograph_methods(base)
    recipes = {PROBE: alone(base, None)} | {setting: alone(base, one) for setting, one in compared.items()}
    trials = [
        Trial(setting, with_share(recipe, share), SEEDS, group)
        for group, share in SHARES.items()
        for setting, recipe in recipes.items()
    ]
    others = ("SupCon, threshold", "ASL", "KMCL", FIRST_READ)
    return Study(
        "photographs",
        name,
        "Which loss for n labelled photographs, and is ProbMCL at its best worth it?",
        tuple(trials),
        reference=REFERENCE,
        tuning=Tuning(TUNING_SEED, {n: draws(one) for n, one in compared.items()}, TUNED_AT),
        comparisons=(*((BEST, other) for other in others), ("KMCL", "ASL")),
    )


def photograph_methods(base: Recipe) -> dict[str, Method]:
    """The methods, by name, untuned."""
    whole, contrastive = base_method(base, "bce"), replace(base_method(base, "probmcl"), options={})
    found = (
        replace(whole, name="BCE"),
        replace(whole, name="ASL", criterion="asl"),
        replace(contrastive, name="SupCon, threshold", criterion="supcon"),
        replace(contrastive, name="MulSupCon", criterion="mulsupcon"),
        replace(contrastive, name="KMCL", criterion="kmcl"),
        replace(contrastive, name=BEST, options=AT_ITS_BEST, head=HEAD_AT_ITS_BEST),
        replace(contrastive, name=FIRST_READ),
    )
    return {method.name: method for method in found}


def with_share(recipe: Recipe, share: float) -> Recipe:
    """The recipe with a share of the training images and as many more epochs: as many steps.

    >>> from probmcl_book.studies.planned.worlds import EVERY_WORLD
    >>> base = EVERY_WORLD["coco18"].base()
    >>> [with_share(base, share).methods[0].training.epochs for share in SHARES.values()]
    [4, 16]
    """
    methods = (one.trained(epochs=round(one.training.epochs / share)) for one in recipe.methods)
    return replace(recipe, train_share=share, methods=tuple(methods))


def draws(method: Method) -> tuple[Candidate, ...]:
    """Random draws of a method's rate and own option; the places in their ranges are the same for all.

    Every range is cut into as many parts as there are draws, and each part is drawn from once (a Latin
    hypercube).

    >>> from probmcl_book.studies.planned.worlds import EVERY_WORLD
    >>> bce = photograph_methods(EVERY_WORLD["coco18"].base())["BCE"]
    >>> draws(bce)[0].name
    'learning_rate 0.0022, weight_decay 0.063'
    """
    generator = random.Random(11)
    option, low, high = _RANGES[method.criterion]
    rates, values = (
        [(part + generator.random()) / DRAWS for part in generator.sample(range(DRAWS), DRAWS)]
        for _ in range(2)
    )
    found = []
    for place, own_place in zip(rates, values, strict=True):
        factor = RATE_FACTOR ** (2 * place - 1)
        value = float(f"{low * (high / low) ** own_place:.2g}")
        rate = {"learning_rate": float(f"{method.training.learning_rate * factor:.2g}")}
        own = {option: value}
        if method.criterion == "bce":  # it has no option of its own: a field of its training
            found.append(Candidate(rate | own))
        elif method.criterion == "kmcl":
            found.append(Candidate(rate, own | {"reconstruction_weight": value}))
        else:
            found.append(Candidate(rate, own))
    return tuple(found)
