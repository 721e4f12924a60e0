"""The few joints by which a body's rest pose, height and up axis are found; by name, never by count.

This is less than a rig: readers need it before anything is known about units and axes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(
    r"^(l|r)(?=hip|fem|tib|foot|feet|toe|clav|hum|rad|wrist|hand|thumb|finger|shoulder|arm|leg|knee|ankle|elbow"
    r"|thigh|shin|calf|collar|up|low|fore|bi)"
)
_SIDES = {"l": "left", "r": "right", "left": "left", "right": "right"}
_NOT_BONES = ("twist", "share", "roll", "ribs", "ik", "pole", "target", "end", "nub", "hold", "helper")

_ANKLE = ("ankle", "foot", "feet")
_ELBOW = ("elbow", "forearm", "fore arm", "lowerarm", "lower arm", "lowarm", "low arm", "radius", "ulna")
_HEAD = ("head", "face", "skull", "neck")


@dataclass(frozen=True)
class Landmarks:
    """Joint indices. Pairs are (left, right).

    Attributes
    ----------
    head, hips, knees, ankles : always there.
    shoulders, elbows : None where the arms were not found by name.
    """

    head: int
    hips: tuple[int, int]
    knees: tuple[int, int]
    ankles: tuple[int, int]
    shoulders: tuple[int, int] | None
    elbows: tuple[int, int] | None


def split_name(name: str) -> tuple[str, str]:
    """``mixamorig:LeftUpLeg`` to (``"left"``, ``"up leg"``): the side, or "", and the rest in lower case."""
    bare = name.rsplit(":", 1)[-1]
    words = [word.lower() for word in _WORDS.findall(bare)]
    side, rest = "", []
    for word in words:
        if not side and word in _SIDES:
            side = _SIDES[word]
        else:
            rest.append(word)
    if not side and rest:
        for place, word in enumerate(rest):
            glued = _GLUED.match(word)
            long = re.match(r"^(left|right)(?=\w)", word)
            if long or glued:
                prefix = (long or glued)[1]  # type: ignore[index]
                side, rest[place] = _SIDES[prefix], word[len(prefix) :]
                break
    return side, " ".join(rest)


def find_landmarks(names: Sequence[str], parents: Sequence[int]) -> Landmarks | None:
    """The landmarks of a skeleton, or None where legs or head are not found by name."""
    split = [split_name(name) for name in names]

    def first(side: str, words: Sequence[str]) -> int | None:
        for word in words:
            for joint, (its_side, rest) in enumerate(split):
                extra = any(other in rest for other in _NOT_BONES)
                if its_side == side and not extra and re.search(rf"\b{word}\b", rest):
                    return joint
        return None

    head = first("", _HEAD)
    ankles = first("left", _ANKLE), first("right", _ANKLE)
    if head is None or ankles[0] is None or ankles[1] is None:
        return None
    knees = parents[ankles[0]], parents[ankles[1]]
    if min(knees) < 0:
        return None
    hips = parents[knees[0]], parents[knees[1]]
    if min(hips) < 0 or hips[0] == hips[1]:
        return None
    elbows = first("left", _ELBOW), first("right", _ELBOW)
    shoulders = None
    if elbows[0] is not None and elbows[1] is not None:
        shoulders = parents[elbows[0]], parents[elbows[1]]
        if min(shoulders) < 0 or shoulders[0] == shoulders[1]:
            shoulders = None
    if shoulders is None:
        return Landmarks(head, hips, knees, (ankles[0], ankles[1]), None, None)
    assert elbows[0] is not None and elbows[1] is not None
    return Landmarks(head, hips, knees, (ankles[0], ankles[1]), shoulders, (elbows[0], elbows[1]))
