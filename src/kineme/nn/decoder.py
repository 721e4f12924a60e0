"""A network that says how motion goes on, or through a gap: weights of waves (`nn.curves`).

What it sees: the latest frames beside the unobserved stretch, as cosine coefficients through an MLP; and, if
asked for, a memory of items with times, which a query a wave attends to. Shapes: B moments, C channels, K
waves, L items of memory, D width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kineme.motion.dct import basis_tensor
from kineme.nn.attention import FeedForward


class Memory(NamedTuple):
    """Items (B, L, D), their times (B, L) in seconds from the last observed frame, and (B, L) bool: which are
    there."""

    items: Tensor
    times: Tensor
    mask: Tensor


def dense_rotary(x: Tensor, times: Tensor, shortest: float = 0.5, longest: float = 60.0) -> Tensor:
    """`nn.attention.rotary` for a grid: x (B, H, L, d), times (B, L)."""
    half = x.shape[-1] // 2
    steps = torch.arange(half, device=x.device, dtype=torch.float32) / max(half - 1, 1)
    angle = times[:, None, :, None] * (2 * math.pi / (shortest * (longest / shortest) ** steps))
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Attention(nn.Module):
    """Queries (B, K, D) attend to items; items carry rotary times, queries stand at time 0."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.out = (nn.Linear(width, n * width) for n in (1, 2, 1))

    def forward(self, queries: Tensor, items: Tensor, times: Tensor | None, mask: Tensor | None) -> Tensor:
        """(B, K, D)."""
        q = self.q(queries).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.kv(items).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if times is not None:
            k = dense_rotary(k, times)
        seen = None if mask is None else mask[:, None, None]
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return self.out(mixed.transpose(1, 2).flatten(2))


class DecoderLayer(nn.Module):
    """Pre-norm attention among the queries, attention to the memory, feed-forward."""

    def __init__(self, width: int, heads: int, ratio: float, dropout: float):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.among, self.across = Attention(width, heads), Attention(width, heads)
        self.feed, self.drop = FeedForward(width, ratio), nn.Dropout(dropout)

    def forward(self, queries: Tensor, memory: Memory) -> Tensor:
        """(B, K, D)."""
        own, across, feed, items = self.norms
        x = own(queries)
        queries = queries + self.drop(self.among(x, x, None, None))
        seen = items(memory.items)
        queries = queries + self.drop(self.across(across(queries), seen, memory.times, memory.mask))
        return queries + self.drop(self.feed(feed(queries)))


class Residual(nn.Module):
    """x + an MLP of its norm."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(B, width)."""
        return x + self.body(x)


@dataclass(frozen=True)
class Shape:
    """What a `WaveDecoder` is made of.

    Attributes
    ----------
    channels, near, about : channels of a pose, frames beside the stretch, and numbers about the stretch.
    sides : 1 where the stretch has a past alone, 2 where it has a future, too; `near` frames each.
    coefficients : of each side's cosine transform that are kept. waves, hypotheses : K and M.
    hidden, blocks : of the MLP. width, layers, heads, ratio, dropout : of the attention; no layer: no memory.
    """

    channels: int
    near: int
    about: int
    sides: int = 1
    coefficients: int = 12
    waves: int = 24
    hidden: int = 256
    blocks: int = 2
    width: int = 96
    layers: int = 1
    heads: int = 4
    ratio: float = 2.0
    dropout: float = 0.1


class WaveDecoder(nn.Module):
    """(near frames, numbers about the stretch, memory) -> weights (B, K, C) of waves."""

    basis: Tensor

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        basis = basis_tensor(shape.near)[: shape.coefficients]
        self.register_buffer("basis", basis, persistent=False)
        inputs = shape.sides * len(basis) * shape.channels + shape.about
        self.enter = nn.Linear(inputs, shape.hidden)
        self.blocks = nn.Sequential(*(Residual(shape.hidden, shape.dropout) for _ in range(shape.blocks)))
        self.norm = nn.LayerNorm(shape.hidden)
        self.leave = nn.Linear(shape.hidden, shape.waves * shape.channels)
        self.layers = nn.ModuleList(
            DecoderLayer(shape.width, shape.heads, shape.ratio, shape.dropout) for _ in range(shape.layers)
        )
        if shape.layers:
            self.queries = nn.Parameter(torch.randn(shape.waves, shape.width) * 0.02)
            self.ask = nn.Linear(shape.hidden, shape.width)
            self.norm_queries = nn.LayerNorm(shape.width)
            self.answer = nn.Linear(shape.width, shape.channels)
        for layer in (self.leave, getattr(self, "answer", None)):
            if layer is not None:
                nn.init.xavier_uniform_(layer.weight, gain=0.05)
                nn.init.zeros_(layer.bias)

    def forward(self, near: Tensor, about: Tensor, memory: Memory | None) -> Tensor:
        """near (B, sides, near, C), about (B, about) -> (B, K, C)."""
        shape = self.shape
        seen = (self.basis @ near).flatten(1)
        state = self.blocks(self.enter(torch.cat([seen, about], dim=1)))
        weights = self.leave(self.norm(state)).view(-1, shape.waves, shape.channels)
        if memory is None or not shape.layers:
            return weights
        queries = self.queries + self.ask(state)[:, None]
        for layer in self.layers:
            queries = layer(queries, memory)
        return weights + self.answer(self.norm_queries(queries))
