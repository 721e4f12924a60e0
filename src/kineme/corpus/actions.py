"""Labelled sequences on the standard body, as a model of actions sees them: rotations, the root's way,
energies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kineme.corpus.store import Corpus
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.frame import facing_angle
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rotations import yaw_matrix
from kineme.motion.time import resample

#: a labelled stretch shorter than this, in seconds, shows no action
SHORTEST = 0.5


@dataclass(frozen=True, eq=False)
class Action:
    """One sequence of one action.

    Attributes
    ----------
    name : of the clip. label : what is done.
    rotations : (T, 22, 3, 3) float32, local. root : (T, 3) metres. positions : (T, 22, 3) metres.
    """

    name: str
    label: str
    rotations: np.ndarray
    root: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.root)

    def piece(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (count, 22, 3, 3) and root (count, 3) of a stretch that starts over the origin, facing
        +Z; heights are kept."""
        part = slice(start, start + count)
        turn = yaw_matrix(-facing_angle(self.positions[start : start + 1])[0]).astype(np.float32)
        rotations = self.rotations[part].copy()
        rotations[:, 0] = turn @ rotations[:, 0]
        way = self.root[part] - self.root[start] * np.array([1, 0, 1], np.float32)
        return rotations, way @ turn.T


def action_of(motion: Motion, label: str, fps: float, name: str = "") -> Action:
    """A motion of any humanoid rig as an action at `fps`, on the standard body."""
    canonical = motion if motion.skeleton.names == JOINTS else retarget(motion)
    standard = to_standard_body(resample(canonical, fps))
    if standard.local_rotations is None:
        raise InputError("the motion holds positions only; fit rotations to it first", name or None)
    return Action(name, label, standard.local_rotations, standard.root_translation, standard.positions)


def actions_in(corpus: Corpus | Iterable, fps: float, labels: Iterable[str] = ()) -> list[Action]:
    """Every stretch of a corpus that a person labelled, with one of `labels` where any are given.

    Raises InputError where there is none.
    """
    wanted, found = set(labels), []
    for clip in corpus:
        for segment in clip.labels:
            long = segment.end - segment.start >= SHORTEST
            if segment.level == "label" and long and (not wanted or segment.label in wanted):
                part = clip.motion.cut(segment.start, segment.end)
                found.append(action_of(part, segment.label, fps, clip.name))
    if not found:
        raise InputError("the corpus has no labelled stretch; `kineme ingest --labels` attaches labels")
    return found
