"""A4Mer's network: two stages of the same architecture, Encoder + LatentFormer, and their predictors.

Shapes: N items (frames, or atoms) in K segments (atoms, or motifs) of B sequences; D = config.width.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.features import FEATURES
from kineme.nn.attention import (
    FeedForward,
    SegmentAttention,
    SegmentCrossAttention,
    SequenceAttention,
    TransformerBlock,
    segment_pool,
)
from kineme.nn.packing import Layout, Packing

#: segment lengths (in frames) and places inside a segment are embedded up to this number
LONGEST = 128


class Segmented(NamedTuple):
    """Segments of a batch of sequences, in sequence order.

    Attributes
    ----------
    packing : items to segments.
    layout : segments to sequences.
    places : (N,) int64, index of an item inside its segment.
    frames : (K,) int64, a segment's length in model frames.
    times : (K,) float32, seconds of a segment's centre from the start of its window.
    item_times : (N,) float32, the same of the items.
    item_layout : items to sequences; used by the 'sequence' attention ablation only.
    """

    packing: Packing
    layout: Layout
    places: Tensor
    frames: Tensor
    times: Tensor
    item_times: Tensor
    item_layout: Layout

    @classmethod
    def of(cls, lengths: list[np.ndarray], frames: list[np.ndarray], times: list[np.ndarray]) -> Segmented:
        """Lists per sequence: items in each segment; frames of each item; centre time of each item (s)."""
        all_lengths = np.concatenate(lengths).astype(np.int64)
        item_frames = np.concatenate(frames).astype(np.int64)
        item_times = np.concatenate(times).astype(np.float64)
        starts = np.concatenate([[0], np.cumsum(all_lengths)])[:-1]
        segment_frames = np.add.reduceat(item_frames, starts)
        segment_times = np.add.reduceat(item_times * item_frames, starts) / segment_frames
        places = np.arange(len(item_frames)) - np.repeat(starts, all_lengths)
        return cls(
            Packing.of(all_lengths),
            Layout.of(np.array([len(n) for n in lengths])),
            torch.from_numpy(np.minimum(places, LONGEST - 1)),
            torch.from_numpy(np.minimum(segment_frames, LONGEST - 1)),
            torch.from_numpy(segment_times.astype(np.float32)),
            torch.from_numpy(item_times.astype(np.float32)),
            Layout.of(np.array([int(n.sum()) for n in lengths])),
        )

    def to(self, device: torch.device) -> Segmented:
        """The same on another device."""
        return self._make(part.to(device) for part in self)


class Tokens(NamedTuple):
    """What a stage makes of its segments: the Encoder's z and the LatentFormer's h, each (K, D)."""

    z: Tensor
    h: Tensor


class EncoderLayer(nn.Module):
    """z attends to its segment's items; the items attend to one another within the segment."""

    def __init__(self, config: A4MerConfig, last: bool):
        super().__init__()
        width, ratio = config.width, config.feed_ratio
        self.norm_z, self.norm_x, self.norm_z_feed = (nn.LayerNorm(width) for _ in range(3))
        self.cross = SegmentCrossAttention(width, config.heads)
        self.feed_z = FeedForward(width, ratio)
        self.scope = config.attention
        self.last = last  # after the last layer nothing reads the items any more
        if not last:
            attention = SegmentAttention if config.attention == "segment" else SequenceAttention
            self.norm_self, self.norm_x_feed = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = attention(width, config.heads)
            self.feed_x = FeedForward(width, ratio)

    def forward(self, z: Tensor, x: Tensor, parts: Segmented) -> tuple[Tensor, Tensor]:
        """z (K, D) and x (N, D), both in packed order."""
        z = z + self.cross(self.norm_z(z), self.norm_x(x), parts.packing)
        z = z + self.feed_z(self.norm_z_feed(z))
        if self.last:
            return z, x
        if self.scope == "segment":
            x = x + self.attention(self.norm_self(x), parts.packing)
        else:
            plain = torch.empty_like(x).index_copy(0, parts.packing.order, self.norm_self(x))
            mixed = self.attention(plain, parts.item_times, parts.item_layout)
            x = x + mixed.index_select(0, parts.packing.order)
        return z, x + self.feed_x(self.norm_x_feed(x))


class Stage(nn.Module):
    """f: items of variable-length segments to one token a segment (Encoder), in context (LatentFormer)."""

    def __init__(self, config: A4MerConfig, inputs: int, pool: str = "max"):
        super().__init__()
        width = config.width
        self.pool = pool
        self.embed = nn.Linear(inputs, width)
        self.place = nn.Embedding(LONGEST, width)
        self.length = nn.Embedding(LONGEST, width)
        layers = max(1, config.encoder_layers)
        self.encoder = nn.ModuleList(EncoderLayer(config, i == layers - 1) for i in range(layers))
        self.norm_z = nn.LayerNorm(width)
        self.latent = nn.ModuleList(
            TransformerBlock(width, config.heads, config.feed_ratio) for _ in range(config.latent_layers)
        )
        self.norm_h = nn.LayerNorm(width)
        for table in (self.place, self.length):
            nn.init.normal_(table.weight, std=0.02)

    def start_as_pool(self) -> None:
        """Let the stage begin as nothing but its pool: identity embedding, residual branches silent."""
        nn.init.eye_(self.embed.weight)
        nn.init.zeros_(self.embed.bias)
        for module in self.modules():
            last = module[-1] if isinstance(module, FeedForward) else getattr(module, "out", None)
            if isinstance(last, nn.Linear):
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)

    def forward(self, items: Tensor, parts: Segmented) -> Tokens:
        """items (N, inputs) in sequence order -> tokens (K, D) in sequence order."""
        z = self.encode(items, parts)
        return Tokens(z, self.relate(z, parts.frames, parts.times, parts.layout))

    def encode(self, items: Tensor, parts: Segmented) -> Tensor:
        """The Encoder alone: z (K, D), each of its own segment only."""
        order = parts.packing.order
        x = self.embed(items.index_select(0, order)) + self.place(parts.places.index_select(0, order))
        z = segment_pool(x, parts.packing, self.pool)
        for layer in self.encoder:
            z, x = layer(z, x, parts)
        return self.norm_z(z).index_select(0, parts.packing.rank)

    def relate(self, z: Tensor, frames: Tensor, times: Tensor, layout: Layout) -> Tensor:
        """The LatentFormer alone: h (K, D) of z in the context of its sequence."""
        h = z + self.length(frames)
        for block in self.latent:
            h = block(h, times, layout)
        return self.norm_h(h)


class Predictor(nn.Module):
    """g: fills in the tokens of masked segments from mask tokens and the visible tokens."""

    def __init__(self, config: A4MerConfig, outputs: int):
        super().__init__()
        width = config.width
        self.visible = nn.Linear(width, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.length = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.mask_token, std=0.02)
        nn.init.normal_(self.length.weight, std=0.02)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, config.feed_ratio) for _ in range(config.predictor_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, outputs)

    def forward(self, h: Tensor, masked: Tensor, parts: Segmented) -> Tensor:
        """h (K_visible, D) of the visible segments, masked (K,) bool -> predictions (K_masked, outputs).

        A mask token knows its segment's place in time and its length, nothing else.
        """
        x = self.mask_token.expand(len(masked), -1).to(h.dtype)
        x = x.index_copy(0, torch.nonzero(~masked)[:, 0], self.visible(h).to(x.dtype))
        x = x + self.length(parts.frames)
        for block in self.blocks:
            x = block(x, parts.times, parts.layout)
        return self.out(self.norm(x[masked]))


class A4MerNetwork(nn.Module):
    """Stage 1 (frames to atoms) and stage 2 (atoms to motifs), with the input's normalisation."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: A4MerConfig):
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("std", torch.ones(FEATURES))
        self.atoms = Stage(config, FEATURES)
        self.motifs = Stage(config, config.width, config.motif_pool)
        if config.motif_start == "pool":
            self.motifs.start_as_pool()

    def normalise(self, features: Tensor) -> Tensor:
        """Features (..., 131) standardised by the training corpus, bounded to +-8 deviations."""
        return ((features - self.mean) / self.std).clamp(-8, 8)

    def encode_atoms(self, features: Tensor, parts: Segmented) -> Tokens:
        """Features (N, 131) of frames -> tokens of atoms."""
        return self.atoms(self.normalise(features), parts)

    def encode_motifs(self, atoms: Tokens, parts: Segmented) -> Tokens:
        """Tokens of atoms (contextual) -> tokens of motifs."""
        return self.motifs(atoms.h, parts)
