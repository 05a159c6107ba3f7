"""The set-up cell of a chapter: one call that chooses a profile and a device and fixes the seeds."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from IPython.core.getipython import get_ipython

from probmcl import _check
from probmcl.data.public.sources import source

PROFILES = ("smoke", "cpu", "gpu", "full")
"""The sizes at which a chapter runs, from seconds on any machine to the data sets of the paper."""

PROFILE_VARIABLE, DATA_VARIABLE = "PROBMCL_PROFILE", "PROBMCL_DATA"

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """What every cell of a chapter needs to know about where it runs."""

    profile: str  #: one of :data:`PROFILES`
    device: torch.device  #: where tensors and modules of the chapter belong
    progress: bool  #: whether somebody watches, so that bars are worth drawing: not in a build or a test
    seed: int = 0  #: that :func:`setup` used

    def pick(self, *, smoke: T, cpu: T, gpu: T | None = None, full: T | None = None) -> T:
        """Return the value that belongs to this page's profile.

        A profile that is left out takes the value of the one before it.

        >>> Page("gpu", torch.device("cpu"), progress=False).pick(smoke=64, cpu=2000)
        2000
        """
        if self.profile == "smoke":
            return smoke
        if self.profile == "full" and full is not None:
            return full
        if self.profile in ("gpu", "full") and gpu is not None:
            return gpu
        return cpu

    def bar(self, text: str) -> str | None:
        """The text beside a progress bar of training, or None, for no bar, if nobody watches.

        >>> Page("cpu", torch.device("cpu"), progress=True).bar("letters")
        'letters'
        """
        return text if self.progress else None


def choose_profile(environment: Mapping[str, str], *, cuda: bool) -> str:
    """The profile that ``PROBMCL_PROFILE`` names, otherwise ``gpu`` with CUDA and ``cpu`` without.

    >>> choose_profile({}, cuda=False), choose_profile({"PROBMCL_PROFILE": "smoke"}, cuda=True)
    ('cpu', 'smoke')
    >>> choose_profile({"PROBMCL_PROFILE": "quick"}, cuda=False)
    Traceback (most recent call last):
    ...
    ValueError: PROBMCL_PROFILE: expected one of smoke, cpu, gpu, full, got 'quick'
    """
    if named := environment.get(PROFILE_VARIABLE, ""):
        return _check.one_of(PROFILE_VARIABLE, named, PROFILES)
    return "gpu" if cuda else "cpu"


def setup(seed: int = 0) -> Page:
    """Prepare a chapter: profile, device, seeds, number formats. Prints one line that says what was chosen.

    ``smoke`` and ``cpu`` run on the CPU, ``gpu`` and ``full`` on CUDA if there is any. ``seed`` goes to the
    global generators of torch and NumPy. Denormal numbers are flushed to zero: the exponentials of very
    negative logits would otherwise slow a CPU down.

    >>> page = setup()  # doctest: +SKIP
    profile cpu · device cpu (2 threads) · torch 2.15.0
    """
    cuda = torch.cuda.is_available()
    profile = choose_profile(os.environ, cuda=cuda)
    device = torch.device("cuda" if cuda and profile in ("gpu", "full") else "cpu")
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries that a chapter calls may still use the global generator
    torch.set_flush_denormal(True)
    torch.set_printoptions(precision=3, sci_mode=False, linewidth=100)  # type: ignore[no-untyped-call]
    np.set_printoptions(precision=3, suppress=True, linewidth=100)
    print(f"profile {profile} · device {_device_name(device)} · torch {torch.__version__.split('+')[0]}")
    if not cuda and profile in ("gpu", "full"):
        print(f"No GPU was found: profile {profile} will take long on this machine.")
    if not cuda and _in_colab():
        print("For a GPU choose Runtime > Change runtime type > T4 GPU, then run this cell again.")
    return Page(profile, device, progress=_is_watched(), seed=seed)


def data_folder(name: str) -> Path | None:
    """The folder of a public data set, such as ``"coco2014"``, or None if it is not on this machine.

    ``PROBMCL_DATA`` names the folder of all data sets, the one that was given to ``python -m probmcl sources
    fetch NAME --root DIR``. Any other name is a ValueError.
    """
    root = os.environ.get(DATA_VARIABLE, "")
    folder = Path(root) / source(name).name
    return folder if root and folder.is_dir() else None


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    threads = torch.get_num_threads()
    return f"cpu ({threads} thread{'s' if threads != 1 else ''})"


def _in_colab() -> bool:
    return "google.colab" in sys.modules


def _is_watched() -> bool:
    """Tell Colab, Jupyter and VS Code from a build or a test, whose kernels carry none of these marks."""
    shell = get_ipython()
    in_vscode = shell is not None and "__vsc_ipynb_file__" in shell.user_ns
    return _in_colab() or "JPY_SESSION_NAME" in os.environ or in_vscode
