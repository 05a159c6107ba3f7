"""The methods that studies compare, and what tuning tries of each."""

from dataclasses import replace
from itertools import product
from typing import Any

from probmcl_book.replicate.datasets import FeatureData
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.studies import Candidate
from probmcl_book.studies.planned.worlds import base_method

REFERENCE, BEST = "ProbMCL", "ProbMCL, at its best"
PROBE = "Start (linear probe)"
SEEDS = (0, 1, 2)  # of the studies outside the main comparison
TUNING_SEED = 100  # of every tuning: no seed of a report
RATES = (0.5, 1.0, 2.0)  # peak learning rates that tuning tries, as multiples of the base recipe's

_SUPCON = ("any", "all", "exact", "threshold", "weighted")

_OWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "asl": ({"gamma_negative": 4.0}, {"gamma_negative": 2.0}),
    "ml-decoder": ({"gamma_negative": 4.0}, {"gamma_negative": 2.0}),
    "supcon": ({"temperature": 0.1}, {"temperature": 0.2}),
    "mulsupcon": ({"temperature": 0.1}, {"temperature": 0.2}),
    "kmcl": (
        {"contrastive_weight": 1.0, "reconstruction_weight": 1.0},
        # Beside a mean over entries: about the balance of weights 1 beside a sum, as in its code.
        {"contrastive_weight": 1e-3, "reconstruction_weight": 1e-3},
    ),
    "probmcl": ({"nll_weight": 0.05}, {"nll_weight": 0.005}),
}
"""What a criterion has of its own, in two versions to try; a criterion without options tries two decays."""


def methods(base: Recipe) -> dict[str, Method]:
    """Every method of the main comparison, by name, untuned; the reference is the last.

    >>> from probmcl_book.studies.planned.worlds import digits_base
    >>> list(methods(digits_base()))[-1]
    'ProbMCL'
    """
    whole, contrastive = base_method(base, "bce"), base_method(base, "probmcl")
    plain = replace(contrastive, options={})
    found = [
        replace(whole, name="BCE"),
        replace(whole, name="ASL", criterion="asl"),
        *(replace(plain, name=f"SupCon, {r}", criterion="supcon", options={"rule": r}) for r in _SUPCON),
        replace(plain, name="MulSupCon", criterion="mulsupcon"),
        replace(plain, name="KMCL", criterion="kmcl"),
        replace(whole, name="Label-graph head", criterion="label-graph"),
    ]
    if not isinstance(base.data, FeatureData):  # a feature has no places that a transformer could look at
        found.append(replace(whole, name="Transformer head", criterion="ml-decoder"))
    return {method.name: method for method in [*found, replace(contrastive, name=REFERENCE)]}


def at_its_best(method: Method) -> Method:
    """ProbMCL with components that stay apart and that the image chooses, as trials on DigitScenes found it.

    Sigma ends at 0.3 or above, so unit means can lie several sigmas apart and the temperature is of the order
    of SupCon's; the batch uses all components, an image about as many as images have labels.
    """
    options = {"similarity": "log_bhattacharyya", "temperature": 0.3}
    use = {"balance_weight": 1.0, "sharpness_weight": 0.8}
    return replace(method, name=BEST, options=options | use, head={"sigma_floor": 0.3, "first_sigma": 0.4})


def candidates(method: Method) -> tuple[Candidate, ...]:
    """What tuning tries of a method: three learning rates, each with two versions of what is its own.

    >>> from probmcl_book.studies.planned.worlds import digits_base
    >>> {len(candidates(method)) for method in methods(digits_base()).values()}
    {6}
    """
    own: list[Candidate] = [Candidate({}, options) for options in _OWN.get(method.criterion, ())]
    own = own or [Candidate({"weight_decay": decay}) for decay in (1e-4, 1e-2)]
    rates = [{"learning_rate": method.training.learning_rate * factor} for factor in RATES]
    return tuple(replace(one, training={**rate, **one.training}) for rate, one in product(rates, own))


def alone(base: Recipe, method: Method | None) -> Recipe:
    """The base recipe with one method; with None, the linear probe of the start."""
    return replace(base, methods=() if method is None else (method,))


def changed(base: Recipe, name: str, *, training: dict[str, Any] | None = None, **fields: Any) -> Recipe:
    """The base recipe with ProbMCL alone, with other fields; options, head and training are merged.

    >>> from probmcl_book.studies.planned.worlds import digits_base
    >>> changed(digits_base(), "hot", options={"temperature": 1.0}).methods[0].options
    {'temperature': 1.0}
    """
    method = base_method(base, "probmcl")
    merged: dict[str, Any] = {
        key: {**getattr(method, key), **fields.pop(key)} for key in ("options", "head") if key in fields
    }
    return alone(base, replace(method.trained(**training or {}), name=name, **merged, **fields))


def with_few_images(recipe: Recipe) -> Recipe:
    """The recipe with a tenth of the training images, twice the epochs, and a quarter of the batch."""
    methods = [
        method.trained(epochs=2 * method.training.epochs, batch_size=max(2, method.training.batch_size // 4))
        for method in recipe.methods
    ]
    return replace(recipe, train_share=0.1, methods=tuple(methods))
