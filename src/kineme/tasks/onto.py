"""A motion on the skeleton of another one, whatever rig each of them has."""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.retarget import retarget
from kineme.motion.rigs import RigMap
from kineme.motion.standing import rise, stand_on
from kineme.tasks.carry import carry_back, held, rig_of, standard_places
from kineme.tasks.restore import turn_source, world_turns


def onto(motion: Motion, like: Motion) -> Motion:
    """`motion` on the skeleton of `like`, with its bones; it goes as much less far as its legs are shorter, and
    feet that stand do so where those of `like` do.

    What no canonical joint moves, such as fingers, stays as in the first frame of `like`. Labels are kept, the
    record of the file is not. Raises InputError for rigs that are no body.
    """
    start = held(like[:1], len(motion) - 1).replace(fps=motion.fps, source=None, labels=motion.labels)
    rig = rig_of(start)
    wanted = fit_rotations(motion) if motion.positions_only else retarget(motion)
    if start.positions_only:
        made = carry_back(start, standard_places(motion), slice(0, len(motion)))
        up = rise(wanted, retarget(made, rig), retarget(like, rig)) * np.array([0, 1, 0], dtype=np.float32)
        return made.replace(given_positions=made.positions + up, root_translation=made.root_translation + up)
    canonical = retarget(start, rig)
    return turned_to(start, rig, canonical, stand_on(wanted, retarget(like, rig)))


def turned_to(start: Motion, rig: RigMap, canonical: Motion, wanted: Motion) -> Motion:
    """`start`, of any rig, with every joint turned by as much as from its canonical form to the `wanted` one,
    and its pelvis where that has it."""
    everywhere = np.ones((len(start), len(start.skeleton)), dtype=bool)
    turns = world_turns(canonical.global_rotations, wanted.global_rotations)
    result = turn_source(start, rig, everywhere, turns)
    pelvis = start.skeleton.index(rig.joints["pelvis"])
    shift = wanted.positions[:, 0] - result.positions[:, pelvis]
    moves = result.local_translations
    if pelvis == 0 or moves is None:
        return result.replace(root_translation=result.root_translation + shift)
    parent = start.skeleton.parents[pelvis]
    moves = moves.copy()
    moves[:, pelvis] += np.einsum("tba,tb->ta", result.global_rotations[:, parent], shift)
    return result.replace(local_translations=moves)
