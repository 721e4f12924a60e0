"""How unlikely a motion is under a model of motion: of a clip, over time, and joint by joint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from kineme.corpus.bank import standard_places
from kineme.corpus.windows import starts
from kineme.motion import Motion
from kineme.motion.channels import Channels
from kineme.tasks.evidence import Usual, window_terms


class Scorer(Protocol):
    """A model of windows that says how surprised it is by every number."""

    @property
    def channels(self) -> Channels:
        """What the channels are."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def frames(self) -> int:
        """Frames of a window."""
        ...

    def normalise(self, windows: np.ndarray) -> Tensor:
        """Windows (B, C, frames) in millimetres, as the model sees them."""
        ...

    def surprise(self, windows: Tensor) -> Tensor:
        """(B, C, frames): of every number how unlikely it is, in nats, the divergence shared among them."""
        ...


@dataclass(frozen=True, eq=False)
class WindowScores:
    """W windows of a clip.

    Attributes
    ----------
    times : (W, 2) start and end in seconds; the end of what exists in a clip shorter than a window.
    scores : (W,) mean surprise per number. joints : (W, J) the evidence against each joint, or where it is
    not
        known what is usual the mean surprise of its numbers, in the order of `names`, the last of which is
        ``root`` where the model knows the root's motion.
    padded : whether the clip was shorter than a window, so that its last frame was repeated.
    """

    times: np.ndarray
    scores: np.ndarray
    joints: np.ndarray
    names: tuple[str, ...]
    padded: bool

    @property
    def clip(self) -> float:
        """The clip's score: that of its worst window."""
        return float(self.scores.max())

    @property
    def worst(self) -> tuple[int, str]:
        """The worst window, and the joint that is most surprising there."""
        window = int(self.scores.argmax())
        return window, self.names[int(self.joints[window].argmax())]


def joint_names(channels: Channels) -> tuple[str, ...]:
    """Owners of a model's channels."""
    return (*channels.joints, *(("root",) if channels.root else ()))


def score_motion(
    motion: Motion, model: Scorer, stride_seconds: float = 0.4, usual: Usual | None = None
) -> WindowScores:
    """Scores of windows `stride_seconds` apart over a motion of any humanoid rig.

    Raises InputError for a rig that cannot be mapped.
    """
    return score_channels(model.channels.of(standard_places(motion, model.fps)), model, stride_seconds, usual)


def score_channels(
    values: np.ndarray, model: Scorer, stride_seconds: float = 0.4, usual: Usual | None = None
) -> WindowScores:
    """Scores of windows over channels (T', C) at the model's rate."""
    frames, total = model.frames, len(values)
    first = np.array(starts(total, frames, max(1.0, stride_seconds * model.fps)))
    index = np.minimum(first[:, None] + np.arange(frames), total - 1)
    exists = np.arange(frames)[None] < total - first[:, None]
    scores, terms = window_terms(values[index].transpose(0, 2, 1), exists, model)
    joints = terms[..., 0] if usual is None else usual.joints(terms)
    times = np.stack([first, np.minimum(first + frames, total)], axis=1) / model.fps
    return WindowScores(times, scores, joints, joint_names(model.channels), total < frames)


def threshold(scores: np.ndarray, false_alarms: float) -> np.ndarray:
    """What a share of sound `scores` (n, ...) exceeds: the threshold at that rate of false alarms."""
    return np.quantile(scores, 1 - false_alarms, axis=0)


@dataclass(frozen=True)
class Alarm:
    """A stretch of a clip above the threshold.

    Attributes
    ----------
    start, end : seconds. score, threshold : of its worst window. joints : the joints above their own
        thresholds there, worst first.
    """

    start: float
    end: float
    score: float
    threshold: float
    joints: tuple[str, ...]


def alarms(found: WindowScores, window: float, joints: Sequence[float]) -> list[Alarm]:
    """Stretches in which a window or one of its joints is above its threshold, neighbours joined."""
    over = found.joints - np.asarray(joints)
    high = (found.scores > window) | (over > 0).any(1)
    made: list[Alarm] = []
    for at in np.flatnonzero(high).tolist():
        order = np.argsort(-over[at])
        names = tuple(found.names[j] for j in order if over[at, j] > 0)
        start, end = (float(t) for t in found.times[at])
        one = Alarm(start, end, float(found.scores[at]), window, names)
        if made and start <= made[-1].end:
            last = made[-1]
            worse = one if one.score > last.score else last
            both = tuple(dict.fromkeys((*worse.joints, *last.joints, *one.joints)))
            one = Alarm(last.start, end, worse.score, window, both)
            made.pop()
        made.append(one)
    return made
