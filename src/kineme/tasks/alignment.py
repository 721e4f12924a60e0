"""Where in a longer stretch a query lies, and how it is stretched: dynamic time warping with free ends.

Steps (1, 1), (1, 2) and (2, 1) keep the tempo between half and double (Müller, *Information Retrieval for
Music and Motion*, 2007, sections 4.2 and 4.4). Every pose of the query counts once: a step that passes two
poses of the stretch pays their mean, one that passes two of the query pays both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Alignment(NamedTuple):
    """Of B stretches: `cost` (B,) a pose of the query, `first` and `last` (B,) the columns it lies on.

    Or of every column of theirs, (B, m), the best way that ends there.
    """

    cost: np.ndarray
    first: np.ndarray
    last: np.ndarray


def within(ways: Alignment, at: np.ndarray, shortest: float, longest: float) -> Alignment:
    """Of the best ways to every column (`align` with `every_end`) the cheapest whose length is allowed.

    at : (B, m) where the columns lie, rising. shortest, longest : how far the ends of a way may lie apart. The
    cost is infinite where there is none. Of equal ways the one that ends first is taken.
    """
    length = at - np.take_along_axis(at, ways.first, axis=1)
    slack = 1e-6 * longest
    allowed = (length >= shortest - slack) & (length <= longest + slack)
    cost = np.where(allowed, ways.cost, np.inf)
    each, end = np.arange(len(cost)), cost.argmin(axis=1)
    return Alignment(cost[each, end], ways.first[each, end], end)


def align(costs: np.ndarray, every_end: bool = False) -> Alignment:
    """The cheapest way through `costs` (B, n, m): query pose i against column j, n of at least 2.

    Infinite entries are forbidden. Of equal ways the one that ends first is taken. Where there is none, the
    cost is infinite. No way is possible where m < n / 2. `every_end` asks for the best way to each column.
    """
    batch, rows, columns = costs.shape
    start = np.broadcast_to(np.arange(columns, dtype=np.int32), (batch, columns))
    before = np.full((batch, columns), np.inf, dtype=np.float32)  # the row before the last one
    before_start = start
    last, last_start = costs[:, 0].astype(np.float32), start
    for row in range(1, rows):
        here, above = costs[:, row], costs[:, row - 1]
        total = _moved(last, 1) + here
        source = _moved(last_start, 1)
        wide = _moved(last, 2) + 0.5 * (here + _moved(here, 1))
        better = wide < total
        total, source = np.where(better, wide, total), np.where(better, _moved(last_start, 2), source)
        steep = _moved(before, 1) + above + here
        better = steep < total
        total, source = np.where(better, steep, total), np.where(better, _moved(before_start, 1), source)
        before, before_start, last, last_start = last, last_start, total, source
    if every_end:
        ends = np.broadcast_to(np.arange(columns), (batch, columns))
        return Alignment(last / rows, last_start.astype(np.int64), ends)
    end = last.argmin(axis=1)
    each = np.arange(batch)
    return Alignment(last[each, end] / rows, last_start[each, end].astype(np.int64), end)


def _moved(row: np.ndarray, by: int) -> np.ndarray:
    """Values (B, m) `by` columns to the right; what comes in from the left is not allowed."""
    out = np.empty_like(row)
    out[:, :by] = np.inf if row.dtype.kind == "f" else 0
    out[:, by:] = row[:, :-by]
    return out


def squared_distances(query: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """(B, n, m) squared distances of poses (B or 1, n, D) from poses (B, m, D)."""
    cross = query @ np.swapaxes(stretch, 1, 2)
    squares = np.einsum("bnd,bnd->bn", query, query)[:, :, None]
    found = squares + np.einsum("bmd,bmd->bm", stretch, stretch)[:, None, :] - 2 * cross
    return np.maximum(found, 0, out=found)
