"""The first look: a few moments of a query against every place of the index, at several tempos.

A place's value is the sum over the moments of the squared distance of the pose there from the query's pose:
exact for these moments, no place is passed over. Poses are few numbers (`poses.COARSE_COLUMNS`), so that an
hour takes less than a millisecond.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from kineme.tasks.poses import COARSE_COLUMNS, COARSE_STRIDE, FPS, at_times, mirrored
from kineme.tasks.search_index import PoseIndex

#: how long a match may be against the query: steps of a fifth, between which poses differ little
TEMPOS: tuple[float, ...] = (0.75, 0.91, 1.1, 1.33)
#: seconds between the moments that are looked at, and how many there are
_MOMENT_SECONDS, _FEWEST, _MOST = 0.45, 4, 5
#: columns of the index that are worked on at a time: what comes of them stays in the processor's cache
_CHUNK = 16384
#: columns of one matrix product: of more than 4096 OpenBLAS takes more than twice as long
_PRODUCT = 4096
#: what stands for infinite where it is multiplied: no sum of squared distances is near it
_NEVER = np.float32(1e30)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places that may hold the query: clip, first pose in the clip, tempo, mirrored; (B,) each."""

    clip: np.ndarray
    begin: np.ndarray
    tempo: np.ndarray
    mirrored: np.ndarray


class Sought(NamedTuple):
    """What the first look compares with every place.

    Attributes
    ----------
    vectors : (looks * K, 17) of K moments of the query as it is, then of its mirror image (see `_vectors`).
    shifts : for each tempo, the shortest first, (K,) coarse poses from a place to the moments.
    looks : 2 with the mirror image, else 1. size : coarse poses of a block, of which one is chosen.
    """

    vectors: np.ndarray
    shifts: tuple[np.ndarray, ...]
    looks: int
    size: int

    @property
    def moments(self) -> int:
        """K."""
        return len(self.vectors) // self.looks

    @property
    def reach(self) -> int:
        """Coarse poses from a place to the last one that is compared."""
        return int(self.shifts[-1][-1])


def seek(query: np.ndarray, mirror: bool) -> Sought:
    """What to look for, of poses (n, 40)."""
    length = (len(query) - 1) / COARSE_STRIDE
    moments = np.clip(round(length * COARSE_STRIDE / FPS / _MOMENT_SECONDS) + 1, _FEWEST, _MOST)
    share = np.linspace(0, 1, int(moments))
    looks = [query, mirrored(query)] if mirror else [query]
    vectors = np.concatenate([_vectors(look, share) for look in looks])
    shifts = tuple(np.rint(share * length * tempo).astype(int) for tempo in TEMPOS)
    return Sought(vectors, shifts, len(looks), max(2, round(length / 3)))


def scan(index: PoseIndex, query: np.ndarray, mirror: bool, count: int) -> Candidates:
    """The best places of the index for `query` (n, 40), poses at `poses.FPS`.

    At most `count`, at places that lie apart by a part of the query's length, as it is or (where `mirror`)
    mirrored.
    """
    sought = seek(query, mirror)
    least = least_of_blocks(index, sought)
    blocks = np.sort(_least(least, count))
    rows, values = _best_of_blocks(index, sought, blocks[least[blocks] < _NEVER / 4])
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


def least_of_blocks(index: PoseIndex, sought: Sought) -> np.ndarray:
    """(blocks,) of each `size` coarse poses, one after another, the least value over tempos and looks of a match
    that begins there; about `_NEVER` or more where none fits into its clip."""
    total = index.coarse.shape[1]
    blocks = -(-total // sought.size)
    least = np.empty(blocks, dtype=np.float32)
    workers = max(1, min(4, os.cpu_count() or 1, total // (8 * _CHUNK)))
    if workers == 1:
        _Chunk(index, sought).fill(least, 0, blocks)
        return least
    edges = np.linspace(0, blocks, workers + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(_Chunk(index, sought).fill, least, a, b) for a, b in pairwise(edges)]
        for job in jobs:
            job.result()
    return least


class _Chunk:
    """Sums over some thousand places at a time, in buffers that are made once and stay in the cache.

    A value is a sum over moments, and the least one over tempos is sought. Tempos that begin alike share what
    they share: min(a + c, b + c) = min(a, b) + c. So the moments are a tree, of which the first is the root,
    and sums and minima are taken from the leaves on. They are the same steps for every chunk: `steps` holds
    them, each a ufunc, what it takes and where its result goes.
    """

    def __init__(self, index: PoseIndex, sought: Sought) -> None:
        self.index, self.size, self.reach = index, sought.size, sought.reach
        columns = _PRODUCT * -(-max(_CHUNK, 4 * (self.reach + self.size)) // _PRODUCT)
        self.blocks = (columns - self.reach) // self.size
        self.width = self.blocks * self.size
        self.shifts = [[int(at) for at in shift] for shift in sought.shifts]
        self.vectors = np.concatenate([sought.vectors[k :: sought.moments] for k in range(sought.moments)])
        self.products = np.empty((len(self.vectors), columns), dtype=np.float32)
        self.moments = self.products.reshape(sought.moments, sought.looks, columns)
        self.left, self.past = np.zeros((2, self.width), dtype=np.float32)
        self.steps: list[tuple[np.ufunc, Any, Any, np.ndarray]] = []
        buffers = list(np.empty((sought.moments + 1, sought.looks, self.width), dtype=np.float32))
        found = self._sum(0, range(len(self.shifts)), buffers)
        self.value = found[0]
        if sought.looks > 1:
            self.steps.append((np.minimum, found[0], found[1], self.value))

    def _sum(self, moment: int, tempos: Iterable[int], free: list[np.ndarray]) -> np.ndarray:
        """Adds the steps that sum from `moment` to the last one, the least over these tempos (looks, places).

        Only the buffers `free` are written to; the sum will stand in the first.
        """
        alike: dict[int, list[int]] = {}
        for tempo in tempos:
            alike.setdefault(self.shifts[tempo][moment], []).append(tempo)
        for number, (shift, these) in enumerate(alike.items()):
            mine = free[min(number, 1) :]
            there = self.moments[moment][:, shift : shift + self.width]
            if moment == len(self.moments) - 1:  # a match that would leave its clip never is
                self.steps.append((np.add, self.left, _NEVER * np.float32(shift - 0.5), self.past))
                self.steps.append((np.maximum, there, self.past, mine[0]))
            else:
                self.steps.append((np.add, self._sum(moment + 1, these, mine), there, mine[0]))
            if number:
                self.steps.append((np.minimum, free[0], mine[0], free[0]))
        return free[0]

    def fill(self, least: np.ndarray, first: int, stop: int) -> None:
        """Fills the blocks from `first` to `stop` of `least`."""
        left = self.index.left_byte if self.reach < 255 else self.index.left
        for number in range(first, stop, self.blocks):
            at, found = number * self.size, least[number : min(number + self.blocks, stop)]
            _multiply(self.vectors, self.index.coarse, at, self.products)
            here = left[at : at + self.width]
            self.left[: len(here)], self.left[len(here) :] = here, 0
            np.multiply(self.left, -_NEVER, out=self.left)
            for step, a, b, out in self.steps:
                step(a, b, out=out)
            # column by column, while they are in the cache: several times as fast as a minimum over a short axis
            value = self.value[: len(found) * self.size].reshape(-1, self.size)
            np.minimum(value[:, 0], value[:, 1], out=found)
            for k in range(2, self.size):
                np.minimum(found, value[:, k], out=found)


def _multiply(vectors: np.ndarray, coarse: np.ndarray, at: int, out: np.ndarray) -> None:
    """Fills `out` (V, n) with the products of vectors (V, 17) and poses from `at` on; infinite past the last."""
    there = min(out.shape[1], coarse.shape[1] - at)
    parts = there // _PRODUCT
    whole = parts * _PRODUCT
    if parts:
        np.matmul(
            vectors,
            coarse[:, at : at + whole].reshape(len(coarse), parts, _PRODUCT).swapaxes(0, 1),
            out=out[:, :whole].reshape(len(out), parts, _PRODUCT).swapaxes(0, 1),
        )
    if whole < there:
        np.matmul(vectors, coarse[:, at + whole : at + there], out=out[:, whole:there])
    if there < out.shape[1]:
        out[:, there:] = np.inf


def _best_of_blocks(index: PoseIndex, sought: Sought, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each of these blocks of coarse poses the best row, (B,), and its values (B, looks, tempos): infinite
    where the match would leave its clip."""
    few = max(1, _CHUNK // (sought.size + sought.reach))
    parts = [_values(index, sought, blocks[at : at + few]) for at in range(0, max(1, len(blocks)), few)]
    values = np.concatenate(parts)
    place = values.min(axis=(1, 2)).argmin(axis=1)
    return blocks * sought.size + place, values[np.arange(len(blocks)), :, :, place]


def _values(index: PoseIndex, sought: Sought, blocks: np.ndarray) -> np.ndarray:
    """(B, looks, tempos, size) the values of matches that begin in these blocks."""
    size, total = sought.size, index.coarse.shape[1]
    products = np.empty((len(blocks), len(sought.vectors), size + sought.reach), dtype=np.float32)
    for block, out in zip(blocks.tolist(), products, strict=True):
        _multiply(sought.vectors, index.coarse, block * size, out)
    products = products.reshape(len(blocks), sought.looks, sought.moments, size + sought.reach)
    rows = blocks[:, None] * size + np.arange(size)
    left = np.where(rows < total, index.left[np.minimum(rows, total - 1)], -1)
    found = np.empty((len(blocks), sought.looks, len(sought.shifts), size), dtype=np.float32)
    for t, shift in enumerate(sought.shifts):
        value = found[:, :, t]
        np.add(products[:, :, 0, :size], products[:, :, 1, shift[1] : shift[1] + size], out=value)
        for k in range(2, sought.moments):
            value += products[:, :, k, shift[k] : shift[k] + size]
        np.copyto(value, np.inf, where=(left < shift[-1])[:, None])
    return found


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
