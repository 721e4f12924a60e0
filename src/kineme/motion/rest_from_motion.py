"""A rest pose for rigs whose zero pose is none, read off the way the body moves.

Many exporters write each bone's own axes, so that all rotations at zero fold the body into a knot. What the
rest pose must be can still be told from a take, and not from one lucky frame of it:

- the torso's joints stand, in the mean, as hips and shoulders do;
- knees and elbows are hinges: the axis about which a limb bends fixes the twist of its upper bone (in a
  T-pose with the palms down knees bend about the body's left-right axis, elbows about the vertical);
- a lower bone's twist is its mean against the upper one, once the bend is taken out;
- feet are flat when they are at their lowest.

Where every limb lies along an axis of its own, a tool built the T-pose out of right angles: then the right-
angled frame nearest to each estimate is taken, so that different takes of a rig agree exactly.
"""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from kineme.motion.canonical import INDEX, SIDES, SMPL22
from kineme.motion.frame import torso_axes, unit
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rigs import RigMap
from kineme.motion.rotations import rotation_between
from kineme.motion.skeleton import Skeleton

#: bends less than this (mean sine) say nothing about a hinge's axis
_BENT = 0.1
#: degrees within which a bone lies along a local axis, and an estimate is near right angles
_ALONG, _NEAR = 4.0, 40.0
#: (upper, lower, end), direction at rest of the limb on the left side, direction into which it bends
_LIMBS = (
    (("hip", "knee", "ankle"), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
    (("shoulder", "elbow", "wrist"), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
)
_BONES = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
#: the 24 rotations that map axes onto axes
_RIGHT_ANGLES = np.array(
    [
        matrix
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
        if np.linalg.det(matrix := np.diag(signs)[list(order)]) > 0
    ]
)


def rest_from_motion(skeleton: Skeleton, rig: RigMap, rotations: np.ndarray) -> np.ndarray:
    """Local rotations (J, 3, 3) of an upright T-pose facing +Z.

    Parameters
    ----------
    rig : must have all limbs (`RigMap.require`).
    rotations : (S, J, 3, 3) local rotations of some frames, in a world with +Y up.
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    places, turns = forward_kinematics(skeleton, rotations, np.zeros((len(rotations), 3)))
    source = {INDEX[name]: skeleton.index(joint) for name, joint in rig.joints.items()}
    seen = _Seen(skeleton, rig, source, places, turns)
    rest = seen.torso()
    for side in SIDES:
        for parts, along, into in _LIMBS:
            mirror = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
            joints = [INDEX[f"{side}_{part}"] for part in parts]
            rest |= seen.limb(joints, np.array(along) * mirror, np.array(into))
        rest |= seen.foot(*(INDEX[f"{side}_{part}"] for part in ("knee", "ankle", "foot")))
    return _hang(skeleton, {source[j]: turn for j, turn in rest.items()}, _mean(rotations))


class _Seen:
    """The mapped joints over the frames, in the body's own frame."""

    def __init__(
        self, skeleton: Skeleton, rig: RigMap, source: dict[int, int], places: np.ndarray, turns: np.ndarray
    ):
        self.source = source
        self.places = np.zeros((len(places), 22, 3))
        for canonical, joint in source.items():
            self.places[:, canonical] = places[:, joint]
        for joint, offset in skeleton.end_sites:
            for name, bone in rig.ends.items():
                if skeleton.names[joint] == bone and np.linalg.norm(offset) > 1e-4:
                    self.places[:, INDEX[name]] = places[:, joint] + turns[:, joint] @ np.array(offset)
        self.known = set(source) | {INDEX[name] for name in rig.ends}
        self.body = torso_axes(self.places)
        self.turns = {canonical: turns[:, joint] for canonical, joint in source.items()}
        bones = [(INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"]) for side in SIDES for a, b in _BONES]
        self.right_angled = all(np.abs(self.own(*bone)).max() > np.cos(np.deg2rad(_ALONG)) for bone in bones)

    def bone(self, joint: int, end: int) -> np.ndarray:
        """(S, 3) unit vectors from a joint to another, in the joint's own frame."""
        step = self.places[:, end] - self.places[:, joint]
        return unit((step[:, None] @ self.turns[joint])[:, 0])

    def own(self, joint: int, end: int) -> np.ndarray:
        """(3,) the same in the mean."""
        return unit(self.bone(joint, end).mean(axis=0))

    def torso(self) -> dict[int, np.ndarray]:
        """Pelvis, spine, neck, head and collars: their mean as seen from hips and shoulders."""
        rest = {}
        for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar"):
            joint = INDEX[name]
            if joint in self.turns:
                mean = _mean(np.swapaxes(self.body, -1, -2) @ self.turns[joint])
                rest[joint] = self.settle(mean)
        return rest

    def limb(self, joints: list[int], along: np.ndarray, into: np.ndarray) -> dict[int, np.ndarray]:
        """Upper and lower bone and the joint at the end (a hand in line with the forearm)."""
        upper, lower, end = joints
        own_upper, own_lower = self.own(upper, lower), self.own(lower, end)
        bends = np.cross(own_upper, (self._between(upper, lower) @ own_lower)).mean(axis=0)
        if np.linalg.norm(bends) > _BENT:
            first = _frame(along, np.cross(along, into)) @ _frame(own_upper, bends).T
        else:
            mean = _mean(np.swapaxes(self.body, -1, -2) @ self.turns[upper])
            first = rotation_between(mean @ own_upper, along) @ mean
        first = self.settle(first, own_upper, along)
        # the lower bone laid along the upper one, frame by frame; what is left of its rotation is twist
        relative = self._between(upper, lower)
        straight = rotation_between(relative @ own_lower, own_upper) @ relative
        second = first @ _mean(straight)
        second = rotation_between(second @ own_lower, along) @ second
        second = self.settle(second, own_lower, along)
        rest = {upper: first, lower: second}
        if end in self.turns:
            third = second @ _mean(self._between(lower, end))
            rest[end] = self.settle(third)
        return rest

    def foot(self, knee: int, ankle: int, toes: int) -> dict[int, np.ndarray]:
        """As flat as the canonical foot. Its roll is that of steps: the ankle low and the shin upright."""
        shin = unit(self.places[:, knee] - self.places[:, ankle])[:, 1]
        drop = self.places[:, 0, 1] - self.places[:, ankle, 1]
        low = drop >= np.median(drop)
        step = low & (shin >= np.quantile(shin[low], 0.7))
        unturn = np.swapaxes(self.body[step], -1, -2)
        seen = [joint for joint in (ankle, toes) if joint in self.turns]
        rest = {joint: _mean(unturn @ self.turns[joint][step]) for joint in seen}
        if ankle in rest and toes in self.known:
            pointing = rest[ankle] @ self.own(ankle, toes)
            rest[ankle] = rotation_between(pointing, SMPL22.offsets[toes]) @ rest[ankle]
        if toes in rest:
            rest[toes] = self.settle(rest[toes])
        return rest

    def settle(
        self, turn: np.ndarray, own: np.ndarray | None = None, along: np.ndarray | None = None
    ) -> np.ndarray:
        """The nearest frame of right angles, if the rig has such; the bone `own` keeps pointing `along`."""
        nearest = _RIGHT_ANGLES[np.einsum("kab,ab->k", _RIGHT_ANGLES, turn).argmax()]
        angle = np.arccos(np.clip((np.trace(nearest.T @ turn) - 1) / 2, -1, 1))
        if not self.right_angled or angle > np.deg2rad(_NEAR):
            return turn
        if own is None or along is None:
            return nearest
        return rotation_between(nearest @ own, along) @ nearest

    def _between(self, upper: int, lower: int) -> np.ndarray:
        """(S, 3, 3) rotation of the lower joint in the upper one's frame."""
        return np.swapaxes(self.turns[upper], -1, -2) @ self.turns[lower]


def _mean(turns: np.ndarray) -> np.ndarray:
    """The rotation nearest to the mean of rotations (S, ..., 3, 3) over their first axis."""
    u, _, vt = np.linalg.svd(turns.mean(axis=0))
    u[..., -1] *= np.linalg.det(u @ vt)[..., None]  # never a reflection
    return u @ vt


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 3) right-handed columns: `first`, what of `second` is perpendicular to it, and the third."""
    x = unit(first)
    y = unit(second - (second @ x) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _hang(skeleton: Skeleton, fixed: dict[int, np.ndarray], local: np.ndarray) -> np.ndarray:
    """Local rotations (J, 3, 3) that give the `fixed` world rotations; other joints keep `local`."""
    world = np.empty_like(local)
    result = local.copy()
    for joint, parent in enumerate(skeleton.parents):
        above = np.eye(3) if parent < 0 else world[parent]
        if joint in fixed:
            result[joint] = above.T @ fixed[joint]
        world[joint] = above @ result[joint]
    return result
