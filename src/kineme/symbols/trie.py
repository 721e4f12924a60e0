"""Which patterns start where: a trie over the patterns, walked by all positions of a corpus at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.symbols.lookup import find
from kineme.symbols.ragged import Ragged

_TABLE = 1 << 22  # children are looked up in a table of at most this many entries, beyond by binary search


@dataclass(frozen=True, eq=False)
class _Level:
    """The U nodes that stand for the prefixes of one length.

    keys (U,), ascending: parent node * alphabet + last code; pattern (U,): the pattern that ends there,
    or -1; table: key -> node or -1, where there are few possible keys.
    """

    keys: np.ndarray
    pattern: np.ndarray
    table: np.ndarray | None

    def child(self, keys: np.ndarray) -> np.ndarray:
        """The node of each key (Q,), or -1."""
        return find(self.keys, keys) if self.table is None else self.table[keys]


class Trie:
    """Any set of patterns as paths from a root; of equal patterns, the one with the lowest number counts."""

    def __init__(self, patterns: Ragged):
        self.alphabet = int(patterns.values.max(initial=-1)) + 1
        self.levels: list[_Level] = []
        starts, lengths = patterns.offsets[:-1], patterns.lengths
        on = np.arange(len(patterns))  # the patterns that reach this deep, and the node where each stands
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
        """The pattern of l + 1 codes that starts at position i and stays in its sequence, or -1.

        Returns (N, L) int32; L is the length of the longest prefix of a pattern that occurs, and at
        least 1.
        """
        codes = sequences.values
        at = np.arange(len(codes))
        known = (codes >= 0) & (codes < self.alphabet)
        stop = np.where(known, np.repeat(sequences.offsets[1:], sequences.lengths), at)
        stop = np.minimum.accumulate(stop[::-1])[::-1]  # the end of the sequence, or the next unknown code
        node = np.zeros(len(codes), np.int64)
        columns = [np.full(len(codes), -1, np.int32)]
        for depth, level in enumerate(self.levels):
            fits = at + depth < stop[at]
            at, node = at[fits], node[fits]
            node = level.child(node * np.int64(self.alphabet) + codes[at + depth])
            at, node = at[node >= 0], node[node >= 0]
            if not len(at):
                break
            if depth:
                columns.append(np.full(len(codes), -1, np.int32))
            columns[depth][at] = level.pattern[node]
        return np.stack(columns, axis=1)


def _table(keys: np.ndarray, bound: int) -> np.ndarray | None:
    if bound > _TABLE:
        return None
    table = np.full(bound, -1, np.int64)
    table[keys] = np.arange(len(keys))
    return table
