"""Named points from a lab, with gaps, to a `Motion` of positions: what C3D and TRC have in common.

Where the points tell a body (`keypoints`), its joints stand first in the skeleton and carry their roles, so
that `fit_rotations` finds them; what is missing between two points (a pelvis, a neck) is put in their
middle. Gaps of a point up to a quarter of a second are filled, with a note. Longer ones in a point that the
body hangs on are an error that names the point and the time, or are bridged under `--repair`; other points
with them are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.joints import motion_of_positions
from kineme.formats.keypoints import PointBody, find_body, parent_of
from kineme.formats.options import MAX_JOINTS, MAX_VALUE, ReadOptions
from kineme.motion import Motion, Skeleton
from kineme.motion.rigs import MARKERS
from kineme.motion.stretches import stretches

#: seconds: gaps up to this are filled without being asked
_SHORT = 0.25
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "inches": 0.0254, "ft": 0.3048, "meters": 1.0}


@dataclass(frozen=True, eq=False)
class Points:
    """A file's points: names, places (T, P, 3) with NaN in gaps, rate, metres per unit or None, notes."""

    names: tuple[str, ...]
    places: np.ndarray
    fps: float
    unit: float | None
    notes: tuple[str, ...] = ()


def motion_of_points(points: Points, path: Path, options: ReadOptions, form: str) -> Motion:
    """The motion that a file of named points holds. Raises InputError for gaps that cannot be filled."""
    if not points.names:
        raise InputError("there are no points in it", path)
    if len(points.names) > MAX_JOINTS:
        raise InputError(f"it has {len(points.names)} points, more than {MAX_JOINTS}", path)
    fps = options.fps or points.fps
    if not 0.01 <= fps <= 10_000:
        raise InputError("the file does not say its frame rate; give it with --source-fps", path)
    points = replace(points, names=_unique(points.names), fps=fps)
    places = points.places.astype(np.float64)
    places[~(np.abs(places) <= MAX_VALUE).all(axis=-1)] = np.nan
    places[(places == 0).all(axis=-1)] = np.nan  # how many programs write a point that was not seen
    body = find_body(points.names)
    if body is None and options.map is None:
        return _markers(points, places, path, options, form)
    needed = set() if body is None else {index for source in body.sources.values() for index in source}
    places, lost, notes = _filled(points, places, needed, path, options)
    names, parents, values, roles = _tree(points.names, places, body, lost)
    skeleton = Skeleton(
        names, parents, np.zeros((len(names), 3)), name=body.kind if body else "points", roles=roles
    )
    notes = (*points.notes, *notes)
    return motion_of_positions(
        values, skeleton, fps, path, options, notes, form=form, stated_unit=points.unit
    )


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    if len(seen) == len(names):
        return names
    return tuple(name if names.index(name) == k else f"{name}.{k + 1}" for k, name in enumerate(names))


def _filled(
    points: Points, places: np.ndarray, needed: set[int], path: Path, options: ReadOptions
) -> tuple[np.ndarray, set[int], tuple[str, ...]]:
    """Places without gaps, the points that were given up, and notes on both."""
    places, lost = places.copy(), set()
    short, long_ = [], []
    for index, name in enumerate(points.names):
        missing = np.isnan(places[:, index, 0])
        gaps = stretches(missing)
        if not gaps:
            continue
        longest = max(gaps, key=lambda gap: gap[1] - gap[0])
        seconds = (longest[1] - longest[0]) / points.fps
        said = f"{name} ({seconds:.2f} s from {longest[0] / points.fps:.2f} s)"
        if missing.all() or (seconds > _SHORT and not (index in needed and options.repair)):
            if index in needed:
                advice = "" if missing.all() else ", or have it bridged with --repair"
                raise InputError(
                    f"the point {said} was not seen; fill the gap in the lab's program{advice}", path
                )
            lost.add(index)
            continue
        (long_ if seconds > _SHORT else short).append(
            said if seconds > _SHORT else f"{name} ({missing.sum()})"
        )
        places[:, index] = bridged(places[:, index])
    notes = []
    if short:
        notes.append(f"short gaps were filled in a straight line, frames by point: {', '.join(short)}")
    if long_:
        notes.append(f"repaired: long gaps were bridged in a straight line: {', '.join(long_)}")
    if lost:
        named = ", ".join(points.names[index] for index in sorted(lost))
        notes.append(f"left out, since they were not seen for more than {_SHORT} s: {named}")
    return places, lost, tuple(notes)


def bridged(track: np.ndarray) -> np.ndarray:
    """A point's track (T, 3) with gaps filled linearly, and held at the ends."""
    seen = np.flatnonzero(~np.isnan(track[:, 0]))
    frames = np.arange(len(track))
    return np.stack([np.interp(frames, seen, track[seen, axis]) for axis in range(3)], axis=-1)


def _tree(
    names: tuple[str, ...], places: np.ndarray, body: PointBody | None, lost: set[int]
) -> tuple[tuple[str, ...], tuple[int, ...], np.ndarray, tuple[tuple[str, str], ...]]:
    """Names, parents, places (T, J, 3) and roles: the body's joints first, other points hung on them."""
    if body is None:  # a map file will say what they are
        kept = [index for index in range(len(names)) if index not in lost]
        return tuple(names[k] for k in kept), (-1, *[0] * (len(kept) - 1)), places[:, kept], ()
    there = set(body.sources)
    order = list(body.sources)
    own = {c: names[s[0]] if len(s) == 1 else _derived(c, names) for c, s in body.sources.items()}
    joints = [own[canonical] for canonical in order]
    parents = [order.index(above) if (above := parent_of(c, there)) else -1 for c in order]
    values = [places[:, list(body.sources[canonical])].mean(axis=1) for canonical in order]
    for index, canonical in sorted(body.beside.items()):
        if index not in lost:
            joints.append(names[index])
            parents.append(order.index(canonical))
            values.append(places[:, index])
    return tuple(joints), tuple(parents), np.stack(values, axis=1), tuple(own.items())


def _derived(canonical: str, names: tuple[str, ...]) -> str:
    return canonical if canonical not in names else f"{canonical} (middle)"


def _markers(points: Points, places: np.ndarray, path: Path, options: ReadOptions, form: str) -> Motion:
    """Markers on the skin: every one a point of its own; long gaps are left open and told."""
    notes = list(points.notes)
    open_, filled = [], 0
    for index, name in enumerate(points.names):
        missing = np.isnan(places[:, index, 0])
        if missing.all():
            open_.append(f"{name} (never seen)")
            continue
        longest = max((b - a for a, b in stretches(missing)), default=0)
        if longest > _SHORT * points.fps:
            open_.append(f"{name} ({longest / points.fps:.2f} s)")
        elif longest:
            filled += int(missing.sum())
            places[:, index] = bridged(places[:, index])
    if filled:
        notes.append(f"short gaps were filled in a straight line: {filled} places")
    if open_:
        notes.append(f"gaps were left open in {', '.join(open_)}")
    seen = [index for index in range(len(points.names)) if not np.isnan(places[:, index, 0]).all()]
    if not seen:
        raise InputError("no point of it was ever seen; export it again", path)
    middle = np.nanmedian(places[:, seen], axis=0)
    up = options.up or "+" + "XYZ"[int(np.ptp(middle, axis=0).argmax())]  # people are taller than wide
    skeleton = Skeleton(
        tuple(points.names[k] for k in seen),
        (-1, *[0] * (len(seen) - 1)),
        np.zeros((len(seen), 3)),
        name=MARKERS,
    )
    still = np.nan_to_num(np.where(np.isnan(places[:, seen]), middle, places[:, seen]))
    told = replace(options, up=up)
    placed = motion_of_positions(
        still, skeleton, points.fps, path, told, tuple(notes), form=form, stated_unit=points.unit
    )
    guessed = placed.provenance.guessed if options.up else placed.provenance.guessed | {"up": up}
    kept = tuple(note for note in placed.provenance.notes if not note.startswith("the rest pose comes"))
    values = np.where(np.isnan(places[:, seen]), np.nan, placed.positions)
    return placed.replace(
        given_positions=values,
        root_translation=values[:, 0],
        provenance=replace(placed.provenance, guessed=guessed, notes=kept),
    )
