"""Rest poses of rigs whose zero pose says nothing about how a body stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.motion import Skeleton
from kineme.motion.kinematics import local_from_global


@dataclass(frozen=True, eq=False)
class KnownRest:
    """Local rotations (J, 3, 3) and offsets (J, 3), in the skeleton's own unit, of a rig's T-pose."""

    rig: str
    rotations: np.ndarray
    offsets: np.ndarray


_AXES = {"+X": (1, 0, 0), "-X": (-1, 0, 0), "+Y": (0, 1, 0), "-Y": (0, -1, 0), "+Z": (0, 0, 1), "-Z": (0, 0, -1)}

#: Bandai-Namco Research Motiondataset: where local X, Y and Z point in a T-pose facing +Z, in the world.
_BANDAI = {
    "joint_Root": "+X +Y +Z",
    "Hips": "+Y -X +Z",
    **dict.fromkeys(("Spine", "Chest", "Neck", "Head"), "+Y +Z +X"),
    **dict.fromkeys(("Shoulder_L", "UpperArm_L", "LowerArm_L", "Hand_L"), "+X +Y +Z"),
    **dict.fromkeys(("Shoulder_R", "UpperArm_R", "LowerArm_R", "Hand_R"), "+X -Y -Z"),
    **dict.fromkeys(("UpperLeg_L", "LowerLeg_L"), "-Y +X +Z"),
    **dict.fromkeys(("UpperLeg_R", "LowerLeg_R"), "+Y +X -Z"),
    "Toes_L": "+Z +X +Y",
    "Toes_R": "-Z +X -Y",
}
_BANDAI_FOOT = np.array([[0, 1, 0], [-0.62, 0, 0.785], [0.785, 0, 0.62]])  # columns: local axes, left
#: height of Hips over the floor in that pose; the file's own OFFSET of Hips means nothing
_BANDAI_HIPS = 92.9


def _axes_matrix(words: str) -> np.ndarray:
    return np.array([_AXES[word] for word in words.split()], dtype=np.float64).T


def _bandai(skeleton: Skeleton) -> KnownRest:
    globals_ = np.empty((len(skeleton), 3, 3))
    foot, _ = np.linalg.qr(_BANDAI_FOOT)
    foot *= np.sign((foot * _BANDAI_FOOT).sum(axis=0))  # QR may flip columns
    half_turn = np.diag([-1.0, 1.0, -1.0])  # right leg frames are the left ones turned about local Y
    for joint, name in enumerate(skeleton.names):
        if name.startswith("Foot"):
            globals_[joint] = foot if name.endswith("_L") else foot @ half_turn
        else:
            globals_[joint] = _axes_matrix(_BANDAI[name])
    offsets = skeleton.offsets.copy()
    legs = np.linalg.norm(offsets[[skeleton.index("LowerLeg_L"), skeleton.index("Foot_L")]], axis=-1).sum()
    offsets[skeleton.index("Hips")] = 0, _BANDAI_HIPS * legs / 80.066, 0
    return KnownRest("bandai-namco", local_from_global(skeleton, globals_), offsets)


def known_rest(skeleton: Skeleton) -> KnownRest | None:
    """The tabulated rest pose of the rig, recognised by its joint names; None for any other."""
    names = set(skeleton.names)
    if names == set(_BANDAI) | {"Foot_L", "Foot_R"}:
        return _bandai(skeleton)
    return None
