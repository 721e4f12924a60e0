"""Two actions at once from two clips: no training, the coupling of `models.compose` on a person's own files.

files -> energies -> shares of every part; one frame rate, one length -> the canonical body, facing one way
-> mixed rotations -> feet that stand -> the first clip's own skeleton, or the standard body
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch

from kineme.errors import InputError, UsageError
from kineme.formats.rest_pose import drop_rest_frame
from kineme.models.compose.coupling import couple_rotations, joint_share
from kineme.models.compose.energy import part_values, parts_of, steady_energy
from kineme.models.compose.refine import Refinement
from kineme.motion import Motion
from kineme.motion.canonical import INDEX, JOINTS, SMPL22
from kineme.motion.feet import foot_skate, lock_feet, stance
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.frame import facing_angle, turn
from kineme.motion.retarget import canonical_places, retarget, to_standard_body
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.motion.rotations import matrix_to_sixd, sixd_to_matrix
from kineme.motion.standing import same_lengths, stand_on
from kineme.motion.time import resample
from kineme.tasks.carry import standard_places
from kineme.tasks.compose_refine import Progress, refine
from kineme.tasks.onto import turned_to

#: a clip is played so many times as slowly at most, to fill the seconds that were asked for
SLOWEST = 2.0
#: seconds of the shortest clip: an atom
SHORTEST = 0.4
#: two shares that differ by less are alike, and the first clip has the part
_ALIKE = 0.005
#: metres between joints of two clips that are the same motion
_SAME = 1e-3
#: words for several parts at once
_GROUPS = {
    "arms": ("left arm", "right arm", "arms"),
    "upper body": ("left arm", "right arm", "arms", "torso", "head"),
    "lower body": ("legs",),
}
_LEGS = "legs"
#: a clip needs the parts that have at least this share of the energy of its most moving one
_MAIN = 0.7


@dataclass(frozen=True, eq=False)
class Composition:
    """Two clips as one.

    Attributes
    ----------
    motion : the result, in the first clip's rate, and in its skeleton or on the standard body.
    sources : both clips as they went in: on the first one's canonical body, of one length, facing one way.
    energies : of each, part -> square metres a frame of `models.compose.energy.RATE` (eq. 2), on the standard
        body.
    shares : part -> what the first clip gives of it, in [0, 1].
    skate_before, skate_after : centimetres a second over the floor of feet that stood in the clip that gives
        the legs, in what was mixed and in `motion`; NaN where none stood.
    notes : what had to be decided, in sentences. warnings : what the user should know.
    """

    motion: Motion
    sources: tuple[Motion, Motion]
    energies: tuple[dict[str, float], dict[str, float]]
    shares: dict[str, float]
    skate_before: float
    skate_after: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def compose(
    first: Motion,
    second: Motion,
    *,
    names: tuple[str, str] = ("first", "second"),
    parts: Mapping[str, float] | None = None,
    seconds: float | None = None,
    rate: float = 0.5,
    scheme: str = "sides",
    mix: bool = False,
    lock: bool = True,
    standard: bool = False,
    refinement: Refinement | None = None,
    progress: Progress | None = None,
) -> Composition:
    """Both clips at once, each with the parts that it moves more.

    One length: both are cut to the shorter one; tempo is a part of what is done. With `seconds` each is cut
    to that, and one that is shorter is slowed down, to `SLOWEST` times its length at most. The root's way and
    its orientation come from the clip that has the larger share of the legs.

    Parameters
    ----------
    names : what notes call the clips.
    parts : part -> share of the first clip, in place of what the energies say. ``arms``, ``upper body``
        and ``lower body`` are words for several parts.
    rate : lambda, the first clip's say where both move a part.
    mix : parts are mixed by the masks, as the paper does (eq. 10). By default a part goes whole to the clip
        with the larger share: mixed with an arm that swings, a waving hand stays 17 cm lower.
    lock : keep feet standing that stood.
    standard : give the result on the standard body, which AMASS files hold, with its feet on that one's floor.
    refinement : also change rotations a little, so that an autoencoder sees both actions better
        (`tasks.compose_refine`). progress : is told how far that is.

    Two clips of the same motion give the first one as it is. Raises InputError for rigs that are no body and for
    clips shorter than an atom, UsageError for parts or seconds that cannot be, and for what is no motion.
    """
    _check((first, second), parts or {})
    if not 0 <= rate <= 1:
        raise UsageError(f"the mixing rate lies between 0 and 1, not {rate:g}")
    division, notes, warnings = parts_of(scheme), [], []
    started = (_started(first, names[0], notes), _started(second, names[1], notes))
    own, other = _one_length(*started, seconds, names, notes)
    if own.positions_only:
        own = fit_rotations(own)
        notes.append(f"{names[0]} holds positions only: rotations were fitted to it")
    rig = recognise_rig(own.skeleton)
    a = retarget(own, rig)
    b = _facing(stand_on(_canonical(other), a), a)
    if not own.skeleton.same_tree(other.skeleton):
        notes.append(f"{names[1]} has another rig than {names[0]}, and was retargeted to its skeleton")
    one, two = _energies(started, seconds, division)
    energies = (one, two)
    per_part = (part_values(one, division), part_values(two, division))
    share = _share(energies, rate, mix)
    given = _override(share, parts or {}, division)
    moves = one.any() or two.any()
    if same := bool(moves and np.abs(a.positions - b.positions).max() < _SAME):
        share[:] = 1.0
        warnings.append(f"{names[0]} and {names[1]} are the same motion, so {names[0]} comes out as it is")
    shares = part_values(share, division)
    if not same:
        warnings += _warnings(per_part, names, shares, given, rate)
    lead = 0 if shares[_LEGS] >= 0.5 else 1
    coupled = a if same else _coupled(a, b, share, lead)
    giving = (a, b)[lead].positions
    standing = stance(giving, own.fps)
    mixed = to_standard_body(coupled) if standard else coupled
    before = foot_skate(mixed.positions, standing, own.fps)
    if refinement is not None and not same:
        coupled, worse, better = refine(coupled, (a, b), energies, share, refinement, progress=progress)
        if better < worse:
            fell = 100 * (1 - better / worse)
            notes.append(f"refinement lowered its loss from {worse:.4f} to {better:.4f}, by {fell:.1f} %")
        else:
            notes.append(f"refinement found nothing that lowers its loss ({worse:.4f}), and changed nothing")
    if lock and not same:
        coupled = lock_feet(coupled, giving, standing)
    fingers = other if own.skeleton.same_tree(other.skeleton) else None
    result = own if same else _on_own_skeleton(own, rig, a, coupled, share, fingers)
    if standard:
        if own.skeleton.names != JOINTS or not same_lengths(own.skeleton, SMPL22):
            notes.append(f"the result is on the standard body (SMPL), not on the skeleton of {names[0]}")
        result = _on_standard_body(retarget(result, rig), standing if lock else None)
    after = foot_skate(canonical_places(result)[0], standing, own.fps)
    labels = tuple(dict.fromkeys((*own.labels, *other.labels)))
    return Composition(
        result.replace(labels=labels), (a, b), per_part, shares, before, after, tuple(notes), tuple(warnings)
    )


def _started(motion: Motion, name: str, notes: list[str]) -> Motion:
    """The clip without a rest pose that it begins with. Raises InputError for one that is too short."""
    started = drop_rest_frame(motion)
    if started is not motion:
        notes.append(f"{name} begins with a rest pose, which was left out")
    if len(started) < 2:
        raise InputError(f"{name} has one frame and does not move, so there is nothing to compose")
    if started.duration < SHORTEST - 1e-6:
        raise InputError(f"{name} lasts {started.duration:.2f} s; give at least {SHORTEST:g} s, an atom")
    return started


def _energies(
    clips: Sequence[Motion], seconds: float | None, division: Mapping[str, tuple[int, ...]]
) -> list[np.ndarray]:
    """(22,) of each, of what is used of it: the same in whatever order the clips come, and at what rate.

    On one body, since who is larger does not move more.
    """
    lasts = min(clip.duration for clip in clips) if seconds is None else seconds
    found = []
    for clip in clips:
        slower = max(1.0, lasts / clip.duration)
        used = clip[: max(2, round(lasts / slower * clip.fps))]
        found.append(steady_energy(standard_places(used), clip.fps / slower, division))
    return found


def _on_standard_body(canonical: Motion, standing: np.ndarray | None) -> Motion:
    """A canonical motion on the standard body and its floor, with feet (T, 2) that stand held again: legs of
    other proportions bring them elsewhere."""
    turns = np.tile(np.eye(3, dtype=np.float32), (1, len(JOINTS), 1, 1))
    made = stand_on(canonical, Motion(SMPL22, canonical.fps, SMPL22.offsets[:1], turns))
    return made if standing is None else lock_feet(made, made.positions, standing)


def _check(motions: tuple[Motion, Motion], parts: Mapping[str, float]) -> None:
    """Raises UsageError for what is no motion, and for a share that is none."""
    for motion, which in zip(motions, ("first", "second"), strict=True):
        if not isinstance(motion, Motion):
            raise UsageError(
                f"the {which} is a {type(motion).__name__}, not a Motion; read a file with kineme.load"
            )
    for part, share in parts.items():
        if not isinstance(share, Real) or not 0 <= float(share) <= 1:
            raise UsageError(f"parts give the share of the first clip, from 0 to 1; {part} has {share!r}")


def _canonical(motion: Motion) -> Motion:
    return fit_rotations(motion) if motion.positions_only else retarget(motion)


def _one_length(
    first: Motion, second: Motion, seconds: float | None, names: tuple[str, str], notes: list[str]
) -> tuple[Motion, Motion]:
    """Both at the first one's rate and of one number of frames, by the rule of `compose`."""
    second = resample(second, first.fps)
    count = min(len(first), len(second))
    if seconds is not None:
        if not (np.isfinite(seconds) and seconds > 0):
            raise UsageError(f"--seconds must be above 0, not {seconds}")
        count = max(2, round(seconds * first.fps))
    fitted = []
    for motion, name in zip((first, second), names, strict=True):
        if len(motion) < count:
            slower = (count - 1) / max(len(motion) - 1, 1)
            if slower > SLOWEST:
                longest = int(100 * (SLOWEST * (len(motion) - 1) + 1) / first.fps) / 100
                raise UsageError(
                    f"{name} lasts {motion.duration:.2f} s and can be slowed {SLOWEST:g} times at most; ask "
                    f"for at most {longest:.2f} s"
                )
            notes.append(f"{name} is played {slower:.2f} times as slowly, to last {count / first.fps:.1f} s")
            motion = resample(motion.replace(fps=motion.fps / slower, source=None), motion.fps)
        elif len(motion) > count:
            notes.append(f"{name} is cut from {motion.duration:.1f} to {count / first.fps:.1f} s")
        fitted.append(motion[:count])
    return fitted[0], fitted[1]


def _facing(motion: Motion, like: Motion) -> Motion:
    """The motion turned and moved over the floor to start where and as `like` does."""
    angle = float(facing_angle(like.positions[:1])[0] - facing_angle(motion.positions[:1])[0])
    motion = turn(motion, angle)
    shift = (like.root_translation[0] - motion.root_translation[0]) * np.array([1, 0, 1], np.float32)
    return motion.replace(root_translation=motion.root_translation + shift)


def _share(energies: tuple[np.ndarray, np.ndarray], rate: float, mix: bool) -> np.ndarray:
    one, other = (torch.from_numpy(e)[None] for e in energies)
    share = joint_share(one, other, torch.tensor([rate], dtype=one.dtype))[0].numpy()
    return share if mix else np.where(share >= 0.5 - _ALIKE, 1.0, 0.0)


def _override(
    share: np.ndarray, parts: Mapping[str, float], division: Mapping[str, tuple[int, ...]]
) -> set[str]:
    """Puts what the user said into the shares of joints, in place. Returns the parts that were named."""
    named: set[str] = set()
    for word, value in parts.items():
        known = [part for part in division if part == word or part in _GROUPS.get(word, ())]
        if not known:
            words = ", ".join(dict.fromkeys((*division, *_GROUPS)))
            raise UsageError(f"no part of the body is called {word!r}; there are {words}")
        for part in known:
            share[list(division[part])] = value
        named |= set(known)
    return named


def _warnings(
    energies: tuple[dict[str, float], dict[str, float]],
    names: tuple[str, str],
    shares: Mapping[str, float],
    given: set[str],
    rate: float,
) -> list[str]:
    """What the user should know; `given` are the parts that were named, which the user has chosen."""
    still = [not any(energy.values()) for energy in energies]
    if all(still):
        pose = "a pose" if given else f"the pose of {names[0]}"
        return [f"neither {names[0]} nor {names[1]} moves, so {pose} comes out"]
    one_gives_all = len(set(shares.values())) == 1 and shares[_LEGS] in (0, 1)
    if given:
        rest = ", ".join(part for part in shares if part not in given)
        if not one_gives_all or not rest:
            return []
        one, other = names if shares[_LEGS] else names[::-1]
        if rate != 0.5:
            return [
                f"at a rate of {rate:g}, {other} gives nothing of what --parts does not name ({rest}); --rate 0.5 "
                "weighs both alike"
            ]
        return [
            f"{one} moves what --parts does not name ({rest}) more as well, so {other} gives nothing; --parts "
            "gives it some"
        ]
    if any(still):
        name, other = names if still[0] else names[::-1]
        return [f"{name} does not move, so every part that moves comes from {other}; --parts gives it some"]
    found = []
    if one_gives_all:
        one, other = names if shares[_LEGS] else names[::-1]
        if rate != 0.5:
            return [f"at a rate of {rate:g}, {other} gives nothing; --rate 0.5 weighs both alike"]
        return [f"{one} moves every part more than {other}, which gives nothing; --parts gives it some"]
    main = [{part for part, e in energy.items() if e >= _MAIN * max(energy.values())} for energy in energies]
    for part in (part for part in shares if part in main[0] & main[1]):
        whose = f"it is that of {names[shares[part] < 0.5]}" if shares[part] in (0, 1) else "both are mixed"
        found.append(
            f"{names[0]} and {names[1]} both need the same part ({part}), and, as the paper says, a single "
            f"body part cannot do two actions at once: here {whose}; --parts says otherwise"
        )
    return found


def _coupled(a: Motion, b: Motion, share: np.ndarray, lead: int) -> Motion:
    """Eq. 3 (10) on the local rotations; the pelvis whole from the action that leads."""
    assert a.local_rotations is not None and b.local_rotations is not None
    both = (a.local_rotations, b.local_rotations)
    one, other = (torch.from_numpy(matrix_to_sixd(rotations))[None] for rotations in both)
    mixed = couple_rotations(one, other, torch.from_numpy(share.astype(np.float32))[None])[0].numpy()
    rotations = sixd_to_matrix(mixed)
    rotations[:, 0] = both[lead][:, 0]
    return a.replace(local_rotations=rotations, root_translation=(a, b)[lead].root_translation, source=None)


def _on_own_skeleton(
    own: Motion, rig: RigMap, canonical: Motion, wanted: Motion, share: np.ndarray, other: Motion | None
) -> Motion:
    """The coupled motion on the user's skeleton: every joint turned by as much as its canonical one.

    `other` : the second clip where it has the same joints: its fingers move the hands that it gives.
    """
    start = own
    if other is not None and other.local_rotations is not None and own.local_rotations is not None:
        rotations = own.local_rotations.copy()
        for joint in _hangers(own, rig, share):
            rotations[:, joint] = other.local_rotations[:, joint]
        start = own.replace(local_rotations=rotations)
    return turned_to(start, rig, canonical, wanted)


def _hangers(own: Motion, rig: RigMap, share: np.ndarray) -> list[int]:
    """Joints without a canonical one below a joint that the second clip gives: fingers, for the most part."""
    skeleton = own.skeleton
    role = {skeleton.index(name): INDEX[canonical] for canonical, name in rig.joints.items()}
    found = []
    for joint in range(len(skeleton)):
        above = next((role[j] for j in skeleton.ancestors(joint) if j in role), None)
        leads_on = any(joint in skeleton.ancestors(mapped) for mapped in role)
        if joint not in role and above is not None and not leads_on and share[above] < 0.5:
            found.append(joint)
    return found
