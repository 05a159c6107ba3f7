"""What every docstring example may use without importing it."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, object]) -> None:
    torch.manual_seed(0)
    torch.set_printoptions(profile="default")  # a chapter's set-up changes it
    doctest_namespace["torch"] = torch
