"""Single joints made up between their sound frames, each joint over frames of its own."""

from __future__ import annotations

import numpy as np

from kineme.errors import InputError
from kineme.motion.motion import Motion
from kineme.motion.rotations import slerp


def neighbours(missing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For the missing frames of a series (T,): the sound frame before and after, and the weight of the
    latter.

    At the ends both are the nearest sound frame. At least one frame must be sound.
    """
    good, where = np.flatnonzero(~missing), np.flatnonzero(missing)
    after = np.searchsorted(good, where)
    low, high = good[np.maximum(after - 1, 0)], good[np.minimum(after, len(good) - 1)]
    low = np.where(after == 0, high, low)
    weight = np.where(high > low, (where - low) / np.maximum(high - low, 1), 0.0)
    return low, high, weight.astype(np.float32)


def bridge(motion: Motion, missing: np.ndarray) -> Motion:
    """Joints `missing` (T, J) bool between their sound frames: rotations along the shortest arc, all else
    linearly, held at the ends. A joint that is sound nowhere takes its rest pose. The rest is kept bit by
    bit.

    Raises InputError where the root is missing in all frames.
    """
    skeleton = motion.skeleton
    rotations, moves, places = (
        None if array is None else array.copy()
        for array in (motion.local_rotations, motion.local_translations, motion.given_positions)
    )
    root = motion.root_translation.copy()
    if missing[:, 0].all():
        raise InputError("the root is missing in all frames, so the body is nowhere; nothing can be filled")
    for joint in np.flatnonzero(missing.any(0)).tolist():
        where = np.flatnonzero(missing[:, joint])
        if len(where) == len(motion):
            if rotations is not None:
                rotations[:, joint] = skeleton.rest_rotations[joint]
            if moves is not None:
                moves[:, joint] = skeleton.offsets[joint]
            if places is not None:
                places[:, joint] = places[:, skeleton.parents[joint]] + skeleton.offsets[joint]
            continue
        low, high, weight = neighbours(missing[:, joint])
        share = weight[:, None]
        if rotations is not None:
            rotations[where, joint] = slerp(rotations[low, joint], rotations[high, joint], weight)
        for array in (moves, places):
            if array is not None:
                array[where, joint] = array[low, joint] * (1 - share) + array[high, joint] * share
        if joint == 0:
            root[where] = root[low] * (1 - share) + root[high] * share
    return motion.replace(
        root_translation=root, local_rotations=rotations, local_translations=moves, given_positions=places
    )
