"""HisRepItself (Mao et al., ECCV 2020, arXiv 2007.11755): what followed when the body last moved like this.

The latest M frames are the query; every stretch of M frames of the history is a key, and the cosine
transform of
that stretch with the T frames after it its value. The attended value and the transform of the latest
frames, padded with the last one, go through graph convolutions whose nodes are channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kineme.motion.dct import basis_tensor


class GraphLayer(nn.Module):
    """A learned dense graph over nodes: (B, nodes, inputs) -> (B, nodes, outputs)."""

    def __init__(self, nodes: int, inputs: int, outputs: int):
        super().__init__()
        self.adjacency = nn.Parameter(torch.empty(nodes, nodes).uniform_(-1, 1) / nodes**0.5)
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, graph: Tensor) -> Tensor:
        """S X W + b."""
        return self.linear(self.adjacency @ graph)


class GraphResidual(nn.Module):
    """Two graph layers with batch norm and tanh, and a residual."""

    def __init__(self, nodes: int, width: int):
        super().__init__()
        self.layers = nn.ModuleList(GraphLayer(nodes, width, width) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm1d(nodes * width) for _ in range(2))

    def forward(self, graph: Tensor) -> Tensor:
        """(B, nodes, width)."""
        x = graph
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = layer(x)
            x = torch.tanh(norm(x.flatten(1)).view_as(x))
        return graph + x


class HisRepItself(nn.Module):
    """(B, history, C) -> (B, frames, C).

    `query` : M, 10 in the publication; `blocks` : 12; `width` : 256.
    """

    basis: Tensor

    def __init__(self, channels: int, frames: int = 25, query: int = 10, width: int = 64, blocks: int = 4):
        super().__init__()
        self.frames, self.query = frames, query
        self.register_buffer("basis", basis_tensor(query + frames), persistent=False)
        # two convolutions whose receptive field is the query's length, as published for M = 10: 6 and 5
        first = query // 2 + 1
        self.queries, self.keys = (
            nn.Sequential(
                nn.Conv1d(channels, width, first, bias=False), nn.ReLU(),
                nn.Conv1d(width, width, query - first + 1, bias=False), nn.ReLU(),
            )
            for _ in range(2)
        )  # fmt: skip
        size = query + frames
        self.enter = GraphLayer(channels, 2 * size, width)
        self.blocks = nn.Sequential(*(GraphResidual(channels, width) for _ in range(blocks)))
        self.leave = GraphLayer(channels, width, size)

    def attended(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """Attention (B, stretches) over the history, and the attended coefficients (B, M + T, C)."""
        size, count = self.query + self.frames, history.shape[1]
        stretches = count - size + 1
        past = history.transpose(1, 2)
        keys = self.keys(past[..., : count - self.frames])  # (B, width, stretches)
        query = self.queries(past[..., -self.query :])  # (B, width, 1)
        weight = (query * keys).sum(1) + 1e-15
        weight = weight / weight.sum(1, keepdim=True)
        index = torch.arange(stretches, device=history.device)[:, None] + torch.arange(
            size, device=history.device
        )
        values = self.basis @ history[:, index]  # (B, stretches, M + T, C)
        return weight, torch.einsum("bs,bsfc->bfc", weight, values)

    def forward(self, history: Tensor) -> Tensor:
        """history (B, N, C) with N of at least M + T frames."""
        _, value = self.attended(history)
        padded = torch.cat([history[:, -self.query :], history[:, -1:].expand(-1, self.frames, -1)], dim=1)
        latest = self.basis @ padded
        graph = torch.cat([latest, value], dim=1).transpose(1, 2)  # nodes are channels
        made = self.leave(self.blocks(self.enter(graph))).transpose(1, 2) + latest
        return (self.basis.T @ made)[:, self.query :]
