"""The planned studies, by name and world."""

from collections.abc import Callable
from dataclasses import replace

from probmcl import _check
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study
from probmcl_book.studies.planned import plans
from probmcl_book.studies.planned.photographs import photographs_study
from probmcl_book.studies.planned.worlds import EVERY_WORLD, WORLDS, World

STUDIES: dict[str, Callable[[Recipe, World, str], Study]] = {
    "main": plans.main_study,
    "positives": plans.positives_study,
    "mixture": plans.mixture_study,
    "cost": plans.cost_study,
    "topology": plans.topology_study,
    "choices": plans.choices_study,
    "photographs": photographs_study,
    "steps": plans.steps_study,
}
"""The studies, by the name that ``python -m probmcl study`` takes: functions of base recipe and world."""

PLANNED: dict[str, tuple[str, ...]] = dict.fromkeys(STUDIES, ("digits", "mirflickr14")) | {
    "cost": ("digits",),
    "photographs": ("coco18",),
    "steps": ("digits",),
}
"""The worlds in which each study is planned: the cost of heads on frozen features would say little."""


def planned_study(name: str, world: str | None = None, *, smoke: bool = False) -> Study:
    """A study as it was planned, in the first of its worlds unless another is named.

    With ``smoke`` it is tiny, with one seed and two candidates per setting: it shows that the parts fit.

    >>> [(name, len(planned_study(name))) for name in STUDIES][-3:]  # runs of the report
    [('choices', 57), ('photographs', 88), ('steps', 48)]
    """
    world = PLANNED[_check.one_of("name", name, STUDIES)][0] if world is None else world
    place = EVERY_WORLD[_check.one_of("world", world, EVERY_WORLD)]
    if not smoke:
        return STUDIES[name](place.base(), place, world)
    study = STUDIES[name](place.smoke(), place, world).with_seeds((0,))
    if study.tuning is None:
        return study
    fewer = {setting: tried[:2] for setting, tried in study.tuning.candidates.items()}
    return replace(study, tuning=replace(study.tuning, candidates=fewer))


__all__ = ["EVERY_WORLD", "PLANNED", "STUDIES", "WORLDS", "World", "planned_study"]
