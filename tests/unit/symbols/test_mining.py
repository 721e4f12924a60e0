"""Mining by hand; its equality with the naive twin is in tests/property/test_mining_cover.py."""

from __future__ import annotations

import numpy as np
import pytest

import naive
from kineme.symbols import Patterns, Ragged, mining


def mined(lists, *limits, **options) -> dict[tuple[int, ...], int]:
    patterns = mining.mine(Ragged.from_lists(lists), *limits, **options)
    return dict(zip(map(tuple, patterns.codes.to_lists()), patterns.support.tolist(), strict=True))


def test_overlapping_occurrences_count_once_a_start():
    assert mined([[7, 7, 7, 7]], 2, 3) == {(7,): 4, (7, 7): 3, (7, 7, 7): 2}


def test_no_pattern_crosses_a_border():
    assert mined([[0, 1], [], [0, 1], [1, 0]], 1, 4) == {(0,): 3, (1,): 3, (0, 1): 2, (1, 0): 1}


def test_rare_single_codes_stay_but_carry_nothing():
    assert mined([[0, 1, 0, 1, 2]], 2, 4) == {(0,): 2, (1,): 2, (2,): 1, (0, 1): 2}


def test_single_codes_that_never_occur_can_be_listed():
    assert mined([[1, 1]], 2, 2, codes=3) == {(0,): 0, (1,): 2, (2,): 0}
    assert mined([[]], 2, 2, codes=2) == {(0,): 0, (1,): 0}


def test_nothing_to_mine():
    assert mined([], 1, 3) == {}
    assert mined([[], []], 1, 3) == {}


def test_codes_may_be_large_and_sparse():
    top = 2**31 - 1
    assert mined([[top, 5, top, 5]], 2, 3) == {(5,): 2, (top,): 2, (top, 5): 2}


def test_long_sequences_with_many_patterns():
    """Beyond the sizes of the property tests, so that counting by sort is reached too."""
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 40, n).tolist() for n in (3000, 1, 2500)]
    assert mined(lists, 2, 4) == naive.mine(lists, 2, 4)


@pytest.mark.parametrize(
    ("lists", "limits", "codes", "message"),
    [
        ([[0, -1]], (1, 2), None, "not negative"),
        ([[0, 3]], (1, 2), 3, "code 3, but there are only 3"),
        ([[0]], (0, 2), None, "at least 1"),
        ([[0]], (1, 0), None, "at least 1"),
    ],
)
def test_bad_arguments_are_refused(lists, limits, codes, message):
    with pytest.raises(ValueError, match=message):
        mining.mine(Ragged.from_lists(lists), *limits, codes=codes)


@pytest.mark.parametrize(
    ("codes", "support"), [([[1], []], [1, 1]), ([[-1]], [1]), ([[1]], [1, 2]), ([[1]], [-1])]
)
def test_patterns_that_cannot_be_are_refused(codes, support):
    with pytest.raises(ValueError, match="pattern"):
        Patterns(Ragged.from_lists(codes), np.array(support))
