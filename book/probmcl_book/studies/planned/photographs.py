"""Which loss for n labelled photographs? Every method at three numbers of images and one budget of steps.

The rules, written before the first run of the report:

* **Budget**: as many optimiser steps of as many images, two augmented views each, for every method and n;
  the linear probes have as many steps as well. The n are nested, three seeds each; the largest has five.
* **Tuning**: twelve draws for every setting, on validation at n = 4,000, with a seed that the report does not
  use; the best serves every n. A draw is a rate, the decay of what trains the final classifier (the linear
  probe of the start and of methods of two stages, the whole training of the others) and what a loss has of
  its own, log-uniform in ranges that are the same for all settings, at the same places of them. A choice in
  the outermost twelfth of a range is named, and no range is widened afterwards.
* **Contrasts**: every setting with BCE; ProbMCL at its best with SupCon, ASL, KMCL, the label-graph head,
  with ProbMCL as first read and with the start's probe; KMCL with ASL, which is a published relation too;
  SupCon with the probe. The interval is the paired one over test images, corrected for all comparisons at
  that n, and the paired t interval over seeds beside it. A sign is *decided* where both exclude 0. That
  against the label-graph head, which C3 is about, is decided at the largest n alone, and only if neither
  interval reaches further than 0.007 to each side, as much as ProbMCL's published lead over ASL.
* **Advice**: the start's probe, unless a setting that is compared with it here is decided above it.
* Test images are scored once, by the runs of the report. An earlier report, with 4,000 images at most, a
  quarter of the steps and rates of no record, has read them.
"""

import random
from dataclasses import replace

from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.studies import Candidate, Study, Trial, Tuning
from probmcl_book.studies.planned.settings import BEST, PROBE, SEEDS, TUNING_SEED, alone, at_its_best
from probmcl_book.studies.planned.worlds import World, base_method

SHARES = {"n = 15,000": 1.0, "n = 4,000": 4 / 15, "n = 1,000": 1 / 15}  # of the training images, nested
TUNED = "n = 4,000"
MOST_SEEDS = (0, 1, 2, 3, 4)  # with all training images
REFERENCE, FIRST_READ = "BCE", "ProbMCL, as first read"

DRAWS = 12
RANGES = {
    "learning_rate": (1.25e-4, 8e-3),
    "weight_decay": (0.1, 30.0),
    "temperature": (0.05, 0.8),
    "gamma_negative": (0.5, 4.0),
    "contrastive_weight": (1e-3, 1.0),
    "reconstruction_weight": (1e-3, 1.0),
}
"""Between what a draw lies, by the name of the field or argument."""

_OWN = {
    "asl": ("gamma_negative",),
    "kmcl": ("contrastive_weight", "reconstruction_weight"),
    **dict.fromkeys(("supcon", "mulsupcon", "probmcl"), ("temperature",)),
}


def draws(recipe: Recipe) -> tuple[Candidate, ...]:
    """What tuning tries of a setting; every twelfth of every range has one draw.

    >>> from probmcl_book.studies.planned.worlds import EVERY_WORLD
    >>> len(draws(alone(EVERY_WORLD["coco18"].base(), None)))
    12
    """
    drawn = random.Random(56)  # of seeds 0 to 59, that whose places are the least correlated
    columns = [
        [(twelfth + drawn.random()) / DRAWS for twelfth in drawn.sample(range(DRAWS), DRAWS)]
        for _ in range(3)
    ]
    return tuple(_candidate(recipe, *places) for places in zip(*columns, strict=True))


def _candidate(recipe: Recipe, rate: float, decay: float, own: float) -> Candidate:
    decayed = {"weight_decay": _between("weight_decay", decay)}
    if not recipe.methods:
        return Candidate(probe=decayed)
    (method,) = recipe.methods
    training = {"learning_rate": _between("learning_rate", rate)}
    options = {name: _between(name, own) for name in _OWN.get(method.criterion, ())}
    if method.end_to_end:
        return Candidate(training | decayed, options)
    return Candidate(training, options, decayed)


def _between(name: str, place: float) -> float:
    low, high = RANGES[name]
    return float(f"{low * (high / low) ** place:.2g}")


def photographs_study(base: Recipe, world: World, name: str) -> Study:
    """The study of losses over numbers of photographs."""
    compared = {setting: alone(base, one) for setting, one in photograph_methods(base).items()}
    recipes = {PROBE: alone(base, None)} | compared
    trials = [
        Trial(setting, with_share(recipe, share), MOST_SEEDS if share == 1 else SEEDS, group)
        for group, share in SHARES.items()
        for setting, recipe in recipes.items()
    ]
    others = ("SupCon, threshold", "ASL", "KMCL", "Label-graph head", FIRST_READ, PROBE)
    pairs = (*((BEST, other) for other in others), ("KMCL", "ASL"), ("SupCon, threshold", PROBE))
    tuning = Tuning(TUNING_SEED, {setting: draws(one) for setting, one in recipes.items()}, TUNED)
    question = "Which loss for n labelled photographs, and is ProbMCL at its best worth it?"
    return Study("photographs", name, question, tuple(trials), REFERENCE, tuning, pairs)


def photograph_methods(base: Recipe) -> dict[str, Method]:
    """The methods, by name, before their settings are chosen."""
    whole, contrastive = base_method(base, "bce"), replace(base_method(base, "probmcl"), options={})
    found = (
        replace(whole, name="BCE"),
        replace(whole, name="ASL", criterion="asl"),
        replace(whole, name="Label-graph head", criterion="label-graph"),
        replace(contrastive, name="SupCon, threshold", criterion="supcon"),
        replace(contrastive, name="MulSupCon", criterion="mulsupcon"),
        replace(contrastive, name="KMCL", criterion="kmcl"),
        at_its_best(contrastive),
        replace(contrastive, name=FIRST_READ),
    )
    return {method.name: method for method in found}


def with_share(recipe: Recipe, share: float) -> Recipe:
    """The recipe with a share of the training images and as many more epochs: as many steps.

    >>> from probmcl_book.studies.planned.worlds import EVERY_WORLD
    >>> base = EVERY_WORLD["coco18"].base()
    >>> [with_share(base, share).methods[0].training.epochs for share in SHARES.values()]
    [4, 15, 60]
    """
    methods = (one.trained(epochs=round(one.training.epochs / share)) for one in recipe.methods)
    probe = replace(recipe.probe, epochs=round(recipe.probe.epochs / share))
    return replace(recipe, train_share=share, methods=tuple(methods), probe=probe)
