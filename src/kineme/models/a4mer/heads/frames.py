"""A classifier of frames in closed form: ridge regression on tokens, and on how poses vary around a frame.

With few labels a network that is trained by gradients knows its few people by heart. A linear map with a
penalty does not; what it lacks in depth it is given. Poses themselves are not read: they tell who moves in
which style, and where styles change they mislead (docs/guide/recognition.md).
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
#: a group of tokens counts as so many groups of poses
TOKENS_COUNT = 2
#: no standardised input is farther from its mean
FARTHEST = 5.0
#: labelled frames that are learnt from, at most; of more, every so many
MOST_FRAMES = 40_000
#: a score of one class above another makes it e to this times as likely
SHARPNESS = 8.0


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
class FrameClassifier:
    """Scores of classes from tokens and poses.

    Attributes
    ----------
    fps : frames per second. tokens, poses : how the inputs are spread; poses None where they are not read.
    weights : (F, C) of the features. bias : (C,) the share of each class.
    """

    fps: float
    tokens: Spread
    poses: Spread | None
    weights: np.ndarray
    bias: np.ndarray

    def scores(self, tokens: np.ndarray, poses: np.ndarray | None) -> np.ndarray:
        """Probabilities (T, C) of frames with these tokens (T, D) and poses (T, P)."""
        told = self._features(tokens, poses) @ self.weights + self.bias
        likely = np.exp(SHARPNESS * (told - told.max(axis=1, keepdims=True)))
        return likely / likely.sum(axis=1, keepdims=True)

    def _features(self, tokens: np.ndarray, poses: np.ndarray | None) -> np.ndarray:
        return frame_features(self.fps, self.tokens, tokens, self.poses, poses)


def frame_features(
    fps: float, spread: Spread, tokens: np.ndarray, pose_spread: Spread | None, poses: np.ndarray | None
) -> np.ndarray:
    """Features (T, F); tokens, their means and the deviations of poses are groups, and all weigh the same,
    those of tokens `TOKENS_COUNT` times as much."""
    groups, counts = [], []
    if spread.mean.size:
        x = spread(tokens)
        groups += [x, *(around(x, round(s * fps)) for s in TOKEN_MEANS)]
        counts += [TOKENS_COUNT] * len(groups)
    if pose_spread is not None:
        assert poses is not None
        x = pose_spread(poses)
        groups += [deviation(x, round(s * fps)) for s in POSE_DEVIATIONS]
    counts += [1] * (len(groups) - len(counts))
    scales = [np.sqrt(n / (g.shape[1] * sum(counts))) for n, g in zip(counts, groups, strict=True)]
    return np.concatenate([s * g for s, g in zip(scales, groups, strict=True)], axis=1)


def fit_frames(
    rows: Sequence[FrameRow],
    spread: Spread,
    pose_spread: Spread | None,
    classes: int,
    penalty: float,
    fps: float,
) -> FrameClassifier:
    """The W (F, C) with the least of

        sum_t v_t |y_t - b - x_t W|^2 + penalty * n |W|^2

    over the n labelled frames of `rows`: y_t is one at the frame's class, b the share of each class, and v_t
    makes a class count as the square root of its frames. It is the only one, so no seed enters.
    """
    features, own = [], []
    for row in rows:
        known = row.classes >= 0
        features.append(frame_features(fps, spread, row.tokens, pose_spread, row.poses)[known])
        own.append(row.classes[known])
    x, numbers = np.concatenate(features), np.concatenate(own)
    every = -(-len(x) // MOST_FRAMES)
    x, numbers = x[::every], numbers[::every]
    count = np.bincount(numbers, minlength=classes)
    bias = count / len(numbers)
    weight = 1 / np.sqrt(count[numbers])
    weight = (weight / weight.mean())[:, None]
    target = np.eye(classes)[numbers] - bias
    gram = x.T @ (weight * x)
    gram[np.diag_indices_from(gram)] += penalty * len(x)
    found = np.linalg.solve(gram, x.T @ (weight * target))
    return FrameClassifier(fps, spread, pose_spread, found.astype(np.float32), bias.astype(np.float32))


def to_arrays(made: FrameClassifier) -> dict[str, np.ndarray]:
    """Its numbers by name, for `from_arrays`."""
    arrays = {"weights": made.weights, "bias": made.bias}
    for name, spread in (("tokens", made.tokens), ("poses", made.poses)):
        if spread is not None:
            arrays |= {f"{name}_mean": spread.mean, f"{name}_scale": spread.scale}
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def from_arrays(
    arrays: dict[str, np.ndarray], fps: float, tokens: int, poses: int, classes: int
) -> FrameClassifier:
    """What `to_arrays` gave, for tokens and poses (0: none) of so many numbers. ValueError for other shapes."""
    features = tokens * (1 + len(TOKEN_MEANS)) + poses * len(POSE_DEVIATIONS)
    shapes = {"weights": (features, classes), "bias": (classes,)}
    shapes |= {f"tokens_{part}": (tokens,) for part in ("mean", "scale")}
    shapes |= {f"poses_{part}": (poses,) for part in ("mean", "scale") if poses}
    if {name: values.shape for name, values in arrays.items()} != shapes:
        raise ValueError("the classifier of frames has other inputs")
    if min(arrays[name].min(initial=1) for name in shapes if name.endswith("scale")) <= 0:
        raise ValueError("the classifier of frames has a deviation of 0")
    of = {
        name: Spread(arrays[f"{name}_mean"], arrays[f"{name}_scale"])
        for name in ("tokens", "poses")[: 1 + bool(poses)]
    }
    return FrameClassifier(fps, of["tokens"], of.get("poses"), arrays["weights"], arrays["bias"])
