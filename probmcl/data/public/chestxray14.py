"""ChestX-ray14: films of the NIH Clinical Center with 14 findings mined from reports. Not for clinical use.

X. Wang, Y. Peng, L. Lu, Z. Lu, M. Bagheri, R. M. Summers, "ChestX-ray8", CVPR 2017. A label says that the
report mentions the finding, not that the film shows it. "No Finding" says that none of the 14 was found in
the report; such a film need not be normal.

The table of labels has been revised. In the labels that CheXNet's re-run used, 60,412 of 112,120 films have
no finding; in ``Data_Entry_2017_v2020.csv``, 60,361. So the table is named by an argument, and a record
states it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.identifiers import group_names
from probmcl.data.packed import ImagesOnDisk
from probmcl.data.split import Parts, held_out
from probmcl.data.table import read_table

FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia"),
    *("Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia"),
)
"""The 14 labels, in the order of the columns."""

NO_FINDING = "No Finding"
SPLITS = ("official", "random-patient")
NO_FINDING_POLICIES = ("keep", "drop")
TABLE = "Data_Entry_2017_v2020.csv"
LISTS = ("train_val_list.txt", "test_list.txt")


@dataclass(frozen=True, eq=False)
class ChestTable:
    """What the table of labels says.

    Attributes:
        names: File name of each film.
        patients: Patient of each film, in one spelling.
        labels: uint8 (N, 14), columns as in ``FINDINGS``; a row of zeros for "No Finding".
    """

    names: tuple[str, ...]
    patients: tuple[str, ...]
    labels: Tensor


def read_chest_table(path: str | Path) -> ChestTable:
    r"""Read a table of labels: ``Data_Entry_2017_v2020.csv``, or an older one.

    Args:
        path: The CSV file. Of its columns, ``Image Index``, ``Finding Labels`` and ``Patient ID`` are read.

    Raises:
        ValueError: If a column is missing, a finding is unknown, "No Finding" stands beside a finding, a
            film is listed twice or two patients differ in capitals only; the message names the line.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text(
    ...         "Image Index,Finding Labels,Patient ID\n1_0.png,Hernia|Mass,1\n2_0.png,No Finding,2\n")
    ...     found = read_chest_table(f"{folder}/t.csv")
    >>> found.labels.sum(1).tolist(), found.patients
    ([2, 0], ('1', '2'))
    """
    table = read_table(_check.path("path", path))
    wanted = ("Image Index", "Finding Labels", "Patient ID")
    if missing := [column for column in wanted if column not in table.heading]:
        raise ValueError(f"{path}: expected the columns {', '.join(wanted)}, got none named {missing[0]}")
    if not table.rows:
        raise ValueError(f"{path}: expected at least one film, got none")
    image, finding, patient = map(table.heading.index, wanted)
    labels = [_read_findings(cells[finding], f"{path}, line {line}") for line, cells in table.rows]
    for line, cells in table.rows:
        if not cells[patient]:
            raise ValueError(f"{path}, line {line}: expected the patient of a film, got none")
    patients = group_names(cells[patient] for _, cells in table.rows)
    return ChestTable(tuple(table.images(image)), tuple(patients), torch.tensor(labels, dtype=torch.uint8))


def chestxray14_parts(
    root: str | Path,
    *,
    split: str,
    no_finding: str = "keep",
    table: str = TABLE,
    validation_share: float = 0.125,
    seed: int = 0,
) -> Parts:
    """Return ChestX-ray14 in three parts.

    Args:
        root: The folder that holds the table, ``train_val_list.txt`` and ``test_list.txt``, and the films in
            ``images_001/images/`` to ``images_012/images/`` or in ``images/``.
        split: ``"official"``: NIH's lists, a test set of 25,596 films. ``"random-patient"``: a fifth of the
            films, by patient, under ``seed``, as in CheXNet's 70/10/20, if not the same films. Numbers on one
            split say nothing about the other, so there is no default.
        no_finding: What becomes of films without a finding, more than half: ``"keep"`` as rows of zeros, as
            published mean AUCs do, or ``"drop"``, which doubles chance mAP.
        table: Name of the table of labels; see the module for its revisions.
        validation_share: Share, by patient, that validation takes of what does not test: with 1/8 the random
            split is 70/10/20.
        seed: Which patients are held out.

    Raises:
        FileNotFoundError: If the table, a list or films are missing; the message names them.
        ValueError: If table and lists disagree, or a patient is on both sides of the split.

    >>> from tempfile import TemporaryDirectory
    >>> from probmcl_book.replicate import write_chest_miniature
    >>> with TemporaryDirectory() as folder:
    ...     write_chest_miniature(folder, films=80)
    ...     parts = chestxray14_parts(folder, split="official")
    >>> len(parts.train) + len(parts.validation) + len(parts.test)
    80
    >>> parts.split
    'official, Data_Entry_2017_v2020.csv, films without finding keep; validation: 0.125 by patient, seed 0'
    """
    _check.one_of("split", split, SPLITS)
    _check.one_of("no_finding", no_finding, NO_FINDING_POLICIES)
    root = _check.path("root", root)
    found = read_chest_table(root / _check.instance("table", table, str))
    tests = _listed_tests(root, found.names) if split == "official" else held_out(found.patients, 0.2, seed)
    check_patients(found.patients, tests)
    rest = (~tests).nonzero().squeeze(1)
    validates = torch.zeros_like(tests)
    validates[rest] = held_out([found.patients[row] for row in rest.tolist()], validation_share, seed)
    wanted = found.labels.sum(1) > 0 if no_finding == "drop" else torch.ones_like(tests)
    films = ImagesOnDisk(_film_paths(root, found.names), found.labels, FINDINGS)
    return Parts(
        films.subset(wanted & ~tests & ~validates),
        films.subset(wanted & validates),
        films.subset(wanted & tests),
        f"{split}, {table}, films without finding {no_finding}; validation: {validation_share:g} by patient, "
        f"seed {seed}",
    )


def check_patients(patients: Sequence[str], tests: Tensor) -> None:
    """Raise a ValueError unless every patient is on one side of a split.

    Args:
        patients: Patient of each film.
        tests: Which films are on the second side, bool (N,).

    >>> check_patients(["anna", "bert", "anna"], torch.tensor([True, False, False]))
    Traceback (most recent call last):
    ...
    ValueError: split: expected each patient on one side, got 1 on both: anna
    """
    names = group_names(patients, "patients")
    if _check.tensor("tests", tests, dims=1).shape != (len(names),):
        raise ValueError(f"tests: expected one for each of the {len(names)} films, got {len(tests)}")
    sides: tuple[set[str], set[str]] = (set(), set())
    for patient, test in zip(names, tests.bool().tolist(), strict=True):
        sides[test].add(patient)
    if both := sorted(sides[0] & sides[1]):
        raise ValueError(
            f"split: expected each patient on one side, got {len(both)} on both: {', '.join(both[:3])}"
        )


def _read_findings(cell: str, where: str) -> list[int]:
    """Return the 14 labels of a cell such as ``Effusion|Mass``."""
    findings = [finding.strip() for finding in cell.split("|")]
    if findings == [NO_FINDING]:
        return [0] * len(FINDINGS)
    for finding in findings:
        if finding not in FINDINGS:
            wanted = f"{NO_FINDING!r} alone" if finding == NO_FINDING else f"one of {', '.join(FINDINGS)}"
            raise ValueError(f"{where}: expected {wanted}, got {finding!r} in {cell!r}")
    return [int(finding in findings) for finding in FINDINGS]


def _listed_tests(root: Path, names: Sequence[str]) -> Tensor:
    """Return which films NIH's lists put into the test set, bool (N,)."""
    lists = []
    for name in LISTS:
        lines = (root / name).read_text(encoding="utf-8-sig").split()
        listed = set(lines)
        if len(listed) < len(lines):
            twice = next(film for film, count in Counter(lines).items() if count > 1)
            raise ValueError(f"{root / name}: expected each film once, got {twice} twice")
        lists.append(listed)
    learned, tests = lists
    for what, films in (
        ("in one of the two lists, got in both", learned & tests),
        (f"of {LISTS[0]} and {LISTS[1]} in the table, got not there", (learned | tests) - set(names)),
        (f"of the table in {LISTS[0]} or {LISTS[1]}, got in neither", set(names) - learned - tests),
    ):
        if films:
            some = ", ".join(sorted(films)[:3])
            raise ValueError(f"{root}: expected each film {what}: {len(films)}, {some}")
    return torch.tensor([name in tests for name in names])


def _film_paths(root: Path, names: Sequence[str]) -> list[Path]:
    """Return where each film is; a film that is nowhere is sought in ``images/``."""
    folders = [root / "images", *sorted(root.glob("images_*/images"))]
    where = {entry.name: folder for folder in folders if folder.is_dir() for entry in folder.iterdir()}
    return [where.get(name, root / "images") / name for name in names]
