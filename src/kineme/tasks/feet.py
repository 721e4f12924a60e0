"""Feet that stand keep standing: ankles are locked while a foot is down, and knees bend for it.

On places of the standard body (T, 22, 3), metres, +Y up. For frames that a network made; why mixed recordings
have another lock, `motion.feet` says.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kineme.motion.canonical import INDEX, PARENTS, SIDES
from kineme.motion.feet import foot_skate, reach
from kineme.motion.frame import unit
from kineme.motion.stretches import smoothstep, stretches

#: a foot is down below this height over the floor (metres) and this horizontal speed (metres a second)
HEIGHT, SPEED = 0.07, 0.5
#: seconds over which a lock takes hold before a stance and lets go after it, and of the shortest stance
FADE, SHORTEST = 0.15, 0.1
#: metres a second at which a lock may draw a foot along at most, where it takes hold and lets go
DRAWN = 1.5
#: metres by which a knee is bent towards the toes, so that it keeps its side where a leg is nearly straight
KNEE = 0.02
#: a leg is stretched to this part of its length at most
STRETCH = 0.9999
#: metres by which a foot may be drawn along unseen; seconds and height of the step that it takes otherwise
APART, STEP, LIFT = 0.03, 0.4, 0.08
_LEGS = [tuple(INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "foot")) for side in SIDES]


class Stance(NamedTuple):
    """A leg (0 left, 1 right) stands from frame `start` to `stop`, the latter exclusive."""

    leg: int
    start: int
    stop: int


def floor_height(places: np.ndarray) -> float:
    """Where the floor is: the height that the lower foot reaches in a tenth of the frames (T, 22, 3)."""
    return float(np.quantile(places[:, [leg[3] for leg in _LEGS], 1].min(1), 0.1))


def stances(places: np.ndarray, fps: float, floor: float) -> list[Stance]:
    """When each foot is down, for `SHORTEST` seconds at least."""
    found = []
    for number, (_, _, _, foot) in enumerate(_LEGS):
        way = np.gradient(places[:, foot], axis=0) * fps if len(places) > 1 else np.zeros((1, 3))
        down = (places[:, foot, 1] < floor + HEIGHT) & (np.linalg.norm(way[:, [0, 2]], axis=1) < SPEED)
        for (_, up), (again, _) in pairwise(stretches(down)):  # a step takes longer than that
            down[up:again] |= again - up <= SHORTEST * fps
        found += [Stance(number, a, b) for a, b in stretches(down) if b - a >= SHORTEST * fps]
    return found


def lock_feet(places: np.ndarray, fps: float, made: slice, floor: float) -> np.ndarray:
    """Places (T, 22, 3) whose feet do not slide where they stand in the frames of `made`; all others stay.

    A stance that began before is held where it began; one that goes on after, where it goes on; one between
    at its mean. Between two known ends that are apart the foot takes a step. What a lock moves fades over
    `FADE` seconds on either side of it, or longer, so that no foot is drawn faster than `DRAWN`. No foot goes
    deeper than it does in the known frames.
    """
    start, stop, _ = made.indices(len(places))
    shift = np.zeros((2, len(places), 3))
    across = np.tile([start == 0, stop == len(places)], (2, 1))  # where there is no known frame beside
    for leg, first, last in stances(places, fps, floor):
        inside = np.arange(max(first, start), min(last, stop))
        if len(inside):
            foot = places[:, _LEGS[leg][3]] * [1, 0, 1]
            shift[leg, inside] = _anchor(foot, (first, last), (start, stop), fps) - foot[inside]
            across[leg] |= (first < start, last > stop)
    locked = places.copy()
    frames = np.arange(start, stop)
    known = np.delete(places, frames, axis=0)
    for number, leg in enumerate(_LEGS):
        moved = _spread(shift[number, start:stop], fps, across[number])
        if len(known):
            deep = known[:, leg[3], 1].min() - places[start:stop, leg[3], 1] - moved[:, 1]
            moved[:, 1] += np.maximum(deep, 0)
        if np.abs(moved).max(initial=0) > 0:
            _move_leg(locked, frames, leg, moved)
    return locked


def _anchor(foot: np.ndarray, stance: tuple[int, int], made: tuple[int, int], fps: float) -> np.ndarray:
    """(n, 3) where a foot (T, 3), height 0, is held in the made frames of a stance."""
    first, last = max(stance[0], made[0]), min(stance[1], made[1])
    count = last - first
    before, after = stance[0] < made[0], stance[1] > made[1]
    if not (before or after):
        return np.repeat(foot[first:last].mean(0)[None], count, axis=0)
    ends = foot[made[0] - 1] if before else foot[made[1]], foot[made[1]] if after else foot[made[0] - 1]
    at = np.arange(count) + 1
    if np.linalg.norm(ends[1] - ends[0]) < APART:
        share, lift = at / (count + 1), np.zeros(count)
    else:
        long = min(count + 1, STEP * fps)
        phase = np.clip((at - (count + 1 - long) / 2) / long, 0, 1)
        share, lift = smoothstep(phase), LIFT * np.sin(np.pi * phase)
    way = ends[0] * (1 - share[:, None]) + ends[1] * share[:, None]
    return way + lift[:, None] * [0, 1, 0]


def _spread(shift: np.ndarray, fps: float, across: np.ndarray) -> np.ndarray:
    """Shifts (n, 3) of a foot that go to zero beside the stances in which they are not zero, and at the ends
    of the made frames, but for ends (2,) `across` which a stance reaches over, or beside which nothing is
    known."""
    held = np.abs(shift).max(1) > 0
    at = np.flatnonzero(held)
    if not len(at):
        return shift
    frames = np.arange(len(shift))
    after = np.searchsorted(at, frames)
    sides = [at[np.clip(after - 1, 0, len(at) - 1)], at[np.clip(after, 0, len(at) - 1)]]
    weights = [_ramp(np.abs(frames - side), shift[side], fps) for side in sides]
    free = sum(w[:, None] * shift[side] for w, side in zip(weights, sides, strict=True))
    total = np.where(held[:, None], shift, free / np.maximum(weights[0] + weights[1], 1.0)[:, None])
    for end, away in enumerate((frames + 1, len(frames) - frames)):
        if not across[end]:  # a known frame is beside it, which no lock may move
            total = total * (1 - _ramp(away, total, fps))[:, None]
    return total


def _ramp(away: np.ndarray, shift: np.ndarray, fps: float) -> np.ndarray:
    """(n,) 1 where `away` (n,) frames are none, 0 from `FADE` seconds on, or from where `shift` (n, 3) can
    have been taken back at `DRAWN`."""
    # the steepest part of the ramp is 1.5 times as steep as its mean
    long = np.maximum(FADE, 1.5 * np.linalg.norm(shift, axis=1).max() / DRAWN) * fps + 1
    return smoothstep(np.clip(1 - away / long, 0, 1))


def put_ankles(body: np.ndarray, goal: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A body (T, 22, 3) whose ankles and feet are where those of `goal` (T, 22, 3) are, as far as its legs of
    these `lengths` (22,) reach from its hips."""
    made = body.copy()
    for leg in _LEGS:
        _, knee, ankle, foot = leg
        long = [np.full(len(made), lengths[joint]) for joint in (knee, ankle)]
        made[:, knee], made[:, ankle] = _reach(body, leg, goal[:, ankle], *long)
        made[:, foot] = made[:, ankle] + goal[:, foot] - goal[:, ankle]
    return made


def _move_leg(places: np.ndarray, frames: np.ndarray, leg: tuple[int, ...], shift: np.ndarray) -> None:
    """Move ankle and foot by `shift` (n, 3), as far as the leg reaches, and bend the knee to fit."""
    hip, knee, ankle, foot = leg
    own = places[frames]
    lengths = [np.linalg.norm(own[:, b] - own[:, a], axis=1) for a, b in ((hip, knee), (knee, ankle))]
    toes = own[:, foot] - own[:, ankle]
    reached = _reach(own, leg, own[:, ankle] + shift, *lengths)
    for joint, place in zip((knee, ankle, foot), (*reached, reached[1] + toes), strict=True):
        places[frames, joint] = place


def _reach(
    body: np.ndarray, leg: tuple[int, ...], goal: np.ndarray, thigh: np.ndarray, shin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Knee and ankle (n, 3) of legs of these lengths (n,) that reach for `goal` (n, 3) from their hips,
    the knee to the side that it is on now."""
    hip, knee, ankle, foot = leg
    top, old = body[:, hip].astype(np.float64), body[:, ankle]
    axis = unit(goal - top)

    def across(vectors: np.ndarray) -> np.ndarray:
        return vectors - (vectors * axis).sum(1, keepdims=True) * axis

    # the knee bends where the toes point, which decides where the leg is nearly straight
    bend = across(body[:, knee] - top) + KNEE * unit(across(body[:, foot] - old))
    new_knee, new_ankle = reach(top, goal, bend, (thigh, shin), STRETCH)
    return new_knee.astype(np.float32), new_ankle.astype(np.float32)


def with_lengths(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Places (T, 22, 3) with every bone at its length: `lengths` (22,) metres from the parent.

    What is right on average is too short. Bones keep their directions, from the pelvis outward, and the body
    is lifted until its lower foot is as high as it was: knees that bent to fit shorter legs would squat.
    """
    made = places.astype(np.float32).copy()
    for joint in range(1, places.shape[1]):
        bone = unit(places[:, joint] - places[:, PARENTS[joint]])
        made[:, joint] = made[:, PARENTS[joint]] + bone * np.float32(lengths[joint])
    feet = [leg[3] for leg in _LEGS]
    made[..., 1] += (places[:, feet, 1].min(1) - made[:, feet, 1].min(1))[:, None]
    return made


def skate(places: np.ndarray, fps: float, floor: float) -> float:
    """Mean horizontal speed in cm/s of feet (T, 22, 3) in the frames in which they stand; nan where none
    does."""
    standing = np.zeros((len(places), 2), dtype=bool)
    for leg, start, stop in stances(places, fps, floor):
        standing[start:stop, leg] = True
    return foot_skate(places, standing, fps)


def glide(places: np.ndarray, fps: float) -> float:
    """Median over frames of the horizontal speed in cm/s of the slower foot of (T, 22, 3): of a walk that steps
    it is near 0, as one foot stands.

    The lower foot would not do: over a short stretch the one that swings may be the lower one.
    """
    if len(places) < 2:
        return 0.0
    feet = places[:, [leg[3] for leg in _LEGS]]
    speeds = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * fps * 100
    return float(np.median(speeds.min(1)))
