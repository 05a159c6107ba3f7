"""Who answers: a student's own instance of every question, and the rule what may be imported."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from probmcl_book.course.comparison import WrongAnswerError

PLACEHOLDER = "your-id"
"""What a notebook holds until its student writes an id."""

OFF_LIMITS = frozenset({"probmcl.loss", "probmcl.model", "probmcl.evaluate", "probmcl_book.reference"})
"""What a student writes without, unless a question says otherwise."""

CHECKS = "probmcl_book.course"
"""The checkers: an answer may use an instance of theirs, and not what they compare with."""

DOTTED = re.compile(r"[\w.]+")
MARK = re.compile(r"\s*# Question (\d+)\b")


def instance_seed(student_id: str, term: str, question: str = "") -> int:
    """The seed of a student's own data: the same for notebook and grader, another for each student and term.

    Upper and lower case and spaces around the id do not matter.

    Example:
        >>> instance_seed("Ada ", "public") == instance_seed("ada", "public")
        True
        >>> instance_seed("ada", "public") == instance_seed("grace", "public")
        False
    """
    if not isinstance(student_id, str) or not student_id.strip():
        raise WrongAnswerError(
            '`student_id`: not set yet. Write your id between the quotes, such as "ab123".'
        )
    key = f"{term}/{student_id.strip().lower()}/{question}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")


def generator_of(student_id: str, term: str, question: str = "") -> torch.Generator:
    """A generator of random numbers with :func:`instance_seed`."""
    return torch.Generator().manual_seed(instance_seed(student_id, term, question))


def student_is(student_id: str, metadata: Path = Path("../submission_metadata.json")) -> None:
    """Raise if no id is set, or if the submission came from somebody else.

    Gradescope writes who submitted to a file beside the submission; elsewhere there is none, and every id
    passes.

    Args:
        student_id: as the notebook states it.
        metadata: Gradescope's file.

    Raises:
        WrongAnswerError: if the id is missing, or is neither the id, nor the address, nor the address's first
            part of one of those who submitted.
    """
    if not isinstance(student_id, str) or student_id.strip().lower() in ("", PLACEHOLDER):
        raise WrongAnswerError(
            '`student_id`: not set yet. Write your id between the quotes, such as "ab123".'
        )
    users = json.loads(metadata.read_text(encoding="utf-8")).get("users", []) if metadata.is_file() else []
    known = {str(user[key]).lower() for user in users for key in ("sid", "email") if user.get(key)}
    known |= {name.split("@")[0] for name in known}
    if known and student_id.strip().lower() not in known:
        raise WrongAnswerError(
            f"`student_id`: {student_id!r} is neither the id nor the address of the one who submitted."
        )


def only_own_work(cells: Sequence[str], question: int, forbidden: Collection[str] = OFF_LIMITS) -> None:
    """Raise if the answer to a question takes its result from a module that it may not use.

    Cells are told apart by their first line, ``# Question 3``. What a cell of another question imports may
    be used there alone, and not take the name of an answer; what a cell without such a line imports counts
    for every question. Of the checkers' modules an answer may use what they define for students, and none of
    the finished answers that they import.

    Args:
        cells: the source of the cells that were run, IPython's ``In``.
        question: number of the question.
        forbidden: modules, such as ``probmcl.loss``, with everything below them.

    Raises:
        WrongAnswerError: naming the module.

    Example:
        >>> cells = ["# Question 1", "import probmcl.loss as ours"]
        >>> only_own_work(cells, 1)
        Traceback (most recent call last):
        ...
        probmcl_book.course.comparison.WrongAnswerError: Question 1 goes without `probmcl.loss`...
    """
    marked = list(_marked(cells))
    aliases = _aliases([tree for _, tree in marked], forbidden)
    for number, tree in marked:
        where = " in a cell without `# Question`, which counts for all" if number is None else ""
        for module in _used_modules(tree, aliases) if number in (None, question) else ():
            if banned := _banned(module, forbidden):
                raise WrongAnswerError(
                    f"Question {question} goes without `{banned}`{where}: write it yourself."
                )
    others = [tree for number, tree in marked if number not in (None, question)]
    borrowed = {name for tree in others for name in _imported_names(tree, forbidden)}
    for number, tree in marked:
        if number == question and (use := next(_uses(tree, borrowed), "")):
            raise WrongAnswerError(f"Question {question} {use}: write it yourself.")


def _uses(tree: ast.AST, borrowed: Collection[str]) -> Iterator[str]:
    """What a cell does with names that the cell of another question imports; its variables are its own."""
    own = set(_given_values(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in borrowed and node.id not in own:
            yield f"uses `{node.id}`, imported for another question"
        for name in _functions(node):
            if name in borrowed:
                yield f"defines `{name}`, and another question imports something over it"


def _functions(node: ast.AST) -> Iterator[str]:
    """Names of functions that a statement defines."""
    if isinstance(node, ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _given_values(tree: ast.AST) -> Iterator[str]:
    """Names that a cell gives a value otherwise than by an import: variables and parameters."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _banned(name: str, forbidden: Collection[str]) -> str:
    """What forbids a dotted name: a module, or the name itself; empty if nothing does."""
    if _inside(name, CHECKS):
        return name if _behind_the_checks(name) else ""
    return next((banned for banned in forbidden if _inside(name, banned)), "")


def _behind_the_checks(name: str) -> bool:
    """Whether a name in the checkers' package is what they compare with: imported there, or private."""
    module, _, rest = name.removeprefix(f"{CHECKS}.").partition(".")
    loaded = sys.modules.get(f"{CHECKS}.{module}")
    if loaded is None:  # the package itself, or one of its names
        return False
    first = rest.partition(".")[0]
    home = getattr(getattr(loaded, first, None), "__module__", None)
    return module.endswith("_mistakes") or (bool(first) and (first[0] == "_" or home != loaded.__name__))


def _inside(module: str, banned: str) -> bool:
    return module == banned or module.startswith(f"{banned}.")


def _marked(cells: Sequence[str]) -> Iterator[tuple[int | None, ast.AST]]:
    """The cells that are Python, with the number of their question."""
    for cell in cells:
        mark = MARK.match(cell)
        lines = [line for line in cell.splitlines() if not line.lstrip().startswith(("%", "!"))]
        try:
            yield (int(mark[1]) if mark else None), ast.parse("\n".join(lines))
        except SyntaxError:  # it did not run either
            continue


def _used_modules(tree: ast.AST, aliases: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Modules that a cell imports or reaches, also by ``importlib``, a dotted name or an alias."""
    own = set(_given_values(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and DOTTED.fullmatch(dotted := ast.unparse(node)):
            yield dotted
            root, _, rest = dotted.partition(".")
            yield from (f"{full}.{rest}" for full in aliases.get(root, ()) if root not in own)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _aliases(trees: Sequence[ast.AST], forbidden: Collection[str]) -> dict[str, set[str]]:
    """What imported names stand for, without those forbidden: where these may be used is another rule."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        for name, full in _bound_by_imports(tree):
            if not _banned(full, forbidden):
                found.setdefault(name, set()).add(full)
    return found


def _imported_names(tree: ast.AST, forbidden: Collection[str]) -> Iterator[str]:
    """Names that a cell binds to something forbidden; a dotted name is seen where it is used."""
    yield from (name for name, full in _bound_by_imports(tree) if _banned(full, forbidden))


def _bound_by_imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that the imports of a cell bind, with what they stand for in full."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        module = getattr(node, "module", None)
        for alias in node.names:
            if not module and not alias.asname:
                continue
            yield alias.asname or alias.name, f"{module}.{alias.name}" if module else alias.name
