"""Feet that stand keep standing: ankles are locked while a foot is down, and knees bend for it.

On places of the standard body (T, 22, 3), metres, +Y up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kineme.motion.canonical import INDEX, SIDES
from kineme.motion.frame import unit

#: a foot is down below this height over the floor (metres) and this horizontal speed (metres a second)
HEIGHT, SPEED = 0.06, 0.35
#: seconds over which a lock takes hold and lets go, and of the shortest stance that is locked
FADE, SHORTEST = 0.1, 0.1
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
        edges = np.flatnonzero(np.diff(np.concatenate([[0], down.astype(int), [0]])))
        found += [
            Stance(number, int(a), int(b))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
            if b - a >= SHORTEST * fps
        ]
    return found


def lock_feet(places: np.ndarray, fps: float, made: slice, floor: float) -> np.ndarray:
    """Places (T, 22, 3) whose feet do not slide where they stand in the frames of `made`; all others stay.

    A stance that began before is held where it began; one that goes on after, where it goes on; one between
    at its mean. Between two known ends the lock drifts evenly from one to the other.
    """
    start, stop, _ = made.indices(len(places))
    locked = places.copy()
    fade = max(1, round(FADE * fps))
    for leg, first, last in stances(places, fps, floor):
        inside = np.arange(max(first, start), min(last, stop))
        if not len(inside):
            continue
        hip, knee, ankle, foot = _LEGS[leg]
        before, after = first < start, last > stop
        own = places[inside][:, foot][:, [0, 2]]
        anchor = np.repeat(own.mean(0)[None], len(inside), axis=0)
        ends = [places[k, foot, [0, 2]] for k, known in ((start - 1, before), (stop, after)) if known]
        if ends:
            share = (np.arange(len(inside)) + 1)[:, None] / (len(inside) + 1)
            anchor = ends[0] * (1 - share) + ends[-1] * share
        shift = np.zeros((len(inside), 3), dtype=np.float32)
        shift[:, [0, 2]] = anchor - own
        reach = np.arange(len(inside))
        weight = np.ones(len(inside))
        if not before:
            weight = np.minimum(weight, (reach + 1) / (fade + 1))
        if not after:
            weight = np.minimum(weight, (len(inside) - reach) / (fade + 1))
        weight = weight * weight * (3 - 2 * weight)
        _move_leg(locked, inside, _LEGS[leg], shift * weight[:, None])
    return locked


def _move_leg(places: np.ndarray, frames: np.ndarray, leg: tuple[int, ...], shift: np.ndarray) -> None:
    """Move ankle and foot by `shift` (n, 3), as far as the leg reaches, and bend the knee to fit."""
    hip, knee, ankle, foot = leg
    top, old_knee, old = (places[frames, joint].astype(np.float64) for joint in (hip, knee, ankle))
    thigh = np.linalg.norm(old_knee - top, axis=1)
    shin = np.linalg.norm(old - old_knee, axis=1)
    way = old + shift - top
    long = np.linalg.norm(way, axis=1)
    fits = np.clip(long, np.abs(thigh - shin) + 1e-4, (thigh + shin) * 0.9999)
    axis = unit(way)
    new = top + axis * fits[:, None]
    along = (thigh**2 - shin**2 + fits**2) / (2 * fits)
    out = np.sqrt(np.maximum(thigh**2 - along**2, 0))
    bend = old_knee - top
    bend = bend - (bend * axis).sum(1, keepdims=True) * axis
    ahead = np.linalg.norm(bend, axis=1) < 1e-4  # a straight leg: the knee bends where the toes point
    toes = places[frames, foot] - old
    bend[ahead] = (toes - (toes * axis).sum(1, keepdims=True) * axis)[ahead]
    places[frames, knee] = top + axis * along[:, None] + unit(bend) * out[:, None]
    places[frames, foot] += (new - old).astype(np.float32)
    places[frames, ankle] = new


def skate(places: np.ndarray, fps: float, floor: float) -> float:
    """Mean horizontal speed in cm/s of feet (T, 22, 3) in the frames in which they stand; nan where none
    does."""
    speeds = []
    for leg, start, stop in stances(places, fps, floor):
        foot = places[start:stop, _LEGS[leg][3]][:, [0, 2]]
        if len(foot) > 1:
            speeds.append(np.linalg.norm(np.diff(foot, axis=0), axis=1) * fps * 100)
    return float(np.concatenate(speeds).mean()) if speeds else float("nan")
