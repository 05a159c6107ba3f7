"""Each defect of the museum gives its wrong number, the package the right one, and a test stands guard."""

import inspect
import math
from pathlib import Path

import pytest
import torch

from probmcl.loss import contrastive_loss, mixture_nll
from probmcl.model import GaussianMixture
from probmcl_book.claims import has_test
from probmcl_book.pages.museum import EXHIBITS, catalogue, exhibits, visit, wrong

ROOT = Path(__file__).parents[2]

# name: (wrong numbers, right numbers), where they are known in closed form or from a published comparison
NUMBERS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "coefficient": ((0.68**128,), (0.68,)),
    "far positive": ((math.inf,), (120.0,)),
    "lonely anchor": ((math.nan,), (math.log(2),)),
    "lonely anchors": ((0.612,), (2.448,)),
    "label-less rows": ((math.nan,), (0.0,)),
    # p(0) p(8) + p(8) p(0) of N(0, 1): one over the root of two pi, an exponent of -32; each alone is a half
    "mixed components": ((math.log(2 * math.pi) + 2 * math.log(2),), (math.log(2 * math.pi) + 32,)),
    "ties": (((1 + 2 / 3 + 3 / 4) / 3, (1 / 2 + 2 / 5 + 3 / 6) / 3), (0.5, 0.5)),
    "gradients": ((1.0,), (0.0,)),
    "a tenth": ((100.0, 1.0), (1000.0, 10.0)),
    "GPU": ((0.0,), (1.0,)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_defect_gives_its_number_and_the_package_the_right_one(name: str) -> None:
    found, expected = EXHIBITS[name].case(), NUMBERS[name]
    for numbers, known in zip(found, expected, strict=True):
        assert numbers == pytest.approx(known, rel=1e-4, abs=1e-30, nan_ok=True)


def test_a_weight_inside_the_logarithm_has_no_gradient_and_outside_it_has() -> None:
    (inside,), (outside,) = EXHIBITS["jaccard"].case()
    assert inside == 0
    assert outside > 0.1


def test_linear_space_ends_in_infinity_and_logarithms_do_not() -> None:
    linear, logs = EXHIBITS["linear space"].case()
    assert linear[0] == pytest.approx(logs[0], rel=1e-5)
    assert linear[-1] == math.inf
    assert logs[2] == pytest.approx(128 * (1 + math.log(2 * math.pi)) / 2, rel=0.05)  # the entropy


def test_the_double_loop_takes_four_times_the_operations_for_twice_the_rows() -> None:
    slow, fast = EXHIBITS["double loop"].case()
    assert slow[1] / slow[0] == pytest.approx(4, rel=0.01)
    assert slow[0] > 500 * fast[0]
    assert fast[0] == fast[1]


@pytest.mark.parametrize("name", ["thresholds", "best epoch"])
def test_choosing_on_the_test_images_flatters(name: str) -> None:
    (chosen_on_test,), (chosen_on_validation,) = EXHIBITS[name].case()
    assert chosen_on_test > chosen_on_validation + 0.02
    if name == "thresholds":  # labels of frequency 0.1 and no knowledge: CF1 is at most 2 * 0.1 / (1 + 0.1)
        assert chosen_on_validation < 0.2 < chosen_on_test


def test_a_fixed_threshold_misses_rare_labels() -> None:
    (fixed,), (chosen,) = EXHIBITS["fixed threshold"].case()
    assert fixed < chosen - 0.2


def test_every_exhibit_has_been_compared() -> None:
    others = {"jaccard", "linear space", "double loop", "thresholds", "best epoch", "fixed threshold"}
    assert set(NUMBERS) | others == set(EXHIBITS)


class TestWhereTheDefectDoesNotShow:
    """A wrong version is right on easy input, which is why it was not noticed."""

    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    positives = (torch.ones(5, 5) - torch.eye(5)).float()

    @pytest.mark.parametrize(
        "loss", [wrong.log_of_softmax, wrong.mean_over_no_positives, wrong.zeros_in_the_mean]
    )
    def test_losses_of_small_logits_where_everyone_has_positives(self, loss) -> None:
        expected = contrastive_loss(self.logits, self.positives)
        assert torch.allclose(loss(self.logits, self.positives), expected)

    def test_one_dimension(self) -> None:
        one = torch.ones(1)
        found = wrong.coefficient_to_the_power_of_d(0 * one, one, one, one)
        assert found.item() == pytest.approx(math.exp(-1 / 8))

    def test_one_component_in_few_dimensions(self) -> None:
        mixture = GaussianMixture(torch.zeros(3, 1), torch.zeros(3, 1, 4), torch.ones(3, 1))
        z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
        expected = mixture_nll(mixture, z, per_dimension=False)
        for nll in (wrong.nll_in_linear_space, wrong.nll_of_every_dimension_alone):
            assert torch.allclose(nll(mixture, z), expected)


@pytest.mark.parametrize("name", EXHIBITS)
def test_a_test_stands_guard(name: str) -> None:
    assert has_test(ROOT, EXHIBITS[name].test), EXHIBITS[name].test


def test_every_wrong_version_is_shown() -> None:
    cases = inspect.getsource(exhibits)
    made_here = [name for name, thing in inspect.getmembers(wrong) if inspect.getmodule(thing) is wrong]
    assert len(made_here) == 12
    assert [name for name in made_here if f"wrong.{name}" not in cases] == []


def test_a_visit_shows_both_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    visit("lonely anchors")
    shown = capsys.readouterr().out
    assert "0.612" in shown
    assert "2.448" in shown
    catalogue()
    shown = capsys.readouterr().out
    assert all(exhibit.title in shown for exhibit in EXHIBITS.values())
