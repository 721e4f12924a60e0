"""Attention over packed tokens, and the pre-norm Transformer block built on it.

Shapes: K tokens, H heads, d = width / H.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from kineme.nn.packing import Layout, Packing


class FeedForward(nn.Sequential):
    """Width to ratio * width and back, with GELU."""

    def __init__(self, width: int, ratio: float):
        hidden = int(width * ratio)
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


def rotary(x: Tensor, times: Tensor, shortest: float = 0.5, longest: float = 120.0) -> Tensor:
    """Rotate feature pairs of x (K, H, d) by angles proportional to `times` (K,) in seconds.

    Periods run geometrically from `shortest` to `longest` seconds, so that attention scores depend on the
    difference of times only (RoFormer, Su et al. 2021, with real time in place of the index).
    """
    half = x.shape[-1] // 2
    steps = torch.arange(half, device=x.device, dtype=torch.float32) / max(half - 1, 1)
    frequency = 2 * math.pi / (shortest * (longest / shortest) ** steps)
    angle = times.float()[:, None] * frequency  # (K, d / 2)
    cos, sin = angle.cos()[:, None].to(x.dtype), angle.sin()[:, None].to(x.dtype)
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, x[..., 2 * half :]], dim=-1)


class SequenceAttention(nn.Module):
    """Self-attention among the tokens of each sequence, with rotary time."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, times: Tensor, layout: Layout) -> Tensor:
        """x (K, width), times (K,) seconds -> (K, width)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(1)  # (K, H, d)
        q, k = rotary(q, times), rotary(k, times)
        q, k, v = (layout.spread(t).transpose(1, 2) for t in (q, k, v))  # (B, H, longest, d)
        mask = None if bool(layout.mask.all()) else layout.mask[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(layout.gather(mixed.transpose(1, 2)).flatten(1))


class SegmentAttention(nn.Module):
    """Self-attention among the items of one segment only; items in packed order."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, packing: Packing) -> Tensor:
        """x (N, width) -> (N, width)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))  # (N, 3, H, d)
        mixed = []
        for block in packing.split_items(qkv):  # (n, l, 3, H, d)
            if block.shape[1] == 1:  # attention over one item is that item
                mixed.append(block[:, :, 2].flatten(0, 1).flatten(1))
                continue
            q, k, v = block.permute(2, 0, 3, 1, 4).unbind(0)  # (n, H, l, d)
            out = functional.scaled_dot_product_attention(q, k, v)
            mixed.append(out.transpose(1, 2).flatten(0, 1).flatten(1))
        return self.out(torch.cat(mixed))


class SegmentCrossAttention(nn.Module):
    """One query per segment attends to the segment's items."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, z: Tensor, x: Tensor, packing: Packing) -> Tensor:
        """z (K, width) in packed segment order, x (N, width) in packed item order -> (K, width)."""
        q = self.q(z).unflatten(-1, (self.heads, -1))  # (K, H, d)
        kv = self.kv(x).unflatten(-1, (2, self.heads, -1))  # (N, 2, H, d)
        scale = q.shape[-1] ** -0.5
        mixed = []
        for query, block in zip(packing.split_segments(q), packing.split_items(kv), strict=True):
            k, v = block.unbind(2)  # (n, l, H, d)
            score = (query[:, None] * k).sum(-1) * scale  # (n, l, H)
            weight = score.softmax(dim=1)
            mixed.append((weight[..., None] * v).sum(1).flatten(1))
        return self.out(torch.cat(mixed))


class TransformerBlock(nn.Module):
    """Pre-norm self-attention among the tokens of a sequence, then a feed-forward layer."""

    def __init__(self, width: int, heads: int, ratio: float):
        super().__init__()
        self.norm_attention, self.norm_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SequenceAttention(width, heads)
        self.feed = FeedForward(width, ratio)

    def forward(self, x: Tensor, times: Tensor, layout: Layout) -> Tensor:
        """x (K, width), times (K,) -> (K, width)."""
        x = x + self.attention(self.norm_attention(x), times, layout)
        return x + self.feed(self.norm_feed(x))


def segment_pool(x: Tensor, packing: Packing, how: str = "max") -> Tensor:
    """Max or mean over the items of each segment: x (N, D) packed -> (K, D) packed."""
    blocks = packing.split_items(x)
    return torch.cat([block.amax(1) if how == "max" else block.mean(1) for block in blocks])
