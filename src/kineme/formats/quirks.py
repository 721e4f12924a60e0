"""Oddities of a take that a person should know of; noted in its provenance, never changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kineme.formats.rest_pose import has_rest_frame
from kineme.motion import Motion


def frames_of(motion: Motion, index: np.ndarray) -> Motion:
    """The motion of some frames, in any order, without labels and source; for measuring, not for keeping."""

    def pick(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[index]

    return motion.replace(
        root_translation=motion.root_translation[index],
        local_rotations=pick(motion.local_rotations),
        local_translations=pick(motion.local_translations),
        given_positions=pick(motion.given_positions),
        labels=(),
        source=None,
    )


def floor_height(motion: Motion, frames: int = 64) -> float:
    """Metres: where the floor seems to be, the 10th percentile over frames of the lowest joint or bone end.

    A low percentile, since in a take full of jumps the median is in the air; at most `frames` are looked at.
    """
    few = frames_of(motion, np.unique(np.linspace(0, len(motion) - 1, frames).astype(int)))
    lowest = few.positions[..., 1].min(axis=1)
    if few.end_positions.shape[1]:
        lowest = np.minimum(lowest, few.end_positions[..., 1].min(axis=1))
    return float(np.percentile(lowest, 10))


def note_quirks(motion: Motion) -> Motion:
    """The motion with notes on a leading rest pose, and on a floor that is not at height 0."""
    notes = list(motion.provenance.notes)
    if len(motion) == 1:
        notes.append("there is a single frame: a pose, not a motion")
    if has_rest_frame(motion):
        notes.append("the first frame is a rest pose that jumps into the motion")
    floor = floor_height(motion)
    if abs(floor) > 0.15:
        notes.append(f"the floor seems to be at {floor:+.2f} m, not at 0")
    return motion.replace(provenance=replace(motion.provenance, notes=tuple(notes)))
