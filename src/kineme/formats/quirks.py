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
    """Metres: median over (at most `frames`) frames of the lowest joint or bone end."""
    few = frames_of(motion, np.unique(np.linspace(0, len(motion) - 1, frames).astype(int)))
    lowest = few.positions[..., 1].min(axis=1)
    if few.end_positions.shape[1]:
        lowest = np.minimum(lowest, few.end_positions[..., 1].min(axis=1))
    return float(np.median(lowest))


def note_quirks(motion: Motion) -> Motion:
    """The motion with notes on a leading rest pose, and on a floor that is not at height 0."""
    notes = list(motion.provenance.notes)
    if len(motion) == 1:
        notes.append("there is a single frame: a pose, not a motion")
    if has_rest_frame(motion):
        notes.append("the first frame is a rest pose that jumps into the motion")
    floor = floor_height(motion)
    if abs(floor) > 0.15:
        notes.append(f"the lowest point of the body is at {floor:+.2f} m in the median, not on the floor")
    return motion.replace(provenance=replace(motion.provenance, notes=tuple(notes)))
