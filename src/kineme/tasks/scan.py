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

import numpy as np

from kineme.tasks.poses import COARSE_COLUMNS, COARSE_STRIDE, FPS, at_times, mirrored
from kineme.tasks.search_index import PoseIndex

#: how long a match may be against the query: steps of a fifth, between which poses differ little
TEMPOS: tuple[float, ...] = (0.75, 0.91, 1.1, 1.33)
#: seconds between the moments that are looked at, and how many there are
_MOMENT_SECONDS, _FEWEST, _MOST = 0.45, 4, 5
#: columns of the index that are worked on at a time: they stay in the processor's cache
_CHUNK = 16384


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
    best = _best(index, vectors, shifts, len(looks))
    rows = _apart(best, max(2, round(length / 3)), count)
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


def _best(index: PoseIndex, vectors: np.ndarray, shifts: Sequence[np.ndarray], looks: int) -> np.ndarray:
    """(R,) for every coarse pose the least value over tempos and looks of a match that begins there."""
    total = index.coarse.shape[1]
    best = np.empty(total, dtype=np.float32)
    workers = min(4, os.cpu_count() or 1, -(-total // (8 * _CHUNK)))
    if workers <= 1:
        _fill_best(index, vectors, shifts, looks, best, 0, total)
        return best
    edges = np.linspace(0, total, workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        parts = zip(edges[:-1], edges[1:], strict=True)
        jobs = [
            pool.submit(_fill_best, index, vectors, shifts, looks, best, int(a), int(b)) for a, b in parts
        ]
        for job in jobs:
            job.result()
    return best


def _fill_best(
    index: PoseIndex,
    vectors: np.ndarray,
    shifts: Sequence[np.ndarray],
    looks: int,
    best: np.ndarray,
    first: int,
    stop: int,
) -> None:
    """Fills `best[first:stop]`."""
    moments, total = len(vectors) // looks, index.coarse.shape[1]
    reach = max(int(shift[-1]) for shift in shifts)
    left = index.left_byte if reach < 255 else index.left
    value, past = np.empty(_CHUNK, dtype=np.float32), np.empty(_CHUNK, dtype=bool)
    least = np.empty(_CHUNK, dtype=np.float32)
    products = np.full((len(vectors), _CHUNK + reach), np.inf, dtype=np.float32)
    for at in range(first, stop, _CHUNK):
        size = min(_CHUNK, stop - at)
        there = min(size + reach, total - at)
        products[:, there : size + reach] = np.inf
        np.matmul(vectors, index.coarse[:, at : at + there], out=products[:, :there])
        here = best[at : at + size]
        here.fill(np.inf)
        for shift in shifts:
            for look in range(0, len(vectors), moments):
                out = (value if look else least)[:size]
                np.add(products[look, :size], products[look + 1, shift[1] : shift[1] + size], out=out)
                for k in range(2, moments):
                    out += products[look + k, shift[k] : shift[k] + size]
            if looks > 1:
                np.minimum(least[:size], value[:size], out=least[:size])
            np.less(left[at : at + size], shift[-1], out=past[:size])
            np.copyto(least[:size], np.inf, where=past[:size])
            np.minimum(here, least[:size], out=here)


def _apart(best: np.ndarray, size: int, count: int) -> np.ndarray:
    """The rows of the `count` least values, of each `size` rows the least one only; by rising row."""
    blocks = -(-len(best) // size)
    padded = best
    if blocks * size != len(best):
        padded = np.concatenate([best, np.full(blocks * size - len(best), np.inf, np.float32)])
    least = padded[::size].copy()
    for k in range(1, size):  # several times as fast as a minimum over a short axis
        np.minimum(least, padded[k::size], out=least)
    chosen = np.sort(_least(least, count))
    chosen = chosen[np.isfinite(least[chosen])]
    return chosen * size + padded.reshape(blocks, size)[chosen].argmin(axis=1)


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
