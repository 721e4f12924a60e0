"""The first look: a few moments of a query against every place of the index, at several tempos.

A place's value is the sum over the moments of the squared distance of the pose there from the query's pose:
exact for these moments, no place is passed over. Poses are few numbers (`poses.COARSE_COLUMNS`), so that an
hour takes less than a millisecond.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kineme.tasks.poses import COARSE_COLUMNS, COARSE_STRIDE, FPS, at_times, mirrored
from kineme.tasks.search_index import PoseIndex

#: how long a match may be against the query: steps of a fifth, between which poses differ little
TEMPOS: tuple[float, ...] = (0.75, 0.91, 1.1, 1.33)
#: seconds between the moments that are looked at, and how many there are
_MOMENT_SECONDS, _FEWEST, _MOST = 0.45, 4, 5
#: columns of the index that are worked on at a time: they stay in the processor's cache
_CHUNK = 16384
#: columns of one matrix product: of more than 4096 OpenBLAS takes more than twice as long
_PRODUCT = 4096


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places that may hold the query: clip, first pose in the clip, tempo, mirrored; (B,) each."""

    clip: np.ndarray
    begin: np.ndarray
    tempo: np.ndarray
    mirrored: np.ndarray


def scan(index: PoseIndex, query: np.ndarray, mirror: bool, count: int) -> Candidates:
    """The best places of the index for `query` (n, 40), poses at `poses.FPS`.

    At most `count`, at places that lie apart by a part of the query's length, as it is or (where `mirror`)
    mirrored.
    """
    length = (len(query) - 1) / COARSE_STRIDE
    moments = np.clip(round(length * COARSE_STRIDE / FPS / _MOMENT_SECONDS) + 1, _FEWEST, _MOST)
    share = np.linspace(0, 1, int(moments))
    looks = [query, mirrored(query)] if mirror else [query]
    vectors = np.concatenate([_vectors(look, share) for look in looks])
    shifts = [np.rint(share * length * tempo).astype(int) for tempo in TEMPOS]
    best, least = _best(index, vectors, shifts, len(looks), max(2, round(length / 3)))
    rows = _apart(best, least, count)
    values = _values(index, vectors, shifts, len(looks), rows)  # (B, looks, tempos)
    tempo, least = values.argmin(axis=2), values.min(axis=2)
    order = np.argsort(least, axis=None, kind="stable")[:count]
    place, look = np.unravel_index(order[np.isfinite(least.ravel()[order])], least.shape)
    chosen = rows[place]
    clip = index.clip_at(chosen)
    begin = COARSE_STRIDE * (chosen - index.starts[clip])
    return Candidates(clip, begin, np.array(TEMPOS)[tempo[place, look]], look.astype(bool))


def _vectors(query: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(K, 17): -2 q and 1, so that the product with a pose and its square is the distance but for |q|²."""
    poses = at_times(query, share * (len(query) - 1))[:, COARSE_COLUMNS]
    return np.concatenate([-2 * poses, np.ones((len(poses), 1))], axis=1).astype(np.float32)


def _best(
    index: PoseIndex, vectors: np.ndarray, shifts: Sequence[np.ndarray], looks: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """For every coarse pose the least value over tempos and looks of a match that begins there, (blocks, size),
    and the least one of each block of `size` poses, (blocks,). What pads the last block is infinite."""
    total = index.coarse.shape[1]
    blocks = -(-total // size)
    best, least = np.empty((blocks, size), dtype=np.float32), np.empty(blocks, dtype=np.float32)
    workers = max(1, min(4, os.cpu_count() or 1, total // (8 * _CHUNK)))
    edges = np.linspace(0, blocks, workers + 1).astype(int).tolist()
    if workers == 1:
        _fill_best(index, vectors, shifts, looks, best, least, 0, blocks)
        return best, least
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(_fill_best, index, vectors, shifts, looks, best, least, a, b)
            for a, b in pairwise(edges)
        ]
        for job in jobs:
            job.result()
    return best, least


def _fill_best(
    index: PoseIndex,
    vectors: np.ndarray,
    shifts: Sequence[np.ndarray],
    looks: int,
    best: np.ndarray,
    least: np.ndarray,
    first: int,
    stop: int,
) -> None:
    """Fills the blocks from `first` to `stop` of `best` and `least`."""
    moments, total, block = len(vectors) // looks, index.coarse.shape[1], best.shape[1]
    reach = max(int(shift[-1]) for shift in shifts)
    left = index.left_byte if reach < 255 else index.left
    step = max(1, _CHUNK // block)
    width = step * block
    value, past = np.empty(width, dtype=np.float32), np.empty(width, dtype=bool)
    lower = np.empty(width, dtype=np.float32)
    products = np.full((len(vectors), width + reach), np.inf, dtype=np.float32)
    for number in range(first, stop, step):
        at, filled = number * block, best[number : min(number + step, stop)]
        size, there = min(filled.size, total - at), min(filled.size + reach, total - at)
        products[:, there:] = np.inf
        for start in range(0, there, _PRODUCT):
            part = slice(start, min(start + _PRODUCT, there))
            np.matmul(vectors, index.coarse[:, at + part.start : at + part.stop], out=products[:, part])
        filled.fill(np.inf)
        here = filled.reshape(-1)[:size]
        for shift in shifts:
            for look in range(0, len(vectors), moments):
                out = (value if look else lower)[:size]
                np.add(products[look, :size], products[look + 1, shift[1] : shift[1] + size], out=out)
                for k in range(2, moments):
                    out += products[look + k, shift[k] : shift[k] + size]
            if looks > 1:
                np.minimum(lower[:size], value[:size], out=lower[:size])
            np.less(left[at : at + size], shift[-1], out=past[:size])
            np.copyto(lower[:size], np.inf, where=past[:size])
            np.minimum(here, lower[:size], out=here)
        # column by column, while they are in the cache: several times as fast as a minimum over a short axis
        found = least[number : number + len(filled)]
        found[:] = filled[:, 0]
        for k in range(1, block):
            np.minimum(found, filled[:, k], out=found)


def _apart(best: np.ndarray, least: np.ndarray, count: int) -> np.ndarray:
    """The rows of the `count` least values, of each block of `best` (blocks, size), whose least one is `least`,
    one only; by rising row."""
    chosen = np.sort(_least(least, count))
    chosen = chosen[np.isfinite(least[chosen])]
    return chosen * best.shape[1] + best[chosen].argmin(axis=1)


def _least(values: np.ndarray, count: int) -> np.ndarray:
    """Places of the `count` least values, in any order."""
    if len(values) <= count:
        return np.arange(len(values))
    among = np.arange(len(values))
    if len(values) > 100 * count:  # a sample tells how small they must be; no value is passed over
        sample = values[:: len(values) // (50 * count)]
        share = 4 * count / len(values)
        bound = np.partition(sample, int(share * len(sample)))[int(share * len(sample))]
        few = np.flatnonzero(values <= bound)
        among = few if len(few) >= count else among
    return among[np.argpartition(values[among], count - 1)[:count]]


def _values(
    index: PoseIndex, vectors: np.ndarray, shifts: Sequence[np.ndarray], looks: int, rows: np.ndarray
) -> np.ndarray:
    """(B, looks, tempos) the values of matches that begin at `rows`; infinite past the end of a clip."""
    moments, left = len(vectors) // looks, index.left[rows]
    found = np.full((len(rows), looks, len(shifts)), np.inf, dtype=np.float32)
    for t, shift in enumerate(shifts):
        fits = np.flatnonzero(left >= shift[-1])
        poses = index.coarse[:, rows[fits, None] + shift]  # 17 B K
        value = np.einsum("cbk,lkc->bl", poses, vectors.reshape(looks, moments, -1))
        found[fits, :, t] = value
    return found
