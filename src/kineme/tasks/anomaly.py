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
from kineme.motion.channels import Channels, SeesWindows
from kineme.tasks.evidence import Usual, window_terms


class Scorer(SeesWindows, Protocol):
    """A model of windows that says how surprised it is by every number."""

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
    """A stretch of a clip in which windows are above a threshold.

    Attributes
    ----------
    start, end : seconds. score, threshold : of its worst window, and what a window's score is held against.
    rules : what raised it: ``window`` (a score above `threshold`), ``joint`` (the evidence against a joint
        above that joint's own threshold), or both.
    joints, evidence : the joints above their own thresholds, worst first, and the most that speaks against
        each.
    """

    start: float
    end: float
    score: float
    threshold: float
    rules: tuple[str, ...]
    joints: tuple[str, ...]
    evidence: tuple[float, ...]


def window_rules(found: WindowScores, window: float, joints: Sequence[float]) -> list[tuple[str, ...]]:
    """Which rules raise an alarm for each window: ``window``, ``joint``, both or none."""
    high, odd = found.scores > window, np.any(found.joints > np.asarray(joints), axis=1)
    named = zip(high.tolist(), odd.tolist(), strict=True)
    return [("window",) * one + ("joint",) * other for one, other in named]


def alarms(found: WindowScores, window: float, joints: Sequence[float]) -> list[Alarm]:
    """Stretches in which a window is above `window`, or one of its joints above its own of `joints`;
    neighbours are joined."""
    rules = window_rules(found, window, joints)
    stretches: list[list[int]] = []
    for at in (at for at, own in enumerate(rules) if own):
        if stretches and found.times[at, 0] <= found.times[stretches[-1][-1], 1]:
            stretches[-1].append(at)
        else:
            stretches.append([at])
    made = []
    for own in stretches:
        evidence = found.joints[own].max(0)
        over = evidence - np.asarray(joints)
        worst = [j for j in np.argsort(-over).tolist() if over[j] > 0]
        made.append(
            Alarm(
                float(found.times[own[0], 0]),
                float(found.times[own[-1], 1]),
                float(found.scores[own].max()),
                window,
                tuple(rule for rule in ("window", "joint") if any(rule in rules[at] for at in own)),
                tuple(found.names[j] for j in worst),
                tuple(float(evidence[j]) for j in worst),
            )
        )
    return made
