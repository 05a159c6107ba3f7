"""The planned studies, one small file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from probmcl import _check
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study
from probmcl_book.studies.planned.choices import choices_study
from probmcl_book.studies.planned.cost import cost_study
from probmcl_book.studies.planned.main import main_study
from probmcl_book.studies.planned.mixture import mixture_study
from probmcl_book.studies.planned.positives import positives_study
from probmcl_book.studies.planned.topology import topology_study
from probmcl_book.studies.planned.worlds import WORLDS, World

STUDIES: dict[str, Callable[[Recipe, World, str], Study]] = {
    "main": main_study,
    "positives": positives_study,
    "mixture": mixture_study,
    "cost": cost_study,
    "topology": topology_study,
    "choices": choices_study,
}
"""The studies, by the name that ``python -m probmcl study`` takes: functions of base recipe and world."""

PLANNED: dict[str, tuple[str, ...]] = {name: tuple(WORLDS) for name in STUDIES} | {"cost": ("digits",)}
"""The worlds in which each study is planned: the cost of heads on frozen features would say little."""


def planned_study(name: str, world: str = "digits", *, smoke: bool = False) -> Study:
    """A study as it was planned.

    With ``smoke`` it has tiny images, one seed and two candidates per setting: it shows that the parts fit,
    no more.

    >>> {name: len(planned_study(name)) for name in STUDIES}  # runs of the report
    {'main': 120, 'positives': 54, 'mixture': 57, 'cost': 54, 'topology': 20, 'choices': 57}
    """
    _check.one_of("name", name, STUDIES)
    place = WORLDS[_check.one_of("world", world, WORLDS)]
    if not smoke:
        return STUDIES[name](place.base(), place, world)
    study = STUDIES[name](place.smoke(), place, world).with_seeds((0,))
    if study.tuning is None:
        return study
    fewer = {setting: tried[:2] for setting, tried in study.tuning.candidates.items()}
    return replace(study, tuning=replace(study.tuning, candidates=fewer))


__all__ = ["PLANNED", "STUDIES", "WORLDS", "World", "planned_study"]
