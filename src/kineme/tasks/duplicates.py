"""Stretches that a library holds twice: takes that were exported again, cut differently, or mirrored.

Windows of a second are compared by their poses, through a tree that passes over no pair (a projection never
makes a distance longer). What is near is then compared frame by frame, at the corpus' own rate, and grown to
the whole stretch. Copies at another tempo are no duplicates; `search` finds those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.errors import UsageError
from kineme.motion.canonical import MIRROR
from kineme.motion.frame import facing_positions
from kineme.motion.stretches import stretches
from kineme.tasks.discover import standard_positions
from kineme.tasks.poses import FPS, SPEEDS, mirrored, restore
from kineme.tasks.search_index import PoseIndex

#: metres a joint, mean over joints, up to which two frames are the same: people who do the same twice are
#: hardly ever nearer than 4 mm for a second
TOLERANCE = 0.003
#: seconds that a duplicate lasts at least
SHORTEST = 1.0
#: poses of a window that are compared, and poses between the windows that are looked for
_MOMENTS, _HOP = (0, 2, 5, 8, 10), 5
#: dimensions of the tree
_DIMENSIONS = 8
#: metres by which poses of the same moment may differ for lying up to half a pose apart
_SLACK = 0.03
#: metres by which the joints of a window must stray from their mean: a pause is like any other pause
_STILL = 0.02
#: seconds over which frame distances are averaged, so that one bad frame does not end a stretch
_SMOOTH = 0.2


@dataclass(frozen=True)
class Duplicate:
    """Two stretches that are the same: clips, files, seconds of the files.

    Attributes
    ----------
    distance : metres a joint, mean over joints and frames. mirrored : the second one is the first's mirror
        image.
    """

    clip_a: str
    file_a: str
    start_a: float
    end_a: float
    clip_b: str
    file_b: str
    start_b: float
    end_b: float
    distance: float
    mirrored: bool

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end_a - self.start_a


def find_duplicates(
    corpus: Corpus,
    index: PoseIndex,
    *,
    tolerance: float = TOLERANCE,
    shortest: float = SHORTEST,
    mirror: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[Duplicate]:
    """Near-duplicate stretches, the longest first.

    Parameters
    ----------
    index : poses of the corpus' clips, in its order.
    tolerance : metres a joint up to which frames are the same. shortest : seconds, at least 1.
    mirror : look for mirrored ones, too.
    progress : called with the number of pairs of clips that were compared frame by frame.

    Stretches in which nobody moves are left out. Raises UsageError for impossible limits.
    """
    if not (0 < tolerance <= 0.2 and shortest >= 1):
        raise UsageError("duplicates differ by 0 to 20 cm and last at least 1 s")
    clips = list(corpus)
    places = _Places(clips)
    found: list[Duplicate] = []
    for flag in (False, True) if mirror else (False,):
        pairs = _near_windows(index, tolerance, flag)
        for done, ((a, b), offsets) in enumerate(sorted(pairs.items()), 1):
            for span in _stretches(places, (a, b), sorted(offsets), tolerance, shortest, flag):
                found.append(_duplicate(clips[a], clips[b], span, flag))
            if progress is not None:
                progress(done)
    return sorted(found, key=lambda d: (-round(d.seconds, 3), d.clip_a, d.start_a, d.clip_b, d.start_b))


# --- candidates ------------------------------------------------------------------------------------------


def _near_windows(index: PoseIndex, tolerance: float, flag: bool) -> dict[tuple[int, int], set[int]]:
    """Pairs of clips (the first not after the second) and the offsets in poses at which they are alike."""
    from scipy.spatial import cKDTree

    windows, clip, start = _windows(index, mirrored_ones=False)
    asked, asked_clip, asked_start = _windows(index, mirrored_ones=True) if flag else (windows, clip, start)
    if not len(windows):
        return {}
    mean, axes = _axes(windows)
    tree = cKDTree((windows - mean) @ axes)
    reach = (tolerance + _SLACK) * np.sqrt(windows.shape[1] / 3)
    few = np.flatnonzero(asked_start % _HOP == 0)
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for first in range(0, len(few), 1024):
        rows = few[first : first + 1024]
        near = tree.query_ball_point((asked[rows] - mean) @ axes, reach)
        for row, others in zip(rows.tolist(), near, strict=True):
            there = np.array(others, dtype=np.int64)
            same = clip[there] == asked_clip[row]
            later = np.where(
                same, start[there] - asked_start[row] > _MOMENTS[-1], clip[there] > asked_clip[row]
            )
            if flag:  # a mirrored pair may be named from either side; within a clip also onto itself
                later = (clip[there] > asked_clip[row]) | (same & (start[there] >= asked_start[row]))
            there = there[later]
            apart = ((windows[there] - asked[row]) ** 2).sum(axis=1)
            for other in there[apart <= reach**2].tolist():
                key = (int(asked_clip[row]), int(clip[other]))
                found[key].add(int(start[other] - asked_start[row]))
    return found


def _windows(index: PoseIndex, mirrored_ones: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows (W, 5 * 37) in which the body moves, the clip (W,) and first pose (W,) of each."""
    windows, clips, starts = [], [], []
    for number, whole in enumerate(index.rows):
        count = len(whole) - _MOMENTS[-1]
        if count < 1:
            continue
        rows = restore(whole)
        rows = (mirrored(rows) if mirrored_ones else rows)[:, :SPEEDS]
        parts = np.stack([rows[k : k + count] for k in _MOMENTS], axis=1)
        stray = parts - parts.mean(axis=1, keepdims=True)
        moving = np.sqrt((stray**2).sum(axis=2).mean(axis=1) / (SPEEDS / 3)) >= _STILL
        windows.append(parts.reshape(count, -1)[moving])
        clips.append(np.full(int(moving.sum()), number))
        starts.append(np.flatnonzero(moving))
    if not windows:
        return np.zeros((0, len(_MOMENTS) * SPEEDS)), np.zeros(0, int), np.zeros(0, int)
    return np.concatenate(windows), np.concatenate(clips), np.concatenate(starts)


def _axes(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and the directions (D, 8) along which the windows differ most; orthonormal."""
    some = windows[:: max(1, len(windows) // 5000)].astype(np.float64)
    mean = some.mean(axis=0)
    _, vectors = np.linalg.eigh((some - mean).T @ (some - mean))
    return mean, vectors[:, ::-1][:, :_DIMENSIONS]


# --- frame by frame --------------------------------------------------------------------------------------


class _Places:
    """Facing positions (T, 22, 3) of clips on the standard body, those used last kept."""

    def __init__(self, clips: Sequence[Clip]):
        self.fps = clips[0].fps if clips else 30.0
        self.of = lru_cache(maxsize=64)(lambda k: facing_positions(standard_positions(clips[k]))[0])

    def mirrored(self, number: int) -> np.ndarray:
        """The same in a mirror."""
        return self.of(number)[:, list(MIRROR)] * np.array([-1, 1, 1], dtype=np.float32)


Span = tuple[float, float, float, float]  # start and seconds in a, start in b, mean distance


def _stretches(
    places: _Places,
    pair: tuple[int, int],
    offsets: Sequence[int],
    tolerance: float,
    shortest: float,
    flag: bool,
) -> Iterator[Span]:
    """The stretches that two clips share, in seconds; `offsets` in poses are those to try."""
    a = places.mirrored(pair[0]) if flag else places.of(pair[0])
    whole = places.of(pair[1])
    between = (whole[:-1] + whole[1:]) / 2  # for takes that were sampled half a frame apart
    fps, per_pose = places.fps, places.fps / FPS
    tries = {round(o * per_pose) + k for o in offsets for k in range(-int(per_pose), int(per_pose) + 1)}
    runs = []
    for offset in tries:
        if pair[0] == pair[1] and not flag and offset < places.fps * shortest:
            continue
        for b, half in ((whole, 0.0), (between, 0.5)):
            found = _runs(a, b, offset, tolerance, round(shortest * fps), max(1, round(_SMOOTH * fps)))
            runs += [(first, last, offset + half, distance) for first, last, distance in found]
    taken: list[tuple[int, int]] = []
    for first, last, offset, distance in sorted(
        runs, key=lambda r: (r[3] > tolerance / 4, r[0] - r[1], r[3])
    ):
        if any(min(last, z) - max(first, y) > 0 for y, z in taken):
            continue
        taken.append((first, last))
        yield first / fps, (last - first) / fps, (first + offset) / fps, distance


def _runs(
    a: np.ndarray, b: np.ndarray, offset: int, tolerance: float, shortest: int, smooth: int
) -> Iterator[tuple[int, int, float]]:
    """Stretches (first, last, mean distance) of `a` that equal `b` so many frames later."""
    first, last = max(0, -offset), min(len(a), len(b) - offset)
    if last - first < shortest:
        return
    apart = np.linalg.norm(a[first:last] - b[first + offset : last + offset], axis=2).mean(axis=1)
    kernel = np.ones(min(smooth, len(apart)))
    near = np.convolve(apart, kernel, "same") <= tolerance * np.convolve(np.ones(len(apart)), kernel, "same")
    for start, stop in stretches(near):
        if stop - start >= shortest:
            yield first + start, first + stop, float(apart[start:stop].mean())


def _duplicate(a: Clip, b: Clip, span: Span, flag: bool) -> Duplicate:
    start_a, seconds, start_b, distance = span
    start_a, start_b = start_a + a.source_start, start_b + b.source_start
    return Duplicate(
        a.name,
        a.source,
        start_a,
        start_a + seconds,
        b.name,
        b.source,
        start_b,
        start_b + seconds,
        distance,
        flag,
    )
