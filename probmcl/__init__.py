"""ProbMCL: probabilistic contrastive learning for multi-label images.

What most people need stands here, ``from probmcl import ProbMCLLoss``, and is imported when it is asked for.
All there is stands in the rooms, in the order in which the data flows: :mod:`probmcl.data`,
:mod:`probmcl.model`, :mod:`probmcl.loss`, :mod:`probmcl.train`, :mod:`probmcl.evaluate`. A room imports only
the rooms before it. The book's own code stands beside the package, in ``book/probmcl_book``.

The method is read from A. Sajedi, S. Khaki, Y. A. Lawryshyn and K. N. Plataniotis, "ProbMCL: Simple
Probabilistic Contrastive Learning for Multi-label Visual Classification", ICASSP 2024, arXiv 2401.01448.
Docstrings cite the rows of the book's ledger (C, M, R, F) for what was read and what is our choice.
"""

from typing import TYPE_CHECKING

from probmcl._lazy import on_demand

if TYPE_CHECKING:
    from probmcl.data import ImageFolderLabels as ImageFolderLabels
    from probmcl.data import LabelledImages as LabelledImages
    from probmcl.data import TwoViews as TwoViews
    from probmcl.data import make_loader as make_loader
    from probmcl.data import photo_augmentation as photo_augmentation
    from probmcl.data import photo_view as photo_view
    from probmcl.evaluate import mean_average_precision as mean_average_precision
    from probmcl.evaluate import multilabel_metrics as multilabel_metrics
    from probmcl.loss import AsymmetricLoss as AsymmetricLoss
    from probmcl.loss import KMCLLoss as KMCLLoss
    from probmcl.loss import MulSupConLoss as MulSupConLoss
    from probmcl.loss import ProbMCLLoss as ProbMCLLoss
    from probmcl.loss import SupConLoss as SupConLoss
    from probmcl.model import GaussianMixture as GaussianMixture
    from probmcl.model import MixtureDensityHead as MixtureDensityHead
    from probmcl.model import ProjectionHead as ProjectionHead
    from probmcl.model import build_encoder as build_encoder
    from probmcl.train import TrainingSettings as TrainingSettings
    from probmcl.train import linear_probe as linear_probe
    from probmcl.train import two_stages as two_stages

__version__ = "0.1.0"

_HOMES = {
    "data": "ImageFolderLabels LabelledImages TwoViews make_loader photo_augmentation photo_view",
    "model": "GaussianMixture MixtureDensityHead ProjectionHead build_encoder",
    "loss": "AsymmetricLoss KMCLLoss MulSupConLoss ProbMCLLoss SupConLoss",
    "train": "TrainingSettings linear_probe two_stages",
    "evaluate": "mean_average_precision multilabel_metrics",
}
__all__ = [name for names in _HOMES.values() for name in names.split()]
__getattr__, __dir__ = on_demand(__name__, _HOMES)
