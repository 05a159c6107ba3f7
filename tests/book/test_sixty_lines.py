"""The method in one file: it equals the package, it is short, and the chapter shows the very same code."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from probmcl import MixtureDensityHead, ProbMCLLoss

BOOK = Path(__file__).parents[2] / "book"
SOURCE = (BOOK / "sixty_lines.py").read_text(encoding="utf-8")
METHOD = ast.parse(SOURCE.partition("# The method ends here")[0])


@pytest.fixture(scope="module")
def sixty() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sixty_lines", BOOK / "sixty_lines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("density", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradients_are_those_of_the_package(sixty, make_labels, seed: int, density: float) -> None:
    torch.manual_seed(seed)
    features = torch.randn(24, 32, dtype=torch.double)  # two views each of 12 images
    labels = make_labels(12, 5, seed=seed, empty=2, density=density)
    ours = sixty.MixtureHead(32, classes=5, hidden=16, dimensions=8).double()
    theirs = MixtureDensityHead(32, components=5, trunk=(16, 8)).double()
    theirs.load_state_dict(ours.state_dict())
    value, expected = sixty.probmcl_loss(ours(features), labels), ProbMCLLoss()(theirs(features), labels)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    value.backward()
    expected.backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-6, atol=1e-9, msg=name)


def test_the_method_has_sixty_lines_and_imports_nothing_of_ours() -> None:
    aside = set()
    for node in ast.walk(METHOD):
        doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if doc or isinstance(node, ast.Import | ast.ImportFrom):
            aside |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = SOURCE.partition("# The method ends here")[0].splitlines()
    assert sum(bool(line.strip()) for number, line in enumerate(lines, 1) if number not in aside) <= 60
    assert "import probmcl" not in SOURCE
    assert "from probmcl" not in SOURCE
    assert max(map(len, SOURCE.splitlines())) <= 84


def test_the_chapter_shows_the_same_code() -> None:
    chapter = (BOOK / "capstone.md").read_text(encoding="utf-8")
    parts = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(parts) > 9
    assert [p.name for p in parts if (ast.get_source_segment(SOURCE, p) or "-") not in chapter] == []


def test_it_learns_on_its_own_scenes(sixty) -> None:
    torch.manual_seed(0)
    images, labels = sixty.scenes(64, seed=0, part=slice(0, 500))
    assert images.shape == (64, 1, 24, 24)
    assert set(labels.sum(1).int().tolist()) <= {1, 2, 3}
    encoder, head = sixty.small_encoder(), sixty.MixtureHead(64, classes=10)
    views = torch.cat([images, images])
    before = sixty.probmcl_loss(head(encoder(views)), labels).item()
    sixty.train(encoder, head, images, labels, lambda x: x, steps=5)
    assert sixty.probmcl_loss(head(encoder(views)), labels).item() < before
    assert sixty.shifted(images).shape == images.shape
    assert 0 < sixty.probe(encoder, (images, labels), (images, labels)) <= 1
