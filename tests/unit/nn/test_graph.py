"""Graph convolutions against their equations, and Gaussians against torch's."""

from __future__ import annotations

import pytest
import torch

import naive
from kineme.nn.gaussian import Gaussian, kl_divergence
from kineme.nn.graph import GraphBlock, GraphConvolution


@pytest.mark.parametrize("nodes, features", [((7, 3), (5, 4)), ((3, 9), (4, 2)), ((6, 6), (5, 5))])
@pytest.mark.parametrize("activation", [True, False])
def test_convolution_is_equation_4(nodes, features, activation) -> None:
    layer = GraphConvolution(nodes, features, activation)
    torch.nn.init.normal_(layer.bias)
    graph = torch.randn(nodes[0], 2, features[0])
    weights = {f"g.{name}": value for name, value in layer.state_dict().items()}
    for window in range(2):
        expected = naive.gcl(graph[:, window], weights, "g", activation)
        torch.testing.assert_close(layer(graph)[:, window], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("residual", ["rezero", "printed"])
def test_block_is_equation_5(residual) -> None:
    block = GraphBlock(6, 4, residual)
    graph = torch.randn(6, 3, 4)
    if residual == "rezero":  # at the start it is nothing but its input
        assert torch.equal(block(graph), graph)
    with torch.no_grad():
        block.alpha.fill_(0.7)
    weights = {f"b.{name}": value for name, value in block.state_dict().items()}
    expected = naive.gcb(graph[:, 1], weights, "b", residual == "printed")
    torch.testing.assert_close(block(graph)[:, 1], expected, atol=1e-5, rtol=1e-5)


def test_gaussians_equal_torch() -> None:
    q, p = Gaussian(torch.randn(4, 3), torch.randn(4, 3)), Gaussian(torch.randn(4, 3), torch.randn(4, 3))
    as_torch = [torch.distributions.Normal(g.mean, (g.log_variance / 2).exp()) for g in (q, p)]
    torch.testing.assert_close(kl_divergence(q, p), torch.distributions.kl_divergence(*as_torch))
    standard = torch.distributions.Normal(torch.zeros(4, 3), torch.ones(4, 3))
    torch.testing.assert_close(
        kl_divergence(q, None), torch.distributions.kl_divergence(as_torch[0], standard)
    )
    value = torch.randn(4, 3)
    torch.testing.assert_close(q.log_density(value), as_torch[0].log_prob(value))


def test_log_variances_are_clamped_and_samples_follow_their_generator() -> None:
    wild = Gaussian.of(torch.tensor([[0.0, 0.0, -99.0, 99.0]]))
    assert wild.log_variance.tolist() == [[-20.0, 3.0]]
    first, second = (wild.sample(torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
