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

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kineme.errors import InputError
from kineme.motion.canonical import INDEX, JOINTS, PARENTS, SIDES, SMPL22
from kineme.motion.frame import torso_axes, unit
from kineme.motion.kinematics import local_from_global
from kineme.motion.motion import Motion
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.motion.rotations import rotation_between, yaw_matrix
from kineme.motion.skeleton import Skeleton
from kineme.motion.source_body import SourceBody, own_tips, read_body

#: directions (22, 3) of the canonical bone that ends in each joint
_DIRECTIONS = unit(SMPL22.offsets.astype(np.float64))
#: joints whose bone (from their parent) lies exactly along the canonical direction
_LIMB_ENDS = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("knee", "ankle", "elbow", "wrist")]
#: joints in a row, each of which turns for the bone to the next one alone
_CARRYING = [
    [INDEX[name] for name in chain]
    for chain in (
        ("spine1", "spine2", "spine3"),
        ("neck", "head"),
        *((f"{s}_hip", f"{s}_knee", f"{s}_ankle", f"{s}_foot") for s in SIDES),
        *((f"{s}_collar", f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in SIDES),
    )
]
#: rows in which missing joints are placed between those that were found
_ROWS = [
    [INDEX[name] for name in row]
    for row in (
        ("pelvis", "spine1", "spine2", "spine3", "neck"),
        *(("spine3", f"{s}_collar", f"{s}_shoulder") for s in SIDES),
    )
]
#: a bone that swings this far (radians) against the joint that should carry it is followed frame by frame
_SWING = np.deg2rad(0.2)


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
    rig = recognise_rig(motion.skeleton) if rig is None else rig
    rig.require(path=motion.provenance.file or None)
    if motion.positions_only:
        return _retarget_positions(motion, rig)
    body = read_body(motion, rig)
    return _moved(motion, body, _decided(motion, body, rig))


class _Body(NamedTuple):
    """What is decided once about a body: D (22, 3, 3) of `_alignment`, offsets (22, 3), the skeleton."""

    aligned: np.ndarray
    offsets: np.ndarray
    skeleton: Skeleton


def _decided(motion: Motion, body: SourceBody, rig: RigMap) -> _Body:
    aligned = _alignment(body)
    offsets = _offsets(body, aligned)
    return _Body(aligned, offsets, _skeleton(offsets, body, aligned, rig, motion.skeleton))


def _moved(motion: Motion, body: SourceBody, decided: _Body) -> Motion:
    turns = _canonical_turns(body, decided.aligned, decided.offsets)
    provenance = motion.provenance
    if body.note and body.note not in provenance.notes:
        provenance = replace(provenance, notes=(*provenance.notes, body.note))
    return Motion(
        decided.skeleton,
        motion.fps,
        root_translation=body.places[:, 0],
        local_rotations=local_from_global(decided.skeleton, turns),
        labels=motion.labels,
        provenance=provenance,
    )


class PieceByPiece:
    """`retarget` for a motion that comes in pieces: lengths are those of the first piece.

    Raises InputError as `retarget` does.
    """

    def __init__(self, first: Motion):
        self.rig = recognise_rig(first.skeleton)
        self.rig.require(path=first.provenance.file or None)
        self._decided: _Body | None = None

    def __call__(self, piece: Motion) -> Motion:
        """A piece on the canonical body."""
        if piece.positions_only:
            return _retarget_positions(piece, self.rig)
        body = read_body(piece, self.rig)
        if self._decided is None:
            self._decided = _decided(piece, body, self.rig)
        return _moved(piece, body, self._decided)


def to_standard_body(motion: Motion) -> Motion:
    """A canonical motion with the lengths of `SMPL22`: the same rotations, feet still on the floor.

    The point between the hips is scaled by the ratio of the leg lengths, so that the feet stay at the floor
    whatever else changes its proportions. A motion of positions only keeps its bones' directions instead of
    rotations. Raises InputError for a skeleton that is not canonical.
    """
    if motion.skeleton.names == JOINTS and motion.positions_only:
        ratio = np.float32(leg_length(SMPL22) / max(leg_length(motion.skeleton), 1e-6))
        return _standard_positions(motion, ratio)
    return to_body(motion, SMPL22)


def to_body(motion: Motion, skeleton: Skeleton) -> Motion:
    """A canonical motion with rotations on another canonical skeleton: the same rotations, its lengths.

    The point between the hips is scaled by the ratio of the leg lengths; `motion.standing.stand_on` also sees to
    it that feet stand on the floor of the other body. Raises InputError where one of both is not canonical.
    """
    source = motion.skeleton
    if source.names != JOINTS or skeleton.names != JOINTS or motion.local_rotations is None:
        raise InputError("only a motion on the canonical body can take standard lengths; retarget() it first")
    ratio = np.float32(leg_length(skeleton) / max(leg_length(source), 1e-6))
    pelvis = motion.local_rotations[:, 0]
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    middle = motion.root_translation + pelvis @ source.offsets[hips].mean(axis=0)
    root = middle * ratio - pelvis @ skeleton.offsets[hips].mean(axis=0)
    return motion.replace(skeleton=skeleton, root_translation=root, local_translations=None, source=None)


def leg_length(skeleton: Skeleton) -> float:
    """Thigh and shin in metres, mean of both sides."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    return float(sum(lengths[INDEX[f"{side}_{part}"]] for side in SIDES for part in ("knee", "ankle")) / 2)


# --- alignment -------------------------------------------------------------------------------------------


def _alignment(body: SourceBody) -> np.ndarray:
    """D (22, 3, 3): what turns the source's rest pose into the canonical T-pose, joint by joint."""
    aligned = np.tile(np.eye(3), (22, 1, 1))
    for side in SIDES:
        for limb in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            first, second, third = (INDEX[f"{side}_{part}"] for part in limb)
            aligned[first] = _straighten(body, first, second, np.eye(3))
            aligned[second] = _straighten(body, second, third, aligned[first])
            aligned[third] = aligned[second]
        ankle, foot = INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]
        aligned[ankle] = aligned[foot] = _align_foot(body, ankle, foot, aligned[ankle])
    return aligned


def _straighten(body: SourceBody, joint: int, end: int, carried: np.ndarray) -> np.ndarray:
    bone = body.rest_places[end] - body.rest_places[joint]
    if not (body.known[joint] and body.known[end]) or np.linalg.norm(bone) < 1e-4:
        return carried
    return rotation_between(carried @ bone, _DIRECTIONS[end]) @ carried


def _align_foot(body: SourceBody, ankle: int, foot: int, carried: np.ndarray) -> np.ndarray:
    """A foot points ahead and stays as flat as it is: heel height and toe length differ between rigs.

    Legs that are spread at rest take their feet along in some rigs (Acclaim) and not in others: of both
    readings the one that points the foot straighter ahead is taken.
    """
    bone = body.rest_places[foot] - body.rest_places[ankle]
    if not body.known[foot] or np.linalg.norm(bone) < 1e-4:
        return carried
    start = min((np.eye(3), carried), key=lambda turn: abs((turn @ bone)[0]))
    direction = unit(start @ bone)
    if direction[2] < 0.5:  # hangs down or turns aside: nothing can be said about its flatness
        return rotation_between(direction, _DIRECTIONS[foot]) @ start
    return yaw_matrix(-np.arctan2(direction[0], direction[2])) @ start


def _canonical_turns(body: SourceBody, aligned: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """World rotations (T, 22, 3, 3) of the canonical joints; those without a source follow their parent."""
    constant = np.swapaxes(aligned @ body.rest_turns, -1, -2).astype(np.float32)
    turns = body.turns @ constant
    _follow_swinging_bones(body, turns, offsets)
    for joint in np.flatnonzero(~body.known):
        turns[:, joint] = turns[:, PARENTS[joint]]
    return turns


def _follow_swinging_bones(body: SourceBody, turns: np.ndarray, offsets: np.ndarray) -> None:
    """Turns joints onto the bones that they should carry but, in this rig, do not carry rigidly.

    A rig may bend between two mapped joints (a second neck, a skipped spine joint) or move its bones. The
    smallest rotation that puts the bone back is added, so the twist stays the source's.
    """
    for chain in _CARRYING:
        known = [joint for joint in chain if body.known[joint]]
        for joint, end in zip(known, known[1:], strict=False):
            bone = body.places[:, end] - body.places[:, joint]
            carried = turns[:, joint] @ offsets[end].astype(np.float32)
            if min(np.linalg.norm(offsets[end]), np.linalg.norm(bone, axis=-1).min()) < 1e-3:
                continue  # joints in one place: no direction to follow
            sine = np.linalg.norm(_cross(unit(carried), unit(bone)), axis=-1)
            if sine.max() > np.sin(_SWING) or ((carried * bone).sum(-1) < 0).any():
                turns[:, joint] = rotation_between(carried, bone) @ turns[:, joint]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`np.cross` of (..., 3), to the last bit; that spends most of a short array's time on its axes."""
    x, y, z = (a[..., k] for k in range(3))
    u, v, w = (b[..., k] for k in range(3))
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=-1)


# --- lengths ---------------------------------------------------------------------------------------------


def _offsets(body: SourceBody, aligned: np.ndarray) -> np.ndarray:
    """(22, 3) offsets of the canonical skeleton.

    Limbs lie along the canonical axes with their length in the motion; the torso's bones are those of the
    source's rest pose; missing joints stand between their neighbours or in canonical proportion.
    """
    rest, known = body.rest_places.copy(), body.known.copy()
    for row in _ROWS:
        _fill_between(rest, known, row)
    scale = _scale(body.rest_places)
    offsets = np.zeros((22, 3))
    for joint in range(1, 22):
        parent = PARENTS[joint]
        if not known[joint]:
            offsets[joint] = SMPL22.offsets[joint] * scale
            rest[joint] = rest[parent] + aligned[parent].T @ offsets[joint]
            continue
        offsets[joint] = aligned[parent] @ (rest[joint] - rest[parent])
        if joint in _LIMB_ENDS and body.known[joint]:
            length = np.median(np.linalg.norm(body.places[:, joint] - body.places[:, parent], axis=-1))
            offsets[joint] = _DIRECTIONS[joint] * length
    return offsets


def _scale(places: np.ndarray) -> float:
    """A body's size against SMPL22, by its legs; places (22, 3)."""
    parts = [[INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle")] for side in SIDES]
    lengths = np.linalg.norm(np.diff(places[parts], axis=1), axis=-1)
    return float(lengths.sum() / 2 / leg_length(SMPL22))


def _fill_between(places: np.ndarray, known: np.ndarray, row: list[int]) -> None:
    """Places (..., 22, 3) of a row's missing joints on the line between known ones, in canonical shares."""
    way = np.linalg.norm(SMPL22.offsets[row], axis=1)
    way[0] = 0
    way = way.cumsum()
    at = [k for k, joint in enumerate(row) if known[joint]]
    for low, high in zip(at, at[1:], strict=False):
        start, end = places[..., row[low], :], places[..., row[high], :]
        for k in range(low + 1, high):
            share = (way[k] - way[low]) / (way[high] - way[low])
            places[..., row[k], :] = (1 - share) * start + share * end
            known[row[k]] = True


def _skeleton(
    offsets: np.ndarray, body: SourceBody, aligned: np.ndarray, rig: RigMap, source: Skeleton
) -> Skeleton:
    """The canonical skeleton with these offsets, standing on the floor at rest."""
    scale = _scale(body.rest_places)
    tips = own_tips(source, rig)
    ends = []
    for joint, standard in SMPL22.end_sites:
        name = JOINTS[joint]
        if name in rig.ends:
            continue  # the source's bone ends in this joint
        offset = np.array(standard) * scale
        if name in tips and name.endswith("_foot"):
            offset = aligned[joint] @ body.rest_turns[joint] @ tips[name]
        ends.append((joint, (float(offset[0]), float(offset[1]), float(offset[2]))))
    grown = Skeleton(JOINTS, PARENTS, offsets, end_sites=tuple(ends), name=SMPL22.name)
    heights = grown.rest_positions[:, 1]
    lowest = min([float(heights.min()), *(float(heights[joint]) + y for joint, (_, y, _) in ends)])
    return replace(grown, offsets=np.vstack([[[0.0, -lowest, 0.0]], offsets[1:]]))


# --- positions only --------------------------------------------------------------------------------------


def canonical_places(motion: Motion, rig: RigMap | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Places (T, 22, 3) of the canonical joints in a motion of any kind, and (22,) bool: which were measured.

    Missing joints stand between their neighbours or in canonical proportion. Raises InputError if a limb's
    joint was not found.
    """
    rig = recognise_rig(motion.skeleton) if rig is None else rig
    if rig.ends:  # positions know no bone ends
        rig = replace(rig, ends={}, missing=(*rig.missing, *rig.ends))
    rig.require(path=motion.provenance.file or None)
    places = np.zeros((len(motion), 22, 3), np.float32)
    measured = np.zeros(22, bool)
    for name, joint in rig.joints.items():
        places[:, INDEX[name]] = motion.positions[:, motion.skeleton.index(joint)]
        measured[INDEX[name]] = True
    known = measured.copy()
    for row in _ROWS:
        _fill_between(places, known, row)
    scale = np.float32(_scale_of(places))
    axes = torso_axes(places).astype(np.float32)
    for joint in np.flatnonzero(~known):
        places[:, joint] = places[:, PARENTS[joint]] + axes @ (SMPL22.offsets[joint] * scale)
    return places, measured


def _scale_of(places: np.ndarray) -> float:
    return float(np.median([_scale(frame) for frame in places[:: max(1, len(places) // 100)]]))


def _retarget_positions(motion: Motion, rig: RigMap) -> Motion:
    """The mapped joints' places; missing ones between their neighbours or in canonical proportion."""
    places, _ = canonical_places(motion, rig)
    scale = _scale_of(places)
    bones = places[:, 1:] - places[:, list(PARENTS[1:])]
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    offsets = np.vstack([SMPL22.offsets[:1] * scale, _DIRECTIONS[1:] * lengths[:, None]])
    skeleton = replace(SMPL22.scaled(scale), offsets=offsets)
    return Motion.from_positions(
        skeleton, motion.fps, places, labels=motion.labels, provenance=motion.provenance
    )


def _standard_positions(motion: Motion, ratio: np.float32) -> Motion:
    source = motion.positions
    placed = np.zeros_like(source)
    for joint, length in enumerate(np.linalg.norm(SMPL22.offsets, axis=1)):
        if joint:
            bone = unit(source[:, joint] - source[:, PARENTS[joint]])
            placed[:, joint] = placed[:, PARENTS[joint]] + bone * length
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    placed += (source[:, hips].mean(axis=1) * ratio - placed[:, hips].mean(axis=1))[:, None]
    return Motion.from_positions(
        SMPL22, motion.fps, placed, labels=motion.labels, provenance=motion.provenance
    )
