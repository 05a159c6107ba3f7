"""Claims are decided by the rules of chapter 12, and by no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from probmcl.data import co_occurrence
from probmcl.evaluate import Interval, co_occurrence_similarity
from probmcl_book.claims import (
    CLAIMS,
    claim_finding,
    read_ledger,
    replaces_default,
    validation_gains,
    world_labels,
)
from probmcl_book.claims.claims import best_rival, epistemic
from probmcl_book.records import Difference, Record, Row, load_result, write_record
from probmcl_book.studies import WORLDS, difference_of, in_group, study_in

Make = Callable[..., Record]


def status(row: str, *records: Record) -> str | None:
    found = CLAIMS[row]({record.name: record for record in records})
    return None if found is None else found.status


@pytest.mark.parametrize(
    ("mean_ap", "graph", "expected"),
    [
        ({"Jaccard 0.5": 0.85}, {"BCE": 0.5}, "reproduced"),
        ({"Jaccard 0.34": 0.85}, {"BCE": 0.5}, "reproduced"),  # one threshold is enough
        ({"Jaccard 0.5": 0.85}, {"BCE": 0.6}, "partly"),  # but BCE knows the graph better
        ({"Jaccard 0.5": 0.85, "weighted": 0.85}, {"BCE": 0.5}, "partly"),  # not told apart from one rival
        ({"any": 0.85}, {"BCE": 0.5}, "not reproduced"),
        ({"Jaccard 1": 0.85}, {"BCE": 0.5}, "not reproduced"),
        ({"all": 0.85}, {"BCE": 0.5}, "partly"),
    ],
)
def test_c1_asks_for_a_threshold_above_all_rivals_and_for_the_label_graph(
    make_study_record: Make, mean_ap: dict[str, float], graph: dict[str, float], expected: str
) -> None:
    assert status("C1", make_study_record("positives", mean_ap=mean_ap)) != "reproduced"  # BCE is missing
    positives = [make_study_record("positives", world, mean_ap=mean_ap) for world in WORLDS]
    main = [make_study_record("main", world, graph=graph) for world in WORLDS]
    assert status("C1", *positives, *main) == expected
    assert status("C1", positives[0], main[0]) == "partly"  # one world alone decides nothing


@pytest.mark.parametrize("gain", [0.02, 0.0, -0.02])
def test_c2_needs_both_halves(make_study_record: Make, gain: float) -> None:
    """One half alone decides nothing, whichever way it points."""
    assert status("C2", make_study_record("mixture", mean_ap={"Mixture": 0.8 + gain})) == "partly"


@pytest.mark.parametrize(
    ("gains", "lowest", "expected"),
    [
        ((0.1, 0.1), 0.6, "reproduced"),
        ((0.1, 0.0), 0.6, "partly"),
        ((-0.1, -0.1), 0.6, "not reproduced"),
        ((0.0, 0.0), 0.4, "not reproduced"),
    ],
)
def test_epistemic_is_decided_by_both_kinds_of_unfamiliar_images(
    make_study_record: Make, gains: tuple[float, float], lowest: float, expected: str
) -> None:
    kinds = ("unseen symbols AUROC", "held-out theme AUROC")
    scores = {kind: Interval(lowest, lowest, 1.0) for kind in kinds}
    row = Row("between variance", None, {**scores, "growth": Interval(1.0)}, 1.0, 1)
    differences = [
        Difference(row.method, "entropy", kind, Interval(gain, gain - 0.01, gain + 0.01))
        for kind, gain in zip(kinds, gains, strict=True)
    ]
    record = replace(make_study_record("mixture"), rows=[row], differences=differences)
    found = epistemic({"study_uncertainty_digits": record})
    assert found is not None
    assert found.status == expected


def test_c3_is_decided_against_the_rival_that_validation_chose(make_study_record: Make) -> None:
    tested = {"ProbMCL": 0.85, "ASL": 0.9}
    ours = make_study_record("main", mean_ap=tested, validation={"KMCL": 0.9, "Start (linear probe)": 1.0})
    assert best_rival(in_group(ours, "100 %")) == "KMCL"
    photos = make_study_record("main", "mirflickr14", mean_ap={"ProbMCL": 0.85})
    assert status("C3", ours, photos) == "reproduced"
    assert status("C3", ours) == "partly"  # a world is missing
    dear = make_study_record("main", mean_ap={"ProbMCL": 0.85}, adds={"ProbMCL": 2e6})
    assert status("C3", dear, photos) == "partly"
    below = [make_study_record("main", w, mean_ap={"ProbMCL": 0.7}) for w in ("digits", "mirflickr14")]
    assert status("C3", *below) == "not reproduced"
    assert status("C3", below[0], photos) == "partly"  # the worlds disagree


def test_a_verdict_says_which_world_is_missing_and_how_many_seeds_both_settings_have(
    make_study_record: Make,
) -> None:
    record = make_study_record("main", mean_ap={"ProbMCL": 0.7, "KMCL": 0.9})
    fewer = [row for row in record.rows if not (row.method == "KMCL · 100 %" and row.seed in (3, 4))]
    found = CLAIMS["C3"]({record.name: replace(record, rows=fewer)})
    assert found is not None
    assert found.sentence.startswith('On digits (1,536 training images, 3 seeds): ProbMCL is below "KMCL"')
    assert "Over seeds it is -0.200 [-0.210, -0.190]." in found.sentence
    assert found.sentence.endswith("Not run: main in mirflickr14; the verdict is provisional.")


def test_c1_and_c4_say_what_is_missing(make_study_record: Make) -> None:
    truth = co_occurrence_similarity(co_occurrence())
    topology = make_study_record("topology", similarity=truth)
    elsewhere = make_study_record("topology", "mirflickr14")
    for row, records, missing in (
        ("C1", [make_study_record("positives")], "positives in mirflickr14, main in digits, main in"),
        ("C4", [topology], "topology in mirflickr14;"),
        ("C4", [topology, elsewhere], "label statistics in mirflickr14;"),
    ):
        found = CLAIMS[row]({record.name: record for record in records})
        assert found is not None
        assert f"Not run: {missing}" in found.sentence


def test_a_world_without_the_runs_that_a_rule_compares_is_missing(make_study_record: Make) -> None:
    here = make_study_record("mixture", mean_ap={"Mixture": 0.9})
    there = replace(make_study_record("mixture", "mirflickr14"), differences=())
    found = CLAIMS["C2"]({record.name: record for record in (here, there)})
    assert found is not None
    assert "Not run: mixture in mirflickr14;" in found.sentence


@pytest.fixture
def topology_in_both_worlds(make_study_record: Make) -> Callable[..., list[Record]]:
    """Records of topology whose similarities are those of the label graph, or their opposite."""
    counted = load_result("labels_mirflickr14")
    truths = {
        world: world_labels(make_study_record("topology", world), counted, group="100 %").similarity
        for world in WORLDS
    }

    def make(graph: dict[str, float], sign: float) -> list[Record]:
        similar = {world: sign * truth for world, truth in truths.items()}
        made = [make_study_record("topology", w, graph=graph, similarity=s) for w, s in similar.items()]
        return [*made, counted]

    return make


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"ProbMCL": 0.6}, "reproduced"),
        ({"ProbMCL": 0.6, "ASL": 0.6}, "partly"),
        ({"ProbMCL": 0.4}, "not reproduced"),
    ],
)
def test_c4_asks_for_more_than_bce_and_asl(
    topology_in_both_worlds: Callable[..., list[Record]], graph: dict[str, float], expected: str
) -> None:
    assert status("C4", *topology_in_both_worlds(graph, 1.0)) == expected
    assert status("C4", *topology_in_both_worlds(graph, -1.0)) == "not reproduced"


def test_a_record_decides_the_ledger(make_study_record: Make, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "book" / "ledger.yml"
    (tmp_path / "ledger.yml").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    truth = co_occurrence_similarity(co_occurrence())
    record = make_study_record("topology", graph={"ProbMCL": 0.6}, similarity=truth)
    write_record(record, tmp_path / "results" / f"{record.name}.json")
    before, after = read_ledger(source), read_ledger(tmp_path / "ledger.yml")
    entry = after[3]
    assert (entry.id, entry.status) == ("C4", "partly")  # one world is missing
    assert entry.verdict.startswith("On digits (1,536 training images, 5 seeds): ProbMCL's classifier has")
    assert after[4:] == before[4:]


def test_a_study_under_another_name_decides_nothing(make_study_record: Make, tmp_path: Path) -> None:
    write_record(make_study_record("topology"), tmp_path / "study_main.json")
    with pytest.raises(ValueError, match=r"study_main\.json: expected the study of this name, got study_t"):
        claim_finding("C3", tmp_path)


def test_a_group_holds_its_settings_and_nothing_else(make_study_record: Make) -> None:
    record = make_study_record("main", mean_ap={"BCE": 0.7})
    few = in_group(record, "10 %")
    assert {row.method for row in few.rows} == {
        trial.setting for trial in study_in(record).trials if trial.group == "10 %"
    }
    assert difference_of(few, "ProbMCL", "BCE").value == pytest.approx(0.1)
    assert difference_of(few, "BCE", "ProbMCL").high == pytest.approx(-0.09)
    assert difference_of(few, "BCE", "ASL") is None
    with pytest.raises(ValueError, match="group: study_main has runs in '100 %', '10 %', got '1 %'"):
        in_group(record, "1 %")


def test_a_default_is_replaced_by_what_is_better_in_both_worlds(make_study_record: Make) -> None:
    better = {"M13 tau 0.1": 0.9}
    here, there = (make_study_record("choices", world, validation=better) for world in WORLDS)
    elsewhere = make_study_record("choices", "mirflickr14")
    assert list(replaces_default({"digits": here, "mirflickr14": there})) == ["M13 tau 0.1"]
    assert replaces_default({"digits": here, "mirflickr14": elsewhere}) == {}
    assert validation_gains(here)["M13 tau 0.1"].value == pytest.approx(0.1)


def test_an_idle_mixture_is_replaced_by_one_that_works_and_is_no_worse(make_study_record: Make) -> None:
    idle = make_study_record("choices", entropy=0.0)
    assert replaces_default({"digits": idle}) == {}
    busy = [
        replace(row, metrics={**row.metrics, "weight entropy": Interval(1.0)})
        if row.method == "M12 NLL weight 0.005"
        else row
        for row in idle.rows
    ]
    found = replaces_default({"digits": replace(idle, rows=busy)})
    assert found == {"M12 NLL weight 0.005": "no worse, and uses more than one component"}


def test_the_graph_of_a_made_up_record_is_the_exact_one(make_study_record: Make) -> None:
    found = world_labels(make_study_record("positives"), group="up to 2 digits")
    torch.testing.assert_close(found.frequency, co_occurrence(most=2).diagonal())
    with pytest.raises(ValueError, match="counted: expected the record that counts"):
        world_labels(make_study_record("topology", "mirflickr14"))
