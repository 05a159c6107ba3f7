"""Run notebooks as Colab would: ``python tools/colab_check.py [notebooks]`` (needs a package index).

A new environment gets the packages that Colab ships, in Colab's own versions (``colab_pins.txt``), and no
others: no Sphinx, no Jupyter Book, nothing of this book. torch and torchvision, gigabytes in Colab's
versions, are the book's own, linked. Colab has no jedi, though its IPython asks for it. The kernel says that
it is Colab's, so a notebook's own set-up line runs, unchanged; git is told to take this checkout for the
repository's address, so the last commit here is installed. That line may not look at any index: if the
package asked for anything beyond what Colab has, it would fail. Afterwards nothing but this package may have
been added or changed, and what Colab's own package asks for must still hold.

By default every chapter and assignment runs at profile smoke, and those of ``AT_CPU`` at cpu as well.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "tools" / "colab_pins.txt"
AT_CPU = ("book/04_positive_sets.ipynb", "book/07_objective.ipynb")
LINKED = ("torch", "torchvision")
WHEELS = (
    "wheels"  # what pip needs to build the package, and all that the set-up line finds beside the repository
)
ASKED_BY_COLAB = ("ipykernel", "ipython", "pandas", "requests", "tornado")
"""What the package google-colab asks for, in exactly the versions that Colab ships."""
SHELL = """\
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell


class Shell(ZMQInteractiveShell):
    pass


class Kernel(IPythonKernel):
    shell_class = Shell
"""


def closure(names: Sequence[str]) -> dict[str, Distribution]:
    """Return installed distributions by name: ``names`` and everything that they need on this machine.

    >>> sorted({"packaging", "pip"} & set(closure(["matplotlib"])))
    ['packaging']
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        needed = waiting.pop()
        name = canonicalize_name(needed.name)
        try:
            found.setdefault(name, distribution(name))
        except PackageNotFoundError:  # needed on other systems or versions only
            continue
        for extra in {"", *needed.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            needs = map(Requirement, found[name].requires or ())
            waiting += [
                need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return found


def link(packages: dict[str, Distribution], site: Path) -> None:
    """Put the files of installed packages into another environment, as links where the disk allows it."""
    for package in packages.values():
        home = Path(str(package.locate_file("")))
        for file in package.files or ():
            source, target = home / file, site / file
            if ".." in file.parts or not source.is_file() or target.exists():
                continue  # scripts of the environment that they come from
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:  # another disk
                target.write_bytes(source.read_bytes())


def pins() -> dict[str, str]:
    """Return Colab's versions by the name of the package."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def make_environment(folder: Path) -> tuple[Path, Path]:
    """Create the environment; return its Python and its folder of packages."""
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-compile", "--no-deps", "-r", PINS], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for needed in project["build-system"]["requires"]:
        subprocess.run([*pip, "download", "--no-deps", "--dest", folder / WHEELS, needed], check=True)
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    shipped = pins()
    link({name: package for name, package in closure(LINKED).items() if name not in shipped}, site)
    # The linked torch asks for a newer setuptools than Colab's own, so the set-up line would bring it.
    newer = ["--upgrade", "--no-deps", "--no-index", "--find-links", folder / WHEELS, "setuptools"]
    subprocess.run([*pip, "install", *newer], check=True)
    colab = site / "google_colab-1.0.0.dist-info"
    colab.mkdir()
    needs = "".join(f"Requires-Dist: {name}=={shipped[name]}\n" for name in ASKED_BY_COLAB)
    text = f"Metadata-Version: 2.1\nName: google-colab\nVersion: 1.0.0\n{needs}"
    (colab / "METADATA").write_text(text, encoding="utf-8")
    shell = site / "google" / "colab" / "_shell.py"
    shell.parent.mkdir(parents=True)
    (shell.parent / "__init__.py").touch()
    shell.write_text(SHELL, encoding="utf-8")
    kernel = folder / "share" / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    kernel_class = "--IPKernelApp.kernel_class=google.colab._shell.Kernel"
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", kernel_class]
    spec = {"argv": argv, "display_name": "Colab", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    settings = folder / "etc" / "ipython"
    settings.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "ipython_kernel_config.py", settings)
    return python, site


def surroundings(profile: str, folder: Path) -> dict[str, str]:
    """Return the environment variables of the kernel, and of pip and git in it."""
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    settings = {  # git: the repository is here, whoever owns the folder
        f"url.{ROOT.as_uri()}.insteadOf": address,
        "safe.directory": "*",
    }
    variables = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    variables |= {"PROBMCL_PROFILE": profile}
    variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / WHEELS), "PIP_CONFIG_FILE": os.devnull}
    variables |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    variables |= {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def fingerprint(site: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of the packages that are linked."""
    folders = [folder for name in LINKED for folder in (site / name, *site.glob(f"{name}-*.dist-info"))]
    files = (file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts)
    stats = {file.relative_to(site).as_posix(): file.stat() for file in files if file.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def installed(python: Path) -> dict[str, str]:
    """Return the packages of the environment with their versions."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {package["name"].lower(): package["version"] for package in listed}


def run(notebook: Path, folder: Path, variables: dict[str, str]) -> None:
    """Execute a notebook in the environment, in an empty folder."""
    os.environ["JUPYTER_PATH"] = str(folder / "share" / "jupyter")  # where the kernel "colab" is found
    content = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as empty:
        resources = {"metadata": {"path": empty}}
        client = NotebookClient(
            content, kernel_name="colab", timeout=600, startup_timeout=600, resources=resources
        )
        try:
            client.execute(env=variables)
        except CellExecutionError:
            first = next(cell for cell in content.cells if cell.cell_type == "code")
            print(*(output.get("text", "") for output in first.outputs), file=sys.stderr)  # the set-up line
            raise


def conflicts(python: Path) -> set[str]:
    """Return what ``pip check`` finds wrong between the installed packages."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "check"]
    return set(subprocess.run(command, capture_output=True, text=True).stdout.splitlines())


def problems(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Yield what the set-up line did beyond installing the package."""
    for name in sorted(before.keys() | after.keys()):
        if name != "probmcl" and before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'absent')} became {after.get(name, 'absent')}"
    if "probmcl" not in after:
        yield "probmcl was not installed"


def notebooks(named: Sequence[Path], profile: str) -> Iterator[tuple[Path, str]]:
    """Yield what to run, and at which profile."""
    chapters = sorted((ROOT / "book").glob("*.ipynb")) + sorted(
        (ROOT / "book" / "assignments").glob("*.ipynb")
    )
    yield from ((path, profile) for path in named or chapters)
    if not named:
        yield from ((ROOT / name, "cpu") for name in AT_CPU)


def main() -> int:
    """Make the environment, run the notebooks in it, and compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Run notebooks with Colab's packages only.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    parser.add_argument("--profile", default="smoke")
    options = parser.parse_args()
    (ROOT / "_build").mkdir(exist_ok=True)  # on the disk of the packages, so that links work
    with tempfile.TemporaryDirectory(prefix="colab-", dir=ROOT / "_build") as name:
        folder = Path(name)
        python, site = make_environment(folder)
        packages, files, wrong = installed(python), fingerprint(site), conflicts(python)
        print(
            f"{len(packages)} packages as Colab ships them; torch {packages['torch']} is the book's",
            flush=True,
        )
        for notebook, profile in notebooks(options.notebooks, options.profile):
            begin = time.monotonic()
            run(notebook, folder, surroundings(profile, folder))
            print(f"{notebook.name} ran at {profile} in {time.monotonic() - begin:.0f} s", flush=True)
        found = [*problems(packages, installed(python)), *sorted(conflicts(python) - wrong)]
        if fingerprint(site) != files:
            found.append(f"files of {' or '.join(LINKED)} were changed")
    print("\n".join(found) if found else "Only probmcl was added; all else was left alone.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
