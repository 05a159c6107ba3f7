from collections.abc import Callable

import pytest

from probmcl_book.pages import study_pages
from probmcl_book.records import Record, write_record
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
