"""The same start for every test and docstring example, whatever ran before it and whoever runs it."""

import os

import pytest
import torch


@pytest.fixture(autouse=True)
def _same_start(doctest_namespace: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    torch.set_printoptions(profile="default")  # a chapter's set-up changes it
    torch.set_flush_denormal(False)  # likewise, and the commands: Python's own numbers are flushed too
    for name in list(os.environ):  # a reader's own settings, and how wide and coloured a terminal is
        if name.startswith("PROBMCL_") or name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name)
    doctest_namespace["torch"] = torch  # may be used without importing it
