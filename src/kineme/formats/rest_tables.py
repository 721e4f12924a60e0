"""Rest poses of rigs whose zero pose says nothing about how a body stands.

A rig is recognised by its joint names, and its table is believed only where the pose that it gives is a
standing one (`rest_pose` checks that), since exporters use the same names over other bone axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.motion import Skeleton
from kineme.motion.kinematics import forward_kinematics, local_from_global
from kineme.motion.rotations import euler_to_matrix


@dataclass(frozen=True, eq=False)
class KnownRest:
    """Local rotations (J, 3, 3) and offsets (J, 3), in the skeleton's own unit, of a rig's T-pose."""

    rotations: np.ndarray
    offsets: np.ndarray


_AXES: dict[str, np.ndarray] = dict(
    zip(("+X", "+Y", "+Z", "-X", "-Y", "-Z"), [*np.eye(3), *-np.eye(3)], strict=True)
)

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
#: height of Hips over the floor in that pose, and length of the legs; the file's OFFSET of Hips means nothing
_BANDAI_HIPS, _BANDAI_LEGS = 92.9, 80.066

#: Rokoko Studio (bones along local X): the same, its knees and elbows bend about local Y.
_ROKOKO = {
    "Hips": "+X +Y +Z",
    **dict.fromkeys(("Spine", "Spine1", "Spine2", "Neck"), "+Y -X +Z"),
    "Head": "+X +Y +Z",
    **dict.fromkeys(("LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"), "+X +Y +Z"),
    **dict.fromkeys(("RightShoulder", "RightArm", "RightForeArm", "RightHand"), "-X +Y -Z"),
    **dict.fromkeys(("LeftUpLeg", "LeftLeg", "RightUpLeg", "RightLeg"), "-Y +X +Z"),
    **dict.fromkeys(("LeftToeBase", "RightToeBase"), "+Z +Y -X"),
}
_ROKOKO_FOOT = np.array([[0, 0, -1], [-0.42, 0.908, 0], [0.908, 0.42, 0]])

#: Character Creator (Reallusion): local Euler angles Z, Y, X in degrees of the T-pose that its exports
#: start with; of the left side, the right one is its mirror image. Other joints keep what the take has.
_CHARACTER_CREATOR = {
    "Pelvis": (0.0, 0.0, 11.77),
    "L_Thigh": (179.92, 0.06, 16.60),
    "L_Calf": (-0.06, -0.10, -9.46),
    "L_Foot": (-0.64, -6.13, 81.77),
    "L_ToeBase": (-1.80, 3.17, 18.57),
    "L_ToeBaseShareBone": (-1.79, 3.19, 18.56),
    "Waist": (0.0, 0.0, 16.24),
    "Spine01": (0.0, 0.0, -21.25),
    "Spine02": (0.0, 0.0, -5.31),
    "NeckTwist01": (0.0, 0.0, 21.56),
    "NeckTwist02": (0.0, 0.0, -1.59),
    "Head": (0.0, 0.0, -9.65),
    "L_Clavicle": (-88.42, 10.87, -14.68),
    "L_Upperarm": (-4.02, 0.56, 15.48),
    "L_Forearm": (1.25, 0.01, 0.15),
    "L_Hand": (-4.49, -0.28, -3.05),
}


def known_rest(skeleton: Skeleton, rotations: np.ndarray) -> KnownRest | None:
    """The tabulated rest pose of the rig, recognised by its joint names; None for any other.

    `rotations` : (J, 3, 3) local rotations of one frame of the take, for joints that no table names.
    """
    names = set(skeleton.names)
    if names == set(_BANDAI) | {"Foot_L", "Foot_R"}:
        return _bandai(skeleton)
    if {*_ROKOKO, "LeftFoot", "RightFoot", "LeftInHandIndex"} <= names:
        return _rokoko(skeleton, rotations)
    if {"L_Wrist_End", "R_Wrist_End", "LeftShoulder", "RightShoulder", "LeftHandThumb"} <= names:
        return _h36m(skeleton)
    if {"CC_Base_Hip", *(f"CC_Base_{name}" for name in _CHARACTER_CREATOR)} <= names:
        return _character_creator(skeleton, rotations)
    return None


def _axes_matrix(words: str) -> np.ndarray:
    return np.array([_AXES[word] for word in words.split()], dtype=np.float64).T


def _orthonormal(matrix: np.ndarray) -> np.ndarray:
    u, _, v = np.linalg.svd(matrix)
    return u @ v


def _bandai(skeleton: Skeleton) -> KnownRest:
    half_turn = np.diag([-1.0, 1.0, -1.0])  # right leg frames are the left ones turned about local Y
    foot = _orthonormal(_BANDAI_FOOT)
    globals_ = np.stack(
        [
            (foot if name.endswith("_L") else foot @ half_turn)
            if name.startswith("Foot")
            else _axes_matrix(_BANDAI[name])
            for name in skeleton.names
        ]
    )
    offsets = skeleton.offsets.copy()
    legs = np.linalg.norm(offsets[[skeleton.index("LowerLeg_L"), skeleton.index("Foot_L")]], axis=-1).sum()
    offsets[skeleton.index("Hips")] = 0, _BANDAI_HIPS * legs / _BANDAI_LEGS, 0
    return KnownRest(local_from_global(skeleton, globals_), offsets)


def _rokoko(skeleton: Skeleton, rotations: np.ndarray) -> KnownRest:
    _, globals_ = forward_kinematics(skeleton, rotations[None].astype(np.float64), np.zeros((1, 3)))
    globals_ = globals_[0]
    for joint, name in enumerate(skeleton.names):
        if name in _ROKOKO:
            globals_[joint] = _axes_matrix(_ROKOKO[name])
        elif name in ("LeftFoot", "RightFoot"):
            globals_[joint] = _orthonormal(_ROKOKO_FOOT)
        else:  # fingers
            globals_[joint] = globals_[skeleton.parents[joint]] @ rotations[joint]
    return KnownRest(local_from_global(skeleton, globals_), skeleton.offsets)


def _h36m(skeleton: Skeleton) -> KnownRest:
    """Human3.6M: at zero rotation both arms point up; a quarter turn of the shoulders makes it a T-pose."""
    local = np.tile(np.eye(3), (len(skeleton), 1, 1))
    for name, angle in (("LeftShoulder", -90.0), ("RightShoulder", 90.0)):
        local[skeleton.index(name)] = euler_to_matrix("Z", np.array([angle]))
    return KnownRest(local, skeleton.offsets)


def _character_creator(skeleton: Skeleton, rotations: np.ndarray) -> KnownRest:
    local = rotations.astype(np.float64)
    for name, (z, y, x) in _CHARACTER_CREATOR.items():
        local[skeleton.index(f"CC_Base_{name}")] = euler_to_matrix("ZYX", np.array([z, y, x]))
        if name.startswith("L_"):
            local[skeleton.index(f"CC_Base_R_{name[2:]}")] = euler_to_matrix("ZYX", np.array([-z, -y, x]))
    hip = skeleton.index("CC_Base_Hip")
    local[hip] = np.eye(3)
    if hip:  # some exports have a root on the floor with Z up
        up = euler_to_matrix("X", np.array([-90.0]))
        local[0], local[hip] = up, up.T
    return KnownRest(local, skeleton.offsets)
