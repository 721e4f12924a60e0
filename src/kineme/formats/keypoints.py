"""Which named points of a lab's file are joint centres or keypoints of a body, by their names.

One reading serves COCO-17, BODY-25, Halpe-26, OpenCap, joint centres (``LHJC``), and the segment origins
that Plug-in Gait writes beside its markers (a femur's origin ``LFEO`` is the knee, its proximal end
``LFEP`` the hip). Skin markers (``LKNE``, ``LASI``) are none of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kineme.motion.canonical import JOINTS, PARENTS, SIDES

#: canonical part of a side -> the words for it, best first; a tuple stands for the middle between points
_SIDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "hip": (("hjc",), ("fep",), ("hip",)),
    "knee": (("kjc",), ("feo",), ("knee",)),
    "ankle": (("ajc",), ("tio",), ("ankle",)),
    "foot": (("bigtoe", "smalltoe"), ("bigtoe",), ("foot",), ("toes",), ("toe",)),
    "shoulder": (("sjc",), ("clo",), ("hup",), ("shoulder",)),
    "elbow": (("ejc",), ("huo",), ("elbow",)),
    "wrist": (("wjc",), ("rao",), ("wrist",)),
}
#: the same for the midline; ``*`` stands for both sides
_MIDLINE: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("midhip",), ("pelvis",), ("hip",), ("root",), ("pelo",)),
    "neck": (("neck",), ("c7", "clav"), ("midshoulder",), ("*shoulder",), ("*sjc",), ("*clo",), ("*hup",)),
    "head": (("*ear",), ("*fhd", "*bhd"), ("head",), ("hedo",), ("*eye",), ("nose",)),
}
#: where points beside the joints hang
_BESIDE = {"heel": "ankle", "bigtoe": "ankle", "smalltoe": "ankle", "toe": "ankle"}
_FACE = {"nose", "ear", "eye", "fhd", "bhd", "head", "headtop", "hedo"}
_NEEDED = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
_WORDS = {word for ways in _SIDED.values() for way in ways for word in way} | set(_BESIDE)
_WORDS |= {word.lstrip("*") for ways in _MIDLINE.values() for way in ways for word in way} | _FACE


@dataclass(frozen=True)
class PointBody:
    """A body that points tell.

    Attributes
    ----------
    kind : what such a set of points is called.
    sources : canonical joint -> indices of the points whose mean it is.
    beside : further point -> the canonical joint that it hangs on.
    """

    kind: str
    sources: dict[str, tuple[int, ...]]
    beside: dict[int, str]


def read_point(name: str) -> tuple[str, str]:
    """Side (left, right or nothing) and word of a point's name; the whole name where no word is known.

    >>> read_point("Subject:LHJC"), read_point("right_big_toe"), read_point("midHip"), read_point("LASI")
    (('left', 'hjc'), ('right', 'bigtoe'), ('', 'midhip'), ('', 'lasi'))
    """
    text = re.split(r"[:|]", name)[-1].strip().removesuffix("_study")
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    if plain in _WORDS:
        return "", plain
    for side in SIDES:
        for token in (side, side[0]):
            for rest in (plain.removeprefix(token), plain.removesuffix(token)):
                if rest != plain and rest in _WORDS:
                    return side, rest
    return "", plain


def find_body(names: tuple[str, ...]) -> PointBody | None:
    """The body that points of these names tell; None where limbs lack, as with markers on the skin."""
    at: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        at.setdefault(read_point(name), index)
    sources: dict[str, tuple[int, ...]] = {}
    for part, ways in _SIDED.items():
        for way in ways:
            found = {side: [at.get((side, word)) for word in way] for side in SIDES}
            if all(index is not None for points in found.values() for index in points):
                sources |= {
                    f"{s}_{part}": tuple(i for i in points if i is not None) for s, points in found.items()
                }
                break
    if not all(f"{side}_{part}" in sources for side in SIDES for part in _NEEDED):
        return None
    for part, ways in _MIDLINE.items():
        for way in ways:
            keys = [(s, w[1:]) for w in way if w[0] == "*" for s in SIDES] + [
                ("", w) for w in way if w[0] != "*"
            ]
            if all(key in at for key in keys):
                sources[part] = tuple(at[key] for key in keys)
                break
    sources.setdefault("pelvis", sources["left_hip"] + sources["right_hip"])
    whole = {points[0] for points in sources.values() if len(points) == 1}
    beside = {}
    for (side, word), index in at.items():
        if index not in whole:
            beside[index] = "head" if word in _FACE and "head" in sources else "pelvis"
            if word in _BESIDE and side:
                beside[index] = f"{side}_{_BESIDE[word]}"
    beside |= {index: "pelvis" for index in range(len(names)) if index not in whole and index not in beside}
    return PointBody(
        _kind({word for _, word in at}, names), {n: sources[n] for n in JOINTS if n in sources}, beside
    )


def _kind(words: set[str], names: tuple[str, ...]) -> str:
    if "hjc" in words and "kjc" in words:
        return "joint centres"
    if {"fep", "feo"} <= words:
        return "plug-in gait"
    if any(name.endswith("_study") for name in names) or "midHip" in names:
        return "opencap"
    if {"midhip", "neck", "bigtoe"} <= words:
        return "body-25"
    if {"head", "neck", "hip", "bigtoe"} <= words:
        return "halpe-26"
    return "coco-17" if {"nose", "eye", "ear"} <= words and "bigtoe" not in words else "keypoints"


def parent_of(canonical: str, there: set[str]) -> str:
    """The nearest of the joints `there` above a canonical joint; nothing for the root."""
    joint = JOINTS.index(canonical)
    while (joint := PARENTS[joint]) >= 0:
        if JOINTS[joint] in there:
            return JOINTS[joint]
    return ""
