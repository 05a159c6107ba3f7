"""The trained run that ships with the book: small, the recipe's own, and as good as it says."""

from dataclasses import replace

import pytest
import torch

from probmcl.data import digit_scenes
from probmcl_book.replicate import digits_recipe, shipped, shipped_run, smaller


def test_it_is_small_half_precision_and_the_run_of_the_recipe(capsys) -> None:
    run = shipped_run()
    assert capsys.readouterr().out == "weights: loaded, recipe digits, ProbMCL, seed 0\n"
    assert shipped.SHIPPED.stat().st_size < 1_000_000
    assert run.classifier["weight"].dtype == torch.float16
    (method,) = run.recipe.methods
    assert method in digits_recipe().methods
    assert run.recipe == replace(digits_recipe(), methods=(method,))
    assert run.whole().head is not None


def test_rounding_to_half_precision_leaves_what_was_measured() -> None:
    run = shipped_run()
    data = run.recipe.data
    assert run.data.sizes["test"] == data.test
    found = run.evaluate(digit_scenes("test", data.test, seed=data.seed))
    for name in ("mAP", "AUROC", "CF1", "OF1"):
        assert found[name] == pytest.approx(run.row.metrics[name].value, abs=2e-3)


def test_where_the_file_is_missing_the_run_is_trained(monkeypatch, tmp_path, capsys) -> None:
    tiny = smaller(digits_recipe(smoke=True), images=64, epochs=1)
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "missing.safetensors")
    monkeypatch.setattr(shipped, "digits_recipe", lambda: tiny)
    run = shipped_run()
    assert capsys.readouterr().out == "weights: trained here, recipe digits, ProbMCL, seed 0\n"
    assert run.recipe.data == tiny.data
    assert shipped.rounded(run).whole().encoder.feature_dim == run.whole().encoder.feature_dim
