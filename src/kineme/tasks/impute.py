"""Filling what is missing of a motion: the most probable places under a model, on the user's own skeleton.

file -> bridged motion -> channels on the standard body at the model's rate -> windows -> the most probable
values of the missing channels -> places -> the missing joints of the file, and nothing else
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from kineme.corpus.windows import frames_at, starts
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.bridge import bridge
from kineme.motion.canonical import INDEX, JOINTS, PARENTS
from kineme.motion.channels import SeesWindows
from kineme.motion.frame import facing_angle
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.motion.rotations import axis_angle_to_matrix
from kineme.tasks.ascent import BEST, Ascent, Density, fill_windows, missing_spread
from kineme.tasks.joins import JOIN_SECONDS, join_ends
from kineme.tasks.missing import Span, spans_mask
from kineme.tasks.restore import fit_rotations, place_source, turn_source, world_turns

#: a place that moves by more than this (metres) when a missing joint is shaken depends on it
_DEPENDS = 1e-3
#: windows that are filled at once
BATCH = 64


class WindowModel(Density, SeesWindows, Protocol):
    """A `Density` that says what its windows are."""

    def interval(self, seconds: float) -> float:
        """Standard deviations to either side that hold 90 %, in a gap of so many seconds."""
        ...


@dataclass(frozen=True, eq=False)
class Estimate:
    """Missing channels of a clip and what is known of them.

    Attributes
    ----------
    values, deviation : (T', C) millimetres at the model's rate; deviation 0 where nothing was missing.
    missing : (T', C) bool.
    """

    values: np.ndarray
    deviation: np.ndarray
    missing: np.ndarray


@dataclass(frozen=True, eq=False)
class JointInterval:
    """Where a repaired joint is, and where it lies in nine cases of ten.

    Attributes
    ----------
    frame : of the file. joint : the file's name. value, low, high : (3,) millimetres from the pelvis, to the
        left, up and ahead of the body.
    """

    frame: int
    joint: str
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Repair:
    """A repaired motion.

    Attributes
    ----------
    motion : the user's own skeleton, rate and file; what was not missing is the same bit by bit.
    spans : what was missing. intervals : one a missing place that the model knows.
    bridged_only : names of joints that no model joint stands for or whose turning no place shows: these were
        made up between their neighbours in time.
    """

    motion: Motion
    spans: tuple[Span, ...]
    intervals: tuple[JointInterval, ...]
    bridged_only: tuple[str, ...]


def impute(
    motion: Motion,
    spans: Sequence[Span],
    model: WindowModel,
    *,
    ascent: Ascent = BEST,
    samples: int = 8,
    seed: int = 0,
) -> Repair:
    """Fill the missing joints of a motion of any humanoid rig.

    What is missing are the channels of the named joints. In a file of rotations those turn, and all that
    hangs
    on them moves with them; in a file of positions the joints themselves move. Bones keep their lengths.

    Raises InputError where nothing or everything is missing, or where the rig cannot be mapped.
    """
    missing = spans_mask(motion, spans)
    _check(motion, missing)
    bridged = bridge(motion, missing)
    rig = recognise_rig(motion.skeleton).require(path=motion.provenance.file or None)
    canonical = to_standard_body(retarget(bridged, rig))
    gone = _dependent(bridged, canonical, rig, missing)
    if gone[:, 1:].all():
        raise InputError("all joints are missing, so there is nothing to go by; name fewer joints or frames")
    if not gone.any():
        return _repair(motion, bridged, spans, (), missing, rig)
    headings = facing_angle(canonical.positions)
    estimate, delta = _estimate(canonical, headings, gone, model, ascent, samples, seed)
    channels = model.channels
    own = channels.of(canonical.positions, headings)
    wanted = channels.places(own + delta, canonical.positions[:, 0], headings)
    targets = np.where(gone[..., None], wanted, canonical.positions)
    intervals = _intervals(bridged, rig, own + delta, gone, estimate, model, spans)
    if bridged.positions_only:
        made = place_source(bridged, rig, missing, targets)
    else:
        loose = np.zeros_like(gone)
        for name, source in rig.joints.items():
            loose[:, INDEX[name]] = missing[:, motion.skeleton.index(source)]
        loose[:, 0] = False
        turns = fit_rotations(canonical, targets, loose)
        made = turn_source(bridged, rig, missing, world_turns(canonical.global_rotations, turns))
    return _repair(motion, made, spans, intervals, missing, rig)


def _check(motion: Motion, missing: np.ndarray) -> None:
    if not missing.any():
        raise InputError("nothing is missing; name joints and frames, or let --auto find them")
    if missing.all():
        raise InputError("all joints are missing in all frames, so there is nothing to go by")
    arrays = (motion.root_translation, motion.local_rotations, motion.given_positions)
    for array in arrays:
        if array is not None and not np.isfinite(array).all():
            raise InputError("there are unusable numbers outside the declared gap; give --auto to find them")


def _repair(
    motion: Motion, made: Motion, spans: Sequence[Span], intervals: tuple, missing: np.ndarray, rig: RigMap
) -> Repair:
    """With the very numbers of `motion` wherever nothing was missing."""

    def keep(old: np.ndarray | None, new: np.ndarray | None) -> np.ndarray | None:
        if old is None or new is None:
            return old
        mask = missing.reshape(*missing.shape, *[1] * (old.ndim - 2))
        return np.where(mask, new, old).astype(np.float32)

    fixed = motion.replace(
        root_translation=np.where(missing[:, :1], made.root_translation, motion.root_translation),
        local_rotations=keep(motion.local_rotations, made.local_rotations),
        local_translations=keep(motion.local_translations, made.local_translations),
        given_positions=keep(motion.given_positions, made.given_positions),
    )
    names = motion.skeleton.names
    shown = set(rig.joints.values())
    if not motion.positions_only:  # a turn shows in the places of what follows
        shown = {s for n, s in rig.joints.items() if any(PARENTS[k] == INDEX[n] for k in range(len(JOINTS)))}
    only = [names[j] for j in np.flatnonzero(missing.any(0)) if names[j] not in shown]
    return Repair(fixed, tuple(spans), tuple(intervals), tuple(only))


def _dependent(bridged: Motion, canonical: Motion, rig: RigMap, missing: np.ndarray) -> np.ndarray:
    """(T, 22) bool: canonical places that depend on something missing."""
    if bridged.positions_only:
        return _above_missing(bridged, rig, missing)
    assert bridged.local_rotations is not None
    rng = np.random.default_rng(0)
    turns = axis_angle_to_matrix(rng.normal(size=(len(bridged.skeleton), 3)).astype(np.float32))
    shaken = bridged.local_rotations.copy()
    for joint in np.flatnonzero(missing.any(0)):
        if joint == 0:
            continue  # it turns the whole body, which does not change the pose; it is bridged
        where = missing[:, joint]
        shaken[where, joint] = shaken[where, joint] @ turns[joint]
    other = to_standard_body(retarget(bridged.replace(local_rotations=shaken), rig))
    return np.linalg.norm(other.positions - canonical.positions, axis=-1) > _DEPENDS


def _above_missing(bridged: Motion, rig: RigMap, missing: np.ndarray) -> np.ndarray:
    """A canonical place on the standard body follows from the bones between the pelvis and it."""
    own = np.zeros((len(bridged), len(JOINTS)), dtype=bool)
    for name, source in rig.joints.items():
        own[:, INDEX[name]] = missing[:, bridged.skeleton.index(source)]
    own[:, 0] = False  # the pelvis is bridged
    gone = own.copy()
    for joint in range(1, len(JOINTS)):
        gone[:, joint] |= gone[:, PARENTS[joint]]
    return gone


def _estimate(
    canonical: Motion,
    headings: np.ndarray,
    gone: np.ndarray,
    model: WindowModel,
    ascent: Ascent,
    samples: int,
    seed: int,
) -> tuple[Estimate, np.ndarray]:
    """The clip's channels at the model's rate, and what to add (T, C) to the bridged ones at the file's."""
    from scipy.interpolate import PchipInterpolator

    channels, fps = model.channels, canonical.fps
    count = frames_at(len(canonical), fps, model.fps)
    at = np.minimum(np.arange(count) * (fps / model.fps), len(canonical) - 1)
    low = np.minimum(np.floor(at + 1e-6).astype(int), len(canonical) - 1)
    high = np.minimum(low + 1, len(canonical) - 1)
    share = np.clip(at - low, 0, 1).astype(np.float32)

    def sampled(values: np.ndarray) -> np.ndarray:
        weight = share.reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - weight) + values[high] * weight

    bridged = channels.of(sampled(canonical.positions), sampled(np.unwrap(headings)).astype(np.float32))
    at_all = gone[low] | (gone[high] & (share > 1e-6)[:, None])
    missing = np.zeros((count, len(channels)), dtype=bool)
    missing[:, : 3 * len(channels.joints)] = np.repeat(at_all[:, channels.index], 3, axis=1)
    estimate = estimate_channels(bridged, missing, model, ascent, samples, seed)
    change = estimate.values - bridged
    if count < 2:
        return estimate, np.tile(change, (len(canonical), 1))
    times = np.clip(np.arange(len(canonical)) * (model.fps / fps), 0, count - 1)
    return estimate, PchipInterpolator(np.arange(count), change, axis=0)(times).astype(np.float32)


def estimate_channels(
    values: np.ndarray,
    missing: np.ndarray,
    model: WindowModel,
    ascent: Ascent,
    samples: int = 8,
    seed: int = 0,
) -> Estimate:
    """Missing channels of a clip (T', C) in windows that overlap by half, blended where they do."""
    frames, total = model.frames, len(values)
    first = [s for s in starts(total, frames, frames / 2) if missing[s : s + frames].any()]
    index = np.minimum(np.array(first)[:, None] + np.arange(frames), total - 1)
    windows = model.normalise(values[index].transpose(0, 2, 1))
    beyond = (
        np.arange(frames)[None] >= total - np.array(first)[:, None]
    )  # padding of a clip shorter than a window
    gone = torch.from_numpy(missing[index].transpose(0, 2, 1) | beyond[:, None])
    filled, spread = [], []
    for batch in range(0, len(windows), BATCH):
        part, hidden = windows[batch : batch + BATCH], gone[batch : batch + BATCH]
        found = fill_windows(model, part, hidden, ascent).windows
        filled.append(model.denormalise(found))
        spread.append((missing_spread(model, found, hidden, samples, seed + batch) * model.scale).numpy())
    weight = np.minimum(np.arange(frames) + 1, frames - np.arange(frames)).astype(np.float64)
    sums = np.zeros((3, total, values.shape[1]))
    for start, window, wide in zip(first, np.concatenate(filled), np.concatenate(spread), strict=True):
        inside = min(frames, total - start)
        shares = weight[:inside, None]
        part = slice(start, start + inside)
        sums[0, part] += shares
        sums[1, part] += shares * window.T[:inside]
        sums[2, part] += shares * wide.T[:inside]
    seen = np.maximum(sums[0], 1e-9)
    made = np.where(missing, sums[1] / seen, values).astype(np.float32)
    made = join_ends(made, missing, round(JOIN_SECONDS * model.fps))
    return Estimate(made, np.where(missing, sums[2] / seen, 0.0).astype(np.float32), missing)


def _intervals(
    bridged: Motion,
    rig: RigMap,
    values: np.ndarray,
    gone: np.ndarray,
    estimate: Estimate,
    model: WindowModel,
    spans: Sequence[Span],
) -> tuple[JointInterval, ...]:
    """One for every place (frame of the file, joint) that was missing."""
    channels = model.channels
    longest = max((s.stop - s.start) / bridged.fps for s in spans)
    factor = model.interval(longest)
    times = np.clip(np.round(np.arange(len(bridged)) * model.fps / bridged.fps), 0, len(estimate.values) - 1)
    wide = estimate.deviation[times.astype(int)] * factor
    found = []
    for place, joint in enumerate(channels.index):
        name = rig.joints.get(JOINTS[joint])
        if name is None:
            continue
        own = slice(3 * place, 3 * place + 3)
        for frame in np.flatnonzero(gone[:, joint]).tolist():
            value, half = values[frame, own], wide[frame, own]
            found.append(JointInterval(frame, name, value, value - half, value + half))
    return tuple(sorted(found, key=lambda row: row.frame))
