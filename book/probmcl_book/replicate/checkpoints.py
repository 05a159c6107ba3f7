"""The checkpoints of a whole run: a folder from which it goes on when it was killed."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from probmcl.model import Encoder
from probmcl.train import History, check_same_run, is_first, latest_checkpoint, save_checkpoint
from probmcl_book.records.provenance import Code, Hardware
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.parts import contrastive_parts, final_classifier
from probmcl_book.replicate.recipe import Recipe

FINISHED = "trained.pt"


class RunCheckpoints:
    """A folder that holds what a run has done so far.

    ``run.pt`` says which recipe it belongs to, and on which code and machine it was begun;
    ``seed-<seed>/start.pt`` is the pretraining. Each method has a folder ``seed-<seed>/<method>``: while it
    trains, it holds the checkpoints of its stages; afterwards ``trained.pt`` alone, its weights and scores.
    Nothing is removed at the end of the run: the folder makes the record again in seconds, and takes further
    seeds.

    Args:
        folder: the folder; it is made if needed.
        recipe: the experiment.
        code: the code that runs now.
        hardware: the machine it runs on.
        data: checksum of the images.

    Raises:
        ValueError: if the folder belongs to another recipe or other images; the message says what differs.
            Prose may differ, but for the methods' names.
    """

    def __init__(
        self, folder: str | Path, recipe: Recipe, code: Code, hardware: Hardware, *, data: str = ""
    ) -> None:
        self.folder, self.recipe = Path(folder), recipe
        self.restored: list[str] = []  # what was read back, as "seed 0, ProbMCL"
        now: dict[str, Any] = {"code": asdict(code), "hardware": asdict(hardware)}
        begun = latest_checkpoint(self.folder / "run.pt")
        if begun is not None:
            there = _identity(Recipe.from_dict(begun["recipe"]), begun.get("data"))
            check_same_run(self.folder / "run.pt", there, _identity(recipe, data))
        elif is_first():
            save_checkpoint(self.folder / "run.pt", {"recipe": recipe.to_dict(), "data": data, **now})
        self.moved = begun is not None and any(begun[part] != now[part] for part in now)

    def start(self, seed: int) -> Path:
        """The file of the common start's pretraining."""
        return self.folder / f"seed-{seed}" / "start.pt"

    def stages(self, seed: int, method: str) -> Path:
        """The folder of a method, for the checkpoints of its stages."""
        return self.folder / f"seed-{seed}" / slug(method)

    def finished(self, seed: int, method: str, start: Encoder) -> Trained | None:
        """A method that was finished, or None.

        Args:
            seed: its seed.
            method: its name.
            start: the encoder that it started from, which is left as it is.
        """
        state = latest_checkpoint(self.stages(seed, method) / FINISHED)
        if state is None:
            return None
        self.restored.append(f"seed {seed}, {method}")
        encoder = deepcopy(start).eval()  # as a trained one is
        encoder.load_state_dict(state["encoder"])
        classifier, head = self._kinds(method, start.feature_dim, state["validation_scores"].shape[1])
        classifier.load_state_dict(state["classifier"])
        head = head if state.get("head") else None  # older checkpoints have no heads
        if head is not None:
            head.load_state_dict(state["head"])
        history = state["history"]
        return Trained(
            encoder,
            classifier.eval(),
            state["validation_scores"],
            state["test_scores"],
            history=None if history is None else History.from_state(history),
            seconds=state["seconds"],
            image_views=state["image_views"],
            head=None if head is None else head.eval(),
        )

    def _kinds(self, name: str, feature_dim: int, classes: int) -> tuple[nn.Module, nn.Module | None]:
        """Classifier and head of a method, for weights to be loaded into; the start is no method."""
        method = next((method for method in self.recipe.methods if method.name == name), None)
        classifier = final_classifier(method, feature_dim, classes)
        if method is None or not method.trunk:
            return classifier, None
        return classifier, contrastive_parts(method, feature_dim, classes)[0]

    def keep(self, seed: int, method: str, trained: Trained) -> None:
        """Write a finished method down, then remove the checkpoints of its stages; rank 0 does."""
        if not is_first():
            return
        folder = self.stages(seed, method)
        state = {
            "encoder": trained.encoder.state_dict(),
            "classifier": trained.classifier.state_dict(),
            "head": None if trained.head is None else trained.head.state_dict(),
            "validation_scores": trained.validation_scores,
            "test_scores": trained.test_scores,
            "history": None if trained.history is None else trained.history.state(),
            "seconds": trained.seconds,
            "image_views": trained.image_views,
        }
        save_checkpoint(folder / FINISHED, state)
        for path in folder.glob("*.pt"):
            if path.name != FINISHED:
                path.unlink()

    def notes(self) -> list[str]:
        """What a reader of the record should know about an interrupted run."""
        notes = []
        if self.restored:
            notes.append(
                f"Went on from checkpoints; trained before: {'; '.join(self.restored)}. The wall time is of "
                "the last part alone."
            )
        if self.moved:
            notes.append(
                "The run was begun on another version of the code or another machine than stated here."
            )
        return notes


def _identity(recipe: Recipe, data: str | None) -> dict[str, Any]:
    """What a folder belongs to; the methods' names count, as they are its folders."""
    names = [method.name for method in recipe.methods]
    return {"recipe": recipe.identity(), "names": names, "data": data}


def slug(name: str) -> str:
    """A method's name as a folder.

    >>> slug("SupCon, threshold")
    'supcon-threshold'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
