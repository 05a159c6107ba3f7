"""A transformer head in the manner of ML-Decoder: every label asks the feature map its own question.

T. Ridnik et al., "ML-Decoder: Scalable and versatile classification head", WACV 2023. It stands beside
ProbMCL because of claim C3, which compares with transformer-based methods.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check


class MLDecoderHead(nn.Module):
    """One decoder layer: fixed label queries attend to the places of a feature map.

    The queries are random and are not learned; they do not attend to each other, which is what ML-Decoder
    leaves out of a transformer's decoder. There is one query per label, as in ML-Decoder up to 100 labels;
    beyond, it shares queries among groups of labels, and this head does not. Each label has a linear map of
    its own from what its query found to its logit.

    Args:
        in_dim: channels F of the feature map.
        classes: number K of labels.
        width: size of queries and places inside; a multiple of ``heads``. 768 is ML-Decoder's.
        heads: attention heads.
        hidden: width of the feed-forward layer.
        dropout: share of the numbers that are left out while training.

    Raises:
        ValueError: for a size below one, a width that is no multiple of ``heads``, or a dropout outside
            [0, 1].

    >>> MLDecoderHead(128, classes=10, width=32, heads=4, hidden=64)(torch.randn(2, 128, 8, 8)).shape
    torch.Size([2, 10])
    """

    queries: Tensor

    def __init__(
        self,
        in_dim: int,
        classes: int,
        *,
        width: int = 768,
        heads: int = 8,
        hidden: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if _check.count("width", width) % _check.count("heads", heads):
            raise ValueError(f"width: expected a multiple of heads ({heads}), got {width}")
        _check.number("dropout", dropout, low=0.0, high=1.0)
        self.project = nn.Linear(_check.count("in_dim", in_dim), width)
        self.register_buffer("queries", torch.randn(_check.count("classes", classes), width))
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, _check.count("hidden", hidden)),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
        )
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(classes, width)))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, maps: Tensor) -> Tensor:
        """Map feature maps ``(N, F, h, w)`` to logits ``(N, K)``.

        Raises:
            ValueError: if the map is NaN, infinite or has other channels than the head was built for.
        """
        _check.same_dtype("maps", _check.finite("maps", maps, dims=4), "the weights", self.weight)
        if maps.shape[1] != self.project.in_features:
            raise ValueError(f"maps: expected {self.project.in_features} channels, got {maps.shape[1]}")
        places = functional.relu(self.project(maps.flatten(2).transpose(1, 2)))  # (N, h w, width)
        queries = self.queries.expand(len(maps), -1, -1)  # (N, K, width)
        asked = self.norms[0](queries + self.dropout(queries))
        answer, _ = self.attention(asked, places, places, need_weights=False)
        found = self.norms[1](asked + self.dropout(answer))
        found = self.norms[2](found + self.dropout(self.feed_forward(found)))  # (N, K, width)
        logits: Tensor = (found * self.weight).sum(-1) + self.bias
        return logits
