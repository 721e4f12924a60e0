"""The cover by hand and at length; more against its naive twins in tests/property/test_mining_cover.py."""

from __future__ import annotations

import numpy as np
import pytest

import naive
from kineme.errors import InputError
from kineme.symbols import Patterns, Ragged, mining
from kineme.symbols.cover import cover


def patterns(support: dict[tuple[int, ...], int]) -> Patterns:
    return Patterns(Ragged.from_lists(list(support)), np.array(list(support.values()), np.int64))


def lengths(sequence, support, **limits):
    return cover(Ragged.from_lists([sequence]), patterns(support), **limits).length.tolist()


SINGLES = {(0,): 9, (1,): 9, (2,): 9}


def test_fewest_patterns_beat_a_long_and_frequent_one():
    assert lengths([0, 1, 2, 0], SINGLES | {(1, 2): 999, (0, 1): 2, (2, 0): 2}) == [2, 2]


def test_equal_numbers_are_settled_by_support():
    assert lengths([0, 1, 2], SINGLES | {(0, 1): 3, (1, 2): 4}) == [1, 2]
    assert lengths([0, 1, 2], SINGLES | {(0, 1): 4, (1, 2): 3}) == [2, 1]


def test_equal_support_is_settled_by_the_longest_first_pattern():
    assert lengths([0, 1, 2], SINGLES | {(0, 1): 4, (1, 2): 4}) == [2, 1]
    assert lengths([0, 0, 0, 0, 0], {(0,): 5, (0, 0): 5, (0, 0, 0): 5}) == [3, 2]


def test_equal_patterns_count_as_the_first():
    twice = Patterns(Ragged.from_lists([[0], [0, 1], [0, 1], [1]]), np.array([1, 2, 99, 1]))
    assert cover(Ragged.from_lists([[0, 1]]), twice).pattern.tolist() == [1]


def test_the_parts_of_a_cover():
    sequences = Ragged.from_lists([[0, 1, 2], [], [2, 0, 1]])
    found = cover(sequences, patterns(SINGLES | {(0, 1): 2}))
    assert found.pattern.tolist() == [3, 2, 2, 3]
    assert found.start.tolist() == [0, 2, 3, 4]
    assert found.length.tolist() == [2, 1, 1, 2]
    assert found.offsets.tolist() == [0, 2, 2, 4]
    assert found.sequences.to_lists() == [[3, 2], [], [2, 3]]
    assert len(found) == 4


def test_nothing_to_cover():
    for empty in (Ragged.from_lists([]), Ragged.from_lists([[], []])):
        found = cover(empty, patterns(SINGLES))
        assert len(found) == 0
        assert found.offsets.tolist() == [0] * (len(empty) + 1)


def test_pattern_numbers_stay_when_patterns_are_excluded():
    vocabulary = SINGLES | {(0, 1): 2, (1, 2): 8, (0, 1, 2): 2}
    sequences = Ragged.from_lists([[0, 1, 2]])
    assert cover(sequences, patterns(vocabulary)).pattern.tolist() == [5]
    assert cover(sequences, patterns(vocabulary), max_codes=2).pattern.tolist() == [0, 4]
    assert cover(sequences, patterns(vocabulary), min_support=3).pattern.tolist() == [0, 4]
    assert cover(sequences, patterns(vocabulary), min_support=99).pattern.tolist() == [0, 1, 2]


def test_a_duration_limits_pieces_where_they_stand():
    vocabulary = SINGLES | {(0, 1): 2}
    sequences, durations = Ragged.from_lists([[0, 1], [0, 1], [2]]), np.array([2, 2, 2, 3, 50])
    found = cover(sequences, patterns(vocabulary), durations=durations, max_duration=4)
    assert found.sequences.to_lists() == [[3], [0, 1], [2]]


@pytest.fixture(scope="module")
def long():
    """20,000 codes with planted words, their mined patterns, and the naive cover."""
    rng = np.random.default_rng(1)
    words = [rng.integers(0, 30, rng.integers(2, 7)).tolist() for _ in range(60)]
    codes = sum((words[i] for i in rng.integers(0, 60, 6000)), [])[:20000]
    found = mining.mine(Ragged.from_lists([codes]), 8, 6)
    support = zip(map(tuple, found.codes.to_lists()), found.support.tolist(), strict=True)
    weight = {pattern: round(64 * float(np.log2(n))) for pattern, n in support}
    return codes, found, naive.cover(codes, weight, 6)


def test_one_long_sequence_in_blocks(long):
    codes, found, expected = long
    done = cover(Ragged.from_lists([codes]), found)
    assert [tuple(found.codes[i].tolist()) for i in done.pattern] == expected
    assert len(expected) < 0.5 * len(codes)


def test_a_sequence_of_one_code_has_no_forced_border():
    """Every offset of the pieces ties until the end: nothing but exact values across blocks gets it right."""
    vocabulary = {(0,): 9, (0,) * 5: 4, (0,) * 7: 4}
    codes = [0] * 4999
    weight = {pattern: round(64 * float(np.log2(n))) for pattern, n in vocabulary.items()}
    assert lengths(codes, vocabulary) == [len(piece) for piece in naive.cover(codes, weight, 7)]


def test_a_sequence_alone_as_in_a_batch(long):
    codes, found, _ = long
    parts = [codes[:5000], [3], codes[5000:5100], codes[5100:]]
    batch = cover(Ragged.from_lists(parts), found).sequences.to_lists()
    assert batch == [cover(Ragged.from_lists([part]), found).pattern.tolist() for part in parts]


@pytest.mark.parametrize("sequence", [[0, 5], [0, -1], [2**31 - 1]])
def test_a_code_without_a_pattern_is_named(sequence):
    with pytest.raises(InputError, match="cannot cover sequence 1;"):
        cover(Ragged.from_lists([[0], sequence]), patterns(SINGLES))


def test_an_empty_vocabulary_covers_nothing():
    with pytest.raises(InputError, match="cannot cover sequence 0;"):
        cover(Ragged.from_lists([[0]]), patterns({}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_duration": 3}, "go together"),
        ({"durations": np.array([1, 1])}, "go together"),
        ({"durations": np.array([1]), "max_duration": 3}, "one integer for each of the 2 codes"),
        ({"durations": np.array([0.5, 1]), "max_duration": 3}, "one integer for each of the 2 codes"),
    ],
)
def test_durations_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cover(Ragged.from_lists([[0, 1]]), patterns(SINGLES), **options)


def test_scores_that_would_overflow_are_refused(monkeypatch):
    """The limit lowered, as the real one takes a sequence of 30 million codes."""
    monkeypatch.setattr("kineme.symbols.cover._INF", np.int64(10_000))
    with pytest.raises(InputError, match="sequence 1 has 20 codes, too many"):
        cover(Ragged.from_lists([[0], [0] * 20, [1]]), patterns(SINGLES))
