"""Which loss for n labelled photographs? Every method at two numbers of images and one budget of steps.

The rules, written before the first run of the report:

* **Budget**: as many optimiser steps of as many images, two augmented views each, for every method and n.
* **Rates and options** are those of an earlier draw, two a method at the same places of their ranges, on
  validation at n = 4,000; it has no record.
* **Decay of the final classifier**: five values, the same for every setting, the best on validation at
  n = 4,000 with a seed that the report does not use; the choice serves every n. It is the decay of what
  trains the classifier: of the linear probe for the start and for methods of two stages, of the whole
  training for BCE, ASL and KMCL. A choice at an end of the range is named, and the range is not widened
  afterwards. A report of one seed came before this rule, with the probe's decay chosen for the start and
  none for BCE and ASL.
* **Contrasts**: every setting with BCE; ProbMCL at its best with SupCon, ASL, KMCL, with ProbMCL as first
  read and with the start's probe; KMCL with ASL, which is a published relation too; SupCon with the probe.
  The interval is the paired one over test images, corrected for all comparisons at that n, and the paired t
  interval over seeds beside it. A sign is *decided* where both exclude 0.
* **Advice**: the start's probe, unless a setting that is compared with it here is decided above it.
* Test images are scored once, by the runs of the report.
"""

from dataclasses import replace

from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.studies import Candidate, Study, Trial, Tuning
from probmcl_book.studies.planned.settings import BEST, PROBE, SEEDS, TUNING_SEED, alone, at_its_best
from probmcl_book.studies.planned.worlds import World, base_method

SHARES = {"n = 4,000": 1.0, "n = 1,000": 0.25}  # nested sets of training images; a group of trials each
DECAYS = (0.1, 1.0, 3.0, 10.0, 30.0)  # the first is as good as none
REFERENCE = "BCE"
FIRST_READ = "ProbMCL, as first read"

_FAST = {"learning_rate": 0.0022}

CHOSEN: dict[str, Candidate] = {
    "BCE": Candidate(_FAST),
    "ASL": Candidate(_FAST, {"gamma_negative": 1.5}),
    "SupCon, threshold": Candidate(_FAST, {"temperature": 0.15}),
    "MulSupCon": Candidate(_FAST, {"temperature": 0.15}),
    "KMCL": Candidate(_FAST, {"contrastive_weight": 0.016, "reconstruction_weight": 0.016}),
    BEST: Candidate({"learning_rate": 0.00077}, {"temperature": 0.39}),
    FIRST_READ: Candidate(_FAST, {"temperature": 0.15}),
}
"""What the earlier draw chose; the other one had the rate 0.00077, of ProbMCL at its best 0.0022."""


def decays(recipe: Recipe) -> tuple[Candidate, ...]:
    """What tuning tries of a setting: decays of what trains its final classifier."""
    jointly = any(method.end_to_end for method in recipe.methods)
    tried = ({"weight_decay": decay} for decay in DECAYS)
    return tuple(Candidate(one) if jointly else Candidate(probe=one) for one in tried)


def photographs_study(base: Recipe, world: World, name: str) -> Study:
    """The study of losses over numbers of photographs."""
    compared = photograph_methods(base)
    chosen = {setting: CHOSEN[setting].applied(alone(base, one)) for setting, one in compared.items()}
    recipes = {PROBE: alone(base, None)} | chosen
    trials = [
        Trial(setting, with_share(recipe, share), SEEDS, group)
        for group, share in SHARES.items()
        for setting, recipe in recipes.items()
    ]
    others = ("SupCon, threshold", "ASL", "KMCL", FIRST_READ, PROBE)
    pairs = (*((BEST, other) for other in others), ("KMCL", "ASL"), ("SupCon, threshold", PROBE))
    tuning = Tuning(
        TUNING_SEED, {setting: decays(one) for setting, one in recipes.items()}, next(iter(SHARES))
    )
    question = "Which loss for n labelled photographs, and is ProbMCL at its best worth it?"
    return Study("photographs", name, question, tuple(trials), REFERENCE, tuning, pairs)


def photograph_methods(base: Recipe) -> dict[str, Method]:
    """The methods, by name, before their settings are chosen."""
    whole, contrastive = base_method(base, "bce"), replace(base_method(base, "probmcl"), options={})
    found = (
        replace(whole, name="BCE"),
        replace(whole, name="ASL", criterion="asl"),
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
    [4, 16]
    """
    methods = (one.trained(epochs=round(one.training.epochs / share)) for one in recipe.methods)
    return replace(recipe, train_share=share, methods=tuple(methods))
