"""The benchmarks run and write a valid record; no test looks at a clock."""

import pytest
import torch

from probmcl.__main__ import main
from probmcl.loss import SupConLoss, kmcl_contrastive_loss, log_expected_likelihood
from probmcl_book.bench import CASES, alternatives, run_benchmarks
from probmcl_book.bench.measure import measure, measure_here
from probmcl_book.records import read_record

SMALL = ["small: ours", "small: Gram form in eager PyTorch"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.cuda])
def test_every_side_runs(name):
    found = measure_here(name, smoke=True)
    assert set(found) == {"ours", "theirs"} if CASES[name].theirs else {"ours"}
    for side in found.values():
        assert len(side.seconds) == 1
        assert side.seconds[0] > 0


def test_the_command_writes_a_record_and_prints_the_table(tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert main(["bench", "small", "cuda", "--smoke", "--out", str(out)]) == 0
    record = read_record(out)
    assert record.kind == "benchmark"
    assert [row.method for row in record.rows][:2] == SMALL
    assert record.rows[0].metrics["speed"].value > 0
    printed = capsys.readouterr().out
    if not torch.cuda.is_available():
        assert record.notes == ("cuda: not run on a GPU yet.",)
        assert "cuda: not run on a GPU yet." in printed


def test_a_case_whose_alternative_is_not_installed_is_measured_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("probmcl_book.bench.cases.find_spec", lambda name: None)
    monkeypatch.setenv("COLUMNS", "300")  # no cell of the table is broken
    out = tmp_path / "bench.json"
    assert main(["bench", "small", "cosine", "--smoke", "--out", str(out)]) == 0
    record = read_record(out)
    assert [row.method for row in record.rows] == [*SMALL, "cosine: ours"]
    assert record.notes == ("cosine: pytorch-metric-learning is not installed, so nothing is compared.",)
    assert "not compared" in " ".join(capsys.readouterr().out.split())


def test_a_case_is_measured_in_a_process_of_its_own():
    found = measure("positives", 1, smoke=True)
    assert len(found["ours"].seconds) == len(found["theirs"].seconds) == 1


def test_an_unknown_case_is_named():
    with pytest.raises(ValueError, match="names: expected one of small, small-broadcast"):
        run_benchmarks(["tiny"], command="bench", smoke=True)


def test_the_alternatives_compute_the_same(make_mixture, make_labels):
    mixture, labels = make_mixture(6, 3, 5, sigma=(0.2, 2.0)), make_labels(6, 3)
    expected = log_expected_likelihood(mixture)
    assert torch.allclose(alternatives.gram_log_expected_likelihood(mixture), expected)
    assert torch.allclose(alternatives.broadcast_log_expected_likelihood(mixture), expected)
    found = alternatives.kmcl_by_anchors(mixture, labels, 0.17)
    assert torch.allclose(found, kmcl_contrastive_loss(mixture, labels, temperature=0.17))
    z = mixture.mean()
    assert torch.allclose(alternatives.ten_lines_of_supcon(z, labels, 0.1), SupConLoss()(z, labels))
