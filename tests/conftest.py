"""Factories of seeded labels, mixtures, logits and records of studies, and the comparison with the oracle."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from pretend_cuda import pretend_cuda
from torch import Tensor

from probmcl.evaluate import Interval
from probmcl.model import GaussianMixture
from probmcl_book.records import DataIdentity, Difference, Record, Row
from probmcl_book.records.provenance import provenance
from probmcl_book.studies import WORLDS, Trial, planned_study, record_name


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """The CPU, and a GPU; where there is none, a pretended one."""
    pretended = request.param == "cuda" and not torch.cuda.is_available()
    with pretend_cuda() if pretended else nullcontext():
        yield torch.device(request.param)


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    return request.param


@pytest.fixture(params=[False, True], ids=["isotropic", "diagonal"])
def diagonal(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def make_labels() -> Callable[..., Tensor]:
    """Random (N, K) zeros and ones; the first ``empty`` rows carry no label."""

    def make(n: int, k: int, *, seed: int = 0, empty: int = 0, density: float = 0.4) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        labels = (torch.rand(n, k, generator=generator) < density).to(torch.uint8)
        labels[labels.sum(1) == 0, 0] = 1
        labels[:empty] = 0
        return labels

    return make


@pytest.fixture(scope="session")
def make_mixture() -> Callable[..., GaussianMixture]:
    """Random mixtures; drawn in float32 and then converted, so both dtypes hold the same numbers."""

    def make(
        n: int,
        components: int,
        dimensions: int,
        *,
        seed: int = 0,
        diagonal: bool = False,
        sigma: tuple[float, float] = (0.05, 3.0),
        unit_means: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> GaussianMixture:
        generator = torch.Generator().manual_seed(seed)
        log_weights = torch.randn(n, components, generator=generator).log_softmax(-1)
        means = torch.randn(n, components, dimensions, generator=generator)
        if unit_means:
            means = torch.nn.functional.normalize(means, dim=-1)
        shape = (n, components, dimensions) if diagonal else (n, components)
        low, high = (math.log(bound) for bound in sigma)
        sigmas = (low + (high - low) * torch.rand(shape, generator=generator)).exp()
        mixture = GaussianMixture(log_weights, means, sigmas).to(dtype)
        return replace(mixture, log_weights=mixture.log_weights.log_softmax(-1))  # sums to 1 in dtype

    return make


@pytest.fixture(scope="session")
def assert_matches() -> Callable[..., None]:
    """Agreement with a float64 value to 1e-9 (float64) or 1e-5 (float32), absolute plus relative."""

    def check(found: Tensor, expected: Tensor, *, scale: Tensor | float = 0.0) -> None:
        """``scale`` is a magnitude that was subtracted on the way: log Sim is a difference of log kappa."""
        tolerance = {torch.float64: 1e-9, torch.float32: 1e-5}[found.dtype]
        assert found.shape == expected.shape
        assert torch.isfinite(found).all()
        error = (found.double() - expected).abs()
        allowed = tolerance * (1 + torch.maximum(expected.abs(), torch.as_tensor(scale, dtype=torch.float64)))
        assert (error <= allowed).all(), (
            f"error {error.max():.2e}, allowed {allowed.flatten()[(error - allowed).argmax()]:.2e}"
        )

    return check


@pytest.fixture(scope="session")
def make_study_record() -> Callable[..., Record]:
    """A record of a planned study, made up: mAP, graph and validation mAP are given by setting.

    A setting's runs differ by 0.001 a seed, alike for all settings, so that differences over seeds are exact.
    Differences have an interval of plus and minus 0.01, means likewise.
    """

    def make(
        name: str,
        world: str = "digits",
        *,
        mean_ap: dict[str, float] | None = None,
        graph: dict[str, float] | None = None,
        validation: dict[str, float] | None = None,
        seeds: tuple[int, ...] | None = None,
        similarity: Tensor | None = None,
        adds: dict[str, float] | None = None,
        entropy: float = 1.0,
    ) -> Record:
        study = planned_study(name, world)
        study = study.with_seeds(seeds) if seeds else study
        classes = WORLDS[world].classes
        tested, known, tuned = mean_ap or {}, graph or {}, validation or mean_ap or {}

        def row(trial: Trial, seed: int | None) -> Row:
            shift = 0.001 * (seed or 0)
            values = {
                "mAP": tested.get(trial.setting, 0.8) + shift,
                "validation mAP": tuned.get(trial.setting, 0.8) + shift,
                **dict.fromkeys(("AUROC", "CF1", "OF1"), 0.7),
                "classifier graph": known.get(trial.setting, 0.5) + shift,
                "embedding graph": 0.6,
                "multiply-adds": (adds or {}).get(trial.setting, 1e6),
                "parameters": 1e5,
                "head parameters": 1e4,
                "positives": 12.0,
                "weight entropy": entropy,
                "effective rank": 5.0,
            }
            bounds = 0.01 if seed is None else math.nan
            metrics = {key: Interval(v, v - bounds, v + bounds, 0.95, "t") for key, v in values.items()}
            series = {"average_precision": [values["mAP"]] * classes, "watched": [0.1, 0.2]}
            if seed is None and similarity is not None:
                series["weight similarity"] = similarity.flatten().tolist()
            return Row(trial.name, seed, metrics, 10.0 + len(trial.setting), 100, series)

        gains = [
            (one, other, metric, given.get(one.setting, usual) - given.get(other.setting, usual))
            for one, other in study.pairs()
            for metric, given, usual in (
                ("mAP", tested, 0.8),
                ("mAP over seeds", tested, 0.8),
                ("classifier graph over seeds", known, 0.5),
            )
        ]
        differences = [
            Difference(
                one.name, other.name, metric, Interval(gain, gain - 0.01, gain + 0.01, 0.997, "made up")
            )
            for one, other, metric, gain in gains
        ]
        rows = [row(trial, seed) for trial in study.trials for seed in (*trial.seeds, None)]
        sizes = {"train": 1536, "test": 1500}
        data = DataIdentity(world, "a split", sizes, "md5:" + 32 * "0", "drawn", "here")
        made = ({**study.to_dict(), "chosen": {}}, study.seeds, data, *provenance("cpu"), 1.0)
        return Record(record_name(name, world), "study", "python", *made, rows, differences)

    return make
