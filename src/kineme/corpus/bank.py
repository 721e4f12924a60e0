"""Windows of channels for training: many clips end to end in memory, and which windows a step takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kineme.corpus.windows import starts
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.channels import Channels
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.time import resample


def standard_places(motion: Motion, fps: float) -> np.ndarray:
    """World positions (T, 22, 3) in metres at `fps` of a motion of any humanoid rig, on the standard body."""
    canonical = motion if motion.skeleton.names == JOINTS else retarget(motion)
    return to_standard_body(resample(canonical, fps)).positions


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows of a step.

    Attributes
    ----------
    windows : (B, C, frames) float32. valid : (B, frames) bool, false where a clip was shorter than a window.
    labels : (B,) class of each window; -1 where it has none.
    """

    windows: np.ndarray
    valid: np.ndarray
    labels: np.ndarray


class WindowBank:
    """Channels (N, C) of many clips, and the windows in them.

    Attributes
    ----------
    channels : which they are. values : (N, C) float32. starts, lengths : (W,) the windows' first frames in
        `values` and how many of their frames exist. labels : (W,) int64, -1 for none.
    clips : (W,) which clip a window is of.
    """

    def __init__(
        self,
        clips: Sequence[np.ndarray],
        channels: Channels,
        frames: int,
        *,
        stride: int = 1,
        frame_labels: Sequence[np.ndarray] | None = None,
    ):
        if not clips:
            raise InputError("there is no clip to take windows of")
        self.channels, self.frames = channels, frames
        self.values = np.concatenate(clips).astype(np.float32, copy=False)
        offsets = np.concatenate([[0], np.cumsum([len(clip) for clip in clips])])
        rows = [
            (offset + first, min(frames, len(clip) - first), number)
            for number, (clip, offset) in enumerate(zip(clips, offsets, strict=False))
            for first in starts(len(clip), frames, stride)
        ]
        self.starts, self.lengths, self.clips = (
            np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
        )
        self.labels = np.full(len(rows), -1, dtype=np.int64)
        if frame_labels is not None:
            per_frame = np.concatenate(list(frame_labels)).astype(np.int64)
            self.labels = np.array(
                [_majority(per_frame[a : a + n]) for a, n in zip(self.starts, self.lengths, strict=True)]
            )

    @classmethod
    def of(cls, motions: Iterable[Motion], channels: Channels, frames: int, fps: float, **rest) -> WindowBank:
        """From motions of any humanoid rig."""
        return cls(
            [channels.of(standard_places(motion, fps)) for motion in motions], channels, frames, **rest
        )

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, windows: np.ndarray) -> Batch:
        """The windows with these numbers; what is missing of a window repeats its last frame."""
        lengths = self.lengths[windows][:, None]
        places = np.minimum(np.arange(self.frames)[None], lengths - 1)
        values = self.values[self.starts[windows][:, None] + places]
        return Batch(
            np.ascontiguousarray(values.transpose(0, 2, 1)),
            np.arange(self.frames)[None] < lengths,
            self.labels[windows],
        )

    def of_each_class(self, most: int, rng: np.random.Generator) -> Batch:
        """At most so many whole windows of every class, drawn without replacement."""
        whole = self.lengths == self.frames
        classes = np.unique(self.labels[self.labels >= 0])
        own = [rng.permutation(np.flatnonzero(whole & (self.labels == one)))[:most] for one in classes]
        return self.take(np.concatenate([*own, np.empty(0, dtype=np.int64)]))

    def all(self) -> Batch:
        """Every window."""
        return self.take(np.arange(len(self)))

    def only(self, keep: np.ndarray) -> WindowBank:
        """The same clips with the windows that `keep` (W,) bool or numbers names."""
        import copy

        made = copy.copy(self)
        for name in ("starts", "lengths", "labels", "clips"):
            setattr(made, name, getattr(self, name)[keep])
        return made

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """(C,) mean and standard deviation over all frames; a channel that never moves has deviation 1."""
        deviation = self.values.std(0, dtype=np.float64)
        return (
            self.values.mean(0, dtype=np.float64).astype(np.float32),
            np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32),
        )


def _majority(labels: np.ndarray) -> int:
    """The label of more than two thirds of the frames; -1 where there is none."""
    values, counts = np.unique(labels, return_counts=True)
    best = int(counts.argmax())
    return int(values[best]) if 3 * counts[best] > 2 * len(labels) else -1


def step_windows(seed: int, step: int, count: int, batch: int, per_epoch: int) -> np.ndarray:
    """Numbers of the windows of a step: every epoch goes through `per_epoch` of `count` windows in an order
    of its own, a pure function of (seed, epoch)."""
    per_epoch = min(per_epoch, count)
    batch = min(batch, per_epoch)
    steps = per_epoch // batch
    epoch, at = divmod(step, steps)
    order = np.random.default_rng([seed, epoch]).permutation(count)[:per_epoch]
    return order[at * batch : (at + 1) * batch]
