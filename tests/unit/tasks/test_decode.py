"""The sequence of motifs that fits best when changes have a price."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.tasks.decode import MotifStates, cheapest_path

costs = st.integers(1, 3).flatmap(
    lambda states: st.lists(
        st.lists(st.integers(0, 9), min_size=states, max_size=states), min_size=1, max_size=7
    )
)


@given(costs, st.sampled_from([0.0, 1.0, 2.5, 100.0]))
def test_no_sequence_is_cheaper(rows: list[list[int]], price: float) -> None:
    path = cheapest_path(np.array(rows, dtype=float), price)
    spent = sum(row[s] for row, s in zip(rows, path, strict=True)) + price * int((np.diff(path) != 0).sum())
    assert spent == naive.cheapest_path_cost(rows, price)


def test_of_equally_cheap_ways_staying_is_taken() -> None:
    assert cheapest_path(np.array([[0.0, 1.0], [1.0, 0.0]]), 1.0).tolist() == [0, 0]
    assert cheapest_path(np.zeros((4, 3)), 0.0).tolist() == [0, 0, 0, 0]


def states(*points: float, numbers: list[int]) -> MotifStates:
    return MotifStates.of(np.array(points, dtype=np.float32)[:, None], np.array(numbers))


def test_a_motif_stands_where_its_prototypes_do_in_the_mean() -> None:
    made = states(0.0, 2.0, 10.0, 14.0, numbers=[1, 1, 3, 3])
    assert made.numbers.tolist() == [1, 3] and made.centres[:, 0].tolist() == [1.0, 12.0]
    assert made.misfit == (1 + 1 + 4 + 4) / 2


def test_prototypes_by_themselves_have_a_misfit_too() -> None:
    assert states(0.0, 4.0, 5.0, numbers=[1, 2, 3]).misfit == pytest.approx((16 + 1 + 1) / 3 / 4)
    assert states(3.0, numbers=[1]).misfit == 0.0


def test_a_change_must_be_worth_its_price() -> None:
    """Half a second in between is nearer to the other motif; whether that counts, the time scale says."""
    made = states(-1.0, 1.0, 9.0, 11.0, numbers=[1, 1, 3, 3])
    tokens, seconds = np.array([[0.0], [7.0], [0.0]], dtype=np.float32), np.array([2.0, 0.5, 2.0])
    worth = (7.0**2 - 3.0**2) * 0.5 / (2 * made.misfit)  # what two changes bring, in seconds of misfit
    for timescale, expected in ((0.9 * worth, [1, 3, 1]), (1.1 * worth, [1, 1, 1])):
        chosen, confidence = made.decode(tokens, seconds, timescale)
        assert chosen.tolist() == expected
    assert confidence.tolist() == [1.0, 0.0, 1.0]


def test_confidence_compares_with_the_nearest_other_motif() -> None:
    made = states(0.0, 10.0, 40.0, numbers=[1, 2, 3])
    chosen, confidence = made.decode(np.array([[1.0], [10.0]], dtype=np.float32), np.ones(2), 0.0)
    assert chosen.tolist() == [1, 2] and confidence.tolist() == pytest.approx([1 - 1 / 9, 1.0])
    alone = states(0.0, 1.0, numbers=[1, 1]).decode(np.ones((1, 1), np.float32), np.ones(1), 2.0)
    assert alone[1].tolist() == [1.0]


@given(st.integers(0, 100))
def test_pieces_do_not_depend_on_how_finely_they_are_cut(seed: int) -> None:
    """A piece cut in two of the same token is decoded as one."""
    rng = np.random.default_rng(seed)
    made = MotifStates.of(rng.normal(size=(6, 2)).astype(np.float32), np.array([1, 1, 3, 3, 5, 5]))
    tokens, seconds = rng.normal(size=(8, 2)).astype(np.float32), rng.uniform(0.4, 2, 8)
    whole, _ = made.decode(tokens, seconds, 1.0)
    halves, _ = made.decode(np.repeat(tokens, 2, axis=0), np.repeat(seconds / 2, 2), 1.0)
    assert halves[::2].tolist() == halves[1::2].tolist() == whole.tolist()
