"""Where runs are kept: finished ones, one file each, the common starts, and what a killed run had reached."""

import json
import re
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from probmcl._files import one_writer, sweep, whole_file
from probmcl.model import Encoder
from probmcl.train import is_first
from probmcl.train.distributed import broadcast_object
from probmcl_book.records.plain import from_json
from probmcl_book.records.provenance import Code, Hardware
from probmcl_book.replicate.finished import Finished, digest, key_of, restored, write_finished
from probmcl_book.replicate.recipe import LettersStart, Recipe
from probmcl_book.replicate.starts import pretrain
from probmcl_book.replicate.tensor_file import read_header, read_tensors, write_tensors

MadeBy = tuple[Code, Hardware]


class RunFolder:
    """The folder of an experiment or a study, beside those of others.

    A run that another one beside it has finished is used as it is: ``runs/studies/main/...`` serves
    ``runs/studies/topology``. The starts lie beside them too, in ``starts``. Nothing is removed at the end:
    the folder makes the record again in seconds, and takes further seeds. Of several ranks the first reads
    and writes. One in a folder of checkpoints that an older version wrote is refused.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.starts = self.folder.parent / "starts"
        if (self.folder.parent / "run.pt").exists():
            raise ValueError(
                f"checkpoints: {self.folder.parent} was written by an older version and is "
                "not read any more; the same command with another folder trains anew"
            )

    def alone(self) -> AbstractContextManager[None]:
        """Hold the folder against other processes, on the rank that writes."""
        return one_writer(self.folder / ".lock") if is_first() else nullcontext()

    def find(self, key: str, *, whole: bool) -> Finished | None:
        """The finished run with a key, or None; with ``whole``, one without its encoder counts as none.

        A file that was named when keys were made of more than they are now is found by what it holds. One
        that is torn, damaged or foreign is named in a ValueError.
        """
        found = broadcast_object(self._read(key) if is_first() else None)
        if found is None or (whole and not any(name.startswith("encoder.") for name in found[1])):
            return None
        return restored(*found)

    def _read(self, key: str) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        named = self._runs(key)
        path = named[0] if named else self._older.get(key)
        if path is None:
            return None
        about, tensors = read_tensors(path)
        if key_of(about) != key:
            raise ValueError(f"path: {path} holds another run than its name says; remove it")
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)  # it was killed while it removed its stages
        sweep(self.folder / ".lock")
        return about, tensors

    @cached_property
    def _older(self) -> dict[str | None, Path]:
        """Files by the key of what they hold; read once, as files to come are named by it."""
        return {key_of(read_header(path)): path for path in reversed(self._runs("*"))}

    def _runs(self, key: str) -> list[Path]:
        """Files of finished runs, by the key in their names: the folder's own first, then those beside."""
        name = f"*-seed-*-{key}.safetensors"
        return [*sorted(self.folder.glob(name)), *sorted(self.folder.parent.glob(f"*/{name}"))]

    def keep(self, run: Finished, name: str) -> None:
        """Write a finished run down, and remove what its training left on the way."""
        if is_first():
            stages = self.stages(name, run.seed, run.key)
            write_finished(run, stages.with_name(f"{stages.name}.safetensors"))
            shutil.rmtree(stages, ignore_errors=True)

    def stages(self, name: str, seed: int, key: str) -> Path:
        """The folder of a run while it trains, for the checkpoints of its stages."""
        return self.folder / f"{slug(name)}-seed-{seed}-{key}"

    def begun(self, stages: Path, now: MadeBy) -> MadeBy:
        """With which code and on which machine a run began that may have been interrupted."""
        path = stages / "begun.json"
        if is_first() and not path.exists():
            with whole_file(path) as file:
                file.write(json.dumps([asdict(part) for part in now]).encode())
        return broadcast_object(
            from_json(cast(type[MadeBy], MadeBy), path.read_bytes(), str(path)) if is_first() else now
        )

    def start(
        self, recipe: Recipe, seed: int, *, device: torch.device | str, progress: str | None
    ) -> Encoder:
        """The common start of a recipe's seed on letters: a pretraining is done once and kept."""
        key = start_key(recipe, seed)
        path = self.starts / f"{key}.safetensors"
        found = broadcast_object(read_tensors(path) if is_first() and path.exists() else None)
        if found is None:
            with one_writer(self.starts / f"{key}.lock", f".{key}.*.tmp") if is_first() else nullcontext():
                stages = path.with_suffix("")
                encoder = pretrain(
                    recipe, seed=seed, device=device, progress=progress, checkpoint=stages / "start.pt"
                )
                if is_first():
                    write_tensors(path, {"recipe": recipe.to_dict(), "seed": seed}, encoder.state_dict())
                    shutil.rmtree(stages, ignore_errors=True)
            return encoder
        about, tensors = found
        if start_key(Recipe.from_dict(about["recipe"]), about["seed"]) != key:
            raise ValueError(f"path: {path} holds another start than its name says; remove it")
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)  # of a run that was killed just after it
        sweep(path.with_suffix(".lock"), f".{key}.*.tmp")
        encoder = pretrain(replace(recipe, start=None), seed=seed)
        encoder.load_state_dict(tensors)
        return encoder.to(memory_format=torch.channels_last)


def start_key(recipe: Recipe, seed: int) -> str:
    """A digest of what decides a start: for letters, the difficulty and the seed of the scenes as well."""
    plain = recipe.to_dict()
    identity = {name: plain[name] for name in ("start", "encoder", "views")}
    if isinstance(recipe.start, LettersStart):
        identity |= {name: plain["data"][name] for name in ("difficulty", "seed")}
    return digest({**identity, "run": seed})


def slug(name: str) -> str:
    """A name as a folder or a record has it.

    >>> slug("SupCon, threshold")
    'supcon-threshold'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
