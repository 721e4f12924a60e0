"""Motions put one after another: heading and place aligned at every join, blended or as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.frame import facing_angle
from kineme.motion.rotations import slerp, yaw_matrix
from kineme.motion.stretches import smoothstep

_GROUND = np.array([1, 0, 1], dtype=np.float32)


def stitch(parts: Sequence[Motion], overlaps: Sequence[int]) -> tuple[Motion, np.ndarray]:
    """One take out of canonical motions of one body.

    Every part is turned about +Y and moved along the ground so that it goes on where, and facing where,
    the part before it was. With an overlap of n frames the last n frames of the one and the first n of the
    next are cross-faded: rotations along the shortest arc, the root's place linearly, under a smoothstep
    weight; they are aligned at the middle of the overlap. With an overlap of 0 the frames follow each other
    as they are, the root keeping its last step along the ground.

    Parameters
    ----------
    parts : motions on one canonical skeleton, at one frame rate.
    overlaps : frames shared by each pair of neighbours (one fewer than `parts`). A part's overlaps with its
        two neighbours may not meet.

    Returns
    -------
    The take (no labels), and the seconds at which each part begins: 0, then the middle of its overlap.
    """
    _check(parts, overlaps)
    fps = parts[0].fps
    total = sum(map(len, parts)) - sum(overlaps)
    root = np.empty((total, 3), dtype=np.float32)
    rotations = np.empty((total, len(parts[0].skeleton), 3, 3), dtype=np.float32)
    starts = np.zeros(len(parts))
    end = 0
    for index, part in enumerate(parts):
        shared = overlaps[index - 1] if index else 0
        begin = end - shared
        place, turned = part.root_translation, part.local_rotations
        assert turned is not None
        if index:
            before = (root[:end], rotations[:end])
            place, turned = _placed(part, before, parts[0], shared)
            starts[index] = (begin + shared / 2) / fps
        if shared:
            weight = smoothstep((np.arange(shared, dtype=np.float32) + 0.5) / shared)
            fade = slice(begin, end)
            root[fade] += weight[:, None] * (place[:shared] - root[fade])
            joints = np.broadcast_to(weight[:, None], turned[:shared].shape[:2])
            rotations[fade] = slerp(rotations[fade], turned[:shared], joints)
        stop = begin + len(part)
        root[end:stop], rotations[end:stop] = place[shared:], turned[shared:]
        end = stop
    return Motion(parts[0].skeleton, fps, root, rotations), starts


def _check(parts: Sequence[Motion], overlaps: Sequence[int]) -> None:
    if not parts or len(overlaps) != len(parts) - 1:
        raise InputError(f"{len(parts)} motions need {max(len(parts) - 1, 0)} overlaps, not {len(overlaps)}")
    first = parts[0]
    for index, part in enumerate(parts):
        if part.local_rotations is None:
            raise InputError("only motions with rotations can be joined; retarget them first")
        same_body = part.skeleton.same_tree(first.skeleton)
        if not same_body or not np.allclose(part.skeleton.offsets, first.skeleton.offsets, atol=1e-3):
            raise InputError("only motions of one body can be joined")
        if part.fps != first.fps:
            raise InputError(f"motions at {part.fps} and {first.fps} frames per second cannot be joined")
        shared = sum(overlaps[max(index - 1, 0) : index + 1])
        if shared > len(part):
            raise InputError(f"a motion of {len(part)} frames cannot share {shared} with its neighbours")


def _heading(skeleton, root: np.ndarray, rotations: np.ndarray) -> float:
    """Radians: the facing of one frame (3,), (J, 3, 3)."""
    return float(facing_angle(Motion(skeleton, 1.0, root[None], rotations[None]).positions)[0])


def _placed(
    part: Motion, before: tuple[np.ndarray, np.ndarray], first: Motion, shared: int
) -> tuple[np.ndarray, np.ndarray]:
    """Root places and rotations of `part`, turned and moved so that it goes on from `before`."""
    root, rotations = before
    there = len(root) - shared + shared // 2 if shared else len(root) - 1  # frame to agree with ...
    here = shared // 2  # ... and the part's own
    assert part.local_rotations is not None
    angle = _heading(first.skeleton, root[there], rotations[there])
    angle -= _heading(part.skeleton, part.root_translation[here], part.local_rotations[here])
    matrix = yaw_matrix(angle).astype(np.float32)
    target = root[there].copy()
    if not shared and len(root) > 1:
        target += root[there] - root[there - 1]
    pivot = part.root_translation[here] * _GROUND
    place = (part.root_translation - pivot) @ matrix.T + target * _GROUND
    turned = part.local_rotations.copy()
    turned[:, 0] = matrix @ turned[:, 0]
    return place, turned
