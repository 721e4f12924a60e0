"""Alignment against every way there is; what bounds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.tasks.alignment import align, squared_distances, within


@given(st.integers(2, 5), st.integers(1, 8), st.integers(0, 10**6))
def test_it_finds_the_cheapest_of_all_ways(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(0, 1, (3, rows, columns)).astype(np.float32)
    costs[1, :, columns // 2] = np.inf
    found = align(costs)
    for b in range(3):
        ways = naive.alignment_costs(costs[b].tolist())
        least = min(ways.values(), default=np.inf)
        assert found.cost[b] == pytest.approx(least, rel=1e-5)
        if np.isfinite(least):
            assert ways[int(found.first[b]), int(found.last[b])] == pytest.approx(least, rel=1e-5)


@given(st.integers(2, 4), st.integers(2, 7), st.integers(0, 10**6))
def test_the_best_way_to_every_column(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(0, 1, (1, rows, columns)).astype(np.float32)
    found, ways = align(costs, every_end=True), naive.alignment_costs(costs[0].tolist())
    for end in range(columns):
        least = min((cost for (_, last), cost in ways.items() if last == end), default=np.inf)
        assert found.cost[0, end] == pytest.approx(least, rel=1e-5)


@given(st.integers(2, 4), st.integers(2, 7), st.integers(0, 10**6))
def test_the_cheapest_way_of_an_allowed_length(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.uniform(0, 1, (2, rows, columns)).astype(np.float32)
    at = np.sort(rng.uniform(0, 3, (2, columns)), axis=1)
    shortest, longest = 0.4, 1.5
    found = within(align(costs, every_end=True), at, shortest, longest)
    for b in range(2):
        each = naive.alignment_costs(costs[b].tolist())
        best = {last: min((c, first) for (first, end), c in each.items() if end == last) for _, last in each}
        fits = [
            (c, k, last) for last, (c, k) in best.items() if shortest <= at[b, last] - at[b, k] <= longest
        ]
        assert found.cost[b] == pytest.approx(min((c for c, _, _ in fits), default=np.inf), rel=1e-5)
        if fits:
            lasts = at[b, found.last[b]] - at[b, found.first[b]]
            assert shortest - 1e-5 <= lasts <= longest + 1e-5


def test_a_stretch_played_at_another_tempo_is_found_where_it_lies() -> None:
    query = np.sin(np.linspace(0, 3, 20))[:, None]
    inside = np.sin(np.linspace(0, 3, 27))[:, None]
    stretch = np.concatenate([np.full((6, 1), 5.0), inside, np.full((4, 1), 5.0)])
    found = align(squared_distances(query[None], stretch[None]))
    assert (found.first[0], found.last[0]) == (6, 32)
    assert found.cost[0] < 1e-3


def test_tempo_stays_between_half_and_double() -> None:
    assert np.isfinite(align(np.ones((1, 6, 4), np.float32)).cost[0])
    assert np.isinf(align(np.ones((1, 6, 3), np.float32)).cost[0])


def test_squared_distances_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(1, 4, 7)), rng.normal(size=(3, 5, 7))
    assert np.allclose(squared_distances(a, b), ((a[:, :, None] - b[:, None]) ** 2).sum(-1))
