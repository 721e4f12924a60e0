"""Find more like this: the stretches of a library that are nearest to a stretch of a motion.

A match may have another length (half to twice the query's, `TEMPO`), be mirrored, and be moved by another
body on another skeleton. `scan` looks at every place of the index; the best few hundred are aligned pose by
pose (`alignment`), which also finds where each begins and ends.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.errors import InputError, UsageError
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.retarget import retarget, to_standard_body
from kineme.tasks.alignment import align, squared_distances, within
from kineme.tasks.library import CORPUS, MODEL, Library, folder_checksum, open_library
from kineme.tasks.poses import (
    COLUMNS,
    FPS,
    POSE_JOINTS,
    SPEEDS,
    at_times,
    mirrored,
    poses,
    restore,
)
from kineme.tasks.scan import Candidates, scan
from kineme.tasks.search_index import FOLDER, PoseIndex, is_current, open_index, update_index

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

#: no query is shorter, in seconds: the shortest atom
SHORTEST = 0.4
#: places that are aligned pose by pose, for each look of the query
PLACES = 300
#: how much of the difference of two mean postures counts, against the difference of what they do
POSTURE = 0.03
#: how long a match may be, against the query
TEMPO = (0.5, 2.0)
#: places of the first look that each copy of the query may take from others
_PLACES_OF_ITSELF = 6
#: of these, how many are aligned once more, finely
_REFINED = 120
#: two matches that share more than this of the shorter one are one
_OVERLAP = 0.5


@dataclass(frozen=True)
class Match:
    """A stretch of a clip that is like the query.

    Attributes
    ----------
    clip : the clip's name; file : its source. start, end : seconds of the file.
    distance : metres a joint, root mean square over joints and time, postures aligned in part (`POSTURE`).
    mirrored : whether it is like the query in a mirror. tempo : its length over the query's.
    """

    clip: str
    file: str
    start: float
    end: float
    distance: float
    mirrored: bool
    tempo: float


@dataclass(frozen=True)
class SearchResult:
    """What was found.

    Attributes
    ----------
    start, end : seconds of the query in its motion. matches : the nearest first.
    clips, seconds : how much was searched.
    """

    start: float
    end: float
    matches: tuple[Match, ...]
    clips: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Found:
    """Matches over the clips of an index: number of the clip, seconds in it, (M,) each, the nearest first."""

    clip: np.ndarray
    start: np.ndarray
    end: np.ndarray
    distance: np.ndarray
    mirrored: np.ndarray


def search(
    library: Library | str | Path,
    motion: Motion | Clip,
    start: float | None = None,
    end: float | None = None,
    top: int = 20,
    *,
    mirror: bool = True,
) -> SearchResult:
    """The `top` stretches of a library that are nearest to `motion` between `start` and `end` seconds.

    Parameters
    ----------
    library : its folder, or the opened library.
    motion : of any humanoid rig, or a clip of a corpus. Where it comes from a file of the library, the query
        itself is left out.
    start, end : seconds of the motion, of a clip those of its file; the whole motion if not given.
    mirror : whether mirrored stretches count.

    Raises InputError for a query shorter than an atom or longer than any clip, a rig that cannot be mapped,
    or a library that is empty, damaged, or not of its model; UsageError for a `top` below 1. The search
    index is made where the library has none.
    """
    if top < 1:
        raise UsageError(f"the number of matches must be at least 1, not {top}")
    library = library if isinstance(library, Library) else open_library(library)
    corpus = searchable_corpus(library)
    early = motion.source_start if isinstance(motion, Clip) else 0.0
    moved = motion.motion if isinstance(motion, Clip) else motion
    file, content = moved.provenance.file, motion.row.sha256 if isinstance(motion, Clip) else ""
    start = early if start is None else start
    end = early + moved.duration if end is None else end
    check_span(early, early + moved.duration, start, end, file or None)
    place = library.folder / CORPUS
    check_length(_longest(place, _stamp(place)), end - start, library.folder)
    query = query_poses(moved, start - early, end - early)
    index = library_index(library, corpus)
    itself = {
        k: (start - row.source_start, end - row.source_start)
        for k, row in enumerate(clip.row for clip in corpus)
        if file and row.file in (file, os.path.abspath(file))
        or content and row.sha256 == content  # the file under another name
    }  # fmt: skip
    found = nearest(index, query, top, mirror=mirror, seconds=end - start, without=itself)
    matches = []
    for k, row in enumerate(corpus[k].row for k in found.clip.tolist()):
        a, b = float(found.start[k] + row.source_start), float(found.end[k] + row.source_start)
        flag, distance = bool(found.mirrored[k]), float(found.distance[k])
        matches.append(Match(row.name, row.file, a, b, distance, flag, (b - a) / float(end - start)))
    return SearchResult(float(start), float(end), tuple(matches), len(corpus), corpus.duration)


def searchable_corpus(library: Library) -> Corpus:
    """The takes of a library. Raises InputError where there are none, they are not those of its tables, or its
    model was exchanged."""
    from kineme.models.a4mer.folder import FILES

    corpus = _corpus(library.folder / CORPUS, _stamp(library.folder / CORPUS))
    library.check_takes(corpus.names)
    if not len(corpus):
        raise InputError("holds no clips; `kineme index` adds some", library.folder)
    model = library.folder / MODEL
    if _checksum(model, tuple(n for n in FILES if n != "README.md"), _stamp(model)) != library.model_checksum:
        raise InputError(
            "was made by another model than the one in it; run `kineme index` again", library.folder
        )
    return corpus


def library_index(library: Library, corpus: Corpus) -> PoseIndex:
    """The library's search index; made or brought up to date where need be."""
    folder = library.folder / FOLDER
    if not _current(folder, library.corpus_checksum, _stamp(folder)):
        update_index(folder, corpus)
    index = _index(folder, _stamp(folder))
    if len(index) != len(corpus):
        raise InputError("is of other clips than the library; remove the folder and try again", folder)
    return index


def _stamp(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What tells whether a folder's files are the same as before: name, size, time and inode of each."""
    try:
        found = [(file.name, file.stat()) for file in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, at.st_size, at.st_mtime_ns, at.st_ino) for name, at in found)


# opening takes longer than searching: what a folder held is kept for as long as its files are the same
@lru_cache(maxsize=2)
def _corpus(folder: Path, stamp: tuple) -> Corpus:
    return Corpus.open(folder)


@lru_cache(maxsize=2)
def _index(folder: Path, stamp: tuple) -> PoseIndex:
    return open_index(folder)


@lru_cache(maxsize=8)
def _current(folder: Path, corpus_checksum: str, stamp: tuple) -> bool:
    return is_current(folder, corpus_checksum)


@lru_cache(maxsize=8)
def _checksum(folder: Path, files: tuple[str, ...], stamp: tuple) -> str:
    return folder_checksum(folder, files)


@lru_cache(maxsize=2)
def _longest(folder: Path, stamp: tuple) -> float:
    return max(clip.duration for clip in _corpus(folder, stamp))


def check_span(first: float, last: float, start: float, end: float, file: str | None = None) -> None:
    """Raises InputError for a query that is not between `first` and `last`, or shorter than an atom."""
    asked = f"the query from {start:g} s to {end:g} s"
    if not (np.isfinite(start) and np.isfinite(end)) or start < first - 0.05 or end > last + 0.05:
        raise InputError(f"{asked} lies outside of the motion, from {first:.2f} s to {last:.2f} s", file)
    if end <= start:
        raise InputError(f"{asked} ends before it begins; give the earlier time first", file)
    if end - start < SHORTEST - 1e-6:
        raise InputError(f"{asked} is shorter than an atom; it must last at least {SHORTEST:g} s", file)


def check_length(longest: float, seconds: float, folder: Path) -> None:
    """Raises InputError for a query longer than the `longest` clip of a library, in seconds."""
    if seconds > longest:
        raise InputError(
            f"its longest clip lasts {longest:.2f} s, and the query {seconds:.2f} s; take a shorter one",
            folder,
        )


def query_poses(motion: Motion, start: float, end: float) -> np.ndarray:
    """Poses (n, 40) of a motion from `start` to `end` seconds, about `poses.FPS` a second."""
    canonical = motion if motion.skeleton.names == JOINTS else retarget(motion)
    return cut_poses(poses(to_standard_body(canonical).positions, motion.fps), start, end)


def cut_poses(rows: np.ndarray, start: float, end: float) -> np.ndarray:
    """The poses (n, 40) between two times of a clip's poses (N, 40), both ends included."""
    end = min(end, (len(rows) - 1) / FPS)
    count = max(2, round((end - start) * FPS) + 1)
    return at_times(rows, np.linspace(start, end, count) * FPS)


def nearest(
    index: PoseIndex,
    query: np.ndarray,
    top: int,
    *,
    mirror: bool = True,
    places: int = PLACES,
    seconds: float | None = None,
    without: Mapping[int, tuple[float, float]] = MappingProxyType({}),
) -> Found:
    """The `top` stretches of the clips of an index that are nearest to `query` (n, 40) and lie apart.

    seconds : how long the query is, where its poses lie a little nearer or further apart than those of the
    index. without : number of a clip -> the span in it (seconds) that is the query itself, which is left out.
    """
    length = (len(query) - 1) / FPS if seconds is None else seconds
    with one_blas_thread():
        return _nearest(index, query, top, mirror, places, length, without)


def one_blas_thread() -> AbstractContextManager[object]:
    """Within, a matrix product takes one thread: more are slow for products so small."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _nearest(
    index: PoseIndex,
    query: np.ndarray,
    top: int,
    mirror: bool,
    places: int,
    length: float,
    without: Mapping[int, tuple[float, float]],
) -> Found:
    candidates = scan(index, query, mirror, max(places, 2 * top) + _PLACES_OF_ITSELF * len(without))
    rough = _except(align_candidates(index, query, candidates, _ROUGH, length), without)
    order = np.argsort(rough.distance, kind="stable")[: max(_REFINED, 3 * top)]
    order = order[np.isfinite(rough.distance[order])]
    tempo = np.clip((rough.end[order] - rough.start[order]) / length, *TEMPO)
    refined = Candidates(rough.clip[order], rough.start[order] * FPS, tempo, rough.mirrored[order])
    fine = align_candidates(index, query, refined, _FINE, length)
    return _lying_apart(_except(fine, without), top)


def _except(found: Found, without: Mapping[int, tuple[float, float]]) -> Found:
    """Those that are not the query itself: they are as far away as can be."""
    for k in np.flatnonzero(np.isin(found.clip, list(without)) & ~found.mirrored).tolist():
        if _shared(float(found.start[k]), float(found.end[k]), *without[int(found.clip[k])]) > _OVERLAP:
            found.distance[k] = np.inf
    return found


def _lying_apart(found: Found, top: int) -> Found:
    """The nearest `top`, of those that share a stretch only the nearest."""
    kept: list[int] = []
    taken: dict[int, list[tuple[float, float]]] = {}
    for k in np.lexsort((found.start, found.clip, found.distance)).tolist():
        if len(kept) == top or not np.isfinite(found.distance[k]):
            break
        spans, start, end = (
            taken.setdefault(int(found.clip[k]), []),
            float(found.start[k]),
            float(found.end[k]),
        )
        if all(_shared(start, end, a, b) <= _OVERLAP for a, b in spans):
            kept.append(k)
            spans.append((start, end))
    return Found(
        found.clip[kept], found.start[kept], found.end[kept], found.distance[kept], found.mirrored[kept]
    )


class Fineness(NamedTuple):
    """How a query is aligned: points for each of its poses, at least, at most; how far past its place."""

    per_pose: float
    least: int
    most: int
    margin: float
    margin_seconds: float


_ROUGH, _FINE = Fineness(1.5, 16, 24, 0.2, 0.2), Fineness(2, 20, 64, 0.1, 0.1)


def align_candidates(
    index: PoseIndex, query: np.ndarray, candidates: Candidates, fineness: Fineness, seconds: float
) -> Found:
    """Every candidate aligned with the query pose by pose, in the order of the candidates.

    Where no way lasts between the bounds of `TEMPO` times the `seconds` of the query, it is infinitely far.
    """
    count = int(np.clip(fineness.per_pose * len(query), fineness.least, fineness.most))
    looks = np.stack([query, mirrored(query)], axis=1).reshape(len(query), -1)
    looks = at_times(looks, np.linspace(0, len(query) - 1, count))
    looks = np.swapaxes(looks.reshape(count, 2, -1), 0, 1)  # 2 n 40
    length = len(query) - 1  # in poses
    margin = fineness.margin * length + fineness.margin_seconds * FPS
    step = length * candidates.tempo / (count - 1)  # poses of the clip for one of the query
    aside = int(np.ceil((margin / step).max())) if len(step) else 0
    times = candidates.begin[:, None] + np.arange(-aside, count + aside) * step[:, None]  # B m
    stretch, valid = _gather(index, candidates.clip, times)
    stretch[:, :, SPEEDS:] *= candidates.tempo[:, None, None].astype(np.float32)
    own = looks[candidates.mirrored.astype(int)]
    share = np.float32(1 - np.sqrt(POSTURE))
    stretch -= share * stretch[:, aside : aside + count].mean(axis=1, keepdims=True)
    costs = squared_distances(own - share * own.mean(axis=1, keepdims=True), stretch)
    costs[~np.broadcast_to(valid[:, None, :], costs.shape)] = np.inf
    ends = np.array([len(index.rows[k]) - 1 for k in candidates.clip.tolist()])
    at = np.clip(times, 0, ends[:, None]) / FPS
    aligned = within(align(costs, every_end=True), at, *(bound * seconds for bound in TEMPO))
    each = np.arange(len(times))
    return Found(
        candidates.clip,
        at[each, aligned.first],
        at[each, aligned.last],
        np.sqrt(aligned.cost / (len(POSE_JOINTS) + 1)),
        candidates.mirrored,
    )


def _gather(index: PoseIndex, clips: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (B, m, 40) of clips at pose numbers (B, m), and which of these exist."""
    counts = np.array([len(index.rows[k]) for k in clips.tolist()])[:, None]
    at = np.clip(times, 0, counts - 1)
    low = np.floor(at).astype(np.int64)
    wanted = np.stack([low, np.minimum(low + 1, counts - 1)], axis=1)
    rows = np.empty((*wanted.shape, COLUMNS), dtype=np.int16)
    for clip, which, out in zip(clips.tolist(), wanted, rows, strict=True):
        index.rows[clip].take(which, axis=0, out=out, mode="clip")  # not the default, which copies once more
    weight = (at - low).astype(np.float32)[..., None]
    found, after = restore(rows[:, 0]), restore(rows[:, 1])
    found *= 1 - weight
    after *= weight
    found += after
    slack = 0.5  # of a pose: a clip ends between two
    return found, (times >= -slack) & (times <= counts - 1 + slack)


def _shared(a: float, b: float, c: float, d: float) -> float:
    """Share of the shorter of two spans that the other one holds."""
    return max(0.0, min(b, d) - max(a, c)) / max(min(b - a, d - c), 1e-9)
