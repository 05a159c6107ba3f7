from pathlib import Path

import pytest
from notebooks import run_cells

BOOK = Path(__file__).parents[2] / "book"


@pytest.mark.filterwarnings("ignore")  # which a reader's kernel shows; the package's own tests raise them
@pytest.mark.parametrize("notebook", sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_at_smoke(notebook: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROBMCL_PROFILE", "smoke")
    monkeypatch.chdir(tmp_path)
    run_cells(notebook)
