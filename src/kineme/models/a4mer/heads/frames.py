"""A classifier of frames in closed form: ridge regression on tokens, and one on how poses vary around a frame.

With few labels a network that is trained by gradients knows its few people by heart. A linear map with a
penalty does not; what it lacks in depth it is given. Each kind of input has a map and a penalty of its own, and
their scores are averaged: in one map for both, a few labelled styles let poses outvote tokens. Poses themselves
are not read: they tell who moves in which style, and where styles change they mislead
(docs/guide/recognition.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

#: seconds on either side of a frame over which the deviation of poses and velocities is taken
POSE_DEVIATIONS = (0.4, 1.0, 2.0)
#: ... and over which tokens are averaged
TOKEN_MEANS = (1.0,)
#: no standardised input is farther from its mean
FARTHEST = 5.0
#: labelled frames that are learnt from, at most; of more, every so many
MOST_FRAMES = 40_000
#: a score of one class above another makes it e to this times as likely
SHARPNESS = 16.0


class FrameRow(NamedTuple):
    """A stretch of a take, frame by frame: tokens (T, D), poses (T, P) or None, classes (T,), -1 unknown."""

    tokens: np.ndarray
    poses: np.ndarray | None
    classes: np.ndarray


def around(values: np.ndarray, reach: int) -> np.ndarray:
    """Means (T, D) of values (T, D) over up to `reach` frames before and after each."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)[:, None]


def deviation(values: np.ndarray, reach: int) -> np.ndarray:
    """Deviations (T, D) of values (T, D) over up to `reach` frames before and after each."""
    wide = values.astype(np.float64)
    return np.sqrt(np.maximum(around(wide * wide, reach) - around(wide, reach) ** 2, 0))


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean (D,) and deviation (D,) of the inputs over a corpus; no labels are needed."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray) -> Spread:
        """Of inputs (N, D)."""
        return cls(inputs.mean(0), np.maximum(inputs.std(0), 1e-4))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Inputs (T, D) standardised and bounded."""
        return np.clip((inputs - self.mean) / self.scale, -FARTHEST, FARTHEST)


@dataclass(frozen=True, eq=False)
class Ridge:
    """A linear map from one kind of input to scores of classes.

    Attributes
    ----------
    spread : how the input is spread. weights : (F, C) of the features. bias : (C,) the intercept.
    """

    spread: Spread
    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, eq=False)
class FrameClassifier:
    """Scores of classes from tokens and poses.

    Attributes
    ----------
    fps : frames per second. tokens, poses : the map from each; None where that input is not read.
    """

    fps: float
    tokens: Ridge | None
    poses: Ridge | None

    def scores(self, tokens: np.ndarray, poses: np.ndarray | None) -> np.ndarray:
        """Probabilities (T, C) of frames with these tokens (T, D) and poses (T, P)."""
        parts = []
        if self.tokens is not None:
            x = token_features(self.tokens.spread, tokens, self.fps)
            parts.append(x @ self.tokens.weights + self.tokens.bias)
        if self.poses is not None:
            assert poses is not None
            x = pose_features(self.poses.spread, poses, self.fps)
            parts.append(x @ self.poses.weights + self.poses.bias)
        told = np.mean(parts, axis=0)
        likely = np.exp(SHARPNESS * (told - told.max(axis=1, keepdims=True)))
        return likely / likely.sum(axis=1, keepdims=True)


def token_features(spread: Spread, tokens: np.ndarray, fps: float) -> np.ndarray:
    """Features (T, F) of tokens (T, D): each, and its means around; their mean square is about 1 / F."""
    x = spread(tokens)
    return _as_one([x, *(around(x, round(s * fps)) for s in TOKEN_MEANS)])


def pose_features(spread: Spread, poses: np.ndarray, fps: float) -> np.ndarray:
    """Features (T, F) of poses (T, P): their deviations around each frame."""
    x = spread(poses)
    return _as_one([deviation(x, round(s * fps)) for s in POSE_DEVIATIONS])


def _as_one(groups: Sequence[np.ndarray]) -> np.ndarray:
    made = np.concatenate(groups, axis=1)
    return made / np.sqrt(made.shape[1])


def fit_frames(
    rows: Sequence[FrameRow],
    tokens: Spread | None,
    poses: Spread | None,
    classes: int,
    penalties: tuple[float, float],
    fps: float,
) -> FrameClassifier:
    """A map from tokens and one from poses, each with its penalty, learnt from the labelled frames of `rows`.

    A kind of input without a spread is not read. Both maps have a closed form, so no seed enters.
    """
    kept = _kept(rows)
    numbers = np.concatenate([row.classes[k] for row, k in zip(rows, kept, strict=True)])

    def fitted(spread: Spread | None, kind: int) -> Ridge | None:
        if spread is None:
            return None
        found = []
        for row, k in zip(rows, kept, strict=True):
            if kind:
                assert row.poses is not None
                found.append(pose_features(spread, row.poses, fps)[k])
            else:
                found.append(token_features(spread, row.tokens, fps)[k])
        made = fit_ridge(np.concatenate(found), numbers, classes, penalties[kind])
        return Ridge(spread, *(part.astype(np.float32) for part in made))

    return FrameClassifier(fps, fitted(tokens, 0), fitted(poses, 1))


def _kept(rows: Sequence[FrameRow]) -> list[np.ndarray]:
    """Numbers of the labelled frames of each row that are learnt from."""
    known = [np.flatnonzero(row.classes >= 0) for row in rows]
    every = -(-sum(map(len, known)) // MOST_FRAMES)
    ends = np.cumsum([len(k) for k in known])
    return [k[(np.arange(end - len(k), end) % every) == 0] for k, end in zip(known, ends, strict=True)]


def fit_ridge(
    x: np.ndarray, numbers: np.ndarray, classes: int, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """The weights W (F, C) and the intercept b (C,) with the least of

        sum_t v_t |y_t - b - x_t W|^2 + penalty * n |W|^2

    over n frames with features x (n, F) of the classes `numbers` (n,): y_t is one at the frame's class, and
    v_t, one on average, makes a class count as the square root of its frames.
    """
    count = np.bincount(numbers, minlength=classes)
    weight = 1 / np.sqrt(count[numbers])
    weight /= weight.sum()
    target = np.eye(classes)[numbers]
    # an intercept without a penalty is what is left between the means
    mean, share = weight @ x, weight @ target
    x, weight = x - mean, weight[:, None]
    gram = x.T @ (weight * x)
    gram[np.diag_indices_from(gram)] += penalty
    found = np.linalg.solve(gram, x.T @ (weight * (target - share)))
    return found, share - mean @ found


def to_arrays(made: FrameClassifier) -> dict[str, np.ndarray]:
    """Its numbers by name, for `from_arrays`."""
    arrays = {}
    for name, part in (("tokens", made.tokens), ("poses", made.poses)):
        if part is not None:
            arrays |= {f"{name}_mean": part.spread.mean, f"{name}_scale": part.spread.scale}
            arrays |= {f"{name}_weights": part.weights, f"{name}_bias": part.bias}
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def from_arrays(
    arrays: dict[str, np.ndarray], fps: float, tokens: int, poses: int, classes: int
) -> FrameClassifier:
    """What `to_arrays` gave, for tokens and poses (0: none) of so many numbers.

    ValueError for other shapes, and for what one map for both kinds of input had.
    """
    if "weights" in arrays:
        raise ValueError("an older kineme made its classifier of frames, with one map for tokens and poses")
    shapes: dict[str, tuple[int, ...]] = {}
    for name, size, groups in (
        ("tokens", tokens, 1 + len(TOKEN_MEANS)),
        ("poses", poses, len(POSE_DEVIATIONS)),
    ):
        if size:
            shapes |= {f"{name}_mean": (size,), f"{name}_scale": (size,)}
            shapes |= {f"{name}_weights": (size * groups, classes), f"{name}_bias": (classes,)}
    if {name: values.shape for name, values in arrays.items()} != shapes:
        raise ValueError("the classifier of frames has other inputs")
    if min(arrays[name].min(initial=1) for name in shapes if name.endswith("scale")) <= 0:
        raise ValueError("the classifier of frames has a deviation of 0")
    made = {
        name: Ridge(
            Spread(arrays[f"{name}_mean"], arrays[f"{name}_scale"]),
            arrays[f"{name}_weights"],
            arrays[f"{name}_bias"],
        )
        for name, size in (("tokens", tokens), ("poses", poses))
        if size
    }
    return FrameClassifier(fps, made.get("tokens"), made.get("poses"))
