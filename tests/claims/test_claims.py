"""Claims are decided by the rules of chapter 12, and by no others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from probmcl.__main__ import main as command
from probmcl.data import co_occurrence
from probmcl.evaluate import Interval
from probmcl_book import claims
from probmcl_book.claims.claims import COUNTED_LABELS, best_rival
from probmcl_book.records import Difference, Record, Row, load_result, write_record
from probmcl_book.studies import WORLDS, difference_of, in_group, study_in

Make = Callable[..., Record]
ROOT = Path(__file__).parents[2]


def finding(row: str, *records: Record) -> claims.Finding:
    return claims.Finding(tuple(claims.CLAIMS[row].parts({record.name: record for record in records})), "")


def words(row: str, *records: Record) -> list[str]:
    return [part.word for part in finding(row, *records).parts]


@pytest.mark.parametrize(
    ("parts", "status", "word"),
    [
        ({"A": "supported", "B": "supported"}, "supported", "supported"),
        ({"A": "undecided", "B": "undecided"}, "undecided", "undecided"),
        ({"A": "undecided", "B": "supported"}, "undecided", "undecided (supported on B, undecided on A)"),
        ({"A": "supported", "B": "contradicted"}, "mixed", "mixed (supported on A, contradicted on B)"),
        ({"A": "contradicted", "B": "undecided"}, "not supported",
         "not supported (contradicted on A, undecided on B)"),
        ({"A": "contradicted", "B": "contradicted"}, "not supported",
         "not supported (contradicted on A and B)"),
        ({"A": "contradicted", "B": "not run"}, "not run", "not run (contradicted on A, not run on B)"),
        ({"A": "not run"}, "not run", "not run"),
    ],
)  # fmt: skip
def test_the_word_of_a_claim_follows_from_those_of_its_parts(parts, status: str, word: str) -> None:
    found = claims.Finding(tuple(claims.Part(name, one) for name, one in parts.items()), "")
    assert (found.status, found.word) == (status, word)
    assert status in (*claims.WORDS, "not run")


@pytest.mark.parametrize(
    ("mean_ap", "graph", "expected"),
    [
        ({"Jaccard 0.5": 0.85}, {"BCE": 0.5}, "supported"),
        ({"Jaccard 0.34": 0.85}, {"BCE": 0.5}, "supported"),  # one threshold is enough
        ({"Jaccard 0.5": 0.85}, {"BCE": 0.6}, "undecided"),  # but BCE knows the graph better
        ({"Jaccard 0.5": 0.85, "weighted": 0.85}, {"BCE": 0.5}, "undecided"),  # not told apart from one rival
        ({"any": 0.85}, {"BCE": 0.5}, "contradicted"),
        ({"Jaccard 1": 0.85}, {"BCE": 0.5}, "contradicted"),
        ({"all": 0.85}, {"BCE": 0.5}, "undecided"),
    ],
)
def test_c1_asks_for_a_threshold_above_all_rivals_and_for_the_label_graph(
    make_study_record: Make, mean_ap: dict[str, float], graph: dict[str, float], expected: str
) -> None:
    positives = make_study_record("positives", mean_ap=mean_ap)
    main = make_study_record("main", graph=graph)
    assert words("C1", positives) == ["not run", "not run"]  # BCE is missing
    assert words("C1", positives, main) == [expected, "not run"]


@pytest.mark.parametrize(("gain", "word"), [(0.03, "supported"), (0.0, "undecided"), (-0.03, "contradicted")])
def test_c2_asks_for_a_mixture_above_points(make_study_record: Make, gain: float, word: str) -> None:
    mixture = make_study_record("mixture", mean_ap={"Mixture": 0.8 + gain})
    assert words("C2", mixture) == [word, "not run", "not run", "not run"]


def doubts(make: Make, gains: tuple[float, float], own: float, spread: float = 0.0) -> Record:
    """A record of uncertainty with these gains over the entropy, and an AUROC of the variance."""
    kinds = dict(zip(("unseen symbols AUROC", "held-out theme AUROC"), gains, strict=True))
    score, entropy = "between variance", "entropy at the thresholds"

    def row(name: str, seed: int | None, of: dict[str, float]) -> Row:
        metrics = {kind: Interval(value, value - 0.01, value + 0.01, 0.95, "b") for kind, value in of.items()}
        return Row(name, seed, {**metrics, "growth": Interval(1.0)}, 1.0, 1)

    rows = [row(score, None, dict.fromkeys(kinds, own))]
    for seed in (0, 1, 2):
        shift = spread * (seed - 1)
        rows.append(row(score, seed, dict.fromkeys(kinds, own + shift)))
        rows.append(row(entropy, seed, {kind: own - gain for kind, gain in kinds.items()}))
    intervals = {kind: Interval(gain, gain - 0.01, gain + 0.01, 0.99, "b") for kind, gain in kinds.items()}
    differences = [Difference(score, entropy, kind, found) for kind, found in intervals.items()]
    return replace(make("mixture"), name="study_uncertainty_digits", rows=rows, differences=differences)


@pytest.mark.parametrize(
    ("gains", "own", "spread", "expected"),
    [
        ((0.1, 0.1), 0.6, 0.0, ["supported", "supported"]),
        ((0.1, 0.0), 0.6, 0.0, ["supported", "undecided"]),
        ((-0.1, 0.1), 0.6, 0.0, ["contradicted", "supported"]),
        ((0.1, 0.1), 0.4, 0.0, ["contradicted", "contradicted"]),  # above the entropy and below chance
        ((0.1, 0.1), 0.6, 0.1, ["undecided", "undecided"]),  # but trainings differ as much
    ],
)
def test_epistemic_has_a_word_for_every_outcome(make_study_record, gains, own, spread, expected) -> None:
    record = doubts(make_study_record, gains, own, spread)
    assert [part.word for part in claims.epistemic_finding(record).parts] == expected
    assert words("C2", record)[2:] == expected
    with pytest.raises(ValueError, match="score: expected one of between variance"):
        claims.epistemic_finding(record, "labels predicted")


def test_one_ensemble_has_no_spread_and_decides_nothing() -> None:
    found = claims.epistemic_finding(load_result("study_uncertainty_digits"), "ensemble's mutual information")
    assert found.word == "undecided"
    assert "one ensemble has no spread" in found.sentence


def test_c3_is_decided_against_both_kinds_of_heads(make_study_record: Make) -> None:
    rivals = {"Label-graph head": 0.7, "Transformer head": 0.9, "KMCL": 0.99}
    ours, photos = make_study_record("main", mean_ap=rivals), make_study_record("main", "mirflickr14")
    found = finding("C3", ours, photos)
    assert {part.name: part.word for part in found.parts} == {
        "the graph head on DigitScenes": "supported",
        "the graph head on MIRFLICKR": "undecided",
        "the transformer head on DigitScenes": "contradicted",  # photographs' features have no places
    }
    assert found.sentence.startswith(
        "the graph head on DigitScenes: supported. On digits (1,536 training images, 5 seeds): "
        "ProbMCL less Label-graph head +0.100 [+0.093, +0.107]; 1.00 against 1.00 million"
    )
    dear = make_study_record("main", mean_ap=rivals, adds={"ProbMCL": 2e6})
    assert words("C3", dear, photos)[0] == "undecided"


def test_the_best_rival_is_chosen_on_validation(make_study_record: Make) -> None:
    record = make_study_record("main", validation={"KMCL": 0.9, "Start (linear probe)": 1.0})
    assert best_rival(in_group(record, "100 %")) == "KMCL"


def test_trainings_that_differ_widen_the_interval(make_study_record: Make) -> None:
    record = make_study_record("main", mean_ap={"Label-graph head": 0.75})
    assert words("C3", record)[0] == "supported"
    uneven = [
        replace(row, metrics={**row.metrics, "mAP": Interval(row.metrics["mAP"].value + 0.1 * row.seed)})
        if row.seed is not None and row.method.startswith("ProbMCL")
        else row
        for row in record.rows
    ]
    assert words("C3", replace(record, rows=uneven))[0] == "undecided"
    few = [row for row in record.rows if row.seed in (0, None)]
    assert words("C3", replace(record, rows=few))[0] == "undecided"  # one seed has no spread


def test_a_study_without_the_runs_that_a_rule_compares_is_not_run(make_study_record: Make) -> None:
    for row, study in (("C1", "positives"), ("C2", "mixture"), ("C3", "main")):
        records = {name: make_study_record(name) for name in (study, "main")}
        records[study] = replace(records[study], differences=())
        assert words(row, *records.values())[0] == "not run"


@pytest.fixture
def topology_in_both_worlds(make_study_record: Make) -> Callable[..., list[Record]]:
    """Records of topology whose similarities are those of the label graph, or their opposite."""
    counted = load_result("labels_mirflickr14")

    def make(graph: dict[str, float], sign: float) -> list[Record]:
        made = []
        for world in WORLDS:
            truth = claims.world_labels(
                make_study_record("topology", world), counted, group="100 %"
            ).similarity
            made.append(make_study_record("topology", world, graph=graph, similarity=sign * truth))
        return [*made, counted]

    return make


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"ProbMCL": 0.6}, "supported"),
        ({"ProbMCL": 0.6, "ASL": 0.6}, "undecided"),
        ({"ProbMCL": 0.4}, "contradicted"),
    ],
)
def test_c4_asks_for_more_than_bce_and_asl(topology_in_both_worlds, graph, expected) -> None:
    assert words("C4", *topology_in_both_worlds(graph, 1.0)) == [expected, expected]
    assert words("C4", *topology_in_both_worlds(graph, -1.0)) == ["contradicted", "contradicted"]
    uncounted = topology_in_both_worlds(graph, 1.0)[:2]
    assert words("C4", *uncounted) == [expected, "not run"]


@pytest.mark.parametrize("row", claims.CLAIMS)
def test_without_any_one_of_its_records_a_claim_is_not_run(row: str, tmp_path: Path) -> None:
    names = (*claims.CLAIMS[row].records, *COUNTED_LABELS.values())
    for name in names:
        (tmp_path / f"{name}.json").symlink_to(ROOT / "book" / "results" / f"{name}.json")
    assert claims.claim_finding(row, tmp_path).status in claims.WORDS
    assert set(claims.claim_finding(row, tmp_path).records) == set(claims.CLAIMS[row].records)
    for name in claims.CLAIMS[row].records:
        (tmp_path / f"{name}.json").rename(tmp_path / "away")
        assert claims.claim_finding(row, tmp_path).status == "not run"
        (tmp_path / "away").rename(tmp_path / f"{name}.json")


def test_the_command_prints_rule_numbers_and_word_of_every_claim(capsys, tmp_path: Path) -> None:
    assert command(["claims"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for row, claim in claims.CLAIMS.items():
        found = claims.claim_finding(row)
        assert f"{row}, {claim.title}: {found.word}" in said
        assert claim.supported in said
        assert all(str(part) in said for part in found.parts)
    assert command(["claims", "--records", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(": not run\n") == len(claims.CLAIMS)


def test_the_ledger_has_the_words_of_the_records() -> None:
    for entry in claims.read_ledger()[: len(claims.CLAIMS)]:
        found = claims.claim_finding(entry.id)
        assert (entry.word, entry.verdict, entry.because) == (found.word, found.sentence, found.change)


def test_a_study_under_another_name_decides_nothing(make_study_record: Make, tmp_path: Path) -> None:
    write_record(make_study_record("topology"), tmp_path / "study_main.json")
    with pytest.raises(ValueError, match=r"study_main\.json: expected the study of this name, got study_t"):
        claims.claim_finding("C3", tmp_path)


def test_a_group_holds_its_settings_and_nothing_else(make_study_record: Make) -> None:
    record = make_study_record("main", mean_ap={"BCE": 0.7})
    few = in_group(record, "10 %")
    settings = {trial.setting for trial in study_in(record).trials if trial.group == "10 %"}
    assert {row.method for row in few.rows} == settings
    assert difference_of(few, "ProbMCL", "BCE").value == pytest.approx(0.1)
    assert difference_of(few, "BCE", "ProbMCL").high == pytest.approx(-0.09)
    assert difference_of(few, "BCE", "ASL") is None
    with pytest.raises(ValueError, match="group: study_main has runs in '100 %', '10 %', got '1 %'"):
        in_group(record, "1 %")


def test_a_default_is_replaced_by_what_is_better_in_both_worlds(make_study_record: Make) -> None:
    better = {"M13 tau 0.1": 0.9}
    here, there = (make_study_record("choices", world, validation=better) for world in WORLDS)
    elsewhere = make_study_record("choices", "mirflickr14")
    assert list(claims.replaces_default({"digits": here, "mirflickr14": there})) == ["M13 tau 0.1"]
    assert claims.replaces_default({"digits": here, "mirflickr14": elsewhere}) == {}
    assert claims.validation_gains(here)["M13 tau 0.1"].value == pytest.approx(0.1)


def test_an_idle_mixture_is_replaced_by_one_that_works_and_is_no_worse(make_study_record: Make) -> None:
    idle = make_study_record("choices", entropy=0.0)
    assert claims.replaces_default({"digits": idle}) == {}
    works = "M12 NLL weight 0.005"
    busy = make_study_record("choices", entropy=1.0).rows
    rows = [other if row.method == works else row for row, other in zip(idle.rows, busy, strict=True)]
    found = claims.replaces_default({"digits": replace(idle, rows=rows)})
    assert found == {works: "no worse, and uses more than one component"}


def test_the_graph_of_a_made_up_record_is_the_exact_one(make_study_record: Make) -> None:
    found = claims.world_labels(make_study_record("positives"), group="up to 2 digits")
    torch.testing.assert_close(found.frequency, co_occurrence(most=2).diagonal())
    with pytest.raises(ValueError, match="counted: expected the record that counts"):
        claims.world_labels(make_study_record("topology", "mirflickr14"))
