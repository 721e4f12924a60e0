"""Graph convolutions with a learned dense adjacency (eq. 4 and 5 of the HG-VAE paper).

Tensors are node-major, (nodes, batch, features): then S A W is two plain matrix products, and nothing is
copied on the way.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Residual = Literal["rezero", "printed"]


def graph_product(graph: Tensor, adjacency: Tensor, weight: Tensor) -> Tensor:
    """S A W: graph (Nin, B, Fin), adjacency (Nout, Nin), weight (Fin, Fout) -> (Nout, B, Fout).

    The products are taken in the order that costs less.
    """
    nodes, batch, features = graph.shape
    out_nodes, out_features = adjacency.shape[0], weight.shape[1]
    first = out_nodes * features * (nodes + out_features)
    if first <= out_features * nodes * (features + out_nodes):
        mixed = adjacency @ graph.reshape(nodes, batch * features)
        return mixed.view(out_nodes, batch, features) @ weight
    mixed = (graph @ weight).view(nodes, batch * out_features)
    return (adjacency @ mixed).view(out_nodes, batch, out_features)


class GraphConvolution(nn.Module):
    """GCL(A) = sigma(S A W + b), eq. 4: (Nin, B, Fin) -> (Nout, B, Fout), bias per node and feature.

    `activation` : GELU, or none for the layers that give a distribution's parameters.
    """

    def __init__(self, nodes: tuple[int, int], features: tuple[int, int], activation: bool = True):
        super().__init__()
        (n_in, n_out), (f_in, f_out) = nodes, features
        self.adjacency = nn.Parameter(torch.randn(n_out, n_in) / sqrt(n_in))
        if n_in == n_out:  # a node begins as mostly itself
            with torch.no_grad():
                self.adjacency.mul_(0.3).add_(torch.eye(n_in))
        self.weight = nn.Parameter(torch.randn(f_in, f_out) / sqrt(f_in))
        self.bias = nn.Parameter(torch.zeros(n_out, f_out))
        self.activation = activation

    def forward(self, graph: Tensor) -> Tensor:
        """Graph (Nin, B, Fin)."""
        out = graph_product(graph, self.adjacency, self.weight) + self.bias[:, None]
        return functional.gelu(out) if self.activation else out


class GraphBlock(nn.Module):
    """GCB(A) = sigma(S2 sigma(S1 A W1 + b1) W2 + b2) and a weighted residual, eq. 5; alpha starts at 0.

    residual : ``rezero``: A + alpha sigma(...), as ReZero (Bachlechner et al. 2020) has it and the authors'
        code does; ``printed``: sigma(...) + alpha A, as the equation stands in the paper.
    """

    def __init__(self, nodes: int, features: int, residual: Residual = "rezero"):
        super().__init__()
        self.first = GraphConvolution((nodes, nodes), (features, features))
        self.second = GraphConvolution((nodes, nodes), (features, features))
        self.alpha = nn.Parameter(torch.zeros(()))
        self.residual = residual

    def forward(self, graph: Tensor) -> Tensor:
        """Graph (N, B, F)."""
        inner = self.second(self.first(graph))
        return inner + self.alpha * graph if self.residual == "printed" else graph + self.alpha * inner
