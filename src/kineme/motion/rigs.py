"""Which joint of a file's skeleton plays which part of the canonical body: by names, never by count.

Tables of known rigs come first (`rig_tables`); beyond them names are read for a side and a part of the body
(`rig_names`). Both are checked against the tree: a knee must descend from the hip on its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kineme.errors import InputError
from kineme.motion.canonical import JOINTS
from kineme.motion.rig_names import bare, joints_by_name
from kineme.motion.rig_tables import TABLES
from kineme.motion.skeleton import Skeleton

#: a body is not recognised without these (a wrist, an ankle or a foot may also be a bone's end)
ESSENTIAL: tuple[str, ...] = (
    "pelvis",
    *(
        f"{side}_{part}"
        for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        for side in ("left", "right")
    ),
)
#: canonical joint -> the canonical joint whose bone may end there without a joint of its own
_BONE_ENDS = {
    **{f"{side}_wrist": f"{side}_elbow" for side in ("left", "right")},
    **{f"{side}_ankle": f"{side}_knee" for side in ("left", "right")},
    **{f"{side}_foot": f"{side}_ankle" for side in ("left", "right")},
    "head": "neck",
}
#: name of a skeleton of markers on the skin, whose names do not tell joints
MARKERS = "markers"
_LIMBS = (("hip", "knee", "ankle", "foot"), ("collar", "shoulder", "elbow", "wrist"))


@dataclass(frozen=True)
class RigMap:
    """The correspondence between a skeleton and the canonical body.

    Attributes
    ----------
    rig : the rig's name; ``humanoid`` where only the joints' names told, ``unknown`` where nothing did.
    joints : canonical joint -> source joint.
    ends : canonical joint -> source joint whose end site stands for it (a hand without a joint).
    unmapped : source joints that play no part.
    missing : canonical joints without a source.
    """

    rig: str
    joints: dict[str, str]
    ends: dict[str, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What a person can do about limbs that were not found, in one sentence; empty if all were."""
        lacking = [name for name in ESSENTIAL if name in self.missing]
        if not lacking:
            return ""
        if self.rig == MARKERS:
            return (
                f"these are {len(self.unmapped)} markers ({_listed(self.unmapped, 6)}) and no joint centres: "
                "the places of hips, knees, ankles, shoulders, elbows and wrists are missing; have them "
                "written into the file (Plug-in Gait, Theia and OpenCap do), or say with --map which point "
                "is which"
            )
        return (
            f"no joint was found for {', '.join(lacking)} among {_listed(self.unmapped)}; name them "
            'in a map file (my_rig.toml with a [joints] table of lines such as left_knee = "LeftLeg"; '
            "`kineme info --suggest-map my_rig.toml` writes a draft), given as --map my_rig.toml"
        )

    def require(self, *, path: str | None = None) -> RigMap:
        """Self, if all limbs were found; else InputError with the advice."""
        if self.advice:
            raise InputError(self.advice, path)
        return self


def recognise_rig(skeleton: Skeleton) -> RigMap:
    """The rig of a skeleton, from its joints' names and tree; never raises (see `RigMap.require`).

    A skeleton that came with a map file (`Skeleton.roles`) has the rig that the map says.
    """
    if skeleton.roles:
        return rig_map(
            skeleton, skeleton.name, {name: skeleton.index(joint) for name, joint in skeleton.roles}
        )
    if skeleton.name == MARKERS:
        return rig_map(skeleton, MARKERS, {})
    by_name = {bare(name): joint for joint, name in reversed(list(enumerate(skeleton.names)))}
    for table in TABLES:
        if all(bare(name) in by_name for name in (*table.joints.values(), *table.marks)):
            found = {canonical: by_name[bare(name)] for canonical, name in table.joints.items()}
            if _agrees_with_tree(skeleton, found):
                return rig_map(skeleton, table.name, found)
    found = joints_by_name(skeleton)
    return rig_map(skeleton, "humanoid" if found else "unknown", found)


def rig_map(skeleton: Skeleton, rig: str, found: dict[str, int]) -> RigMap:
    """A `RigMap` from canonical joint -> source index: adds bone ends and lists what is left over."""
    joints = {name: skeleton.names[found[name]] for name in JOINTS if name in found}
    with_end = {joint for joint, offset in skeleton.end_sites if np.linalg.norm(offset) > 1e-4}
    ends = {
        name: joints[bone]
        for name, bone in _BONE_ENDS.items()
        if name not in joints and bone in joints and found[bone] in with_end
    }
    used = set(joints.values())
    return RigMap(
        rig=rig,
        joints=joints,
        ends={name: ends[name] for name in JOINTS if name in ends},
        unmapped=tuple(name for name in skeleton.names if name not in used),
        missing=tuple(name for name in JOINTS if name not in joints and name not in ends),
    )


def _listed(names: Sequence[str], most: int = 40) -> str:
    shown = ", ".join(names[:most]) or "the skeleton's joints"
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _agrees_with_tree(skeleton: Skeleton, found: dict[str, int]) -> bool:
    """Whether every limb runs down the tree. A flat tree (markers, positions) says nothing."""
    if max(skeleton.parents) <= 0:
        return True
    for side in ("left", "right"):
        for limb in _LIMBS:
            chain = [found[name] for part in limb if (name := f"{side}_{part}") in found]
            for upper, lower in zip(chain, chain[1:], strict=False):
                if upper == lower or upper not in skeleton.ancestors(lower):
                    return False
    return True
