"""The folder of a study: finished runs, one file each, and the common starts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from probmcl._files import whole_file
from probmcl.model import Encoder
from probmcl_book.replicate.checkpoints import slug
from probmcl_book.replicate.recipe import LettersStart, Recipe
from probmcl_book.replicate.starts import pretrain
from probmcl_book.studies.finished import (
    Finished,
    digest,
    read_finished,
    read_key,
    read_tensors,
    write_finished,
)

START_FORMAT = "probmcl-start-1"


class StudyFolder:
    """Where a study keeps its runs, beside the folders of other studies.

    A run that another study beside it has finished is used as it is: ``runs/studies/main/...`` serves
    ``runs/studies/topology``. The starts lie beside the studies too, in ``starts``.

    Args:
        folder: the study's own folder; it is made if needed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.starts = self.folder.parent / "starts"

    def find(self, key: str) -> Finished | None:
        """The finished run with a key, or None.

        A file that was named when keys were made of more than they are now is found by what it holds.

        Raises:
            ValueError: if its file is torn, damaged or foreign; the message names it.
        """
        named = self._runs(key)
        path = named[0] if named else self._older.get(key)
        return None if path is None else read_finished(path, key)

    @cached_property
    def _older(self) -> dict[str | None, Path]:
        """Files by the key of what they hold; read once, as files to come are named by it."""
        return {read_key(path): path for path in reversed(self._runs("*"))}

    def _runs(self, key: str) -> list[Path]:
        """Files of finished runs, by the key in their names: the study's own first, then those beside."""
        name = f"*-seed-*-{key}.safetensors"
        return [*sorted(self.folder.glob(name)), *sorted(self.folder.parent.glob(f"*/{name}"))]

    def keep(self, run: Finished) -> Path:
        """Write a run down."""
        path = self.folder / f"{slug(run.row.method)}-seed-{run.seed}-{run.key}.safetensors"
        write_finished(run, path)
        return path

    def start(
        self,
        recipe: Recipe,
        seed: int,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        progress: str | None = None,
    ) -> Encoder:
        """The common start of a recipe's seed; a pretraining is done once and kept.

        Args:
            recipe: says which start, encoder and views.
            seed: seeds the pretraining.
            device: where to train.
            weights: the file of weights, if the recipe's start is one.
            progress: text beside a progress bar; None for none.

        Raises:
            ValueError: if the file of a start is torn, damaged or foreign, or does not say which start it is;
                the message names it.
        """
        if not isinstance(recipe.start, LettersStart):  # nothing is trained
            return pretrain(recipe, seed=seed, device=device, weights=weights)
        key = start_key(recipe, seed)
        path = self.starts / f"{key}.safetensors"
        if path.exists():
            encoder = pretrain(replace(recipe, start=None), seed=seed)
            try:
                encoder.load_state_dict(_read_start(path, key))
            except RuntimeError as error:
                raise ValueError(f"study: {path} is of another network ({error}); remove it") from None
            return encoder
        encoder = pretrain(recipe, seed=seed, device=device, progress=progress)
        state = {name: value.cpu().contiguous() for name, value in encoder.state_dict().items()}
        with whole_file(path) as file:
            about = {"format": START_FORMAT, "key": key, "digest": digest(key, state, sorted(state))}
            file.write(save(state, about))
        return encoder


def _read_start(path: Path, key: str) -> dict[str, Tensor]:
    """The weights of a start, if the file holds what was written under this key."""
    about, state = read_tensors(path, "start")
    if about.get("format") != START_FORMAT:
        raise ValueError(f"study: {path} does not say which start it is; remove it, and it is made again")
    if about["digest"] != digest(about["key"], state, sorted(state)):
        raise ValueError(f"study: {path} is damaged, its content is not what was written; remove it")
    if about["key"] != key:
        raise ValueError(f"study: {path} holds another start than its name says; remove it")
    return state


def start_key(recipe: Recipe, seed: int) -> str:
    """A digest of what decides a pretraining on letters.

    The scenes of the experiment do not count, but for the difficulty and the seed that letters share with
    them.
    """
    plain = recipe.to_dict()
    identity = {name: plain[name] for name in ("start", "encoder", "views")}
    identity |= {name: plain["data"][name] for name in ("difficulty", "seed")}
    text = json.dumps({**identity, "run": seed}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
