"""The one loop over methods and seeds: each is trained once, and what is finished is read back."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from probmcl.evaluate import Interval, thresholds_from_validation
from probmcl.model import Encoder
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate.clock import Clock
from probmcl_book.replicate.data_sets import DataSets
from probmcl_book.replicate.finished import Finished, run_key
from probmcl_book.replicate.folder import MadeBy, RunFolder, start_key
from probmcl_book.replicate.methods import Trained, probe_start, train_method
from probmcl_book.replicate.recipe import LettersStart, Recipe
from probmcl_book.replicate.rows import result_row
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.starts import pretrain

Measure = Callable[[Trained, Splits, Recipe], dict[str, float]]
"""Numbers by name that describe a trained method; NaN where one is not defined."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """One run to make.

    The recipe has one method; with none, the task is the linear probe of the start itself. The images are the
    same for all seeds. A run of a tuning may not see a test image: it is scored on validation alone.
    """

    name: str
    recipe: Recipe
    seed: int
    tuning: bool = False

    @property
    def title(self) -> str:
        """What runs, in words."""
        return f"seed {self.seed} · {self.name}"

    @property
    def kind(self) -> str:
        """Runs of one kind take about the same time."""
        for method in self.recipe.methods:
            return f"{method.criterion}, {method.training.epochs}, {self.recipe.train_share}"
        return f"start, {self.recipe.train_share}"


@dataclass
class Runner:
    """What all runs of an experiment or a study share.

    ``folder`` keeps runs and finds them, None keeps nothing. ``weights`` is the file of weights, if the start
    is one. ``whole`` keeps the networks as well as the numbers. Code and machine, ``made_by``, are stated
    before the first run, as files may change while it trains. ``found`` are runs that were found finished, as
    "seed 0, ProbMCL"; ``moved`` says whether some run began with other code or on another machine; ``held``
    is closed at the end.
    """

    data: DataSets
    folder: RunFolder | None = None
    weights: Path | None = None
    device: torch.device | str = "cpu"
    measures: Sequence[Measure] = ()
    whole: bool = True
    progress: bool = False
    made_by: MadeBy = field(init=False)
    found: list[str] = field(default_factory=list)
    moved: bool = False
    held: ExitStack = field(default_factory=ExitStack)
    _start: tuple[str, Encoder] | None = None

    def __post_init__(self) -> None:
        self.made_by = provenance(self.device)

    def each(
        self, tasks: Sequence[Task], clock: Clock | None = None, say: Say = lambda line: None
    ) -> Iterator[Finished | None]:
        """The finished run of every task, made now if need be; None if the clock has no time for it.

        ``clock`` is of all tasks, those of other calls included, None for no end. ``say`` takes a line of
        progress before and after every run that is made.
        """
        clock = Clock(None, len(tasks)) if clock is None else clock
        for task in tasks:
            key = run_key(task.recipe, task.seed, self.data.of(task.recipe)[1].checksum, tuning=task.tuning)
            run = None if self.folder is None else self.folder.find(key, whole=self.whole)
            if run is not None:
                self.found.append(f"seed {task.seed}, {task.name}")
                clock.skipped(task.kind, run.seconds)
                run = replace(run, row=replace(run.row, method=task.name))  # another study's name for it
            elif clock.allows(task.kind):
                say(f"{clock.position} {task.title}")
                run = self._make(task, key)
                clock.ran(task.kind, run.seconds)
                score = run.row.metrics["validation mAP"].value
                say(f"  validation mAP {score:.3f}, {run.seconds:.1f} s; {clock.outlook}")
            self.moved |= run is not None and (run.code, run.hardware) != self.made_by
            yield run

    def _make(self, task: Task, key: str) -> Finished:
        """Train, score, measure, and keep."""
        recipe, made_by, stages = task.recipe, self.made_by, None
        if self.folder is not None:
            self.held.enter_context(self.folder.alone())
        splits, identity = self.data.of(recipe)
        start = self._start_of(task)
        begin = time.perf_counter()  # the common start is no part of a method's time
        if self.folder is not None:
            stages = self.folder.stages(task.name, task.seed, key)
            made_by = self.folder.begun(stages, made_by)
        seen = replace(splits, test=splits.validation) if task.tuning else splits  # tuning sees no test image
        trained = self._train(task, start, seen, stages)
        thresholds = thresholds_from_validation(
            validation_scores=trained.validation_scores, validation_labels=seen.validation.labels
        )
        row = result_row(task.name, task.seed, trained, seen, thresholds)
        metrics = {"validation mAP": row.metrics["validation mAP"]} if task.tuning else dict(row.metrics)
        for measure in () if task.tuning else self.measures:
            found = measure(trained, seen, recipe)
            metrics |= {name: Interval(value) for name, value in found.items() if math.isfinite(value)}
        series = {name: row.series[name] for name in row.series if not task.tuning or name == "watched"}
        run = Finished(
            recipe,
            task.seed,
            identity,
            seen.test.classes,
            task.tuning,
            replace(row, metrics=metrics, series=series),
            trained.validation_scores,
            trained.test_scores,
            thresholds,
            {name: value.detach().cpu() for name, value in trained.classifier.state_dict().items()},
            *made_by,
            seconds=time.perf_counter() - begin,
            trained=trained if self.whole else None,
        )
        if self.folder is not None:
            self.folder.keep(run, task.name)
        return run

    def _train(self, task: Task, start: Encoder, splits: Splits, stages: Path | None) -> Trained:
        """Train the method of a task, or probe the start."""
        for method in task.recipe.methods:
            return train_method(
                method,
                start,
                task.recipe,
                splits,
                seed=task.seed,
                device=self.device,
                progress=task.title if self.progress else None,
                checkpoints=stages,
            )
        return probe_start(start, task.recipe, splits, seed=task.seed, device=self.device)

    def _start_of(self, task: Task) -> Encoder:
        """The common start of a task; that of the task before serves if it is the same."""
        key, recipe, bar = start_key(task.recipe, task.seed), task.recipe, None
        if self._start is None or self._start[0] != key:
            bar = f"seed {task.seed} · start" if self.progress else None
            if self.folder is not None and isinstance(recipe.start, LettersStart):
                start = self.folder.start(recipe, task.seed, device=self.device, progress=bar)
            else:
                start = pretrain(
                    recipe, seed=task.seed, device=self.device, weights=self.weights, progress=bar
                )
            self._start = key, start
        return self._start[1]

    def notes(self) -> list[str]:
        """What a reader of the record should know about an interrupted run."""
        notes = []
        if self.found:
            notes.append(
                f"Went on from checkpoints; trained before: {'; '.join(self.found)}. The wall time is of "
                "the last part alone."
            )
        if self.moved:
            notes.append(
                "The run was begun on another version of the code or another machine than stated here."
            )
        return notes
