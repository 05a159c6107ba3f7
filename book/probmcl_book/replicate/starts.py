"""Where every method of a comparison starts: letters, published weights, or random numbers."""

import hashlib
import pickle
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from probmcl.data import letter_images
from probmcl.model import Encoder, build_encoder
from probmcl.train import end_to_end, seeded
from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.recipe import LettersStart, PretrainedStart, Recipe
from probmcl_book.replicate.views import training_loader

CHECKPOINT_STEPS = 500


def pretrain(
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    progress: str | None = None,
    checkpoint: Path | None = None,
    weights: Path | None = None,
) -> Encoder:
    """Make the common start of a recipe's methods.

    For DigitScenes it is an encoder that tells letters apart and has never seen a digit; for photographs, an
    encoder with published weights, which are downloaded once.

    Without a start in the recipe the weights are random. The seed is for the first weights, the order and the
    augmentation. ``progress`` is the text beside a progress bar; ``checkpoint`` is a file to go on from, see
    :func:`~probmcl.train.fit`; ``weights`` is the file of weights, if the start is one.
    """
    start, channels = recipe.start, recipe.views.channels
    with seeded(seed):
        if isinstance(start, PretrainedStart) and not start.checksum:
            return build_encoder(recipe.encoder, in_channels=channels, weights=start.weights)
        encoder = build_encoder(recipe.encoder, in_channels=channels)
    if isinstance(start, PretrainedStart):
        _load(encoder, start, weights)
    if isinstance(start, LettersStart):
        data, settings = recipe.data, start.training
        assert isinstance(data, DigitsData)  # a recipe checks it
        letters = letter_images(start.images, seed=data.seed, difficulty=data.difficulty)
        with seeded(seed):
            classifier = nn.Linear(encoder.feature_dim, len(letters.classes))
        end_to_end(
            nn.Sequential(encoder, classifier),
            training_loader(letters, recipe.views, settings.batch_size, seed=seed, device=device),
            functional.cross_entropy,
            settings,
            seed=seed,
            device=device,
            checkpoint=checkpoint,
            checkpoint_steps=CHECKPOINT_STEPS,
            progress=progress,
        )
    return encoder


def weights_file(path: Path) -> PretrainedStart:
    """The start that a file of weights is: its name and checksum, as a path is of one machine only.

    It is a ``.safetensors`` file, or one that ``torch.save`` wrote.
    """
    with path.open("rb") as file:
        return PretrainedStart(path.name, f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")


def _load(encoder: Encoder, start: PretrainedStart, path: Path | None) -> None:
    """Load a file of weights into the encoder; what it holds beside them, such as a classifier, is left."""
    if path is None:
        raise ValueError(f"weights: expected the file {start.weights} of the recipe, got none")
    if weights_file(path) != start:
        raise ValueError(f"weights: expected {start.weights} with {start.checksum}, got another file")
    found = _read(path)
    wanted = encoder.network.state_dict()
    foreign = [
        f"{name} {tuple(value.shape)}"
        for name, value in wanted.items()
        if name not in found or found[name].shape != value.shape
    ]
    if foreign:
        raise ValueError(
            f"weights: {path.name} holds another network: of {len(wanted)} tensors it lacks, or has in "
            f"another shape, {len(foreign)}: {', '.join(foreign[:3])}"
        )
    encoder.network.load_state_dict({name: found[name] for name in wanted})


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, safetensors.SafetensorError) as error:
        raise ValueError(f"weights: {path.name} cannot be read as weights ({error})") from None
    if not isinstance(found, dict):
        raise ValueError(f"weights: expected tensors by name in {path.name}, got {type(found).__name__}")
    return {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
