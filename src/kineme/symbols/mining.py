"""Frequent contiguous patterns of code sequences, found level by level.

The search is that of GSP (Srikant and Agrawal, EDBT 1996) restricted to contiguous patterns: a pattern of
n + 1 codes can only be frequent where both its first n and its last n codes are. So the positions at
which a frequent pattern of n codes starts are all that level n + 1 has to look at, and they become
fewer from level to level.

One part of a corpus (a *shard*) is counted on its own, and counts of shards are merged by addition, so
that a level maps onto processes or a cluster: `mine_shards` takes the `map` to use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np

from kineme.symbols.lookup import find, unique_counts
from kineme.symbols.ragged import Ragged
from kineme.symbols.trie import Trie


@dataclass(frozen=True, eq=False)
class Patterns:
    """A vocabulary of P contiguous patterns; mining orders them by length, then by their codes.

    Parameters
    ----------
    codes : the codes of each pattern, at least one, none negative.
    support : (P,) int64, how often each occurs. Occurrences may overlap: each start counts once.

    Raises
    ------
    ValueError : an empty pattern, a negative code or support, or supports that do not fit the patterns.
    """

    codes: Ragged
    support: np.ndarray

    def __post_init__(self) -> None:
        support = np.asarray(self.support, np.int64)
        if support.shape != (len(self.codes),) or (support < 0).any():
            raise ValueError(f"{len(self.codes)} patterns need as many supports, none below 0")
        if (self.codes.lengths == 0).any() or (self.codes.values < 0).any():
            raise ValueError("a pattern needs at least one code, and codes are not negative")
        object.__setattr__(self, "support", support)

    @cached_property
    def trie(self) -> Trie:
        """The patterns as paths from a root: made once, however many sequences are covered by them."""
        return Trie(self.codes)

    @property
    def lengths(self) -> np.ndarray:
        """(P,) int64, the number of codes of each pattern."""
        return self.codes.lengths

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each extended pattern occurs: keys (U,) int64, ascending, and counts (U,) int64.

    A key is (number of the prefix among the frequent patterns one code shorter) * alphabet + (last
    code). Keys ascend in the lexicographic order of the patterns and mean the same in every shard.
    """

    keys: np.ndarray
    counts: np.ndarray


_NOTHING = Counts(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class Shard:
    """Where the patterns of one length stand in one part of the corpus.

    Parameters
    ----------
    codes : (N,) int32.
    first : (N,) bool, true where a sequence starts.
    alphabet : number of codes.
    length : number of codes of the patterns at hand.
    at : (A,) int64, ascending, the positions where one starts.
    pattern : (A,) int64, its row in `counted` after `count_shard`, its number after `keep_frequent`.
    frequent : how many patterns of this length are frequent in all shards together.
    counted : counts of this shard, of its last `count_shard`.
    """

    codes: np.ndarray
    first: np.ndarray
    alphabet: int
    length: int
    at: np.ndarray
    pattern: np.ndarray
    frequent: int
    counted: Counts


def mine(sequences: Ragged, min_support: int, max_length: int, codes: int | None = None) -> Patterns:
    """Every contiguous pattern of 1 … max_length codes that occurs at least min_support times.

    Support is the number of starts (overlapping occurrences count once each); no pattern crosses the
    border of a sequence. Single codes are patterns however rare, so that every sequence has a cover:
    those that occur, or 0 … codes - 1 where `codes` is given (then a sequence seen later has a cover
    too).

    Raises ValueError for a negative code, one beyond `codes`, or a limit below 1.
    """
    return mine_shards([sequences], min_support, max_length, codes)


def mine_shards(
    shards: Iterable[Ragged],
    min_support: int,
    max_length: int,
    codes: int | None = None,
    map_with: Callable[..., Iterable[Any]] = map,
) -> Patterns:
    """`mine` over a corpus in parts, whole sequences each; how it is parted does not change the result.

    `map_with` may be an executor's: `begin`, `count_shard` and `keep_frequent` are pure functions of a
    shard.
    """
    shards = list(shards)
    if min_support < 1 or max_length < 1:
        raise ValueError(f"min_support and max_length must be at least 1, not {min_support} and {max_length}")
    alphabet = _alphabet(shards, codes)
    states = list(map_with(begin, shards, [alphabet] * len(shards)))
    table = np.zeros((1, 0), np.int32)  # codes of the frequent patterns of one length: the empty pattern
    tables, supports = [], []
    for length in range(1, max_length + 1):
        states = list(map_with(count_shard, states))
        total = reduce(merge, (state.counted for state in states), _NOTHING)
        frequent = total.keys[total.counts >= min_support]
        listed = frequent
        if length == 1:  # rare codes are patterns too, but nothing is built on them
            listed = total.keys if codes is None else np.arange(codes)
        tables.append(_extend(table, listed, alphabet))
        supports.append(np.append(total.counts, 0)[find(total.keys, listed)])
        if not len(frequent):
            break
        table = _extend(table, frequent, alphabet)
        states = list(map_with(keep_frequent, states, [frequent] * len(states)))
    lengths = np.concatenate([np.full(len(rows), rows.shape[1]) for rows in tables])
    flat = np.concatenate([rows.ravel() for rows in tables])
    return Patterns(Ragged.from_lengths(flat, lengths), np.concatenate(supports))


def begin(sequences: Ragged, alphabet: int) -> Shard:
    """The shard before the first level: the empty pattern stands everywhere."""
    first = np.zeros(len(sequences.values) + 1, bool)
    first[sequences.offsets] = True
    at = np.arange(len(sequences.values))
    return Shard(sequences.values, first[:-1], alphabet, 0, at, np.zeros(len(at), np.int64), 1, _NOTHING)


def count_shard(shard: Shard) -> Shard:
    """One level up: extend every pattern by the code after it, where both halves are frequent, and count."""
    at, pattern, length = shard.at, shard.pattern, shard.length
    if length:
        both = at[1:] == at[:-1] + 1  # a frequent pattern starts at i and another at i + 1
        if length == 1:  # longer ones overlap, and so lie in one sequence
            both &= ~shard.first[at[1:]]
        at, pattern = at[:-1][both], pattern[:-1][both]
    keys = pattern * np.int64(shard.alphabet) + shard.codes[at + length]
    unique, inverse, counts = unique_counts(keys, shard.frequent * shard.alphabet)
    return replace(shard, length=length + 1, at=at, pattern=inverse, counted=Counts(unique, counts))


def merge(a: Counts, b: Counts) -> Counts:
    """Counts of two shards together; associative and commutative."""
    if not len(a.keys) or not len(b.keys):
        return a if len(a.keys) else b
    keys, inverse = np.unique(np.concatenate([a.keys, b.keys]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    counts[inverse[: len(a.keys)]] = a.counts
    counts[inverse[len(a.keys) :]] += b.counts
    return Counts(keys, counts)


def keep_frequent(shard: Shard, frequent: np.ndarray) -> Shard:
    """Drop the positions whose pattern is not among the frequent keys (F,); number the others by these."""
    pattern = find(frequent, shard.counted.keys)[shard.pattern]
    alive = pattern >= 0
    return replace(
        shard, at=shard.at[alive], pattern=pattern[alive], frequent=len(frequent), counted=_NOTHING
    )


def _alphabet(shards: list[Ragged], codes: int | None) -> int:
    """The number of codes; ValueError where a shard holds others than 0 … codes - 1."""
    lowest = min((int(shard.values.min(initial=0)) for shard in shards), default=0)
    needed = max((int(shard.values.max(initial=-1)) + 1 for shard in shards), default=0)
    if lowest < 0:
        raise ValueError(f"codes are not negative, as {lowest} is")
    if codes is not None and needed > codes:
        raise ValueError(f"a sequence holds the code {needed - 1}, but there are only {codes} codes")
    return needed if codes is None else codes


def _extend(table: np.ndarray, keys: np.ndarray, alphabet: int) -> np.ndarray:
    """(F, n + 1) codes of the patterns with these keys, from those of their prefixes, table (P, n)."""
    last = keys % max(alphabet, 1)
    return np.column_stack([table[keys // max(alphabet, 1)], last.astype(np.int32)])
