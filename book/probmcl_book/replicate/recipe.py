"""Recipes: everything that decides a result, in one frozen object that is saved beside it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from probmcl import _check
from probmcl.train import TrainingSettings
from probmcl.train.settings import LATER
from probmcl_book.records.constraints import Positive, Share
from probmcl_book.records.plain import from_plain, to_plain
from probmcl_book.replicate.datasets import Dataset, DigitsData
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.views import SceneViews, Views

END_TO_END = ("bce", "asl", "ml-decoder", "label-graph", "kmcl")
"""Names of the criteria that train encoder and classifier together.

The first two have a linear classifier. "ml-decoder" is a transformer head on the encoder's map, with ASL;
"label-graph" makes its classifiers from the graph of training labels, with BCE; "kmcl" trains a mixture whose
weights are the classifier, with a contrastive, a reconstruction and the asymmetric term.
"""

CRITERIA = (*END_TO_END, "supcon", "mulsupcon", "probmcl")
"""Names of the training criteria; those that are not end to end have two stages."""

LINEAR = ("bce", "asl")
TRUNKLESS = (*LINEAR, "ml-decoder", "label-graph")


@dataclass(frozen=True)
class LettersStart:
    """Pretraining on letters, where every method starts: images, and the training of a letter classifier."""

    images: int
    training: TrainingSettings


@dataclass(frozen=True)
class PretrainedStart:
    """Published weights of the encoder, where every method starts.

    ``weights`` is a tag of timm or a weights name of torchvision; with a checksum, "sha256:...", the name of
    a file.
    """

    weights: str
    checksum: str = ""


Start = PretrainedStart | LettersStart


@dataclass(frozen=True)
class Method:
    """One row of a comparison.

    The criterion is one of :data:`CRITERIA`, and ``options`` are its arguments that differ from its defaults.
    ``trunk`` holds the widths of the head's trunk (contrastive criteria and KMCL), the last of which is D;
    ``head`` its further arguments, such as ``components`` of a :class:`~probmcl.model.MixtureDensityHead`
    (None or nothing: one per class) or ``width`` of a :class:`~probmcl.model.MLDecoderHead`. A step sees two
    views of an image, as a contrastive one must, or one. ``chunk`` is that of
    :func:`~probmcl.train.contrastive_stage`.
    """

    name: str
    criterion: str
    training: TrainingSettings
    trunk: tuple[int, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    views_per_image: int = field(default=2, metadata=LATER)
    chunk: Positive | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        _check.one_of("criterion", self.criterion, CRITERIA)
        if self.criterion in LINEAR and self.head:
            raise ValueError(f"head: {self.name} has a linear classifier, expected none, got {self.head}")
        if self.criterion not in TRUNKLESS and not self.trunk:
            raise ValueError(f"trunk: {self.name} is contrastive and needs the widths of a head, got none")
        if self.views_per_image not in ((2,) if self.trunk else (1, 2)):
            raise ValueError(f"views_per_image: expected 2, or 1 end to end, got {self.views_per_image}")
        if self.end_to_end and self.chunk is not None:
            raise ValueError(f"chunk: expected None, as {self.name} trains end to end, got {self.chunk}")

    @property
    def end_to_end(self) -> bool:
        """Whether encoder and classifier are trained together; otherwise in two stages."""
        return self.criterion in END_TO_END

    def trained(self, **changes: Any) -> Self:
        """The method with other settings of its training."""
        return replace(self, training=replace(self.training, **changes))


@dataclass(frozen=True)
class Recipe:
    """An experiment: data, a common start, methods, and the linear probe of frozen encoders (M14).

    Without a ``start``, all methods begin with the same random weights. ``encoder`` is a name for
    :func:`~probmcl.model.build_encoder`. ``limit`` are the images to keep of each part, None for all: a run
    with a limit shows that the parts fit. ``train_share`` is the share of the training images to keep, in
    (0, 1]; validation and test stay whole. A ridge probe on the features of ``probe_images`` training images
    chooses the epoch of a contrastive stage; more images than features, or it fits them whatever they are.

    >>> from probmcl_book.replicate import digits_recipe
    >>> recipe = digits_recipe(smoke=True)
    >>> Recipe.from_dict(recipe.to_dict()) == recipe
    True
    """

    name: str
    data: Dataset
    start: Start | None
    encoder: str
    methods: tuple[Method, ...]
    probe: TrainingSettings
    views: Views = field(default_factory=SceneViews)
    limit: int | None = None
    train_share: Share = 1.0
    probe_images: Positive = field(default=2000, metadata=LATER)

    def __post_init__(self) -> None:
        if isinstance(self.start, LettersStart) and not isinstance(self.data, DigitsData):
            raise ValueError(
                f"start: letters are the start of DigitScenes, not of {type(self.data).__name__}"
            )

    def trained(self, **changes: Any) -> Self:
        """The experiment with other settings of every method's training; the probe keeps its own."""
        return replace(self, methods=tuple(method.trained(**changes) for method in self.methods))

    def in_chunks(self, chunk: int) -> Self:
        """The experiment with the contrastive batches of its two-stage methods in chunks."""
        methods = (one if one.end_to_end else replace(one, chunk=chunk) for one in self.methods)
        return replace(self, methods=tuple(methods))

    def splits(self, folder: Path | None = None) -> Splits:
        """The images, from the folder of the data set; DigitScenes are drawn and take none."""
        return self.data.splits(folder).limited(self.limit).fewer_to_train(self.train_share)

    def to_dict(self) -> dict[str, Any]:
        """A plain form, as it stands in records."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    def identity(self) -> dict[str, Any]:
        """The plain form without prose: no name of the experiment or of a method, no origin of the images.

        Two recipes with one identity give the same numbers on the same images.
        """
        plain = self.to_dict()
        del plain["name"]
        plain["data"].pop("origin", None)
        for method in plain["methods"]:
            del method["name"]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; older records, which lack some fields, are read as well."""
        return from_plain(cls, plain, "recipe")
