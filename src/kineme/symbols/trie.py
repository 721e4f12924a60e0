"""Which patterns start where: a trie over the patterns, walked by all positions of a corpus at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.symbols.ragged import Ragged

_TABLE = 1 << 22  # largest table that is looked up directly; beyond it, binary search


@dataclass(frozen=True, eq=False)
class _Level:
    """The nodes one code further down: keys (U,) ascending, parent * alphabet + code; pattern (U,) ending there or -1."""

    keys: np.ndarray
    pattern: np.ndarray
    table: np.ndarray | None  # key -> node or -1, where the keys are few


class Trie:
    """Patterns as paths from a root. Any set will do; equal patterns count as the one with the lowest number."""

    def __init__(self, patterns: Ragged):
        self.alphabet = int(patterns.values.max(initial=-1)) + 1
        self.levels: list[_Level] = []
        starts, lengths = patterns.offsets[:-1], patterns.lengths
        on = np.arange(len(patterns))  # patterns that reach this deep, and the node where each stands
        node, nodes = np.zeros(len(on), np.int64), 1
        for depth in range(1, int(lengths.max(initial=0)) + 1):
            deep = lengths[on] >= depth
            on = on[deep]
            keys = node[deep] * np.int64(self.alphabet) + patterns.values[starts[on] + depth - 1]
            unique, node = np.unique(keys, return_inverse=True)
            pattern = np.full(len(unique), -1, np.int32)
            ends = np.flatnonzero(lengths[on] == depth)[::-1]  # backwards: the lowest number is written last
            pattern[node[ends]] = on[ends]
            self.levels.append(_Level(unique, pattern, _table(unique, nodes * self.alphabet)))
            nodes = len(unique)

    def match(self, sequences: Ragged) -> np.ndarray:
        """Patterns by position and length.

        Returns (N, L) int32: the pattern of l + 1 codes that starts at position i within its sequence, or
        -1; L is the longest that occurs, and at least 1.
        """
        codes = sequences.values
        here = np.arange(len(codes))
        ends = np.repeat(sequences.offsets[1:], sequences.lengths)
        known = (codes >= 0) & (codes < self.alphabet)
        room = np.minimum.accumulate(np.where(known, ends, here)[::-1])[::-1] - here  # known codes from here on
        found = np.full((len(codes), max(len(self.levels), 1)), -1, np.int32)
        at, node, longest = here, np.zeros(len(codes), np.int64), 1
        for depth, level in enumerate(self.levels, start=1):
            fits = room[at] >= depth
            at, node = at[fits], node[fits]
            node = _find(level, node * np.int64(self.alphabet) + codes[at + depth - 1])
            at, node = at[node >= 0], node[node >= 0]
            found[at, depth - 1] = pattern = level.pattern[node]
            if (pattern >= 0).any():
                longest = depth
        return found[:, :longest]


def _table(keys: np.ndarray, bound: int) -> np.ndarray | None:
    if bound > _TABLE:
        return None
    table = np.full(bound, -1, np.int64)
    table[keys] = np.arange(len(keys))
    return table


def _find(level: _Level, keys: np.ndarray) -> np.ndarray:
    """The node of each key (Q,), or -1."""
    if level.table is not None:
        return level.table[keys]
    node = np.searchsorted(level.keys, keys)
    node[node == len(level.keys)] = 0
    node[level.keys[node] != keys] = -1
    return node
