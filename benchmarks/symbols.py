"""Mining and cover: time and memory at 10 million codes, and ratios against the naive twins in one run.

    python benchmarks/symbols.py [--codes 10000000] [--twin-codes 500000]

The codes are a Markov chain over 512 codes, whose likely successors are few, into which 4,000 words of
2 to 8 codes are planted with Zipf frequencies, so that there are frequent patterns of every length.
Every measurement runs in a process of its own, since peak memory never falls.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from kineme.symbols import Ragged, cover, mining

ALPHABET, WORDS = 512, 4000
MIN_SUPPORT, MAX_LENGTH = 20, 8
GOALS = {"mine": "30 s, 2 GB", "cover": "60 s"}


def planted_chain(total: int, seed: int = 0) -> np.ndarray:
    """(total,) int32 codes: half a Markov chain, half planted words."""
    rng = np.random.default_rng(seed)
    length = rng.integers(2, 9, WORDS)
    word = rng.integers(0, ALPHABET, int(length.sum())).astype(np.int32)
    start = np.cumsum(length) - length
    likely = rng.integers(0, ALPHABET, (ALPHABET, 8)).astype(np.int32)  # each code has eight successors
    chance = 1 / np.arange(1, WORDS + 1)
    chosen = rng.choice(WORDS, total // 4, p=chance / chance.sum())
    runs = length[chosen]
    words = word[np.repeat(start[chosen] - (np.cumsum(runs) - runs), runs) + np.arange(runs.sum())]
    chain = np.empty((1000, -(-total // 2000)), np.int32)  # many chains side by side
    chain[0] = rng.integers(0, ALPHABET, chain.shape[1])
    for step in range(1, len(chain)):
        chain[step] = likely[chain[step - 1], rng.integers(0, 8, chain.shape[1])]
    pieces = np.concatenate([words[: total // 2], chain.T.ravel()])[:total]
    stretches = pieces[: total - total % 50].reshape(-1, 50)
    return np.concatenate([stretches[rng.permutation(len(stretches))].ravel(), pieces[total - total % 50 :]])


def sequences(total: int, length: int) -> Ragged:
    """The codes as sequences of the length given."""
    return Ragged(planted_chain(total), np.append(np.arange(0, total, length), total))


def measure(job: str, total: int, length: int) -> dict[str, float]:
    """Seconds of one job over `total` codes, GB that its process took at most, and how much it found."""
    data = sequences(total, length)
    if job.startswith("naive"):
        return measure_twin(job, data)
    found = mining.mine(data, MIN_SUPPORT, MAX_LENGTH, ALPHABET) if job == "cover" else None
    start = time.perf_counter()
    if found is None:
        size = len(mining.mine(data, MIN_SUPPORT, MAX_LENGTH, ALPHABET))
    else:
        size = len(cover.cover(data, found))
    return {"seconds": time.perf_counter() - start, "peak": peak_memory(), "size": size}


def measure_twin(job: str, data: Ragged) -> dict[str, float]:
    """The same by the slow twin in tests/naive.py."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    naive = import_module("naive")
    lists = data.to_lists()
    start = time.perf_counter()
    support = naive.mine(lists, MIN_SUPPORT, MAX_LENGTH, ALPHABET)
    size = len(support)
    if job == "naive cover":
        steps = cover.WEIGHT_STEPS
        weight = {pattern: round(steps * float(np.log2(max(n, 1)))) for pattern, n in support.items()}
        start = time.perf_counter()
        size = sum(len(naive.cover(row, weight, MAX_LENGTH)) for row in lists)
    return {"seconds": time.perf_counter() - start, "peak": peak_memory(), "size": size}


def peak_memory() -> float:
    """GB at most so far in this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def alone(function: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """The function in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--codes", type=int, default=10_000_000)
    parser.add_argument("--twin-codes", type=int, default=500_000)
    options = parser.parse_args(arguments)
    print(f"support >= {MIN_SUPPORT}, up to {MAX_LENGTH} codes a pattern, {ALPHABET} codes")
    print("job           codes  sequences of     time  peak memory       found   goal")
    for job in ("mine", "cover"):
        for length in (1000, options.codes):
            row = alone(measure, job, options.codes, length)
            print(
                f"{job:<6} {options.codes:>12,} {length:>13,} {row['seconds']:>6.1f} s "
                f"{row['peak']:>9.2f} GB {row['size']:>11,}   {GOALS[job]}"
            )
    for job in ("mine", "cover"):
        fast = alone(measure, job, options.twin_codes, 1000)
        slow = alone(measure, f"naive {job}", options.twin_codes, 1000)
        if fast["size"] != slow["size"]:
            raise SystemExit(f"{job}: found {fast['size']}, the naive twin {slow['size']}")
        ratio = slow["seconds"] / fast["seconds"]
        print(f"{job:<6} {options.twin_codes:>12,} codes: {ratio:.0f} times as fast as its naive twin")


if __name__ == "__main__":
    main()
