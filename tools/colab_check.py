"""Run chapters as Colab would: ``python tools/colab_check.py [notebooks]``.

A new environment gets the packages that Colab ships and no others: no Sphinx, no Jupyter Book, nothing of
this book. Its kernel says that it is Colab's, so the notebook's own set-up line runs, unchanged; git is told
to take this checkout for the repository's address, so the last commit here is installed. pip may not look at
any index: if the package asked for anything beyond what Colab has, the line would fail. Afterwards torch and
torchvision must be, file by file, what they were.

The packages are those of the book's environment, linked and not downloaded. So the check is about *which*
packages a notebook needs; Colab's own *versions* of them are other ones.
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
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = (
    "book/04_positive_sets.ipynb",
    "book/07_objective.ipynb",
    "book/assignments/a2_positive_sets.ipynb",
)
SHIPPED = (
    *(
        "torch",
        "torchvision",
        "timm",
        "safetensors",
        "huggingface-hub",
        "numpy",
        "scipy",
        "scikit-learn",
        "pandas",
    ),
    *("matplotlib", "seaborn", "pillow", "tqdm", "rich", "pyyaml", "requests"),
    *("ipython", "ipykernel", "ipywidgets", "pip", "setuptools", "wheel"),
)
"""What Colab ships of all that this project may touch; what these need comes with them."""
UNTOUCHED = ("torch", "torchvision")
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


def make_environment(folder: Path) -> tuple[Path, Path]:
    """Create the environment; return its Python and its folder of packages."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    link(closure(SHIPPED), site)
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


def surroundings(profile: str) -> dict[str, str]:
    """Return the environment variables of the kernel, and of pip and git in it."""
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    settings = {  # git: the repository is here, whoever owns the folder
        f"url.{ROOT.as_uri()}.insteadOf": address,
        "safe.directory": "*",
    }
    variables = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    variables |= {"PROBMCL_PROFILE": profile}
    variables |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
    variables |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    variables |= {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def fingerprint(site: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of the packages that must not be touched."""
    folders = [folder for name in UNTOUCHED for folder in (site / name, *site.glob(f"{name}-*.dist-info"))]
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
        client.execute(env=variables)


def problems(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Yield what the set-up line did beyond installing the package."""
    for name in sorted(before.keys() | after.keys()):
        if name != "probmcl" and before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'absent')} became {after.get(name, 'absent')}"
    if "probmcl" not in after:
        yield "probmcl was not installed"
    for name in ("sphinx", "jupyter-book", "myst-nb", "otter-grader"):
        if name in after:
            yield f"{name} is there, and Colab does not have it"


def main() -> int:
    """Make the environment, run the notebooks in it, and compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Run notebooks with Colab's packages only.")
    parser.add_argument("notebooks", nargs="*", type=Path, default=[ROOT / name for name in NOTEBOOKS])
    parser.add_argument("--profile", default="smoke")
    options = parser.parse_args()
    (ROOT / "_build").mkdir(exist_ok=True)  # on the disk of the packages, so that links work
    with tempfile.TemporaryDirectory(prefix="colab-", dir=ROOT / "_build") as name:
        folder = Path(name)
        python, site = make_environment(folder)
        variables = surroundings(options.profile)
        packages, files = installed(python), fingerprint(site)
        print(f"{len(packages)} packages, as Colab ships them; torch {packages['torch']}")
        for notebook in options.notebooks:
            begin = time.monotonic()
            run(notebook, folder, variables)
            print(f"{notebook.name} ran in {time.monotonic() - begin:.0f} s")
        found = list(problems(packages, installed(python)))
        if fingerprint(site) != files:
            found.append(f"files of {' or '.join(UNTOUCHED)} were changed")
    print("\n".join(found) if found else "Only probmcl was added; torch and torchvision were left alone.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
