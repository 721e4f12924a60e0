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
    # two columns more on the left, from which no way comes: so every step is a slice
    last, before, total = np.full((3, batch, columns + 2), np.inf, dtype=np.float32)
    start, before_start, source = np.zeros((3, batch, columns + 2), dtype=np.int32)
    start[:, 2:] = before_start[:, 2:] = np.arange(columns)
    last[:, 2:] = costs[:, 0]
    way, better = np.empty((batch, columns), np.float32), np.empty((batch, columns), bool)

    def take(best: np.ndarray, came: np.ndarray, starts: np.ndarray) -> None:
        np.less(way, best, out=better)
        np.minimum(best, way, out=best)
        np.copyto(came, starts, where=better)

    for row in range(1, rows):
        here, above = costs[:, row], costs[:, row - 1]
        best, came = total[:, 2:], source[:, 2:]
        np.add(last[:, 1:-1], here, out=best)
        came[:] = start[:, 1:-1]
        way[:, :1], way[:, 1:] = np.inf, here[:, :-1]  # two columns on, one row down
        way += here
        way *= 0.5
        way += last[:, :-2]
        take(best, came, start[:, :-2])
        np.add(before[:, 1:-1], above, out=way)  # one column on, two rows down
        way += here
        take(best, came, before_start[:, 1:-1])
        before, last, total = last, total, before
        before_start, start, source = start, source, before_start
    last, start = last[:, 2:], start[:, 2:].astype(np.int64)
    if every_end:
        return Alignment(last / rows, start, np.broadcast_to(np.arange(columns), (batch, columns)))
    end = last.argmin(axis=1)
    each = np.arange(batch)
    return Alignment(last[each, end] / rows, start[each, end], end)


def squared_distances(query: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """(B, n, m) squared distances of poses (B or 1, n, D) from poses (B, m, D)."""
    cross = query @ np.swapaxes(stretch, 1, 2)
    cross *= 2
    squares = np.einsum("bnd,bnd->bn", query, query)[:, :, None]
    found = squares + np.einsum("bmd,bmd->bm", stretch, stretch)[:, None, :]
    found -= cross
    return np.maximum(found, 0, out=found)
