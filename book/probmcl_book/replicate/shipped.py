"""The trained run that ships with the book: loaded where its file is, trained where it is not."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch

from probmcl_book.replicate.export import load_export
from probmcl_book.replicate.finished import Finished
from probmcl_book.replicate.recipes import digits_recipe
from probmcl_book.replicate.run import run_methods

SHIPPED = Path(__file__).with_name("digits_probmcl.safetensors")
METHOD, SEED = "ProbMCL", 0


def shipped_run(*, device: torch.device | str = "cpu", progress: bool = False) -> Finished:
    """ProbMCL on the training scenes of chapter 10, seed 0: encoder, head and linear classifier, trained.

    The weights are read from a file beside this module. Where it is missing they are trained anew, which
    takes minutes. A printed line says which of the two happened.

    >>> run = shipped_run()
    weights: loaded, recipe digits, ProbMCL, seed 0
    >>> run.whole().encoder(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 128])
    """
    loaded = SHIPPED.is_file()
    run = load_export(SHIPPED) if loaded else train_to_ship(device=device, progress=progress)
    how = "loaded" if loaded else "trained here"
    print(f"weights: {how}, recipe {run.recipe.name}, {run.row.method}, seed {run.seed}")
    return run


def train_to_ship(*, device: torch.device | str = "cpu", progress: bool = False) -> Finished:
    """Train the run anew."""
    whole = digits_recipe()
    recipe = replace(whole, methods=tuple(method for method in whole.methods if method.name == METHOD))
    (run,) = run_methods(recipe, [SEED], device=device, progress=progress).finished[METHOD]
    return run


def rounded(run: Finished) -> Finished:
    """A run with its weights in half precision, to be small; what was measured stays that of all digits."""
    trained = run.whole()
    assert trained.head is not None
    encoder, head = deepcopy(trained.encoder).half(), deepcopy(trained.head).half()
    classifier = {name: value.half() for name, value in run.classifier.items()}
    return replace(run, trained=replace(trained, encoder=encoder, head=head), classifier=classifier)
