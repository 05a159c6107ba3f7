"""The mixture (C2): against points, and its parts one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study, Trial
from probmcl_book.studies.planned.settings import SEEDS, alone, changed
from probmcl_book.studies.planned.worlds import World, base_method

REFERENCE = "Mixture"
WIDER = "points, wider trunk"
NLL_WEIGHT = 0.005
BOUNDED = 0.1  # temperature of similarities in [0, 1], as that of SupCon


def mixture_study(base: Recipe, world: World, name: str) -> Study:
    """The study of the mixture.

    Its reference is ProbMCL with a likelihood weight of 0.005: with the default, 0.05, trials ended with one
    component in use, and nothing about components could be learned from that. The default is one of its
    settings.
    """
    method = base_method(base, "probmcl")
    *wide, last = method.trunk
    changes: dict[str, dict[str, Any]] = {
        REFERENCE: {},
        **{
            f"{count} component{'s' * (count > 1)}": {"head": {"components": count}}
            for count in (1, world.classes // 2, 2 * world.classes)
        },
        "Sim / tau": {"options": {"similarity": "expected_likelihood", "temperature": BOUNDED}},
        "log Bhattacharyya": {"options": {"similarity": "log_bhattacharyya"}},
        "Bhattacharyya / tau": {"options": {"similarity": "bhattacharyya", "temperature": BOUNDED}},
        "mean cosine": {"options": {"similarity": "mean_cosine", "temperature": BOUNDED}},
        "target without stop-gradient": {"options": {"stop_gradient": False}},
        "target self": {"options": {"nll_target": "self"}},
        **{f"NLL weight {weight:g}": {"options": {"nll_weight": weight}} for weight in (0.0, 0.05, 0.5)},
        **{f"D {width}": {"trunk": (*wide, width)} for width in (last // 4, 2 * last)},
        "diagonal": {"head": {"covariance": "diagonal"}},
        "affine means": {"head": {"unit_means": False}},
    }
    settings = {
        setting: changed(
            base, setting, **{**change, "options": {"nll_weight": NLL_WEIGHT, **change.get("options", {})}}
        )
        for setting, change in changes.items()
    }
    points = replace(method, name="points", criterion="supcon", options={})
    wider = (2 * method.trunk[0], *method.trunk[1:])  # about the parameters of the mixture's head
    settings |= {"points": alone(base, points), WIDER: alone(base, replace(points, trunk=wider))}
    return Study(
        "mixture",
        name,
        "Does the mixture improve the representation, and which of its parts?",
        tuple(Trial(setting, recipe, SEEDS) for setting, recipe in settings.items()),
        reference=REFERENCE,
    )
