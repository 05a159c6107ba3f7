"""Change the repository's address everywhere: ``python tools/set_repository.py https://github.com/you/book``.

``repository.url`` in ``_config.yml`` is the source. Launch buttons, edit links and notebooks are derived from
it when they are built; the files named in ``FILES`` hold copies, which this rewrites. Without an address it
reports the copies that disagree.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from probmcl._files import whole_file

ROOT = Path(__file__).resolve().parents[1]
FILES = ("_config.yml", "README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "book/*.md")
OTHERS = frozenset({"AhmadSajedii/ProbMCL"})  # repositories that share the name and are not this one

ADDRESS = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?")
COPIES = re.compile(
    r"(?P<before>github\.com/|githubusercontent\.com/|colab\.research\.google\.com/github/)"
    r"(?P<owner>[\w-]+)/(?P<name>[\w-]+)"
    r"|(?P<page_owner>[\w-]+)\.github\.io/(?P<page_name>[\w-]+)"
)


def owner_and_name(url: str) -> tuple[str, str]:
    """Split the address of a repository.

    Raises:
        ValueError: ``url`` is not ``https://github.com/<owner>/<name>``.

    >>> owner_and_name("https://github.com/you/book")
    ('you', 'book')
    """
    match = ADDRESS.fullmatch(url)
    if match is None:
        raise ValueError(f"url: expected https://github.com/<owner>/<name>, got {url!r}")
    return match["owner"], match["name"]


def current(root: Path) -> tuple[str, str]:
    """Return owner and name from ``_config.yml``."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return owner_and_name(config["repository"]["url"])


def files(root: Path) -> Iterator[Path]:
    """Yield the files that hold copies of the address."""
    for pattern in FILES:
        yield from sorted(root.glob(pattern))


def disagreements(root: Path) -> list[str]:
    """Return the copies that are not what ``_config.yml`` says, as ``file: address``.

    An address counts as a copy if its repository has this one's name or its owner.
    """
    owner, name = current(root)
    found = []
    for path in files(root):
        for match in COPIES.finditer(path.read_text(encoding="utf-8")):
            other = (match["owner"] or match["page_owner"], match["name"] or match["page_name"])
            related = other[0] == owner or other[1].lower() == name.lower()
            if related and other != (owner, name) and "/".join(other) not in OTHERS:
                found.append(f"{path.relative_to(root).as_posix()}: {match[0]}")
    return found


def set_repository(root: Path, url: str) -> list[str]:
    """Write ``url`` in place of the current address; return the files that changed."""
    old, new = current(root), owner_and_name(url)

    def replace(match: re.Match[str]) -> str:
        if (match["owner"], match["name"]) == old:
            return f"{match['before']}{new[0]}/{new[1]}"
        if (match["page_owner"], match["page_name"]) == old:
            return f"{new[0]}.github.io/{new[1]}"
        return match[0]

    changed = []
    for path in files(root):
        before = path.read_text(encoding="utf-8")
        after = COPIES.sub(replace, before)
        if after != before:
            with whole_file(path) as file:
                file.write(after.encode())
            changed.append(path.relative_to(root).as_posix())
    return changed


def main(arguments: list[str]) -> int:
    """Set the address given on the command line, or report what disagrees; return the exit status."""
    if arguments:
        try:
            print("\n".join(set_repository(ROOT, arguments[0])) or "nothing to change")
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
    wrong = disagreements(ROOT)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
