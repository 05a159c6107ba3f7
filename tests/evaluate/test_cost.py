import pytest
import torch
from torch import nn

from probmcl.evaluate import multiply_adds, parameter_count
from probmcl.model import MixtureDensityHead, MLDecoderHead, build_encoder


def test_a_convolution_and_a_linear_layer_by_hand() -> None:
    convolution = nn.Conv2d(3, 8, 5, stride=2)  # 32 -> 14
    assert parameter_count(convolution) == 8 * 3 * 5 * 5 + 8
    assert multiply_adds(convolution, torch.zeros(1, 3, 32, 32)) == 14 * 14 * 8 * 3 * 5 * 5
    assert parameter_count(nn.Linear(20, 7)) == 20 * 7 + 7
    assert multiply_adds(nn.Linear(20, 7), torch.zeros(1, 20)) == 20 * 7
    both = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 7))
    assert multiply_adds(both, torch.zeros(1, 3, 32, 32)) == 14 * 14 * (8 * 3 * 25 + 8 * 7)
    assert parameter_count(nn.Sequential(convolution, convolution)) == 8 * 3 * 5 * 5 + 8  # shared: once


def test_attention_is_counted_product_by_product() -> None:
    head = MLDecoderHead(16, classes=5, width=8, heads=2, hidden=12)
    places, labels = 6 * 4, 5
    expected = places * 16 * 8 + places * 2 * 8 * 8 + labels * 8 * 8  # project, keys and values, queries
    expected += 2 * labels * places * 8 + labels * 8 * 8  # scores, mixing, output
    expected += labels * 2 * 8 * 12  # feed-forward; the last dot products are element-wise
    assert multiply_adds(head, torch.randn(1, 16, 6, 4)) == expected


def test_a_fused_transformer_layer_is_counted_as_well() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    count = 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8 + 2 * 5 * 8 * 16
    assert multiply_adds(layer, torch.randn(1, 5, 8)) == count
    assert torch.backends.mha.get_fastpath_enabled()


def test_the_count_is_for_one_row() -> None:
    head = MixtureDensityHead(16, components=3, trunk=(32, 8))
    count = 16 * 32 + 32 * 8 + 8 * 3 * 8 + 2 * 8 * 3
    assert {multiply_adds(head, torch.randn(rows, 16)) for rows in (1, 5)} == {count}


def test_a_network_on_the_meta_device_is_counted_without_arithmetic() -> None:
    encoder = build_encoder("timm/resnet18").to("meta")
    found = multiply_adds(encoder, torch.zeros(1, 3, 224, 224, device="meta"))
    assert found == pytest.approx(1.814e9, rel=0.001)  # He et al. 2016, table 1: 1.8


def test_the_module_is_left_as_it_is() -> None:
    norm = nn.BatchNorm2d(3)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    multiply_adds(norm, torch.randn(1, 3, 4, 4))
    assert norm.training
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
