"""Which joint of a file's skeleton plays which part of the canonical body: by names, never by count.

Tables of known rigs come first (`rig_tables`); beyond them names are read for a side and a part of the
body, and the reading is checked against the tree: a knee must descend from the hip on its side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kineme.errors import InputError
from kineme.motion.canonical import JOINTS
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

    def require(self, *, path: str | None = None) -> RigMap:
        """Self, if all limbs were found; else InputError saying which joints are missing and what to do."""
        lacking = [name for name in ESSENTIAL if name in self.missing]
        if lacking:
            raise InputError(
                f"no joint was found for {', '.join(lacking)} among {_listed(self.unmapped)}; name them "
                'in a map file (my_rig.toml with a [joints] table of lines such as left_knee = "LeftLeg"), '
                "given as --map my_rig.toml",
                path,
            )
        return self


def recognise_rig(skeleton: Skeleton) -> RigMap:
    """The rig of a skeleton, from its joints' names and tree; never raises (see `RigMap.require`)."""
    by_name = {_plain(name): joint for joint, name in reversed(list(enumerate(skeleton.names)))}
    for table in TABLES:
        if all(_plain(name) in by_name for name in (*table.joints.values(), *table.marks)):
            found = {canonical: by_name[_plain(name)] for canonical, name in table.joints.items()}
            if _agrees_with_tree(skeleton, found):
                return rig_map(skeleton, table.name, found)
    found = _Reading(skeleton).joints()
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


def ancestors(parents: Sequence[int], joint: int) -> list[int]:
    """Indices from a joint (first) to the root (last)."""
    chain = [joint]
    while parents[chain[-1]] >= 0:
        chain.append(parents[chain[-1]])
    return chain


def _listed(names: Sequence[str], most: int = 40) -> str:
    shown = ", ".join(names[:most]) or "the skeleton's joints"
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _plain(name: str) -> str:
    """A joint's name without namespaces (``mixamorig:``, ``Armature|``) and case."""
    return re.split(r"[:|]", name)[-1].strip().casefold()


def _agrees_with_tree(skeleton: Skeleton, found: dict[str, int]) -> bool:
    """Whether every limb runs down the tree. A flat tree (markers, positions) says nothing."""
    if max(skeleton.parents) <= 0:
        return True
    for side in ("left", "right"):
        for limb in _LIMBS:
            chain = [found[name] for part in limb if (name := f"{side}_{part}") in found]
            for upper, lower in zip(chain, chain[1:], strict=False):
                if upper == lower or upper not in ancestors(skeleton.parents, lower):
                    return False
    return True


# --- reading names ---------------------------------------------------------------------------------------

#: words of a joint that is no part of the 22: helpers, fingers, faces, controls
_NOT_BODY = re.compile(
    r"twist|share|finger|thumb|index|middle|pinky|pinkie|little|carpal|breast|tongue|teeth|hair|weapon|brow|"
    r"cheek|bigtoe|toeend|control|target|helper|marker"
)
_NOT_BODY_WORDS = set(
    "end nub tip top site ik fk pole ctrl mch roll mid ring big eye ear jaw lid lip prop heel".split()
)
_PARTS: dict[str, tuple[str, ...]] = {
    "thigh": ("thigh", "upleg", "upperleg", "femur", "legupper", "thighbend"),
    "hip": ("hip", "hipjoint", "hipsocket"),
    "leg": ("leg",),
    "knee": ("knee", "shin", "calf", "lowerleg", "lowleg", "tibia", "leglower", "shank"),
    "ankle": ("ankle",),
    "foot": ("foot",),
    "toe": ("toe", "toes", "toebase", "ball"),
    "clavicle": ("clavicle", "collar", "collarbone", "scapula", "clav"),
    "shoulder": ("shoulder", "shldr"),
    "upperarm": ("upperarm", "uparm", "humerus", "armupper", "bicep", "shldrbend", "uarm"),
    "arm": ("arm",),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "radius", "ulna", "armlower", "forearmbend", "farm"),
    "wrist": ("wrist",),
    "hand": ("hand",),
}
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_MIDLINE = {
    "pelvis": re.compile(r"pelvis|hips?$"),
    "neck": re.compile(r"neck"),
    "head": re.compile(r"head|face$|skull"),
}
_SIDES = {"left": "left", "l": "left", "lft": "left", "right": "right", "r": "right", "rgt": "right"}


def _words(name: str) -> list[str]:
    """``CC_Base_L_UpperArm02`` -> [cc, base, l, upper, arm, 02]."""
    plain = re.split(r"[:|]", name)[-1]
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)]


def read_name(name: str) -> tuple[str | None, str | None]:
    """Side (left, right) and limb part of a joint's name, each None where the name does not say.

    >>> read_name("mixamorig:LeftUpLeg"), read_name("lfemur"), read_name("upperarm_twist_01_l")
    (('left', 'thigh'), ('left', 'thigh'), (None, None))
    """
    words = [word for word in _words(name) if not word.isdigit()]
    if _NOT_BODY_WORDS & set(words) or _NOT_BODY.search("".join(words)):
        return None, None
    sides = [_SIDES[word] for word in words if word in _SIDES]
    rest = [word for word in words if word not in _SIDES]
    # Prefixes such as `CC Base` or `Bip` stand before the part: take the longest ending that is one.
    for start in range(len(rest)):
        text = "".join(rest[start:])
        if sides and text in _PART_OF:
            return sides[0], _PART_OF[text]
        for token in ("left", "right", "l", "r"):
            for glued in (text.removeprefix(token), text.removesuffix(token)):
                if not sides and glued != text and glued in _PART_OF:
                    return _SIDES[token], _PART_OF[glued]
    return None, None


class _Reading:
    """The parts that a skeleton's names tell, resolved along its tree."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton = skeleton
        self.flat = max(skeleton.parents) <= 0
        self.lines = [ancestors(skeleton.parents, joint) for joint in range(len(skeleton))]
        self.by_part: dict[tuple[str, str], list[int]] = {}
        for joint, name in enumerate(skeleton.names):
            side, part = read_name(name)
            if side and part:
                self.by_part.setdefault((side, part), []).append(joint)

    def joints(self) -> dict[str, int]:
        """Canonical joint -> source index, of all that can be told."""
        found: dict[str, int] = {}
        for side in ("left", "right"):
            found |= {f"{side}_{part}": joint for part, joint in (self._leg(side) | self._arm(side)).items()}
        if "left_hip" not in found and "left_shoulder" not in found:
            return {}
        self._midline(found)
        return found

    def _first(
        self, side: str, parts: Iterable[str], above: int | None, *, lowest: bool = False
    ) -> int | None:
        """The topmost joint of the first part that has any below `above`."""
        for part in parts:
            below = [j for j in self.by_part.get((side, part), ()) if self._is_below(j, above)]
            if below:
                return below[-1] if lowest else below[0]
        return None

    def _is_below(self, joint: int, above: int | None) -> bool:
        return above is None or self.flat or (joint != above and above in self.lines[joint])

    def _leg(self, side: str) -> dict[str, int]:
        has = {part for s, part in self.by_part if s == side}
        # "LeftLeg" is the shin below "LeftUpLeg" or "LeftHip", and the thigh above "LeftShin".
        hip = self._first(side, ("thigh",), None)
        if hip is None and "knee" in has:
            hip = self._first(side, ("leg",), None)
        if hip is None:  # `LHipJoint` may stand above `LeftHip`: the lower one moves the leg
            hip = self._first(side, ("hip",), None, lowest=True)
        knee = self._first(side, ("knee", "leg"), hip)
        ankle = self._first(side, ("ankle", "foot"), knee if knee is not None else hip)
        foot = self._first(side, ("toe", "foot"), ankle) if ankle is not None else None
        limb = {"hip": hip, "knee": knee, "ankle": ankle, "foot": None if foot == ankle else foot}
        return {part: joint for part, joint in limb.items() if joint is not None}

    def _arm(self, side: str) -> dict[str, int]:
        has = {part for s, part in self.by_part if s == side}
        # "LeftShoulder" is the collar bone where an upper arm hangs below it, and the upper arm elsewhere.
        upper = ("upperarm", "arm") if "elbow" in has else ("upperarm",)
        shoulder = self._first(side, (*upper, "shoulder"), None)
        elbow = self._first(side, ("elbow",) if "elbow" in has else ("arm",), shoulder)
        wrist = self._first(side, ("wrist", "hand"), elbow if elbow is not None else shoulder)
        collar = None
        for part in ("clavicle", "shoulder"):
            for joint in self.by_part.get((side, part), ()):
                if (
                    collar is None
                    and shoulder is not None
                    and joint != shoulder
                    and self._is_below(shoulder, joint)
                ):
                    collar = joint
        limb = {"collar": collar, "shoulder": shoulder, "elbow": elbow, "wrist": wrist}
        return {part: joint for part, joint in limb.items() if joint is not None}

    def _midline(self, found: dict[str, int]) -> None:
        """Pelvis, spine, neck and head: where the limbs meet, and by name."""
        names = [_words(name) for name in self.skeleton.names]
        plain = [
            ""
            if _NOT_BODY_WORDS & set(w) or _NOT_BODY.search("".join(w))
            else "".join(x for x in w if not x.isdigit())
            for w in names
        ]
        used = set(found.values())
        named = {
            part: [j for j, text in enumerate(plain) if j not in used and pattern.search(text)]
            for part, pattern in _MIDLINE.items()
        }
        if self.flat:
            self._flat_midline(found, named, plain)
            return
        hips = [found[f"{s}_hip"] for s in ("left", "right") if f"{s}_hip" in found]
        arms = [
            found.get(f"{s}_collar", found.get(f"{s}_shoulder", -1))
            for s in ("left", "right")
            if f"{s}_shoulder" in found
        ]
        if len(hips) == 2:
            meet = self._meet(*hips)
            above = [j for j in self.lines[meet] if j in named["pelvis"]]
            found["pelvis"] = above[0] if above else meet
        if len(arms) != 2:
            return
        chest = self._meet(*arms)
        pelvis = found.get("pelvis")
        if pelvis is not None and chest != pelvis:
            stop = set(self.lines[pelvis])
            chain = [j for j in self.lines[chest] if j not in stop][::-1]
            found |= self._spine(chain)
        self._neck_and_head(found, named, chest, set(arms))

    def _meet(self, a: int, b: int) -> int:
        """The lowest joint strictly above both."""
        over = set(self.lines[a][1:])
        return next((j for j in self.lines[b][1:] if j in over), 0)

    def _spine(self, chain: list[int]) -> dict[str, int]:
        """One, two, three or more joints between pelvis and chest to spine1..spine3; the last one carries the
        arms, so it is always spine3."""
        if len(chain) < 3:
            return dict(zip(("spine3",) if len(chain) == 1 else ("spine1", "spine3"), chain, strict=False))
        steps = np.linalg.norm(self.skeleton.offsets[chain[1:]], axis=1).cumsum()
        way = steps[:-1] / max(float(steps[-1]), 1e-9)
        middle = chain[1 + int(np.abs(way - 0.68).argmin())]  # spine2's place between spine1 and spine3
        return {"spine1": chain[0], "spine2": middle, "spine3": chain[-1]}

    def _neck_and_head(
        self, found: dict[str, int], named: dict[str, list[int]], chest: int, arms: set[int]
    ) -> None:
        neck = next((j for j in named["neck"] if self._is_below(j, chest)), None)
        head = next(
            (j for j in named["head"] if self._is_below(j, neck if neck is not None else chest)), None
        )
        if neck is None and head is None:  # Rigify: spine.004 .. spine.006
            chain = [
                j
                for j in range(len(self.skeleton))
                if self._is_below(j, chest)
                and not arms & set(self.lines[j])
                and "spine" in self.skeleton.names[j].lower()
            ]
            if chain:
                neck, head = chain[0], chain[-1] if len(chain) > 1 else None
        elif neck is None and head is not None:
            between = [j for j in self.lines[head][1:] if self._is_below(j, chest)]
            neck = between[-1] if between else None
        found |= {part: j for part, j in (("neck", neck), ("head", head)) if j is not None}

    def _flat_midline(self, found: dict[str, int], named: dict[str, list[int]], plain: list[str]) -> None:
        for part, joints in named.items():
            if joints:
                found[part] = joints[0]
        spine = [
            j for j, text in enumerate(plain) if re.search(r"spine|chest|thorax|torso|belly|abdomen", text)
        ]
        found |= self._spine(spine) if spine else {}
