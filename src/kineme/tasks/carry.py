"""Whole frames made on the standard body, carried back to a user's own skeleton, rate and file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.canonical import INDEX, JOINTS, SMPL22
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.tasks.above import joints_above, put_above
from kineme.tasks.feet import put_ankles
from kineme.tasks.restore import fit_rotations, place_source, turn_source, world_turns

#: metres from each joint of the standard body to its parent
STANDARD_LENGTHS = np.linalg.norm(SMPL22.offsets, axis=1)
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]
_LEGS = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]


def rig_of(motion: Motion) -> RigMap:
    """The rig of a motion. Raises InputError where it cannot be mapped."""
    return recognise_rig(motion.skeleton).require(path=motion.provenance.file or None)


def held(motion: Motion, count: int) -> Motion:
    """The motion and `count` further frames in which it stands still; its file's record goes along."""

    def longer(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else np.concatenate([array, np.repeat(array[-1:], count, axis=0)])

    source = motion.source
    values = getattr(source, "values", None)
    if isinstance(values, np.ndarray) and len(values) == len(motion):  # a row a frame, as in BVH
        source = replace(source, values=longer(values))
    root = longer(motion.root_translation)
    assert root is not None
    return motion.replace(
        root_translation=root,
        local_rotations=longer(motion.local_rotations),
        local_translations=longer(motion.local_translations),
        given_positions=longer(motion.given_positions),
        source=source,
    )


def standard_places(motion: Motion, rig: RigMap | None = None) -> np.ndarray:
    """World positions (T, 22, 3) of a motion of any humanoid rig on the standard body."""
    return _standard(motion, rig)[1].positions


def _standard(motion: Motion, rig: RigMap | None) -> tuple[Motion, Motion]:
    canonical = retarget(motion, rig)
    return canonical, to_standard_body(canonical)


def carry_with_feet(started: Motion, targets: np.ndarray, made: slice) -> Motion:
    """`carry_back`, and once more with the legs reaching for the ankles of `targets` from where the hips came
    to be: trunks differ between rigs, and feet must not."""
    first = carry_back(started, targets, made)
    body = standard_places(first)[made]
    return carry_back(started, put_ankles(body, targets, STANDARD_LENGTHS), made)


def carry_back(started: Motion, targets: np.ndarray, made: slice) -> Motion:
    """`started` with the frames of `made` brought to places on the standard body.

    started : of any humanoid rig; its frames in `made` are a first guess (held or bridged), from which joints
        turn as little as they must. Fingers, faces and whatever else no model knows stay as guessed.
    targets : (n, 22, 3) world places of those frames on the standard body. All other frames are the very
        same. Bones keep the lengths of the user's own skeleton. A root above the pelvis stands where it stood,
        or goes along (`kineme.tasks.above`).
    """
    rig = rig_of(started)
    canonical, standard = _standard(started, rig)
    goal = standard.positions.copy()
    goal[made] = targets
    where = np.zeros(len(started), dtype=bool)
    where[made] = True
    missing = np.repeat(where[:, None], len(started.skeleton), axis=1)
    ratio = _ratio(canonical)
    chain = joints_above(started, rig, ~where)
    pelvis = started.skeleton.index(rig.joints["pelvis"]) if chain else 0
    started = put_above(started, chain, pelvis, goal / ratio, made)
    if started.positions_only:
        return _carry_positions(started, rig, goal, missing, canonical, chain)
    loose = np.repeat(where[:, None], len(JOINTS), axis=1)
    # bones are turned, not stretched: the goal is seen from where the guess has the pelvis
    turns = fit_rotations(standard, goal - goal[:, :1] + standard.positions[:, :1], loose)
    turned = turn_source(started, rig, missing, world_turns(standard.global_rotations, turns))
    # the root goes where the hips are to be: between them lies the point that standard bodies share
    reached = _standard(turned, rig)[0].positions[made][:, _HIPS].mean(axis=1)
    shift = goal[made][:, _HIPS].mean(axis=1) / ratio - reached
    assert started.local_rotations is not None and turned.local_rotations is not None
    kept = np.where(missing[..., None, None], turned.local_rotations, started.local_rotations)
    if chain:  # joints above the pelvis are where they belong, so the pelvis moves in its parent
        assert turned.local_translations is not None
        moves, above = turned.local_translations.copy(), turned.global_rotations[made, chain[-1]]
        moves[made, pelvis] += np.einsum("tba,tb->ta", above, shift)
        return turned.replace(local_translations=moves, local_rotations=kept)
    root = turned.root_translation.copy()
    root[made] += shift
    return turned.replace(root_translation=root, local_rotations=kept)


def _carry_positions(
    started: Motion,
    rig: RigMap,
    goal: np.ndarray,
    missing: np.ndarray,
    canonical: Motion,
    chain: list[int],
) -> Motion:
    assert started.given_positions is not None
    made = np.flatnonzero(missing[:, 0])
    places = started.given_positions.copy()
    if "pelvis" in rig.joints:  # the rest hangs on it; afterwards all is moved to where the hips are to be
        pelvis = started.skeleton.index(rig.joints["pelvis"])
        free = missing.copy()
        free[:, pelvis] = False
        turned = place_source(started, rig, free, goal)
    else:
        turned = place_source(started, rig, missing, goal)
    assert turned.given_positions is not None
    reached = retarget(turned, rig).positions[made][:, _HIPS].mean(axis=1)
    shift = goal[made][:, _HIPS].mean(axis=1) / _ratio(canonical) - reached
    places[made] = turned.given_positions[made] + shift[:, None]
    places[:, chain] = started.given_positions[:, chain]
    return started.replace(given_positions=places, root_translation=places[:, 0])


def _ratio(canonical: Motion) -> float:
    """How many times longer the standard body's legs are than these."""
    own = np.linalg.norm(canonical.skeleton.offsets, axis=1)[_LEGS].sum()
    return float(np.linalg.norm(SMPL22.offsets, axis=1)[_LEGS].sum() / max(own, 1e-6))


def check_finite(motion: Motion) -> None:
    """Raises InputError where a motion holds unusable numbers."""
    arrays = (motion.root_translation, motion.local_rotations, motion.given_positions)
    if any(array is not None and not np.isfinite(array).all() for array in arrays):
        raise InputError(
            "there are unusable numbers in it; `kineme impute FILE --auto` fills them",
            motion.provenance.file or None,
        )


def put_frames(motion: Motion, piece: Motion, made: slice, at: int) -> Motion:
    """`motion` with the frames of `made` of a `piece` on the same skeleton from its frame `at` on."""
    count = made.stop - made.start

    def put(old: np.ndarray | None, new: np.ndarray | None) -> np.ndarray | None:
        if old is None or new is None:
            return old
        changed = old.copy()
        changed[at : at + count] = new[made]
        return changed

    root = put(motion.root_translation, piece.root_translation)
    assert root is not None
    return motion.replace(
        root_translation=root,
        local_rotations=put(motion.local_rotations, piece.local_rotations),
        local_translations=put(motion.local_translations, piece.local_translations),
        given_positions=put(motion.given_positions, piece.given_positions),
    )
