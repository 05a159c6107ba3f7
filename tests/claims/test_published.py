"""Our row among published ones: ranked on the same test images, apart with a reason otherwise."""

from __future__ import annotations

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


def test_a_run_on_a_part_of_the_test_set_is_not_ranked() -> None:
    found = standings(record(RECIPES["coco-tresnet-l-448"](), 64, mAP=0.99), read_ledger())
    assert [one.row for one in found if one.reason] == ["ours"]
    assert found[-1].reason == "64 test images, not the 40,137 of the published rows"


def test_a_private_rebuild_is_not_ranked_however_many_images_it_has() -> None:
    whole = record(RECIPES["coco-tresnet-l-448"](), 40137, mAP=0.99)
    data = replace(whole.data, name="COCO-355", access="private rebuild of MS-COCO")
    found = standings(replace(whole, data=data), read_ledger())
    assert [(one.row, one.split) for one in found if one.reason] == [("ours", "its own")]
    assert found[-1].reason == "other images: COCO-355"


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


def test_chestmnist_stands_beside_its_own_rows_alone() -> None:
    found = standings(record(RECIPES["chestmnist-resnet18-28"](), 22433, AUROC=0.77), read_ledger())
    assert [one.row for one in found] == ["R14", "R14", "ours", "R14"]
    assert not any(one.reason for one in found)


@pytest.mark.parametrize("pixels", [64, 224])
def test_larger_films_are_not_ranked_with_enlarged_small_ones(pixels: int) -> None:
    found = standings(record(RECIPES[f"chestmnist-resnet18-{pixels}"](), 22433, AUROC=0.8), read_ledger())
    assert [one.row for one in found] == ["R14", "R14", "R14", "ours"]
    assert [bool(one.reason) for one in found] == [False, False, False, True]
    assert f"our images have {pixels} pixels" in found[-1].reason


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
