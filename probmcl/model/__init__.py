"""An image becomes a feature, a feature becomes a mixture.

The encoders are imported when one is asked for: the libraries that they come from take seconds.
"""

from typing import TYPE_CHECKING

from probmcl._lazy import on_demand
from probmcl.model.label_graph import LabelGraphHead, label_correlation
from probmcl.model.mixture import GaussianMixture
from probmcl.model.mixture_head import MixtureClassifier, MixtureDensityHead
from probmcl.model.ml_decoder import MLDecoderHead
from probmcl.model.output import HeadOutput
from probmcl.model.projection_head import ProjectionHead

if TYPE_CHECKING:
    from probmcl.model.encoders import Encoder as Encoder
    from probmcl.model.encoders import FeatureMap as FeatureMap
    from probmcl.model.encoders import FeatureMLP as FeatureMLP
    from probmcl.model.encoders import SmallCNN as SmallCNN
    from probmcl.model.encoders import build_encoder as build_encoder
    from probmcl.model.encoders import check_weights as check_weights
    from probmcl.model.encoders import published_weights as published_weights

__all__ = [
    "Encoder", "FeatureMLP", "FeatureMap", "GaussianMixture", "HeadOutput", "LabelGraphHead", "MLDecoderHead",
    "MixtureClassifier", "MixtureDensityHead", "ProjectionHead", "SmallCNN", "build_encoder", "check_weights",
    "label_correlation", "published_weights",
]  # fmt: skip
_ENCODERS = "Encoder FeatureMLP FeatureMap SmallCNN build_encoder check_weights published_weights"
__getattr__, __dir__ = on_demand(__name__, {"encoders": _ENCODERS})
