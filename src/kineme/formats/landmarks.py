"""The few joints by which a body's rest pose, height and up axis are found; by name, never by count."""

from __future__ import annotations

from dataclasses import dataclass

from kineme.motion import Skeleton
from kineme.motion.rigs import RigMap


@dataclass(frozen=True)
class Landmarks:
    """Joint indices. Pairs are (left, right).

    Attributes
    ----------
    head : the head, or the neck where there is none.
    hips, knees, ankles : always there.
    shoulders, elbows : None where the arms were not found.
    """

    head: int
    hips: tuple[int, int]
    knees: tuple[int, int]
    ankles: tuple[int, int]
    shoulders: tuple[int, int] | None
    elbows: tuple[int, int] | None


def find_landmarks(skeleton: Skeleton, rig: RigMap) -> Landmarks | None:
    """The landmarks of a skeleton, or None where its rig lacks legs or a head."""
    joints = rig.joints

    def pair(part: str) -> tuple[int, int] | None:
        names = [joints.get(f"{side}_{part}") for side in ("left", "right")]
        if names[0] is None or names[1] is None:
            return None
        return skeleton.index(names[0]), skeleton.index(names[1])

    head = joints.get("head") or joints.get("neck")
    hips, knees, ankles = pair("hip"), pair("knee"), pair("ankle")
    if head is None or hips is None or knees is None or ankles is None:
        return None
    shoulders, elbows = pair("shoulder"), pair("elbow")
    if shoulders is None or elbows is None:
        shoulders = elbows = None
    return Landmarks(skeleton.index(head), hips, knees, ankles, shoulders, elbows)
