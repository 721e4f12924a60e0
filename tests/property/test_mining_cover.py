"""Mining and cover against their naive twins, over random sequences and pattern sets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from kineme.errors import InputError
from kineme.symbols import Patterns, Ragged, mining, trie
from kineme.symbols import cover as covering


def codes(alphabet: int, longest: int):
    return st.lists(st.integers(0, alphabet - 1), max_size=longest)


corpora = st.lists(codes(3, 25), max_size=5)


def as_dict(patterns: Patterns) -> dict[tuple[int, ...], int]:
    return dict(zip(map(tuple, patterns.codes.to_lists()), patterns.support.tolist(), strict=True))


def weights(support: dict[tuple[int, ...], int]) -> dict[tuple[int, ...], int]:
    return {pattern: round(64 * float(np.log2(max(n, 1)))) for pattern, n in support.items()}


def as_patterns(support: dict[tuple[int, ...], int]) -> Patterns:
    return Patterns(Ragged.from_lists(list(support)), np.array(list(support.values()), np.int64))


def pieces(sequences: Ragged, cover: covering.Cover, patterns: Patterns) -> list[list[tuple[int, ...]]]:
    """The codes of each sequence's pieces, checked to be the patterns named and to leave no gap."""
    result = []
    for s in range(len(sequences)):
        rows = range(cover.offsets[s], cover.offsets[s + 1])
        found = [tuple(patterns.codes[int(cover.pattern[row])].tolist()) for row in rows]
        assert [len(piece) for piece in found] == cover.length[list(rows)].tolist()
        assert sum(found, ()) == tuple(sequences[s].tolist())
        ends = sequences.offsets[s] + np.cumsum([0, *map(len, found)])
        assert ends[:-1].tolist() == cover.start[list(rows)].tolist()
        result.append(found)
    return result


@given(corpora, st.integers(1, 6), st.integers(1, 7), st.sampled_from([None, 3, 5]))
@settings(max_examples=400, deadline=None)
def test_mining_equals_counting_everything(lists, min_support, max_length, alphabet):
    patterns = mining.mine(Ragged.from_lists(lists), min_support, max_length, alphabet)
    expected = naive.mine(lists, min_support, max_length, alphabet)
    assert as_dict(patterns) == expected
    assert patterns.codes.to_lists() == [list(p) for p in sorted(expected, key=lambda p: (len(p), p))]


@given(corpora, corpora, corpora, st.integers(1, 6), st.booleans())
@settings(max_examples=150, deadline=None)
def test_mining_in_shards_equals_mining_at_once(a, b, c, min_support, threads):
    at_once = mining.mine(Ragged.from_lists(a + b + c), min_support, 5)
    shards = [Ragged.from_lists(part) for part in (c, a, b)]
    if threads:
        with ThreadPoolExecutor(2) as pool:
            in_shards = mining.mine_shards(shards, min_support, 5, map_with=pool.map)
    else:
        in_shards = mining.mine_shards(shards, min_support, 5)
    assert in_shards.codes == at_once.codes
    assert in_shards.support.tolist() == at_once.support.tolist()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_merging_counts_is_associative(data):
    def counts():
        table = data.draw(st.dictionaries(st.integers(0, 8), st.integers(1, 9)))
        keys = sorted(table)
        return mining.Counts(np.array(keys, np.int64), np.array([table[key] for key in keys], np.int64))

    a, b, c = counts(), counts(), counts()
    left, right = mining.merge(mining.merge(a, b), c), mining.merge(a, mining.merge(b, c))
    assert left.keys.tolist() == right.keys.tolist()
    assert left.counts.tolist() == right.counts.tolist()


@given(corpora, st.integers(1, 5), st.integers(1, 7), st.sampled_from([2, 3, 2048]))
@settings(max_examples=500, deadline=None)
def test_cover_with_mined_patterns(lists, min_support, max_length, block):
    sequences = Ragged.from_lists(lists)
    patterns = mining.mine(sequences, min_support, max_length)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covering, "BLOCK", block)
        found = pieces(sequences, covering.cover(sequences, patterns), patterns)
    weight = weights(as_dict(patterns))
    assert found == [naive.cover(row, weight, max_length) for row in lists]


patterns_drawn = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)
pattern_sets = st.dictionaries(patterns_drawn, st.integers(0, 40))


@given(st.lists(codes(3, 11), max_size=4), pattern_sets, st.booleans(), st.sampled_from([1, 2, 5, 2048]))
@settings(max_examples=1000, deadline=None)
def test_cover_with_any_patterns(lists, support, singles, block):
    """Sets not closed under sub-patterns, with and without single codes, cut into blocks anywhere."""
    if singles:
        support = {(code,): 1 for code in range(3)} | support
    sequences, patterns, weight = Ragged.from_lists(lists), as_patterns(support), weights(support)
    expected = [naive.cover_by_trying_all(row, weight) for row in lists]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covering, "BLOCK", block)
        patch.setattr(covering, "CHUNK", 8)
        patch.setattr(trie, "_TABLE", 0 if block == 2 else 1 << 22)
        if None in expected:
            with pytest.raises(InputError, match=f"sequence {expected.index(None)}[ ;]"):
                covering.cover(sequences, patterns)
        else:
            assert pieces(sequences, covering.cover(sequences, patterns), patterns) == expected


@given(codes(2, 11), pattern_sets, st.integers(1, 20), st.integers(1, 6), st.integers(1, 12), st.data())
@settings(max_examples=300, deadline=None)
def test_limits_on_the_patterns_used(sequence, support, min_support, max_codes, max_duration, data):
    """Support and number of codes limit the set; a duration limits each piece by where it stands."""
    support = {(code,): 1 for code in range(3)} | support
    durations = [data.draw(st.integers(0, 5)) for _ in sequence]
    usable = {p: n for p, n in support.items() if len(p) == 1 or (n >= min_support and len(p) <= max_codes)}
    weight = weights(usable)

    def short(cut):
        at = np.cumsum([0, *map(len, cut)])
        return all(
            len(p) == 1 or sum(durations[i : i + len(p)]) <= max_duration
            for p, i in zip(cut, at, strict=False)
        )

    expected = min(
        (cut for cut in naive.segmentations(sequence) if all(p in weight for p in cut) and short(cut)),
        key=lambda cut: (len(cut), -sum(weight[p] for p in cut), [-len(p) for p in cut]),
    )
    sequences, patterns = Ragged.from_lists([sequence]), as_patterns(support)
    cover = covering.cover(
        sequences,
        patterns,
        min_support=min_support,
        max_codes=max_codes,
        durations=np.array(durations, np.int64),
        max_duration=max_duration,
    )
    assert pieces(sequences, cover, patterns) == [expected]
