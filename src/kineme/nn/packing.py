"""Ragged batches without padding: segments of equal length lie side by side.

A batch holds N items (frames, or atoms) in K segments (atoms, or motifs). Sorting the segments by length
turns each length into one dense block: `items[a:b].view(count, length, D)` is exact, so attention inside
segments and pooling over them never touch a padded element, whatever the longest segment is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Packing(NamedTuple):
    """How K ragged segments over N items are laid out in blocks of equal length.

    Attributes
    ----------
    order : (N,) int64; packed item i is item order[i] of the plain (sequence) order.
    rank : (K,) int64; segment k of the plain order is packed segment rank[k].
    blocks : ((length, count), ...) by rising length.
    """

    order: Tensor
    rank: Tensor
    blocks: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, lengths: np.ndarray) -> Packing:
        """Packing of segments with these lengths (K,), each at least 1, that follow one another."""
        lengths = np.asarray(lengths, dtype=np.int64)
        if len(lengths) and lengths.min() < 1:
            raise ValueError("a segment holds at least one item")
        by_length = np.argsort(lengths, kind="stable")
        sorted_lengths = lengths[by_length]
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1][by_length]
        within = np.arange(sorted_lengths.sum()) - np.repeat(
            np.concatenate([[0], np.cumsum(sorted_lengths)])[:-1], sorted_lengths
        )
        order = np.repeat(starts, sorted_lengths) + within
        rank = np.empty(len(lengths), dtype=np.int64)
        rank[by_length] = np.arange(len(lengths))
        values, counts = np.unique(sorted_lengths, return_counts=True)
        blocks = tuple((int(v), int(c)) for v, c in zip(values, counts, strict=True))
        return cls(torch.from_numpy(order), torch.from_numpy(rank), blocks)

    def to(self, device: torch.device) -> Packing:
        """The same packing with its tensors on another device."""
        return Packing(self.order.to(device), self.rank.to(device), self.blocks)

    def split_items(self, x: Tensor) -> list[Tensor]:
        """Packed items (N, ...) as dense blocks [(count, length, ...)], by rising length.

        One split of the whole: its gradient is one concatenation, where that of slices would be as many
        zero-filled copies of x.
        """
        parts = x.split([length * count for length, count in self.blocks])
        return [
            p.unflatten(0, (count, length)) for p, (length, count) in zip(parts, self.blocks, strict=True)
        ]

    def split_segments(self, z: Tensor) -> list[Tensor]:
        """Packed segments (K, ...) as blocks [(count, ...)] beside those of `split_items`."""
        return list(z.split([count for _, count in self.blocks]))


class Layout(NamedTuple):
    """Where K packed tokens of B sequences stand in a dense (B, longest) grid, for attention only.

    Attributes
    ----------
    slot : (K,) int64, position in the flattened grid.
    mask : (B, longest) bool, True where there is a token.
    """

    slot: Tensor
    mask: Tensor

    @classmethod
    def of(cls, counts: np.ndarray) -> Layout:
        """Layout of sequences with these numbers of tokens (B,)."""
        counts = np.asarray(counts, dtype=np.int64)
        longest = int(counts.max(initial=1))
        mask = np.arange(longest)[None] < counts[:, None]
        return cls(torch.from_numpy(np.flatnonzero(mask)), torch.from_numpy(mask))

    def to(self, device: torch.device) -> Layout:
        """The same layout on another device."""
        return Layout(self.slot.to(device), self.mask.to(device))

    def spread(self, tokens: Tensor) -> Tensor:
        """(K, ...) packed to (B, longest, ...), zeros where there is no token."""
        grid = tokens.new_zeros(self.mask.numel(), *tokens.shape[1:])
        return grid.index_copy(0, self.slot, tokens).unflatten(0, tuple(self.mask.shape))

    def gather(self, grid: Tensor) -> Tensor:
        """(B, longest, ...) back to (K, ...)."""
        return grid.flatten(0, 1).index_select(0, self.slot)
