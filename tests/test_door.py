"""What ``import probmcl`` offers at once, and what it leaves on the shelf until somebody asks."""

import subprocess
import sys

import pytest

import probmcl
from probmcl import model

HEAVY = ("timm", "huggingface_hub", "sklearn", "scipy", "matplotlib", "torchvision")


@pytest.mark.parametrize("room", [probmcl, model])
def test_every_name_is_there_and_listed(room: object) -> None:
    for name in room.__all__:  # type: ignore[attr-defined]
        assert getattr(room, name).__name__ == name
    assert {*room.__all__} <= {*dir(room)}  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="has no attribute 'SubConLoss'"):
        room.SubConLoss  # type: ignore[attr-defined]  # noqa: B018


def test_a_loss_loads_no_library_that_it_does_not_need() -> None:
    code = "import sys; from probmcl import ProbMCLLoss; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert "torch" in loaded
    assert not loaded & {*HEAVY}
