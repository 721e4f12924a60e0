"""Ragged: many integer sequences in two flat arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.symbols import Ragged
from kineme.symbols.lookup import find, unique_counts

lists = st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), max_size=6)


@given(lists)
def test_lists_survive(rows):
    ragged = Ragged.from_lists(rows)
    assert ragged.to_lists() == rows
    assert [row.tolist() for row in ragged] == rows
    assert [ragged[i].tolist() for i in range(len(ragged))] == rows
    assert [ragged[-1 - i].tolist() for i in range(len(ragged))] == rows[::-1]
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int32, np.int64)


@given(lists, st.data())
def test_a_span_is_a_slice_of_the_lists(rows, data):
    first = data.draw(st.integers(0, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    assert Ragged.from_lists(rows).span(first, last).to_lists() == rows[first:last]


def test_equality_sees_the_borders():
    assert Ragged.from_lists([[1, 2], [3]]) == Ragged.from_lengths(np.array([1, 2, 3]), [2, 1])
    assert Ragged.from_lists([[1, 2], [3]]) != Ragged.from_lists([[1], [2, 3]])
    assert Ragged.from_lists([[1]]) != [[1]]


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_outside_is_refused(index):
    with pytest.raises(IndexError, match=f"sequence {index} of 2"):
        Ragged.from_lists([[1], [2]])[index]


@pytest.mark.parametrize(
    ("values", "offsets", "message"),
    [
        ([1.5], [0, 1], "row of integers"),
        ([[1]], [0, 1], "row of integers"),
        ([2**31], [0, 1], "32-bit"),
        ([1, 2], [0, 1], "offsets"),
        ([1, 2], [1, 2], "offsets"),
        ([1, 2], [0, 2, 1, 2], "offsets"),
        ([1, 2], [], "offsets"),
    ],
)
def test_arrays_that_are_no_sequences_are_refused(values, offsets, message):
    with pytest.raises(ValueError, match=message):
        Ragged(np.array(values), np.array(offsets))


@given(st.sets(st.integers(-5, 20)), st.lists(st.integers(-9, 25), max_size=30))
def test_find(keys, wanted):
    ordered = sorted(keys)
    expected = [ordered.index(x) if x in keys else -1 for x in wanted]
    assert find(np.array(ordered, np.int64), np.array(wanted, np.int64)).tolist() == expected


@given(st.lists(st.integers(0, 30), max_size=40), st.sampled_from([31, 10**9]))
def test_counting_by_table_and_by_sort_agree(keys, bound):
    unique, inverse, counts = unique_counts(np.array(keys, np.int64), bound)
    assert unique.tolist() == sorted(set(keys))
    assert unique[inverse].tolist() == keys
    assert counts.tolist() == [keys.count(key) for key in unique]
