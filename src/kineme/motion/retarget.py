"""From any humanoid skeleton to the canonical 22-joint body.

A canonical joint's world rotation is its source joint's, times a constant that makes the source's rest
pose the canonical T-pose:

    G(j, t) = G_source(j, t) A_j        A_j = W_j^T D_j^T

W_j is the source joint's world rotation in the rest pose (upright, facing +Z), D_j the smallest rotation
that takes the limb's rest direction to the canonical one, along a limb each after its parent's. So an
A-pose becomes a T-pose and every limb keeps its direction. Torso, neck, head and collars have D = I: where
a rig puts its spine joints is a matter of its maker's taste, and an upright torso stays one. Their places
are kept by giving the canonical skeleton the source's own offsets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kineme.errors import InputError
from kineme.motion.canonical import JOINTS, PARENTS, SMPL22
from kineme.motion.frame import facing_angle
from kineme.motion.kinematics import forward_kinematics, local_from_global
from kineme.motion.motion import Motion
from kineme.motion.rigs import RigMap, ancestors, recognise_rig
from kineme.motion.rotations import rotation_between, yaw_matrix
from kineme.motion.skeleton import Skeleton

_INDEX = {name: joint for joint, name in enumerate(JOINTS)}
_SIDES = ("left", "right")
#: canonical rest places (22, 3) and directions of the bone that ends in each joint
_REST = SMPL22.rest_positions.astype(np.float64)
_DIRECTIONS = _REST - _REST[np.maximum(PARENTS, 0)]
_DIRECTIONS /= np.maximum(np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True), 1e-9)
#: joints whose bone (from their parent) lies exactly along the canonical direction
_LIMB_ENDS = [_INDEX[f"{side}_{part}"] for side in _SIDES for part in ("knee", "ankle", "elbow", "wrist")]
#: (joint, the joint that its bone leads to) where the joint turns for that bone alone
_SINGLE_BONES = [
    (_INDEX[a], _INDEX[b])
    for a, b in [("spine1", "spine2"), ("spine2", "spine3"), ("neck", "head")]
    + [
        (f"{s}_{a}", f"{s}_{b}")
        for s in _SIDES
        for a, b in (
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "foot"),
            ("collar", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
        )
    ]
]
#: a bone that swings this much (radians) against the joint that should carry it is followed frame by frame
_SWING = np.deg2rad(0.2)
#: chains along which missing joints are placed between those that were found
_CHAINS = [
    ("pelvis", "spine1", "spine2", "spine3", "neck"),
    *[("spine3", f"{side}_collar", f"{side}_shoulder") for side in _SIDES],
]


@dataclass
class _Body:
    """What the source says about each canonical joint; indices are canonical.

    places (T, 22, 3) and turns (T, 22, 3, 3) in the world; rest_places (22, 3) and rest_turns (22, 3, 3);
    known (22,) where a source stands behind them.
    """

    places: np.ndarray
    turns: np.ndarray
    rest_places: np.ndarray
    rest_turns: np.ndarray
    known: np.ndarray
    note: str = ""


def retarget(motion: Motion, rig: RigMap | None = None) -> Motion:
    """The motion on the canonical body with the source's own lengths.

    Parameters
    ----------
    motion : of any humanoid skeleton.
    rig : which source joint plays which part; recognised by names if not given.

    Returns
    -------
    A motion whose skeleton has the names and tree of `SMPL22` and is a T-pose at zero rotation; rate,
    labels and provenance are kept. A motion of positions only stays one.

    Raises InputError if a limb's joint was not found (`RigMap.require`).
    """
    rig = (recognise_rig(motion.skeleton) if rig is None else rig).require(path=motion.provenance.file or None)
    if motion.positions_only:
        return _retarget_positions(motion, rig)
    body = _read_body(motion, rig)
    if not _is_upright(body.rest_places):
        _take_rest_from_motion(body)
    aligned = _alignment(body)
    turns = _canonical_turns(body, aligned)
    offsets = _offsets(body, aligned)
    _follow_swinging_bones(body, turns, offsets)
    skeleton = _skeleton(offsets, rig, body, aligned, motion.skeleton)
    provenance = motion.provenance
    if body.note:
        provenance = replace(provenance, notes=(*provenance.notes, body.note))
    return Motion(
        skeleton,
        motion.fps,
        root_translation=body.places[:, 0],
        local_rotations=local_from_global(skeleton, turns),
        labels=motion.labels,
        provenance=provenance,
    )


def to_standard_body(motion: Motion) -> Motion:
    """A canonical motion with the lengths of `SMPL22`: the same rotations, feet still on the floor.

    The midpoint between the hips is scaled by the ratio of the leg lengths, so that the feet stay where the
    floor is although the rest of the body changes its proportions. Positions-only motions keep the direction
    of every bone instead of rotations. Raises InputError for a skeleton that is not canonical.
    """
    if motion.skeleton.names != JOINTS:
        raise InputError("only a motion on the canonical body can take the standard lengths; retarget() it first")
    source = motion.skeleton
    ratio = np.float32(_leg_length(SMPL22) / max(_leg_length(source), 1e-6))
    if motion.positions_only:
        return _standard_positions(motion, ratio)
    pelvis = motion.local_rotations[:, 0]  # type: ignore[index]
    hips = [_INDEX["left_hip"], _INDEX["right_hip"]]
    middle = motion.root_translation + pelvis @ source.offsets[hips].mean(axis=0)
    root = middle * ratio - pelvis @ SMPL22.offsets[hips].mean(axis=0)
    return motion.replace(skeleton=SMPL22, root_translation=root, local_translations=None, source=None)


def _leg_length(skeleton: Skeleton) -> float:
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    return float(sum(lengths[_INDEX[f"{s}_{part}"]] for s in _SIDES for part in ("knee", "ankle")) / 2)


# --- reading the source ----------------------------------------------------------------------------------


def _read_body(motion: Motion, rig: RigMap) -> _Body:
    """Places and rotations of the mapped joints, in the motion and at rest."""
    skeleton = motion.skeleton
    source = {_INDEX[name]: skeleton.index(joint) for name, joint in rig.joints.items()}
    ends = {_INDEX[name]: skeleton.index(joint) for name, joint in rig.ends.items()}
    # Only the ancestors of mapped joints matter: hands and faces are the larger half of many skeletons.
    kept = sorted({a for joint in (*source.values(), *ends.values()) for a in ancestors(skeleton.parents, joint)})
    local = {joint: k for k, joint in enumerate(kept)}
    shift = motion.local_translations
    offsets = skeleton.offsets if shift is None else shift.mean(axis=0)
    tree = Skeleton(
        names=tuple(skeleton.names[j] for j in kept),
        parents=tuple(-1 if j == 0 else local[skeleton.parents[j]] for j in kept),
        offsets=offsets[kept],
        rest_rotations=skeleton.rest_rotations[kept],  # type: ignore[index]
    )
    rotations = motion.local_rotations[:, kept]  # type: ignore[index]
    shift = None if shift is None else shift[:, kept]
    places, turns = forward_kinematics(tree, rotations, motion.root_translation, shift)
    rest_places, rest_turns = forward_kinematics(tree, tree.rest_rotations[None], tree.offsets[None, 0])  # type: ignore[index]

    frames = len(motion)
    body = _Body(
        places=np.zeros((frames, 22, 3), np.float32),
        turns=np.tile(np.eye(3, dtype=np.float32), (frames, 22, 1, 1)),
        rest_places=np.zeros((22, 3)),
        rest_turns=np.tile(np.eye(3), (22, 1, 1)),
        known=np.zeros(22, dtype=bool),
    )
    tips = {joint: np.array(offset, np.float32) for joint, offset in skeleton.end_sites if any(offset)}
    for canonical, joint in {**source, **ends}.items():
        k = local[joint]
        tip = tips[joint] if canonical in ends else np.zeros(3, np.float32)
        body.places[:, canonical] = places[:, k] + turns[:, k] @ tip
        body.turns[:, canonical] = turns[:, k]
        body.rest_places[canonical] = rest_places[0, k] + rest_turns[0, k] @ tip
        body.rest_turns[canonical] = rest_turns[0, k]
        body.known[canonical] = True
    return body


def _upward(places: np.ndarray) -> np.ndarray:
    """Direction from the hips to the shoulders (..., 3)."""
    hips = places[..., [_INDEX["left_hip"], _INDEX["right_hip"]], :].mean(axis=-2)
    shoulders = places[..., [_INDEX["left_shoulder"], _INDEX["right_shoulder"]], :].mean(axis=-2)
    return _unit(shoulders - hips)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _is_upright(places: np.ndarray) -> bool:
    """Whether a pose (22, 3) stands upright, faces +Z and has its legs below and its arms beside it."""

    def bone(a: str, b: str) -> np.ndarray:
        return _unit(places[_INDEX[b]] - places[_INDEX[a]])

    legs = [bone(f"{s}_hip", f"{s}_ankle")[1] < -0.8 for s in _SIDES]
    arms = [bone(f"{s}_shoulder", f"{s}_wrist")[0] * (1 if s == "left" else -1) > -0.2 for s in _SIDES]
    across = bone("right_hip", "left_hip")[0] > 0.8
    return bool(_upward(places)[1] > 0.8 and across and all(legs) and all(arms))


def _take_rest_from_motion(body: _Body) -> None:
    """Instead of a rest pose that is none, the mean pose, seen from where the body faces."""
    upright = _upward(body.places)[:, 1] > 0.8
    chosen = np.flatnonzero(upright if upright.any() else np.ones(len(upright), bool))
    chosen = chosen[:: max(1, len(chosen) // 2000)]
    unturn = yaw_matrix(-facing_angle(body.places[chosen]))
    mean = np.einsum("tab,tjbc->jac", unturn, body.turns[chosen]) / len(chosen)
    u, _, vt = np.linalg.svd(mean)
    u[..., -1] *= np.linalg.det(u @ vt)[:, None]  # the nearest rotation to the mean, never a reflection
    body.rest_turns = u @ vt
    centred = body.places[chosen] - body.places[chosen, :1]
    body.rest_places = np.einsum("tab,tjb->ja", unturn, centred) / len(chosen)
    body.note = "the file's rest pose is not an upright one: joints were aligned by the mean pose"


# --- alignment -------------------------------------------------------------------------------------------


def _alignment(body: _Body) -> np.ndarray:
    """D (22, 3, 3): what turns the source's rest pose into the canonical T-pose, joint by joint."""
    aligned = np.tile(np.eye(3), (22, 1, 1))
    for side in _SIDES:
        for upper, middle, lower in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            first, second, third = (_INDEX[f"{side}_{part}"] for part in (upper, middle, lower))
            aligned[first] = _straighten(body, first, second, np.eye(3))
            aligned[second] = _straighten(body, second, third, aligned[first])
            aligned[third] = aligned[second]
        ankle, foot = _INDEX[f"{side}_ankle"], _INDEX[f"{side}_foot"]
        aligned[ankle] = aligned[foot] = _align_foot(body, ankle, foot, aligned[ankle])
    return aligned


def _straighten(body: _Body, joint: int, end: int, carried: np.ndarray) -> np.ndarray:
    bone = body.rest_places[end] - body.rest_places[joint]
    if not (body.known[joint] and body.known[end]) or np.linalg.norm(bone) < 1e-4:
        return carried
    return rotation_between(carried @ bone, _DIRECTIONS[end]) @ carried


def _align_foot(body: _Body, ankle: int, foot: int, carried: np.ndarray) -> np.ndarray:
    """A foot points ahead and stays as flat as it is: heel height and toe length differ between rigs.

    Legs that are spread at rest take their feet along in some rigs (Acclaim) and not in others: of both
    readings the one that points the foot straighter ahead is right.
    """
    bone = body.rest_places[foot] - body.rest_places[ankle]
    if not body.known[foot] or np.linalg.norm(bone) < 1e-4:
        return carried
    start = min((np.eye(3), carried), key=lambda turn: abs((turn @ bone)[0]))
    direction = _unit(start @ bone)
    if direction[2] < 0.5:  # hangs down or turns aside, so that nothing can be said about flatness
        return rotation_between(direction, _DIRECTIONS[foot]) @ start
    return yaw_matrix(-np.arctan2(direction[0], direction[2])) @ start


def _canonical_turns(body: _Body, aligned: np.ndarray) -> np.ndarray:
    """World rotations (T, 22, 3, 3) of the canonical joints; those without a source follow their parent."""
    constant = np.swapaxes(aligned @ body.rest_turns, -1, -2).astype(np.float32)
    turns = body.turns @ constant
    for joint in np.flatnonzero(~body.known):
        turns[:, joint] = turns[:, PARENTS[joint]]
    return turns


def _offsets(body: _Body, aligned: np.ndarray) -> np.ndarray:
    """(22, 3) offsets of the canonical skeleton: limbs along the canonical axes with the lengths that they
    have in the motion, the torso's as in the source's rest pose, missing joints between their neighbours."""
    rest = body.rest_places.copy()
    scale = _scale(body)
    known = body.known.copy()
    for chain in _CHAINS:
        _fill_between(rest, known, [_INDEX[name] for name in chain])
    offsets = np.zeros((22, 3))
    for joint in range(1, 22):
        parent = PARENTS[joint]
        if not (known[joint] and known[parent]):
            offsets[joint] = SMPL22.offsets[joint] * scale
            if known[parent]:
                rest[joint], known[joint] = rest[parent] + aligned[parent].T @ offsets[joint], True
        elif joint in _LIMB_ENDS:
            length = np.median(np.linalg.norm(body.places[:, joint] - body.places[:, parent], axis=-1))
            offsets[joint] = _DIRECTIONS[joint] * length
        else:
            offsets[joint] = aligned[parent] @ (rest[joint] - rest[parent])
    return offsets


def _scale(body: _Body) -> float:
    """The body's size against SMPL22, by its legs."""
    chain = [(_INDEX[f"{s}_hip"], _INDEX[f"{s}_knee"], _INDEX[f"{s}_ankle"]) for s in _SIDES]
    lengths = [np.linalg.norm(body.rest_places[a] - body.rest_places[b]) for h, k, n in chain for a, b in ((h, k), (k, n))]
    return float(np.sum(lengths) / 2 / _leg_length(SMPL22))


def _fill_between(places: np.ndarray, known: np.ndarray, chain: list[int]) -> None:
    """Places (..., 22, 3) of a chain's missing joints, on the line between known ones in canonical shares."""
    way = np.concatenate([[0], np.linalg.norm(np.diff(_REST[chain], axis=0), axis=1).cumsum()])
    at = [k for k, joint in enumerate(chain) if known[joint]]
    for low, high in zip(at, at[1:], strict=False):
        for k in range(low + 1, high):
            share = (way[k] - way[low]) / (way[high] - way[low])
            places[..., chain[k], :] = (1 - share) * places[..., chain[low], :] + share * places[..., chain[high], :]
            known[chain[k]] = True


def _follow_swinging_bones(body: _Body, turns: np.ndarray, offsets: np.ndarray) -> None:
    """Turns joints onto the bones that they should carry but, in this rig, do not carry rigidly.

    A rig may bend between two mapped joints (a second neck, a skipped spine joint) or move its bones. The
    smallest rotation that puts the bone back is added, so the twist stays the source's.
    """
    for joint, end in _SINGLE_BONES:
        while not body.known[end] and end in (_INDEX["spine2"],):
            end = _INDEX["spine3"]
        if not (body.known[joint] and body.known[end]) or np.linalg.norm(offsets[end]) < 1e-3:
            continue
        bone = body.places[:, end] - body.places[:, joint]
        if np.median(np.linalg.norm(bone, axis=-1)) < 1e-3:
            continue
        carried = turns[:, joint] @ _unit(offsets[end]).astype(np.float32)
        cosine = np.clip((carried * _unit(bone)).sum(-1), -1, 1)
        if np.arccos(cosine).max() > _SWING:
            turns[:, joint] = rotation_between(carried, bone).astype(np.float32) @ turns[:, joint]


def _skeleton(offsets: np.ndarray, rig: RigMap, body: _Body, aligned: np.ndarray, source: Skeleton) -> Skeleton:
    """The canonical skeleton with these offsets, standing on the floor at rest."""
    scale = _scale(body)
    tips = {joint: np.array(offset) for joint, offset in source.end_sites if any(offset)}
    ends = []
    for joint, standard in SMPL22.end_sites:
        name = JOINTS[joint]
        own = tips.get(source.index(rig.joints[name])) if name in rig.joints else None
        if name in rig.ends:
            continue  # the source's bone ends here already
        if own is not None and name.endswith("_foot"):
            offset = aligned[joint] @ body.rest_turns[joint] @ own
        else:
            offset = np.array(standard) * scale
        ends.append((joint, (float(offset[0]), float(offset[1]), float(offset[2]))))
    offsets = offsets.copy()
    grown = Skeleton(JOINTS, PARENTS, offsets, end_sites=tuple(ends), name="smpl22")
    places = grown.rest_positions
    lowest = min([float(places[:, 1].min()), *(float(places[j, 1]) + y for j, (_, y, _) in ends)])
    offsets[0] = (0.0, -lowest, 0.0)
    return replace(grown, offsets=offsets)


# --- positions only --------------------------------------------------------------------------------------


def _retarget_positions(motion: Motion, rig: RigMap) -> Motion:
    """The mapped joints' places; missing ones between their neighbours or in canonical proportion."""
    source = motion.given_positions
    assert source is not None
    places = np.zeros((len(motion), 22, 3), np.float32)
    known = np.zeros(22, bool)
    for name, joint in rig.joints.items():
        places[:, _INDEX[name]], known[_INDEX[name]] = source[:, motion.skeleton.index(joint)], True
    for chain in _CHAINS:
        _fill_between(places, known, [_INDEX[name] for name in chain])
    lengths = np.median(np.linalg.norm(places - places[:, np.maximum(PARENTS, 0)], axis=-1), axis=0)
    legs = [_INDEX[f"{s}_{part}"] for s in _SIDES for part in ("knee", "ankle")]
    scale = lengths[legs].sum() / 2 / _leg_length(SMPL22)
    frame = _body_frame(places)
    for joint in range(1, 22):
        if not known[joint]:
            lengths[joint] = np.linalg.norm(SMPL22.offsets[joint]) * scale
            places[:, joint] = places[:, PARENTS[joint]] + frame @ (SMPL22.offsets[joint] * np.float32(scale))
    offsets = _DIRECTIONS * lengths[:, None]
    ends = tuple((j, tuple(float(x * scale) for x in offset)) for j, offset in SMPL22.end_sites)
    offsets[0] = SMPL22.offsets[0] * scale
    skeleton = Skeleton(JOINTS, PARENTS, offsets, end_sites=ends, name="smpl22")  # type: ignore[arg-type]
    return Motion.from_positions(
        skeleton, motion.fps, places, labels=motion.labels, provenance=motion.provenance
    )


def _body_frame(places: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the torso's axes left, up, forward as columns, from hips and shoulders."""
    up = _upward(places)
    left = _unit(places[:, _INDEX["left_hip"]] - places[:, _INDEX["right_hip"]])
    forward = _unit(np.cross(left, up))
    return np.stack([np.cross(up, forward), up, forward], axis=-1).astype(np.float32)


def _standard_positions(motion: Motion, ratio: np.float32) -> Motion:
    source = motion.given_positions
    assert source is not None
    lengths = np.linalg.norm(SMPL22.offsets, axis=1)
    placed = np.zeros_like(source)
    for joint in range(1, 22):
        bone = _unit(source[:, joint] - source[:, PARENTS[joint]])
        placed[:, joint] = placed[:, PARENTS[joint]] + bone * lengths[joint]
    hips = [_INDEX["left_hip"], _INDEX["right_hip"]]
    placed += (source[:, hips].mean(axis=1) * ratio - placed[:, hips].mean(axis=1))[:, None]
    return Motion.from_positions(SMPL22, motion.fps, placed, labels=motion.labels, provenance=motion.provenance)
