"""Reading joints' names: which side and which part of the body, resolved along the skeleton's tree.

This is what recognises rigs that nobody has written a table for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from kineme.motion.skeleton import Skeleton

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


def joints_by_name(skeleton: Skeleton) -> dict[str, int]:
    """Canonical joint -> joint index, of all that names and tree tell; empty where no limb is told."""
    return _Reading(skeleton).joints()


def bare(name: str) -> str:
    """A joint's name without namespaces (``mixamorig:``, ``Armature|``) and case."""
    return re.split(r"[:|]", name)[-1].strip().casefold()


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
        self.lines = [skeleton.ancestors(joint) for joint in range(len(skeleton))]
        self.by_part: dict[tuple[str, str], list[int]] = {}
        for joint, name in enumerate(skeleton.names):
            side, part = read_name(name)
            if side and part:
                self.by_part.setdefault((side, part), []).append(joint)

    def joints(self) -> dict[str, int]:
        """Canonical joint -> source index, of all that can be told."""
        limbs = {side: self._leg(side) | self._arm(side) for side in ("left", "right")}
        self._drop_what_sides_read_differently(limbs)
        found = {f"{side}_{part}": joint for side, limb in limbs.items() for part, joint in limb.items()}
        if found:
            self._midline(found)
        return found

    def _drop_what_sides_read_differently(self, limbs: dict[str, dict[str, int]]) -> None:
        """Where one side's upper arm is called an arm and the other's a shoulder, a name was not understood:
        the side that tells less is the misread one."""
        word = {joint: part for (_, part), joints in self.by_part.items() for joint in joints}
        left, right = limbs["left"], limbs["right"]
        for part in left.keys() & right.keys():
            if word[left[part]] != word[right[part]]:
                for mine, other in ((left, right), (right, left)):
                    if len(mine) <= len(other):
                        mine.pop(part)
                        break

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
        # "LeftShoulder" is the collar bone where an upper arm hangs below it, and the upper arm elsewhere.
        shoulder = self._first(side, ("upperarm", "arm", "shoulder"), None)
        lower = ("elbow", "arm") if (side, "upperarm") in self.by_part else ("elbow",)
        elbow = self._first(side, lower, shoulder)
        wrist = self._first(side, ("wrist", "hand"), elbow if elbow is not None else shoulder)
        above = [
            joint
            for part in ("clavicle", "shoulder")
            for joint in self.by_part.get((side, part), ())
            if shoulder is not None and joint != shoulder and self._is_below(shoulder, joint)
        ]
        collar = above[0] if above else None
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
