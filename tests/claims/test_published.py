from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from probmcl.evaluate import Interval
from probmcl_book.claims import published_table, read_ledger, standings
from probmcl_book.records import Record, Row, load_result
from probmcl_book.replicate import RECIPES, Recipe
from probmcl_book.replicate.datasets import ChestData


def record(recipe: Recipe, test: int, **metrics: float) -> Record:
    whole = load_result("digits")
    found = {name: Interval(value) for name, value in metrics.items()}
    rows = [Row("ProbMCL", seed, found, 1.0, 2) for seed in (0, None)]
    data = replace(whole.data, sizes={"test": test})
    return replace(whole, recipe=recipe.to_dict(), data=data, rows=rows)


def test_a_run_on_the_whole_test_set_is_ranked_by_its_number() -> None:
    found = standings(record(RECIPES["coco-tresnet-l-448"](), 40137, mAP=0.8865), read_ledger())
    ranked = [(one.row, one.value) for one in found if not one.reason]
    assert len(ranked) == len(found) == 16  # 15 published values and ours
    assert ranked == sorted(ranked, key=lambda pair: -pair[1])
    place = [row for row, _ in ranked].index("ours")
    assert (ranked[place - 1], ranked[place + 1]) == (("R8", 0.891), ("R7", 0.886))
    assert found[place].setting == "tresnet_l, weights miil_in1k_448, input 448"
    assert found[place].rows == "40,137"


@pytest.mark.parametrize(
    ("test", "data", "split", "reason"),
    [
        (64, {}, "val2014", "64 test images, not the 40,137 of the published rows"),
        (40137, {"name": "X", "access": "private rebuild of MS-COCO"}, "its own", "other images: X"),
    ],
)
def test_a_run_on_other_images_is_not_ranked(test: int, data: dict, split: str, reason: str) -> None:
    ours = record(RECIPES["coco-tresnet-l-448"](), test, mAP=0.99)
    found = standings(replace(ours, data=replace(ours.data, **data)), read_ledger())
    assert [one for one in found if one.reason] == found[-1:]
    assert (found[-1].row, found[-1].split, found[-1].reason) == ("ours", split, reason)


def test_rows_of_another_split_or_metric_stand_apart_with_the_reason() -> None:
    recipe = RECIPES["chestxray14-densenet121-320"]()
    found = standings(record(recipe, 25596, AUROC=0.815, mAP=0.3), read_ledger())
    assert [one.row for one in found if not one.reason] == ["R12", "R12", "ours", "R11"]
    assert found[3].shown == "0.811 [.804, .817]"
    apart = {one.row: one.reason for one in found if one.reason}
    assert set(apart) == {"R10", "R13"}
    assert "random by patient" in apart["R10"]
    assert "first 10 %" in apart["R13"]
    assert found[-1].shown in ("mAP 30.0", "mAP 31.5")


def test_nobody_is_ranked_where_everybody_draws_another_test_set() -> None:
    recipe = replace(RECIPES["chestxray14-densenet121-320"](), data=ChestData("random-patient"))
    found = standings(record(recipe, 22424, AUROC=0.85), read_ledger())
    assert all(one.reason for one in found)
    assert {one.row for one in found} == {"ours", "R10", "R11", "R12", "R13"}


@pytest.mark.parametrize(
    ("pixels", "area", "rows"),
    [(28, 0.77, ["R14", "R14", "ours", "R14"]), (64, 0.8, 3 * ["R14"]), (224, 0.8, 3 * ["R14"])],
)
def test_chestmnist_is_ranked_among_its_own_rows_at_their_size_alone(pixels, area, rows) -> None:
    found = standings(record(RECIPES[f"chestmnist-resnet18-{pixels}"](), 22433, AUROC=area), read_ledger())
    assert [one.row for one in found if not one.reason] == rows
    apart = [one.reason for one in found if one.reason]
    assert len(apart) == (pixels != 28)
    assert all(f"our images have {pixels} pixels" in reason for reason in apart)


@pytest.mark.parametrize("test", [40137, 64])
def test_the_table_shows_every_row_and_every_reason(test: int) -> None:
    ours = record(RECIPES["coco-tresnet-m-224"](), test, mAP=0.8)
    found = standings(ours, read_ledger())
    console = Console(width=200, record=True, file=StringIO())
    console.print(published_table(ours, found))
    text = console.export_text()
    assert text.count("R4") == 3
    assert "tresnet_m, weights miil_in21k, input 224" in text
    assert ("a, not comparable: 64 test images, not the 40,137" in text) == (test == 64)
