from collections.abc import Callable
from dataclasses import replace

import pytest

from probmcl.evaluate import Interval
from probmcl_book.pages import show_table, study_pages, table
from probmcl_book.pages.records import by_watcher, provenance_lines, reference, watched
from probmcl_book.records import Record, Table, load_result, write_record
from probmcl_book.studies import WORLDS, in_group


@pytest.fixture
def results(tmp_path, monkeypatch) -> Callable[[Record], None]:
    """A folder of results that holds what a test puts there."""
    monkeypatch.setenv("PROBMCL_RESULTS", str(tmp_path))
    return lambda record: write_record(record, tmp_path / f"{record.name}.json")


def test_the_plan_says_what_is_recorded_and_how_to_run_the_rest(make_study_record, results, shown) -> None:
    results(make_study_record("choices", seeds=(0,)))
    study_pages.study_plan(["choices"])
    recorded, missing = shown[0]["text/plain"].splitlines()[-2:]
    assert recorded.split()[:4] == ["choices", "DigitScenes", "57", "19"]
    assert "not run" in missing
    assert study_pages.study_command("choices", "mirflickr14") in missing


def test_a_world_without_a_record_gets_a_sentence_and_nothing_is_drawn(make_study_record, results, capsys):
    results(make_study_record("mixture"))
    drawn: list[str] = []
    study_pages.where_recorded("mixture", lambda record: drawn.append(record.name))
    assert drawn == ["study_mixture"]
    said = capsys.readouterr().out
    assert said.count("Not run yet.") == 1
    assert "study mixture --world mirflickr14" in said


def test_differences_are_said_in_words_with_their_level(make_study_record, shown) -> None:
    study_pages.differences(in_group(make_study_record("main", mean_ap={"BCE": 0.7}), "100 %"))
    assert "BCE -0.100 [-0.110, -0.090]; ASL +0.000" in shown[0]["text/plain"]
    assert "level 0.997 after the correction" in shown[0]["text/html"]


def test_without_records_a_claim_is_not_run_and_the_default_stays(results, capsys) -> None:
    study_pages.claim_verdict("C3")
    study_pages.defaults_verdict("choices")
    said = capsys.readouterr().out
    assert "C3: not run." in said
    assert "Not run: DigitScenes, MIRFLICKR." in said


def test_a_verdict_is_that_of_the_rule(make_study_record, results, capsys) -> None:
    for world in WORLDS:
        results(make_study_record("main", world, mean_ap={"ProbMCL": 0.7}))
    study_pages.claim_verdict("C3")
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("C3: not supported (contradicted on the graph head on DigitScenes and the graph")
    assert "ProbMCL less Transformer head -0.100 [-0.107, -0.093]" in said


def test_a_default_that_is_beaten_is_named(make_study_record, results, capsys) -> None:
    results(make_study_record("choices", validation={"M13 tau 0.1": 0.9}))
    study_pages.defaults_verdict("choices")
    said = capsys.readouterr().out
    assert "M13 tau 0.1: better on validation by more than two standard errors, on what is recorded." in said


@pytest.fixture
def digits() -> Record:
    return load_result("digits")


def test_a_reader_learns_how_to_make_the_record_again(digits, capsys) -> None:
    provenance_lines(digits)
    said = " ".join(capsys.readouterr().out.split())
    assert digits.command in said
    assert "6,000 train, 1,500 validation, 2,000 test" in said
    assert digits.data.access in said
    assert "seeds 0, 1, 2" in said


def test_there_is_a_curve_for_every_seed_and_none_for_the_start(digits) -> None:
    curves = watched(digits)
    assert list(curves) == ["BCE", "ASL", "SupCon, threshold", "ProbMCL"]
    assert all(len(runs) == 3 for runs in curves.values())
    apart = by_watcher(digits)
    assert [list(one) for one in apart.values()] == [["BCE", "ASL"], ["SupCon, threshold", "ProbMCL"]]
    assert {name: runs for one in apart.values() for name, runs in one.items()} == curves


def test_the_reference_is_bce_where_it_is(digits) -> None:
    assert reference(digits) == "BCE"
    assert reference(replace(digits, rows=[row for row in digits.rows if row.method != "BCE"])) == "ASL"


ROWS = [
    ["BCE", Interval(0.9, 0.88, 0.92), 23],
    ["A & B", Interval(0.91, 0.9, 0.925), 1045],
    ["none", None, None],
]
COLUMNS = ["loss", "mAP", "seconds"]


def test_cells_headers_and_the_best_values(shown: list[dict[str, str]]) -> None:
    table(ROWS, COLUMNS, caption="Test mAP.", highlight={"mAP": "max", "seconds": "min"})
    html = shown[0]["text/html"]
    assert '<th scope="col">loss</th><th scope="col" class="pm-number">mAP</th>' in html
    assert '<th scope="row">A &amp; B</th>' in html
    assert '<td class="pm-number"><strong>0.910 [0.900,&nbsp;0.925]</strong></td>' in html
    assert '<td class="pm-number">1,045' in html
    assert '<td class="pm-number"><strong>23</strong></td>' in html
    assert html.count("<strong>") == 2
    assert html.count('<td class="pm-number">–</td>') == 2


def test_notes_stand_below_and_plain_text_is_the_tables_own(shown: list[dict[str, str]]) -> None:
    found = Table([["a", 1]], ["x", "y"], "Ones.", notes=["b < c"])
    show_table(found)
    assert "</table><p>b &lt; c</p>" in shown[0]["text/html"]
    assert shown[0]["text/plain"] == str(found)


def test_a_table_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="caption: expected some words"):
        table(ROWS, COLUMNS, caption="")
