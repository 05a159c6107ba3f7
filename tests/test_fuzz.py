"""Every public callable of the package with wrong and odd arguments: an answer, or an error that names one.

From one valid call of each, every argument is replaced by what people pass by mistake, and seeded pairs of
arguments at once. A call returns what is finite, with finite gradients, or it raises an error of ``CLEAR``
that begins with the name of an argument. What is of a wrong type, or NaN, must be refused.
"""

import faulthandler
import inspect
import math
import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from calls import NAMES, Call, calls, numbers
from torch import Tensor

from probmcl import loss, model

CLEAR = (ValueError, TypeError, NotImplementedError, FileNotFoundError)
HUGE = 10**20
PAIRS = 12
"""How many pairs of arguments are replaced at once, of each callable."""

UNDEFINED = (
    "digit_boxes",
    *("average_precision", "auroc", "mean_average_precision", "mean_auroc", "multilabel_metrics"),
    *("bootstrap_interval", "bootstrap_values", "jackknife_interval", "paired_bootstrap_difference"),
    *("percentile_interval", "co_occurrence_similarity", "global_threshold_from_validation"),
    "thresholds_from_validation",
)
"""What says in its docstring where it is NaN: a class without positives, a label that never occurs."""

OWN_ROWS = ("anchors", "b", "features", "other", "shifted", "thresholds")
"""Tensors that may have more or fewer rows than those beside them, as labels have beside views."""

NOT_CALLED = {
    "model": (),
    "loss": ("LossParts", "NoPositivesWarning", "PositiveStatistics"),  # what is returned and warned of
    "data": (
        *("Category", "ChestTable", "CocoLabels", "Corruption", "DownloadRefusedError", "LabelStatistics"),
        *("LabelledDataset", "Parts", "RemoteFile", "SharedBatches", "Source", "Theme", "ViewLoader"),
        *("download", "fetch", "prepare_images", "save_npz", "unpack"),  # write files, fetch from far
    ),
    "train": (
        *("Criterion", "EpochLog", "History", "Options", "TwoStages", "Watch"),  # types, and what is returned
        *("broadcast", "save_checkpoint"),  # any number of modules; writes a file
    ),
    "evaluate": (
        *("Decisions", "Interval", "LabelTree", "MantelTest", "MultiLabelMetrics", "RiskCoverage", "Metric"),
    ),
}
"""Public classes that nobody makes."""


class Odd(NamedTuple):
    """An argument that is not the valid one."""

    value: Any
    refused: bool = False
    """Whether it must not be accepted."""


def wrong(*values: Any) -> Iterator[Odd]:
    return (Odd(value, refused=True) for value in values)


def odd(*values: Any) -> Iterator[Odd]:
    return (Odd(value) for value in values)


def odd_values(valid: object, optional: bool) -> Iterator[Odd]:
    """What people pass by mistake, or legitimately but rarely, where an argument is ``valid``."""
    yield Odd(None, refused=not optional)
    yield from wrong(object())
    if isinstance(valid, bool):
        yield from wrong("nonsense", "", 2, 0.5, math.nan, [True], torch.ones(2))
        yield from odd(not valid, np.bool_(valid))
    elif isinstance(valid, int):
        yield from wrong("3", 1.5, math.nan, math.inf, True, [valid], torch.ones(2), HUGE, -HUGE, -1)
        yield from odd(0, 1, np.int64(valid), torch.tensor(valid))
    elif isinstance(valid, float):
        yield from wrong("0.5", math.nan, True, [valid], torch.ones(2), 1j)
        yield from odd(0, 1, -1.0, math.inf, -math.inf, 1e-30, 1e30, 1e300, HUGE, np.float32(valid))
    elif isinstance(valid, str):
        yield from wrong("nonsense", "", 3, True, math.nan, [valid], valid.encode())
    elif isinstance(valid, Tensor):
        yield from odd_tensors(valid)
    elif isinstance(valid, model.GaussianMixture):
        yield from odd_mixtures(valid)
    elif isinstance(valid, model.HeadOutput):
        yield from odd_outputs(valid)
    elif isinstance(valid, Sequence):
        kind: Callable[..., Any] = type(valid)
        yield from wrong(3, [[]], [None], [object()], kind([*valid, "?"]) if valid[0] != str(valid[0]) else 1)
        yield from odd([], kind([valid[0]]), kind([*valid, valid[0]]), iter(valid))
    else:
        yield from wrong("nonsense", 3, True, math.nan, [])


def odd_tensors(valid: Tensor) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, math.nan, valid.tolist(), valid.numpy(), valid.to_sparse())
    yield from odd(
        valid[:0], valid[:1], valid[:-1], torch.cat([valid, valid]), valid.unsqueeze(0), valid.sum()
    )
    yield from odd(
        valid[..., :0], valid[..., :-1], valid * 0, -valid, valid * 10**6, valid.long(), valid.bool()
    )
    yield from odd(valid.double(), valid.half(), valid.bfloat16(), valid.to(torch.complex64), valid.int())
    yield from odd(valid.flip(0), valid.mT if valid.dim() > 1 else valid, valid.double() * 1e300, valid + 0.5)
    yield from odd(*(valid.float() * scale for scale in (1e-30, 1e4, 1e20, 1e38)), valid.half() * 6e4)
    if valid.is_floating_point():
        for bad in (math.nan, math.inf, -math.inf):
            broken = valid.clone()
            broken.view(-1)[-1] = bad
            yield Odd(broken)


def refused_by_name(name: str, valid: object) -> Iterator[Odd]:
    """What a tensor that bears a name must not hold, wherever it is passed."""
    if isinstance(valid, Tensor) and re.search("labels$", name):
        yield from wrong(valid * 2, valid + 0.5, valid * math.nan, valid - 1, valid[:, :0], valid[:0])
    if isinstance(valid, Tensor) and re.search(
        "scores$|features$|logits$|^(doubt|losses|clean|shifted)$", name
    ):
        yield from wrong(valid * math.nan, valid / 0, valid[:0])


def odd_mixtures(valid: model.GaussianMixture) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, valid.means)
    yield from odd(valid[:1], valid[:-1], valid.to(torch.float64), valid.to(torch.float16))
    yield from odd(replace(valid, sigmas=valid.scale.expand_as(valid.means)))
    yield from odd(model.GaussianMixture(*(part[:, :2] for part in vars(valid).values())))
    yield from odd(replace(valid, means=valid.means[..., :1]))
    yield from wrong(*(replace(valid, sigmas=valid.sigmas * scale) for scale in (0, -1, 1e-30, 1e20)))
    yield from odd(replace(valid, sigmas=valid.sigmas * 1e-3), replace(valid, sigmas=valid.sigmas * 1e3))
    yield from odd(*(replace(valid, means=valid.means * scale) for scale in (0, 1e4, 1e20, 1e38)))
    yield from odd(*(replace(valid, log_weights=valid.log_weights * scale) for scale in (0, 1e4, 1e30)))
    for bad, field in product((math.nan, math.inf), ("log_weights", "means", "sigmas")):
        broken = getattr(valid, field).clone()
        broken[0, 0] = bad
        yield from wrong(replace(valid, **{field: broken}))


def odd_outputs(valid: model.HeadOutput) -> Iterator[Odd]:
    yield from wrong("nonsense", 3, True, [valid.embedding])
    yield from odd(valid.embedding, valid.mixture, replace(valid, mixture=None), replace(valid, logits=None))
    for name in ("embedding", "mixture", "logits"):
        for part in odd_values(getattr(valid, name), optional=True):
            try:
                yield Odd(replace(valid, **{name: part.value}))
            except CLEAR:  # such a head cannot be: its output is tried as a callable of its own
                continue


def with_gradients(value: Any) -> Any:
    """A copy of an argument whose floating-point tensors want a gradient."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.is_floating_point())
    if isinstance(value, model.GaussianMixture | model.HeadOutput):
        return replace(
            value, **{field.name: with_gradients(getattr(value, field.name)) for field in fields(value)}
        )
    return value


def fault(valid: Call, changed: Mapping[str, Odd]) -> str | None:
    """What is wrong with the outcome of a call of which some arguments are changed."""
    arguments = {**valid.arguments, **{name: each.value for name, each in changed.items()}}
    arguments = {name: with_gradients(value) for name, value in arguments.items()}
    named = "|".join({*inspect.signature(valid.function).parameters, *arguments})
    try:
        made = valid.function(**arguments)
        named = r"\w+"  # what is then done with the result has arguments of its own
        found = list(numbers(valid.then(made)))
        moving = [each.sum() for each in found if each.requires_grad]
        if moving:
            torch.autograd.backward(moving)
    except CLEAR as error:
        paths = [str(value) for value in arguments.values() if isinstance(value, str | Path) and str(value)]
        clear = re.match(rf"({named})[:.\[]", str(error)) or any(path in str(error) for path in paths)
        return None if clear else repr(error)
    except Exception as error:  # every other class is what is looked for
        return repr(error)
    undefined = getattr(valid.function, "__name__", "") in UNDEFINED
    if any(each.refused and not (undefined and each.value is math.nan) for each in changed.values()):
        return "accepted"
    if undefined:
        return None
    # In float16 only the gradient of logits, at most one, is sure to have a place.
    leaves = [
        leaf.grad
        for name, value in arguments.items()
        for leaf in numbers(value)
        if leaf.is_leaf and leaf.grad is not None and (name == "logits" or leaf.dtype != torch.float16)
    ]
    given = all(part.isfinite().all() for each in changed.values() for part in numbers(each.value))
    for kind, values in (("result", found), ("gradient", leaves)):
        if given and not all(each.isfinite().all() for each in values):
            return f"a {kind} that is NaN or infinite"
    return None


def described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {tuple(value.shape)} ... {value.flatten()[-1:].tolist()}"
    if isinstance(value, model.GaussianMixture | model.HeadOutput):
        parts = (f"{name}={described(part)}" for name, part in vars(value).items())
        return f"{type(value).__name__}({', '.join(parts)})"
    return " ".join(repr(value).split())[:200]


def faults(valid: Call) -> Iterator[str]:
    """All faults of one callable: every argument by itself, and pairs of them."""
    parameters = inspect.signature(valid.function).parameters
    given = {
        name: valid.arguments.get(name, parameter.default)
        for name, parameter in parameters.items()
        if name in valid.arguments or parameter.default not in (None, inspect.Parameter.empty)
    } | dict(valid.arguments)
    odds = {
        name: [
            *odd_values(value, name in parameters and parameters[name].default is None),
            *(refused_by_name(name, value) if valid.function is not model.HeadOutput else ()),  # takes it all
        ]
        for name, value in given.items()
    }
    rows = [name for name, value in given.items() if isinstance(value, Tensor) and name not in OWN_ROWS]
    if len(rows) > 1 and "output" not in given:  # one row less than the others have
        for name in rows:
            odds[name].append(Odd(given[name][:-1], refused=True))
    trials: list[dict[str, Odd]] = [{}, *({name: each} for name, all_odd in odds.items() for each in all_odd)]
    chosen = random.Random(0)
    if len(odds) > 1:
        for _ in range(PAIRS):
            trials.append({name: chosen.choice(odds[name]) for name in chosen.sample(sorted(odds), 2)})
    for changed in trials:
        if found := fault(valid, changed):
            what = ", ".join(f"{name}={described(each.value)}" for name, each in changed.items())
            yield f"({what}): {found}"


@pytest.fixture
def ended() -> Iterator[None]:
    """End the process with a traceback if a call never returns."""
    faulthandler.dump_traceback_later(300, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("room", NOT_CALLED)
def test_every_public_callable_has_a_valid_call(room: str) -> None:
    offered = import_module(f"probmcl.{room}")
    called = {name.split(",")[0].split(".")[0].removesuffix("()") for name in calls(room)}
    public = {name for name in offered.__all__ if callable(getattr(offered, name))}
    assert called == public - {*NOT_CALLED[room]}


@pytest.mark.parametrize(("room", "name"), NAMES)
def test_odd_arguments_are_answered_or_named(room: str, name: str, ended: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", loss.NoPositivesWarning)
        warnings.filterwarnings("ignore", "'pin_memory' argument")
        found = list(faults(calls(room)[name]))
    assert not found, "\n".join([f"{len(found)} faults", *found])
