"""A search of a large library: milliseconds of the processor, and the first look against plain sums.

    python benchmarks/search.py [CLIPS]

Clips of 5 to 30 s that wander are searched for stretches of 1 to 4 s. `plain` sums whole arrays, one tempo and
look after the other, as one would write it down; both say of every block of places which value is least. Times are
of all threads together, the median over the queries.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from kineme.tasks import scan, search
from kineme.tasks.poses import COLUMNS, FPS, quantise, restore
from kineme.tasks.search_index import PoseIndex

GOAL = 0.4
SECONDS = (1.0, 1.4, 2.0, 2.7, 3.3, 4.0)


def wandering(clips: int) -> list[np.ndarray]:
    """Quantised poses of clips that have nothing to do with each other."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(clips):
        steps = rng.normal(0, 0.02, (int(rng.integers(50, 300)), COLUMNS))
        made.append(quantise(0.5 * np.sin(rng.normal(0, 1, COLUMNS) + steps.cumsum(axis=0))))
    return made


def plain(sought: scan.Sought, index: PoseIndex) -> np.ndarray:
    """What `scan.least_of_blocks` gives, by sums over whole arrays."""
    total = index.coarse.shape[1]
    products = (sought.vectors @ index.coarse).reshape(sought.looks, -1, total)
    best = np.full(-(-total // sought.size) * sought.size, np.inf, dtype=np.float32)
    for shift in sought.shifts:
        count = total - shift[-1]
        for product in products:
            value = sum(product[k, at : at + count] for k, at in enumerate(shift.tolist()))
            value = np.where(index.left[:count] < shift[-1], np.inf, value)
            best[:count] = np.minimum(best[:count], value)
    return best.reshape(-1, sought.size).min(axis=1)


def milliseconds(work: Callable[..., object], *given: object) -> float:
    """Of the processor."""
    start = time.process_time()
    work(*given)
    return 1000 * (time.process_time() - start)


def main() -> None:
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rows = wandering(clips)
    index, longest = PoseIndex.of(rows), max(rows, key=len)
    times: list[tuple[float, float, float]] = []
    for seconds in (SECONDS[0], *SECONDS):  # the first one is not counted
        query = restore(longest[: round(seconds * FPS) + 1])
        sought = scan.seek(query, True)
        with search.one_blas_thread():
            plainly = milliseconds(plain, sought, index)
            looked = milliseconds(scan.least_of_blocks, index, sought)
        times.append((plainly, looked, milliseconds(search.nearest, index, query, 10)))
        ours, theirs = scan.least_of_blocks(index, sought), plain(sought, index)
        fits = np.isfinite(theirs)
        assert np.array_equal(ours < 1e20, fits) and np.allclose(ours[fits], theirs[fits], atol=1e-3)
    plainly, looked, whole = (statistics.median(column) for column in zip(*times[1:], strict=True))
    print(f"{index.coarse.shape[1]} places, {sum(map(len, rows)) / FPS / 3600:.0f} hours")
    print(f"plain      {plainly:7.1f} ms")
    print(f"first look {looked:7.1f} ms, {looked / plainly:.2f} of the plain one (goal: at most {GOAL})")
    print(f"search     {whole:7.1f} ms in all")


if __name__ == "__main__":
    main()
