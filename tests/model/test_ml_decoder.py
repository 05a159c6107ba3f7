"""The transformer head against a loop over images, labels, attention heads and places."""

import math

import pytest
import torch
from torch.nn import functional

from probmcl.model import MLDecoderHead


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def by_loops(head: MLDecoderHead, maps: torch.Tensor) -> torch.Tensor:
    """The logits, from the head's weights and nothing else of it."""
    weights = {name: value.detach() for name, value in head.state_dict().items()}
    width = weights["queries"].shape[1]
    size = width // head.attention.num_heads

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def norm(index: int, x: torch.Tensor) -> torch.Tensor:
        unit = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
        return unit * weights[f"norms.{index}.weight"] + weights[f"norms.{index}.bias"]

    maps_to = weights["attention.in_proj_weight"].split(width)
    offsets = weights["attention.in_proj_bias"].split(width)
    logits = torch.zeros(len(maps), len(weights["queries"]))
    for n, image in enumerate(maps):
        places = [linear("project", image[:, y, x]).relu() for y in range(2) for x in range(3)]
        for k, query in enumerate(weights["queries"]):
            asked = norm(0, 2 * query)
            q = maps_to[0] @ asked + offsets[0]
            answers = []
            for part in (slice(size * h, size * (h + 1)) for h in range(head.attention.num_heads)):
                keys = [(maps_to[1] @ place + offsets[1])[part] for place in places]
                shares = torch.stack([q[part] @ key / math.sqrt(size) for key in keys]).softmax(0)
                values = [(maps_to[2] @ place + offsets[2])[part] for place in places]
                answers.append(sum(share * value for share, value in zip(shares, values, strict=True)))
            found = norm(1, asked + linear("attention.out_proj", torch.cat(answers)))
            fed = linear("feed_forward.3", linear("feed_forward.0", found).relu())
            logits[n, k] = weights["weight"][k] @ norm(2, found + fed) + weights["bias"][k]
    return logits


@pytest.fixture
def head() -> MLDecoderHead:
    torch.manual_seed(0)
    head = MLDecoderHead(5, classes=4, width=8, heads=2, hidden=6)
    for parameter in head.parameters():  # biases and norms are 0 and 1 at first, and would hide a mistake
        torch.nn.init.normal_(parameter, std=0.5)
    return head


def test_agrees_with_the_loops(head) -> None:
    maps = drawn(3, 5, 2, 3)
    torch.testing.assert_close(head.eval()(maps), by_loops(head, maps), atol=1e-5, rtol=1e-5)


def test_training_and_evaluation_differ_by_dropout_alone(head) -> None:
    maps = drawn(2, 5, 2, 3)
    assert not torch.allclose(head.train()(maps), head(maps))
    for module in head.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    head.attention.dropout = 0.0
    torch.testing.assert_close(head.train()(maps), head.eval()(maps))


def test_everything_learns_but_the_queries(head) -> None:
    functional.softplus(head(drawn(2, 5, 2, 3))).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
    assert "queries" in dict(head.named_buffers())
