"""From one body to another with the feet on the floor: who stands on the source's floor stands on the target's.

Rotations go over as they are and the way is scaled by the length of the legs, which leaves the height of the
ankle to the source. A rig's ankles and toes have their own height over the floor, though, and recordings differ
in where their floor is. So the whole motion is moved up or down by a constant: feet that stand are then as high
as those that stand in a take of the target. A longer foot that points down is lifted out of the floor.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.canonical import INDEX
from kineme.motion.feet import FEET, lift_feet, stance
from kineme.motion.motion import Motion
from kineme.motion.retarget import leg_length, to_body
from kineme.motion.skeleton import Skeleton

#: metres by which bones may differ in length between takes of one body
SAME_BODY = 1e-3
#: frames a second at which feet are looked at: at many more, noise of a millimetre is a speed
_FPS = 30.0
#: where no foot ever stands still (on a treadmill), the share of the frames in which feet are lowest counts
_LOWEST = 0.02
#: metres above the rest pose in which the lowest foot is in the air
_IN_THE_AIR = 0.15
#: metres by which a toe that rolls off may go below where it stands
_ROLLS = 0.02
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]


def stand_on(motion: Motion, like: Motion) -> Motion:
    """A canonical motion on the canonical body of another take, whose floor its feet stand on.

    Parameters
    ----------
    motion, like : with rotations. Only the skeleton and the feet of `like` are looked at.

    The result is that of `to_body`, moved up or down as a whole; no foot goes deeper than those of `like`, but
    for 2 cm where its toes roll off. On the same body nothing is moved. Raises InputError as `to_body`.
    """
    made = to_body(motion, like.skeleton)
    if same_lengths(motion.skeleton, like.skeleton):
        return made
    up = np.array([0, rise(motion, made, like), 0], dtype=np.float32)
    made = made.replace(root_translation=made.root_translation + up)
    there = contacts(like)
    if there is None:
        return made
    deepest = float(like.positions[:, FEET, 1].min())
    return lift_feet(made, min(deepest, max(_level(like.positions, there) - _ROLLS, 0.0)))


def rise(motion: Motion, made: Motion, like: Motion) -> float:
    """Metres by which `made` must go up for its feet to stand as high as those of `like`.

    motion, made, like : canonical; `made` is `motion` on the body of `like`, its way scaled by the length of the
        legs. Where either take shows no foot on a floor, the rest poses say where it is.
    """
    own, there = contacts(motion), contacts(like)
    if own is None or there is None:
        ratio = leg_length(like.skeleton) / max(leg_length(motion.skeleton), 1e-6)
        hips = [float(m.skeleton.rest_positions[_HIPS, 1].mean()) for m in (motion, like)]
        return hips[1] - ratio * hips[0]
    return _level(like.positions, there) - _level(made.positions, own)


def same_lengths(one: Skeleton, other: Skeleton) -> bool:
    """Whether two skeletons of the same joints have the same bones."""
    return bool(np.allclose(one.offsets[1:], other.offsets[1:], atol=SAME_BODY))


def contacts(motion: Motion) -> np.ndarray | None:
    """(T, 2) bool: when the left and the right foot of a canonical motion are on the floor.

    Where neither ever stands still, the frames in which the lower foot is lowest count; None where that is in
    the air.
    """
    places = motion.positions
    step = max(1, round(motion.fps / _FPS))
    standing = np.repeat(stance(places[::step], motion.fps / step), step, axis=0)[: len(places)]
    if standing.any():
        return standing
    heights = places[:, FEET, 1]
    low = np.quantile(heights.min(axis=1), _LOWEST)
    if low > motion.skeleton.rest_positions[list(FEET), 1].mean() + _IN_THE_AIR:
        return None
    return heights <= low


def _level(places: np.ndarray, standing: np.ndarray) -> float:
    """Metres at which feet stand in places (T, 22, 3): the mean over both of their medians."""
    heights = places[:, FEET, 1]
    found = [np.median(heights[down, side]) for side, down in enumerate(standing.T) if down.any()]
    return float(np.mean(found))
