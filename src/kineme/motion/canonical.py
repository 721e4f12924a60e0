"""The canonical 22-joint body that models work on: SMPL's order, a T-pose at zero rotation.

Joint names and order are SMPL's first 22 (the body without hands). The proportions below are our own,
those of an average adult of 1.70 m, and not taken from any licensed body model.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.skeleton import Skeleton

#: name, parent, offset in metres (+X is the body's left, +Y up, +Z forward)
_JOINTS = (
    ("pelvis", -1, (0.0, 0.93, 0.0)),
    ("left_hip", 0, (0.085, -0.06, 0.0)),
    ("right_hip", 0, (-0.085, -0.06, 0.0)),
    ("spine1", 0, (0.0, 0.11, 0.0)),
    ("left_knee", 1, (0.0, -0.40, 0.0)),
    ("right_knee", 2, (0.0, -0.40, 0.0)),
    ("spine2", 3, (0.0, 0.13, 0.0)),
    ("left_ankle", 4, (0.0, -0.40, 0.0)),
    ("right_ankle", 5, (0.0, -0.40, 0.0)),
    ("spine3", 6, (0.0, 0.06, 0.0)),
    ("left_foot", 7, (0.0, -0.05, 0.13)),
    ("right_foot", 8, (0.0, -0.05, 0.13)),
    ("neck", 9, (0.0, 0.22, 0.0)),
    ("left_collar", 9, (0.07, 0.13, 0.0)),
    ("right_collar", 9, (-0.07, 0.13, 0.0)),
    ("head", 12, (0.0, 0.08, 0.02)),
    ("left_shoulder", 13, (0.11, 0.03, 0.0)),
    ("right_shoulder", 14, (-0.11, 0.03, 0.0)),
    ("left_elbow", 16, (0.27, 0.0, 0.0)),
    ("right_elbow", 17, (-0.27, 0.0, 0.0)),
    ("left_wrist", 18, (0.25, 0.0, 0.0)),
    ("right_wrist", 19, (-0.25, 0.0, 0.0)),
)

JOINTS: tuple[str, ...] = tuple(name for name, _, _ in _JOINTS)
PARENTS: tuple[int, ...] = tuple(parent for _, parent, _ in _JOINTS)
#: place of each joint in the order above.
INDEX: dict[str, int] = {name: joint for joint, name in enumerate(JOINTS)}
SIDES = ("left", "right")
#: left/right partner of every joint (itself on the midline): indexing by it mirrors the body.
MIRROR: tuple[int, ...] = tuple(
    JOINTS.index(n.replace("left_", "right_") if n.startswith("left_") else n.replace("right_", "left_"))
    for n in JOINTS
)
#: body parts in plain words, for energies, descriptions and ablations.
PARTS: dict[str, tuple[int, ...]] = {
    "left arm": tuple(JOINTS.index(n) for n in ("left_collar", "left_shoulder", "left_elbow", "left_wrist")),
    "right arm": tuple(
        JOINTS.index(n) for n in ("right_collar", "right_shoulder", "right_elbow", "right_wrist")
    ),
    "left leg": tuple(JOINTS.index(n) for n in ("left_hip", "left_knee", "left_ankle", "left_foot")),
    "right leg": tuple(JOINTS.index(n) for n in ("right_hip", "right_knee", "right_ankle", "right_foot")),
    "torso": tuple(JOINTS.index(n) for n in ("pelvis", "spine1", "spine2", "spine3")),
    "head": tuple(JOINTS.index(n) for n in ("neck", "head")),
}

SMPL22 = Skeleton(
    names=JOINTS,
    parents=PARENTS,
    offsets=np.array([offset for _, _, offset in _JOINTS], dtype=np.float32),
    end_sites=(
        (JOINTS.index("head"), (0.0, 0.19, 0.0)),
        (JOINTS.index("left_wrist"), (0.17, 0.0, 0.0)),
        (JOINTS.index("right_wrist"), (-0.17, 0.0, 0.0)),
        (JOINTS.index("left_foot"), (0.0, -0.02, 0.07)),
        (JOINTS.index("right_foot"), (0.0, -0.02, 0.07)),
    ),
    name="smpl22",
)
