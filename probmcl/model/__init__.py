"""An image becomes a feature, a feature becomes a mixture."""

from probmcl.model.encoders import Encoder, SmallCNN, build_encoder, check_weights, published_weights
from probmcl.model.mixture import GaussianMixture
from probmcl.model.mixture_head import MixtureDensityHead
from probmcl.model.output import HeadOutput
from probmcl.model.projection_head import ProjectionHead

__all__ = [
    "Encoder",
    "GaussianMixture",
    "HeadOutput",
    "MixtureDensityHead",
    "ProjectionHead",
    "SmallCNN",
    "build_encoder",
    "check_weights",
    "published_weights",
]
