import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from probmcl_book.pages import PROFILES, Page, data_folder, setup
from probmcl_book.pages.notebook import choose_profile


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CUDA, no variable, no Jupyter: each test says what it adds."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("PROBMCL_PROFILE", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_the_variable_decides_and_without_it_the_machine() -> None:
    assert [choose_profile({"PROBMCL_PROFILE": name}, cuda=True) for name in PROFILES] == list(PROFILES)
    assert choose_profile({}, cuda=True) == "gpu"
    assert choose_profile({"PROBMCL_PROFILE": ""}, cuda=False) == "cpu"


def test_an_unknown_profile_names_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBMCL_PROFILE", "fast")
    with pytest.raises(ValueError, match="PROBMCL_PROFILE: expected one of smoke, cpu, gpu, full, got 'fas"):
        setup()


def test_pick_takes_the_profiles_value_and_falls_back_to_the_profile_before() -> None:
    pages = [Page(name, torch.device("cpu"), progress=False) for name in PROFILES]
    assert [page.pick(smoke=1, cpu=2, gpu=3, full=4) for page in pages] == [1, 2, 3, 4]
    *_, gpu, full = pages
    assert gpu.pick(smoke=1, cpu=2) == full.pick(smoke=1, cpu=2) == 2
    assert full.pick(smoke=1, cpu=2, gpu=3) == 3
    assert gpu.pick(smoke=1, cpu=2, gpu=0) == 0  # a zero is a value


def test_setup_seeds_flushes_and_says_what_it_chose(capsys: pytest.CaptureFixture[str]) -> None:
    page = setup(seed=3)
    first = (torch.rand(2).tolist(), np.random.rand(2).tolist())  # noqa: NPY002 - the global generator is seeded
    line = capsys.readouterr().out
    assert line.startswith("profile cpu · device cpu (")
    assert f"torch {torch.__version__.split('+')[0]}" in line
    setup(seed=3)
    assert first == (torch.rand(2).tolist(), np.random.rand(2).tolist())  # noqa: NPY002
    assert page == Page("cpu", torch.device("cpu"), progress=False, seed=3)
    assert (torch.tensor([1e-38]) * 1e-3).item() == 0.0  # what is denormal is flushed


def test_a_gpu_profile_without_a_gpu_warns_and_stays_on_the_cpu(monkeypatch, capsys) -> None:
    monkeypatch.setenv("PROBMCL_PROFILE", "full")
    assert setup().device.type == "cpu"
    assert "No GPU was found" in capsys.readouterr().out


def test_colab_without_a_gpu_gets_a_friendly_word(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert setup().progress
    assert "Runtime > Change runtime type" in capsys.readouterr().out


def test_bars_are_drawn_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not setup().progress
    monkeypatch.setenv("JPY_SESSION_NAME", "/some/chapter.ipynb")
    assert setup().progress


def test_a_public_data_set_is_where_the_variable_says(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PROBMCL_DATA", raising=False)
    assert data_folder("coco2014") is None
    monkeypatch.setenv("PROBMCL_DATA", str(tmp_path))
    assert data_folder("coco2014") is None
    (tmp_path / "coco2014").mkdir()
    assert data_folder("coco2014") == tmp_path / "coco2014"
    with pytest.raises(ValueError, match="name: expected one of coco2014"):
        data_folder("coco")
