"""What a study is: a frozen list of runs, planned before the first of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Self

from probmcl import _check
from probmcl.train.settings import LATER
from probmcl_book.records.plain import from_plain, to_plain
from probmcl_book.records.record import check_seeds
from probmcl_book.replicate.recipe import Recipe

MOST_RUNS = 150


@dataclass(frozen=True)
class Trial:
    """One setting of a study: a recipe, and the seeds it is run with."""

    setting: str
    recipe: Recipe  #: with one method; without any it is the linear probe of the start
    seeds: tuple[int, ...]
    group: str = ""  #: within which settings are compared, such as "10 % of the images"; "" if there is one

    def __post_init__(self) -> None:
        if (count := len(self.recipe.methods)) > 1:
            raise ValueError(f"recipe: {self.setting} is one setting, expected one method, got {count}")
        check_seeds(self.seeds)

    @property
    def name(self) -> str:
        """Setting and group, the name of the trial's rows in a record."""
        return f"{self.setting} · {self.group}" if self.group else self.setting


@dataclass(frozen=True)
class Candidate:
    """What tuning tries: other fields of a method's training and of the probe's, other arguments of its loss.

    >>> Candidate({"learning_rate": 0.002}, {"temperature": 0.25}, {"weight_decay": 3.0}).name
    "learning_rate 0.002, temperature 0.25, probe's weight_decay 3.0"
    """

    training: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    probe: dict[str, Any] | None = field(default=None, metadata=LATER)

    @property
    def name(self) -> str:
        """What is tried, in words."""
        probe = {f"probe's {key}": value for key, value in (self.probe or {}).items()}
        changes = {**self.training, **self.options, **probe}
        return ", ".join(f"{key} {value}" for key, value in changes.items())

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe of one method, or of the start's probe alone, changed."""
        methods = (
            replace(one.trained(**self.training), options={**one.options, **self.options})
            for one in recipe.methods
        )
        return replace(recipe, methods=tuple(methods), probe=replace(recipe.probe, **self.probe or {}))


@dataclass(frozen=True)
class Tuning:
    """Candidates tried before the report, as many for every setting, on validation alone."""

    seed: int  #: none of the report
    candidates: dict[str, tuple[Candidate, ...]]
    group: str = ""  #: in which all are tried; the choice serves all groups

    def __post_init__(self) -> None:
        counts = {setting: len(tried) for setting, tried in self.candidates.items()}
        if len(set(counts.values())) > 1 or 0 in counts.values():
            raise ValueError(f"candidates: expected the same number for every setting, got {counts}")


@dataclass(frozen=True)
class Study:
    """A named list of trials in one world of data."""

    name: str
    world: str
    question: str
    trials: tuple[Trial, ...]
    reference: str  #: the setting that all others of its group are compared with
    tuning: Tuning | None = None
    comparisons: tuple[tuple[str, str], ...] = ()  #: further pairs, compared in every group that has both

    def __post_init__(self) -> None:
        names = Counter(trial.name for trial in self.trials)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"trials: expected every name once, got {twice[0]!r} twice")
        settings = [trial.setting for trial in self.trials]
        for name, given in (("reference", [self.reference]), ("comparisons", chain(*self.comparisons))):
            for setting in given:
                _check.one_of(name, setting, settings)
        if len(self) > MOST_RUNS:
            raise ValueError(f"trials: expected at most {MOST_RUNS} runs, got {len(self)}")
        if self.tuning is not None:
            self._check_tuning(self.tuning)

    def __len__(self) -> int:
        """Runs of the report, without tuning and without probes of the start, which take no training."""
        return sum(len(trial.seeds) for trial in self.trials if trial.recipe.methods)

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds of the report, in the order in which they are run."""
        return tuple(dict.fromkeys(seed for trial in self.trials for seed in trial.seeds))

    def runs(self) -> Iterator[tuple[Trial, int]]:
        """The runs of the report, seed by seed: a study that is cut has its first seeds complete."""
        for seed in self.seeds:
            yield from ((trial, seed) for trial in self.trials if seed in trial.seeds)

    def tuning_runs(self) -> Iterator[tuple[Trial, Candidate]]:
        """The runs of the tuning; each trial holds the candidate's recipe and the tuning's seed."""
        if self.tuning is not None:
            for setting, candidates in self.tuning.candidates.items():
                untuned = replace(self.trial(setting, self.tuning.group), seeds=(self.tuning.seed,))
                for candidate in candidates:
                    yield replace(untuned, recipe=candidate.applied(untuned.recipe)), candidate

    def trial(self, setting: str, group: str = "") -> Trial:
        """The trial of a setting in a group."""
        found = {(trial.setting, trial.group): trial for trial in self.trials}
        if (setting, group) not in found:
            raise ValueError(f"setting: {self.name} has no trial {setting!r} in group {group!r}")
        return found[setting, group]

    def pairs(self) -> Iterator[tuple[Trial, Trial]]:
        """What is compared, group by group: the reference with every other setting, then further pairs."""
        for group in dict.fromkeys(trial.group for trial in self.trials):
            here = {trial.setting: trial for trial in self.trials if trial.group == group}
            others = ((self.reference, setting) for setting in here if setting != self.reference)
            for one, other in (*others, *self.comparisons):
                if one in here and other in here:
                    yield here[one], here[other]

    def tuned(self, chosen: Mapping[str, Candidate]) -> Self:
        """The same study with the chosen candidates in its recipes, and nothing left to tune."""
        settled = (
            replace(one, recipe=chosen[one.setting].applied(one.recipe)) if one.setting in chosen else one
            for one in self.trials
        )
        return replace(self, trials=tuple(settled), tuning=None)

    def with_seeds(self, seeds: tuple[int, ...]) -> Self:
        """The same study with other seeds in every trial."""
        return replace(self, trials=tuple(replace(trial, seeds=seeds) for trial in self.trials))

    def to_dict(self) -> dict[str, Any]:
        """A plain form, as it stands in records."""
        return dict(to_plain(self))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; what tuning chose, which a record adds, is passed over."""
        return from_plain(cls, {name: plain[name] for name in plain if name != "chosen"}, "study")

    def _check_tuning(self, tuning: Tuning) -> None:
        if tuning.seed in self.seeds:
            raise ValueError(f"tuning.seed: expected a seed outside the report, got {tuning.seed}")
        known = {one.setting for one in self.trials if one.group == tuning.group}
        if unknown := tuning.candidates.keys() - known:
            raise ValueError(f"tuning: expected settings in its group, got {min(unknown)!r}")
