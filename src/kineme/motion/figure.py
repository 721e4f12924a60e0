"""The figure over a skeleton: which joints are of the body, how thick it is around them, where it ends.

A skeleton has joints that are no part of the body (a root that lies on the floor) and lacks places that a
figure needs (the top of the head, the finger tips). `figure_of` decides both once, for everything that draws
or skins a body: the page's player, the capsule surface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kineme.motion.canonical import PARTS, SMPL22
from kineme.motion.rigs import recognise_rig
from kineme.motion.skeleton import Skeleton

#: metres of flesh around a canonical joint of an adult of 1.70 m, for drawing only
_FLESH = {
    "pelvis": 0.105, "spine1": 0.095, "spine2": 0.1, "spine3": 0.105, "neck": 0.048, "head": 0.05,
    "hip": 0.082, "knee": 0.052, "ankle": 0.037, "foot": 0.032,
    "collar": 0.055, "shoulder": 0.05, "elbow": 0.037, "wrist": 0.028,
}  # fmt: skip
#: length and radius in metres of what a body has past its last joint
_ENDS = {"head": (0.1, 0.082), "wrist": (0.1, 0.026), "foot": (0.05, 0.026), "ankle": (0.15, 0.028)}
#: (canonical joints, the first that is there; canonical joint; radii in metres): the breadth of the trunk
_TRUNK = (
    (("left_hip",), "right_hip", 0.082, 0.082),
    *((("spine1", "spine2", "pelvis"), f"{side}_shoulder", 0.085, 0.052) for side in ("left", "right")),
    *((("spine3", "spine2", "spine1"), f"{side}_shoulder", 0.075, 0.05) for side in ("left", "right")),
    *((("neck", "spine3"), f"{side}_shoulder", 0.05, 0.05) for side in ("left", "right")),
)
_SKULL = (0.07, 0.082)
#: joints whose bone (from their parent) is of the trunk, though they move with a limb
_OF_TRUNK = ("collar", "shoulder", "hip", "neck")
_PART = {SMPL22.names[j]: part for part, joints in PARTS.items() for j in joints} | {
    name: "torso" for name in SMPL22.names if name.split("_")[-1] in _OF_TRUNK
}
_ADULT = 1.70
#: an adult's height over the sum of thigh, shin and the way from pelvis to head
_STATURE = 1.214
_THIN = 0.011
_SHORTEST = 0.01


@dataclass(frozen=True)
class Figure:
    """A body of K points: the joints that are kept, then the E ends that the skeleton lacks.

    Attributes
    ----------
    kept : index of each joint kept in the skeleton, the pelvis first.
    ends : (start, from, to, metres) over the skeleton: a point so far from `start` along `from` -> `to`.
    names, parents, radii, parts : of each point; metres of flesh, and the part of the body (``left arm``).
    flesh : (point, point, radius, radius) of the capsules that give the trunk its breadth.
    across : the points of the left and the right hip; None where they are not known.
    detail : whether a point is of a finger or the face.
    height : metres when upright.
    """

    kept: tuple[int, ...]
    ends: tuple[tuple[int, int, int, float], ...]
    names: tuple[str, ...]
    parents: tuple[int, ...]
    radii: tuple[float, ...]
    parts: tuple[str, ...]
    flesh: tuple[tuple[int, int, float, float], ...]
    across: tuple[int, int] | None
    detail: tuple[bool, ...]
    height: float

    def points(self, places: np.ndarray) -> np.ndarray:
        """World places (T, J, 3) of the skeleton's joints to (T, K, 3) of the figure's points."""
        points = [places[:, list(self.kept)]]
        for start, a, b, metres in self.ends:
            along = places[:, b] - places[:, a]
            along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
            points.append((places[:, start] + metres * along)[:, None])
        return np.concatenate(points, axis=1)


def figure_of(
    names: Sequence[str],
    parents: Sequence[int],
    places: np.ndarray,
    roles: Mapping[str, int] | None = None,
) -> Figure:
    """The figure of a skeleton.

    Parameters
    ----------
    names, parents : joints, then bone ends, called "JOINT end".
    places : (T, J, 3) world places in metres of any motion of it: they tell the lengths.
    roles : canonical joint -> index, where it is known; by the names otherwise.
    """
    parents = tuple(int(p) for p in parents)
    lengths = [
        float(np.median(np.linalg.norm(places[:, j] - places[:, p], axis=-1))) if p >= 0 else 0.0
        for j, p in enumerate(parents)
    ]
    roles = _roles(names, parents, places, lengths) if roles is None else roles
    role_of = {joint: role for role, joint in roles.items()}
    children: dict[int, list[int]] = {
        j: [c for c, p in enumerate(parents) if p == j] for j in range(len(names))
    }
    height = _height(roles, parents, lengths, places)
    scale = height / _ADULT
    kept = _kept(parents, role_of, children, lengths)
    ends = _ends(roles, parents, children, lengths, kept, scale, places[0])
    return _figure(names, parents, roles, role_of, kept, ends, children, height)


def _roles(
    names: Sequence[str], parents: Sequence[int], places: np.ndarray, lengths: Sequence[float]
) -> dict[str, int]:
    """Canonical joint -> own index; bone ends stand for hands and feet that are no joints."""
    joints = [j for j, p in enumerate(parents) if p < 0 or names[j] != f"{names[p]} end"]
    if joints != list(range(len(joints))) or any(p >= j for j, p in enumerate(parents)):
        return {}
    offsets = np.array([places[0, j] - places[0, max(parents[j], 0)] for j in joints], dtype=np.float32)
    found = [(parents[j], (0.0, lengths[j], 0.0)) for j in range(len(joints), len(names))]
    skeleton = Skeleton(
        tuple(names[j] for j in joints), tuple(parents[j] for j in joints), offsets, end_sites=tuple(found)
    )
    rig = recognise_rig(skeleton)
    index = {name: j for j, name in reversed(list(enumerate(names)))}
    return {role: index[own] for role, own in rig.joints.items()} | {
        role: index[f"{own} end"] for role, own in rig.ends.items() if f"{own} end" in index
    }


def _height(
    roles: Mapping[str, int], parents: Sequence[int], lengths: Sequence[float], places: np.ndarray
) -> float:
    """Metres when upright."""
    knee, ankle, head = (roles.get(name) for name in ("left_knee", "left_ankle", "head"))
    if knee is None or ankle is None or head is None:
        spread = places.max(axis=1) - places.min(axis=1)
        return max(float(np.median(np.linalg.norm(spread, axis=-1))), 0.05)
    trunk, joint = 0.0, head
    while joint >= 0 and joint != roles.get("pelvis"):
        trunk, joint = trunk + lengths[joint], parents[joint]
    return max(_STATURE * (lengths[knee] + lengths[ankle] + trunk), 0.05)


def _kept(
    parents: Sequence[int],
    role_of: Mapping[int, str],
    children: Mapping[int, list[int]],
    lengths: Sequence[float],
) -> tuple[int, ...]:
    """Joints of the body, the pelvis first: not what lies above it, nor what ends in no part of the body.

    Such are the jaw, the eyes, helpers of a rig; past hands and feet all that has a length counts.
    """
    if not role_of:
        return tuple(range(len(parents)))
    pelvis = next((j for j, role in role_of.items() if role == "pelvis"), min(role_of))
    of_body: set[int] = set()
    leads = set(role_of)  # joints with a role, and those above them
    for joint in reversed(range(len(parents))):
        if joint in leads and parents[joint] >= 0:
            leads.add(parents[joint])
    limb: dict[int, str] = {}  # joint -> the role that it has or hangs on
    for joint, parent in enumerate(parents):
        limb[joint] = role_of.get(joint) or limb.get(parent, "")
        beyond = limb[joint].split("_")[-1] in ("wrist", "ankle", "foot")
        bare_end = not children[joint] and lengths[joint] < _SHORTEST
        if joint not in leads and (bare_end or not beyond):
            continue
        if joint in role_of or parent in of_body:
            of_body.add(joint)
    return (pelvis, *sorted(of_body - {pelvis}))


def _ends(
    roles: Mapping[str, int],
    parents: Sequence[int],
    children: Mapping[int, list[int]],
    lengths: Sequence[float],
    kept: Sequence[int],
    scale: float,
    places: np.ndarray,
) -> tuple[tuple[int, int, int, float], ...]:
    """The top of the head, and hands and feet where the skeleton stops before them."""
    found = []
    for role, joint in roles.items():
        length, radius = (scale * v for v in _ENDS.get(role.split("_")[-1], (0.0, 0.0)))
        if not length or parents[joint] < 0 or any(c in kept for c in children[joint]):
            continue
        neck = places[joint] - places[parents[joint]]
        ends = [
            c
            for c in children[joint]
            if not children[c] and lengths[c] > 0.03 * scale and _leans(neck, places[c] - places[joint]) > 0.7
        ]
        if role == "head" and ends:  # the end lies on the skin: the ball of the head stays below it
            top = max(ends, key=lambda end: lengths[end])
            inside = float(np.clip(lengths[top] - radius, 0.05 * scale, 0.13 * scale))
            found.append((joint, joint, top, inside))
        else:
            found.append((joint, parents[joint], joint, length))
    return tuple(found)


def _leans(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine between two directions; 0 where one has no length."""
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))


def _figure(
    names: Sequence[str],
    parents: Sequence[int],
    roles: Mapping[str, int],
    role_of: Mapping[int, str],
    kept: Sequence[int],
    ends: Sequence[tuple[int, int, int, float]],
    children: Mapping[int, list[int]],
    height: float,
) -> Figure:
    scale, new = height / _ADULT, {joint: position for position, joint in enumerate(kept)}
    links, radii, parts, detail = [], [], [], []
    for joint in kept:
        up = parents[joint]
        while up >= 0 and up not in new:
            up = parents[up]
        link = -1 if joint == kept[0] else new.get(up, 0)
        role, above = role_of.get(joint), role_of.get(kept[link]) if link >= 0 else None
        hand = above is not None and above.split("_")[-1] in ("wrist", "head")
        single = hand and len([c for c in children[kept[link]] if c in new]) == 1
        links.append(link)
        detail.append(role is None and link >= 0 and (detail[link] or (hand and not single)))
        parts.append(_PART[role] if role else parts[link] if link >= 0 else "")
        flesh = (
            _FLESH[role.split("_")[-1]]
            if role
            else _own_flesh(detail[-1], above, radii[link] / scale if radii else 0.05)
        )
        radii.append(flesh * scale)
    for start, _, _, _ in ends:
        role = role_of[start]
        links.append(new[start])
        radii.append(_ENDS[role.split("_")[-1]][1] * scale)
        parts.append("head" if role == "head" else _PART[role])
        detail.append(False)
    placed = {role: new[joint] for role, joint in roles.items() if joint in new}
    flesh = [
        (placed[a], placed[b], ra * scale, rb * scale)
        for either, b, ra, rb in _TRUNK
        for a in [next((name for name in either if name in placed), "")]
        if a and b in placed
    ]
    skulls = [len(kept) + k for k, (start, *_) in enumerate(ends) if role_of[start] == "head"]
    flesh += [(placed["head"], skull, _SKULL[0] * scale, _SKULL[1] * scale) for skull in skulls]
    hips = [placed[name] for name in ("left_hip", "right_hip") if name in placed]
    return Figure(
        kept=tuple(kept),
        ends=tuple(ends),
        names=(*(names[j] for j in kept), *(f"{names[start]} end" for start, *_ in ends)),
        parents=tuple(links),
        radii=tuple(round(r, 4) for r in radii),
        parts=tuple(parts),
        flesh=tuple((a, b, round(ra, 4), round(rb, 4)) for a, b, ra, rb in flesh),
        across=(hips[0], hips[1]) if len(hips) == 2 else None,
        detail=tuple(detail),
        height=round(height, 3),
    )


def _own_flesh(detail: bool, above: str | None, around: float) -> float:
    """Flesh of a joint without a role: a finger, a limb's end, or one more than the canonical body has."""
    end = _ENDS.get(above.split("_")[-1]) if above else None
    return _THIN if detail else end[1] if end else around
