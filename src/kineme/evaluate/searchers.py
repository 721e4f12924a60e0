"""The rows of the search table: ways to find a stretch of motion in a set of clips.

Every rival looks for the query and for its mirror image, as kineme's own search does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from kineme.evaluate.baselines import model_input
from kineme.evaluate.encoders import Encoder
from kineme.motion import Motion
from kineme.motion.frame import mirror
from kineme.motion.retarget import to_standard_body
from kineme.tasks.alignment import align
from kineme.tasks.poses import FPS, poses, quantise
from kineme.tasks.search import nearest, query_poses
from kineme.tasks.search_index import PoseIndex

#: two found stretches that share more than this of the shorter one are one
_OVERLAP = 0.5
#: frames a second of A4Mer's input
_MODEL_FPS = 5.0
COMPONENTS = 64


class Span(NamedTuple):
    """A found stretch: number of the clip, seconds."""

    clip: int
    start: float
    end: float


class Searcher(Protocol):
    """A method. `prepare` and `ask` may be slow; `find` is what is timed."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def prepare(self, motion: Motion) -> Any:
        """What is kept of a clip (canonical)."""
        ...

    def ask(self, motion: Motion, start: float, end: float) -> Any:
        """What is looked for: a stretch of a clip, which is seen whole."""
        ...

    def index(self, clips: Sequence[Any]) -> Any:
        """What is searched, of what `prepare` gave for each clip."""
        ...

    def find(self, index: Any, query: Any, top: int) -> list[Span]:
        """The nearest stretches, the nearest first."""
        ...


@dataclass(frozen=True)
class Cascade:
    """`kineme search`."""

    name: str = "kineme search"

    def prepare(self, motion: Motion) -> np.ndarray:
        """Quantised poses."""
        return quantise(poses(to_standard_body(motion).positions, motion.fps))

    def ask(self, motion: Motion, start: float, end: float) -> np.ndarray:
        """Poses of the stretch."""
        return query_poses(motion, start, end)

    def index(self, clips: Sequence[np.ndarray]) -> PoseIndex:
        """As `kineme index` keeps it, in memory."""
        return PoseIndex.of(clips)

    def find(self, index: PoseIndex, query: np.ndarray, top: int) -> list[Span]:
        """`tasks.search.nearest`."""
        found = nearest(index, query, top)
        return [
            Span(int(c), float(a), float(b))
            for c, a, b in zip(found.clip, found.start, found.end, strict=True)
        ]


class Rows(NamedTuple):
    """Frames (N, D) of clips one after another, two frames of NaN behind each; `starts` of the clips."""

    frames: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True, eq=False)
class Exhaustive:
    """Every place of every clip is compared, by dynamic time warping or (`warp` false) without.

    Attributes
    ----------
    represent : canonical motion -> frames (T, D) at `fps`.
    """

    name: str
    fps: float
    represent: Callable[[Motion], np.ndarray]
    warp: bool = True

    def prepare(self, motion: Motion) -> np.ndarray:
        """Frames (T, D)."""
        return self.represent(motion)

    def ask(self, motion: Motion, start: float, end: float) -> list[np.ndarray]:
        """The stretch, and the stretch of the mirrored clip."""
        first = round(start * self.fps)
        last = max(first + 2, round(end * self.fps) + 1)
        return [self.represent(m)[first:last] for m in (motion, mirror(motion))]

    def index(self, clips: Sequence[np.ndarray]) -> Rows:
        """All frames, clips kept apart."""
        gap = np.full((2, clips[0].shape[1]), np.nan, dtype=np.float32)
        starts = np.cumsum([0, *(len(clip) + 2 for clip in clips)])
        return Rows(np.concatenate([part for clip in clips for part in (clip, gap)]), starts)

    def find(self, index: Rows, query: list[np.ndarray], top: int) -> list[Span]:
        """The places with the least distance that lie apart."""
        cost, first, last = (
            np.concatenate(x) for x in zip(*(self._ends(index, q) for q in query), strict=True)
        )
        order = np.argsort(cost, kind="stable")[: 400 * top]
        kept: list[Span] = []
        for k in order.tolist():
            if len(kept) == top or not np.isfinite(cost[k]):
                break
            clip = int(np.searchsorted(index.starts, last[k], side="right") - 1)
            at = index.starts[clip]
            span = Span(clip, float(first[k] - at) / self.fps, float(last[k] - at) / self.fps)
            if all(_apart(span, other) for other in kept):
                kept.append(span)
        return kept

    def _ends(self, index: Rows, query: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cost, first and last frame of the best match that ends at each place."""
        squares = (query**2).sum(axis=1)[:, None] + (index.frames**2).sum(axis=1) - 2 * query @ index.frames.T
        squares = np.where(np.isnan(squares), np.inf, np.maximum(squares, 0)).astype(np.float32)
        count, total = squares.shape
        if self.warp:
            return _every_end(squares)
        cost = sum(squares[k, k : total - count + 1 + k] for k in range(count))
        first = np.arange(total - count + 1)
        return np.asarray(cost), first, first + count - 1


def _every_end(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = align(squares[None], every_end=True)
    return found.cost[0], found.first[0], found.last[0]


def _apart(a: Span, b: Span) -> bool:
    if a.clip != b.clip:
        return True
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared <= _OVERLAP * max(min(a.end - a.start, b.end - b.start), 1e-6)


def raw_warping() -> Exhaustive:
    """Dynamic time warping of poses: 22 joints in the facing frame, ten a second."""

    def represent(motion: Motion) -> np.ndarray:
        from kineme.models.a4mer.features import clip_features

        found = clip_features(to_standard_body(motion).positions, motion.fps, FPS)[1]
        return found.reshape(len(found), -1).astype(np.float32)

    return Exhaustive("raw DTW", FPS, represent)


def token_warping(model: Encoder, name: str) -> Exhaustive:
    """Dynamic time warping of A4Mer's contextual tokens of atoms, frame by frame, of length one."""

    def represent(motion: Motion) -> np.ndarray:
        tokens = model.encode_atoms(to_standard_body(motion).positions, motion.fps).per_frame()
        return tokens / np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-9)

    return Exhaustive(name, _MODEL_FPS, represent)


def pca_clips(motions: Sequence[Motion]) -> Exhaustive:
    """Principal components of clips of a second around each frame (5 a second), without warping.

    Components and scale are fitted to `motions`.
    """
    from sklearn.decomposition import PCA

    from kineme.evaluate.probes import Standardiser

    inputs = [model_input(motion)[0] for motion in motions]
    standard = Standardiser.of(np.concatenate(inputs))
    clips = np.concatenate([_around(standard(x)) for x in inputs])
    pca = PCA(min(COMPONENTS, *clips.shape), svd_solver="covariance_eigh").fit(clips)

    def represent(motion: Motion) -> np.ndarray:
        around = _around(standard(model_input(motion)[0]))
        return ((around - pca.mean_) @ pca.components_.T).astype(np.float32)

    return Exhaustive("PCA on 1 s clips", _MODEL_FPS, represent, warp=False)


def _around(frames: np.ndarray) -> np.ndarray:
    """(T, 5 D): each frame with the two before and after it; the ends repeat."""
    padded = np.pad(frames, ((2, 2), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + len(frames)] for k in range(5)], axis=1)


@dataclass(frozen=True)
class Chance:
    """Stretches of the query's length anywhere."""

    seed: int
    name: str = "random"
    _rng: list[np.random.Generator] = field(default_factory=list)

    def prepare(self, motion: Motion) -> float:
        """Seconds."""
        return motion.duration

    def ask(self, motion: Motion, start: float, end: float) -> float:
        """Seconds."""
        return end - start

    def index(self, clips: Sequence[float]) -> np.ndarray:
        """Seconds of every clip."""
        return np.array(clips)

    def find(self, index: np.ndarray, query: float, top: int) -> list[Span]:
        """Drawn evenly over time."""
        if not self._rng:
            self._rng.append(np.random.default_rng(self.seed))
        room = np.maximum(index - query, 0) + 1e-9
        clips = self._rng[0].choice(len(index), size=top, p=room / room.sum())
        starts = self._rng[0].uniform(0, room[clips])
        return [Span(int(c), float(a), float(a + query)) for c, a in zip(clips, starts, strict=True)]
