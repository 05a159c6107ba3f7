"""A finished run on the disk: one file with its scores and classifier, and all that was measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from probmcl._files import whole_file
from probmcl.evaluate import Interval
from probmcl_book.records.provenance import Code, Hardware
from probmcl_book.records.record import Row
from probmcl_book.replicate.recipe import Recipe

FORMAT = "probmcl-run-1"


@dataclass(frozen=True)
class Finished:
    """What is kept of a run.

    Attributes:
        recipe: what was run, with one method or none.
        seed: with which seed.
        data: checksum of its images.
        tuning: whether it is a run of a tuning, which has no test scores.
        row: metrics, measures, curves and values per class.
        validation_scores: logits, float32 ``(N, K)``.
        test_scores: logits, float32 ``(M, K)``; those of validation for a run of a tuning.
        weight: weights of the linear classifier, ``(K, F)``; empty where the classifier is no linear layer.
        bias: its bias, ``(K,)``; likewise.
        code: the code that ran.
        hardware: the machine it ran on.
        seconds: wall time of the whole run, with scoring and measures.
    """

    recipe: Recipe
    seed: int
    data: str
    tuning: bool
    row: Row
    validation_scores: Tensor
    test_scores: Tensor
    weight: Tensor
    bias: Tensor
    code: Code
    hardware: Hardware
    seconds: float

    @property
    def key(self) -> str:
        """The run's identity, see :func:`run_key`."""
        return run_key(self.recipe, self.seed, self.data, tuning=self.tuning)


_TENSORS = ("validation_scores", "test_scores", "weight", "bias")


def run_key(recipe: Recipe, seed: int, data: str, *, tuning: bool = False) -> str:
    """A digest of everything that decides a run's numbers: recipe, seed and images, but no prose.

    Two studies that hold the same run in different words give it the same key, so it is run once.

    Args:
        recipe: with one method or none.
        seed: the run's seed.
        data: checksum of the images.
        tuning: whether the run belongs to a tuning, which does not score test images.

    Example:
        >>> from dataclasses import replace
        >>> from probmcl_book.replicate import digits_recipe
        >>> recipe = digits_recipe()
        >>> key = run_key(recipe, 0, "md5:0")
        >>> key == run_key(replace(recipe, name="renamed"), 0, "md5:0"), key == run_key(recipe, 1, "md5:0")
        (True, False)
    """
    run = {"seed": seed, "checksum": data, "tuning": tuning}
    identity = {**recipe.identity(), **run, "name": ""}  # the empty name stood in the first keys
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def write_finished(run: Finished, path: Path) -> None:
    """Write a run to one file, all of it or nothing."""
    about = {name: getattr(run, name) for name in ("seed", "data", "tuning", "seconds")}
    about |= {name: asdict(getattr(run, name)) for name in ("row", "code", "hardware")}
    text = json.dumps({**about, "recipe": run.recipe.to_dict()})
    # contiguous copies: safetensors refuses tensors that share memory
    tensors = {name: getattr(run, name).detach().cpu().float().contiguous().clone() for name in _TENSORS}
    with whole_file(path) as file:
        file.write(save(tensors, {"format": FORMAT, "run": text, "digest": digest(text, tensors, _TENSORS)}))


def read_finished(path: Path, key: str) -> Finished:
    """Read a run that :func:`write_finished` wrote.

    Args:
        path: its file.
        key: the key of the run that is expected there.

    Raises:
        ValueError: naming the file, if it is torn, damaged, of another format, or holds another run.
    """
    about, tensors = read_tensors(path, "finished run")
    if about.get("format") != FORMAT or set(tensors) != set(_TENSORS):
        raise ValueError(f"study: {path} is no finished run of this package; remove it")
    if about.get("digest") != digest(about["run"], tensors, _TENSORS):
        raise ValueError(f"study: {path} is damaged, its content is not what was written; remove it")
    plain = json.loads(about["run"])
    run = Finished(
        recipe=Recipe.from_dict(plain["recipe"]),
        row=_row(plain["row"]),
        code=Code(**plain["code"]),
        hardware=Hardware(**plain["hardware"]),
        **{name: plain[name] for name in ("seed", "data", "tuning", "seconds")},
        validation_scores=tensors["validation_scores"],
        test_scores=tensors["test_scores"],
        weight=tensors["weight"],
        bias=tensors["bias"],
    )
    if run.key != key:
        raise ValueError(f"study: {path} holds another run than its name says; remove it")
    return run


def read_key(path: Path) -> str | None:
    """The key of the run in a file, whatever the file is named; None if this code knows no such run.

    Only what the file says about itself is read, and it is taken at its word.

    Args:
        path: its file.

    Raises:
        ValueError: naming the file, if it is torn.
    """
    with _opened(path, "finished run") as file:
        about = file.metadata() or {}
    try:
        plain = json.loads(about["run"])
        recipe = Recipe.from_dict(plain["recipe"])
        return run_key(recipe, plain["seed"], plain["data"], tuning=plain["tuning"])
    except (KeyError, TypeError, ValueError):
        return None


def read_tensors(path: Path, what: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What a file says about itself, and its tensors by name.

    Args:
        path: a safetensors file.
        what: what is expected there, for the message.

    Raises:
        ValueError: naming the file, if it is torn.
    """
    with _opened(path, what) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return file.metadata() or {}, tensors


@contextmanager
def _opened(path: Path, what: str) -> Iterator[Any]:  # safe_open has no types
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(f"study: {path} is torn or no {what} ({error}); remove it") from None


def digest(text: str, tensors: Mapping[str, Tensor], names: Iterable[str]) -> str:
    """A digest of a text and of tensors, in the order of their names."""
    found = hashlib.sha256(text.encode())
    for name in names:
        found.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _row(plain: Mapping[str, Any]) -> Row:
    metrics = {name: Interval(**found) for name, found in plain["metrics"].items()}
    return Row(**{**plain, "metrics": metrics})
