"""A trained method leaves the run: the file of its weights, and a card that says what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from probmcl._files import whole_file
from probmcl_book.records.record import Record
from probmcl_book.replicate.finished import Finished, restored, write_finished
from probmcl_book.replicate.folder import slug
from probmcl_book.replicate.model_card import model_card
from probmcl_book.replicate.tensor_file import read_tensors

WEIGHTS, CARD = "model.safetensors", "README.md"


def export_run(record: Record, runs: Mapping[str, Sequence[Finished]], folder: str | Path) -> list[Path]:
    """Write every trained method and seed into a folder of its own.

    Each folder holds ``model.safetensors``, the file of a finished run, and ``README.md``, a model card.
    Files appear whole or not at all; those of an earlier export are replaced.

    Args:
        record: the record of the runs.
        runs: the finished runs, one per seed, by name of the method.
        folder: where the folders ``<method>-seed-<seed>`` go.

    Returns:
        The folders.
    """
    folders = []
    for run in (run for all_seeds in runs.values() for run in all_seeds):
        folders.append(Path(folder) / f"{slug(run.row.method)}-seed-{run.seed}")
        write_finished(run, folders[-1] / WEIGHTS)
        with whole_file(folders[-1] / CARD) as file:
            file.write(model_card(record, run).encode())
    return folders


def load_export(path: str | Path) -> Finished:
    """Read a trained method, ready to score images: ``load_export(folder).evaluate(images)``.

    Args:
        path: one of the folders that :func:`export_run` wrote, or the file of a finished run.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of another format or network, or holds numbers alone.

    Example:
        >>> load_export("no/such/folder")
        Traceback (most recent call last):
        ...
        FileNotFoundError: path: expected a trained method at no/such/folder, got none
    """
    path = Path(path)
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"path: expected a trained method at {path}, got none")
    run = restored(*read_tensors(file))
    run.whole()
    return run
