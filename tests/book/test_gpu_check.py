from pathlib import Path

import pytest
import torch
from gpu_check import check, main, plan, steps

from probmcl_book.pages import gpu
from probmcl_book.records import read_record


def test_a_part_that_fails_is_named_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[str] = []

    def broken() -> None:
        raise RuntimeError("no kernel image")

    assert check({"broken": broken, "sound": lambda: ran.append("sound")}) == ["broken"]
    assert ran == ["sound"]
    assert "broken failed: no kernel image" in capsys.readouterr().err


def test_a_step_of_every_method_becomes_a_row_and_part_of_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROBMCL_RESULTS", str(tmp_path))
    gpu.on_gpu("steps", caption="Steps.")
    assert "Not run on a GPU yet" in capsys.readouterr().out
    steps(tmp_path, ["digits"], 2, "cpu")
    record = read_record(tmp_path / "gpu_steps.json")
    assert [row.method.partition(": ")[0] for row in record.rows] == ["digits"] * 4
    assert all(row.metrics["seconds"].value > 0 < row.metrics["counted_gib"].value for row in record.rows)
    assert record.hardware.device == "cpu"
    monkeypatch.setattr(gpu, "table", lambda rows, columns, **_: print(*columns, rows))
    gpu.on_gpu("steps", "digits: B", caption="Steps.")
    assert " counted gib seconds [['digits: BCE', Interval(" in capsys.readouterr().out


def test_a_rehearsal_writes_nothing_into_the_book(tmp_path: Path) -> None:
    assert list(plan(tmp_path, rehearse=True)) == ["tests", "loss", "steps", "chapters"]
    assert str(tmp_path / "gpu_loss.json") in plan(tmp_path, rehearse=True)["loss"].args  # type: ignore[attr-defined]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: it would be checked")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "--rehearse" in capsys.readouterr().err
