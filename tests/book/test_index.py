"""What the front page says came out is what the records hold."""

import re
from pathlib import Path

from probmcl.evaluate import Interval
from probmcl_book.records import load_result
from probmcl_book.studies import difference_of, in_group, mean_of
from probmcl_book.studies.planned.photographs import SHARES
from probmcl_book.studies.planned.plans import ALL, FEW
from probmcl_book.studies.planned.settings import BEST, PROBE

INDEX = Path(__file__).parents[2] / "book" / "index.md"
FOUND = INDEX.read_text(encoding="utf-8").partition("## What came out\n")[2].partition("\n\n## ")[0]


def above(record: str, rival: str, group: str = ALL, metric: str = "mAP") -> Interval:
    found = difference_of(in_group(load_result(record), group), "ProbMCL", rival, metric)
    assert found is not None
    return found


def test_its_numbers_are_those_of_the_records_in_their_order() -> None:
    tuned, untuned = in_group(load_result("study_main"), ALL), load_result("digits")
    recorded = [mean_of(tuned, name) for name in ("ProbMCL", "BCE", "SupCon, threshold")]
    recorded += [next(row for row in untuned.rows if row.seed is None and row.method == "BCE")]
    recorded += [next(row for row in untuned.rows if row.seed is None and row.method == "ProbMCL")]
    said = re.findall(r"0\.\d{3}", FOUND)
    assert said == [f"{row.metrics['mAP'].value:.3f}" for row in recorded]
    assert 3.5 < untuned.data.sizes["train"] / load_result("study_main").data.sizes["train"] < 4.5


def test_who_is_ahead_is_ahead_by_the_interval_of_the_difference() -> None:
    assert above("study_main", "BCE").low > 0
    assert above("study_main", "BCE", metric="mAP over seeds").low < 0
    assert above("study_main", "SupCon, threshold").high < 0
    assert above("study_main_mirflickr14", "BCE", FEW).high < 0
    untuned = {d.against: d.interval for d in load_result("digits").differences if d.method == "ProbMCL"}
    assert untuned["BCE"].high < 0
    photographs = in_group(load_result("study_main_mirflickr14"), ALL)
    rivals = [d for d in photographs.differences if d.metric == "mAP" and "Start" not in d.against]
    assert len(rivals) >= 10
    assert all(d.interval.low < 0 < d.interval.high for d in rivals)
    coco = {name: in_group(load_result("study_photographs_coco18"), name) for name in SHARES}
    most, *fewer = coco.values()
    for few in fewer:
        gains = [difference_of(few, row.method, PROBE) for row in few.rows]
        assert all(gain is None or gain.low <= 0 for gain in gains)
    row = next(row for row in load_result("coco18_logistic").rows if "15,000" in row.method)
    logistic = row.metrics["mAP"]
    assert all(
        logistic.low < mean_of(most, name).metrics["mAP"].value < logistic.high
        for name in (BEST, "SupCon, threshold")
    )
