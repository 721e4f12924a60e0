"""What the page needs to draw a skeleton as a body: flesh, body parts, bone ends, which way it faces."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kineme.motion.canonical import PARTS, SMPL22
from kineme.motion.skeleton import Skeleton
from kineme.report.payload import PageSkeleton

#: metres of flesh around a canonical joint of an adult of 1.70 m, for drawing only
_FLESH = {
    "pelvis": 0.105, "spine1": 0.095, "spine2": 0.1, "spine3": 0.105, "neck": 0.048, "head": 0.072,
    "hip": 0.085, "knee": 0.052, "ankle": 0.037, "foot": 0.032,
    "collar": 0.055, "shoulder": 0.05, "elbow": 0.037, "wrist": 0.028,
}  # fmt: skip
#: length and radius in metres of what a body has past its last joint
_ENDS = {"head": (0.085, 0.082), "wrist": (0.1, 0.026), "foot": (0.05, 0.024), "ankle": (0.12, 0.026)}
#: joints whose bone (from their parent) is of the trunk, though they move with a limb
_OF_TRUNK = ("collar", "shoulder", "hip", "neck")
#: (canonical joint, canonical joint, radius, radius) in metres: the breadth of the trunk
_TRUNK = (
    ("left_hip", "right_hip", 0.09, 0.09),
    ("spine1", "left_shoulder", 0.085, 0.052),
    ("spine1", "right_shoulder", 0.085, 0.052),
    ("left_shoulder", "right_shoulder", 0.05, 0.05),
)
_ADULT = 1.70
_THIN = 0.012


def page_skeleton(skeleton: Skeleton, canonical: Mapping[str, str]) -> PageSkeleton:
    """A skeleton with what it takes to draw it.

    Parameters
    ----------
    skeleton : the user's own.
    canonical : canonical joint -> the skeleton's own joint name (`RigMap.joints`); joints that it does not
        mention take part and flesh from their nearest ancestor that it does.
    """
    role = {own: joint for joint, own in canonical.items() if own in skeleton.names}
    part_of = {SMPL22.names[j]: part for part, joints in PARTS.items() for j in joints}
    part_of |= {name: "torso" for name in SMPL22.names if name.split("_")[-1] in _OF_TRUNK}
    scale = float(np.clip(skeleton.rest_height / _ADULT, 0.05, 20.0)) if len(skeleton) > 1 else 1.0
    radii, parts, detail = [], [], []
    for joint, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        own = role.get(name)
        inherits = own is None and parent >= 0
        parts.append(parts[parent] if inherits else part_of.get(own or "", ""))
        beyond = inherits and _is_end(skeleton, parent, role)
        detail.append(detail[parent] or beyond if parent >= 0 else False)
        flesh = _flesh(own) if own else _THIN if detail[joint] else radii[parent] / scale if inherits else 0.06
        radii.append(round(flesh * scale, 4))
    ends = tuple(
        (skeleton.names.index(own), length * scale, radius * scale)
        for own, joint in role.items()
        for length, radius in [_ENDS.get(joint.split("_")[-1], (0.0, 0.0))]
        if length and _is_end(skeleton, skeleton.names.index(own), role)
    )
    flesh = tuple(
        (skeleton.names.index(canonical[a]), skeleton.names.index(canonical[b]), ra * scale, rb * scale)
        for a, b, ra, rb in _TRUNK
        if canonical.get(a) in role and canonical.get(b) in role
    )
    hips = [skeleton.names.index(canonical[n]) for n in ("left_hip", "right_hip") if canonical.get(n) in role]
    return PageSkeleton(
        names=skeleton.names,
        parents=skeleton.parents,
        radii=tuple(radii),
        parts=tuple(parts),
        ends=ends,
        flesh=flesh,
        across=(hips[0], hips[1]) if len(hips) == 2 else None,
        detail=tuple(detail),
        height=round(scale * _ADULT, 3),
    )


def _flesh(canonical_joint: str) -> float:
    return _FLESH[canonical_joint.split("_")[-1]]


def _is_end(skeleton: Skeleton, joint: int, role: Mapping[str, str]) -> bool:
    """Whether `joint` has a canonical role and no joint below it has one: a wrist, a head, a foot."""
    below = list(skeleton.children[joint])
    while below:
        child = below.pop()
        if skeleton.names[child] in role:
            return False
        below += skeleton.children[child]
    return skeleton.names[joint] in role
