"""Gaps of whole frames filled, in a motion's own skeleton, rate and file; and one motion led into another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.rest_pose import drop_rest_frame
from kineme.models.a4mer.heads.head import Head
from kineme.motion import Motion
from kineme.motion.bridge import bridge
from kineme.motion.frame import facing_angle, turn
from kineme.motion.retarget import retarget
from kineme.motion.time import resample
from kineme.nn.moments import Cuts
from kineme.tasks.above import joints_above, put_above, stands_above
from kineme.tasks.carry import (
    STANDARD_LENGTHS,
    carry_with_feet,
    check_finite,
    held,
    put_frames,
    rig_of,
    standard_places,
)
from kineme.tasks.feet import floor_height, glide, lock_feet, skate, with_lengths
from kineme.tasks.jumps import after_jumps, jumps, warn_of_jumps
from kineme.tasks.onto import onto
from kineme.tasks.own_moments import with_own_moments

#: seconds beyond the context that are read along, for velocities at its ends
_MARGIN = 0.5
#: metres by which the bones of two files of one skeleton may differ
_SAME_BODY = 1e-3


@dataclass(frozen=True, eq=False)
class Filled:
    """A motion with a gap filled.

    Attributes
    ----------
    motion : the user's own skeleton, rate and file; outside the gap the same bit by bit.
    start, stop : the first frame that was made, and the first one after it that was not.
    skate : cm/s that feet slide over the floor in the gap while they stand; nan where none stands.
    glides : cm/s of the slower foot over the floor, median over the gap and over what was seen beside it.
    recalled : metres, mean over joints, between the poses beside the gap and those of the nearest moment that
        was recalled; nan where the head recalls nothing.
    notes : sentences about what was done to the input.
    """

    motion: Motion
    start: int
    stop: int
    skate: float
    glides: tuple[float, float]
    recalled: float = float("nan")
    notes: tuple[str, ...] = ()


def interpolate(
    motion: Motion,
    start: float,
    end: float,
    head: Head | str | Path = "a4mer-small",
    *,
    draw: int | None = None,
    lock: bool = True,
) -> Filled:
    """Fill the frames from `start` to `end` seconds, the end exclusive, of a motion of any humanoid rig.

    head : an interpolator, or the model that has one: its folder, or the name of one of the package or of a
        hub.
    draw : follow one moment of the training data, drawn by this seed, instead of the answer that is right on
        average, which glides in long gaps.
    lock : hold feet that stand.

    Raises InputError for a gap of no length, one that leaves less than an atom on either side, one longer
    than the head fills, and for a rig that cannot be mapped.
    """
    head = Head.named(head, "interpolator")
    first, stop = _gap(motion, start, end, head)
    known = round((head.config.context_seconds + _MARGIN) * motion.fps)
    low, high = max(0, first - known), min(len(motion), stop + known)
    rig = rig_of(motion)
    bridged = _bridged(motion, low, high, (first, stop))
    wide = standard_places(bridged, rig)
    observed = [wide[: first - low], wide[stop - low :]]
    low, high = _without_jumps(motion, observed, (first, stop), head)
    if high - low < len(wide):
        bridged = _bridged(motion, low, high, (first, stop))
    places = standard_places(bridged, rig)
    made = slice(first - low, stop - low)
    filled = places.copy()
    own = with_own_moments(head, observed, motion.fps, (stop - first + 1) / motion.fps)
    between, recalled = _between(places, motion.fps, made, own, draw)
    filled[made] = with_lengths(between, STANDARD_LENGTHS)
    seen = np.concatenate([places[: made.start], places[made.stop :]])
    floor = floor_height(seen)
    if lock:
        filled = lock_feet(filled, motion.fps, made, floor)
    carried = carry_with_feet(bridged, filled[made], made)
    whole = put_frames(motion, carried, made, first)
    inside = standard_places(carried, rig)[made]
    glides = glide(inside, motion.fps), glide(seen, motion.fps)
    return Filled(whole, first, stop, skate(inside, motion.fps, floor), glides, recalled)


def gap_frames(start: float, end: float, fps: float) -> tuple[int, int]:
    """First frame of a gap in seconds, and the first one after it."""
    first, stop = (int(np.ceil(t * fps - 1e-6)) for t in (start, end))
    return first, stop


def _gap(motion: Motion, start: float, end: float, head: Head) -> tuple[int, int]:
    """First frame of the gap, and the first one after it."""
    if head.kind != "interpolator":
        raise InputError("this head predicts; gaps need one made by `kineme train interpolator`")
    where = motion.provenance.file or None
    if not (np.isfinite(start) and np.isfinite(end)) or end <= start:
        raise InputError(f"a gap from {start:g} s to {end:g} s has no length; give its start and its end")
    first, stop = gap_frames(start, end, motion.fps)
    if stop <= first:
        raise InputError(
            f"there is no frame from {start:g} s to {end:g} s; at {motion.fps:g} a second none is"
        )
    if start >= motion.duration or end <= 0:
        raise InputError(
            f"the gap from {start:g} s to {end:g} s lies outside of the {motion.duration:.2f} s there are; "
            "name a stretch inside of them",
            where,
        )
    config = head.base.config
    need = config.min_frames / config.fps
    before, after = first / motion.fps, (len(motion) - stop) / motion.fps
    if before < need - 1e-6 or after < need - 1e-6:
        side = "start" if before < need - 1e-6 else "end"
        raise InputError(
            f"the gap from {start:g} s to {end:g} s reaches the take's {side}: {need:g} s must be seen on "
            "either side; `kineme predict` goes on past an end",
            where,
        )
    if end - start > head.config.longest + 1e-6:
        raise InputError(
            f"the gap of {end - start:g} s is longer than the {head.config.longest:g} s that this head fills",
            where,
        )
    return first, stop


def _bridged(motion: Motion, low: int, high: int, gap: tuple[int, int]) -> Motion:
    """The frames from `low` to `high`, those of the gap bridged. Raises InputError for unusable numbers."""
    piece = motion[low:high]
    missing = np.zeros((len(piece), len(piece.skeleton)), dtype=bool)
    missing[gap[0] - low : gap[1] - low] = True
    bridged = bridge(piece, missing)
    _check_sound(bridged, motion)
    return bridged


def _without_jumps(
    motion: Motion, observed: list[np.ndarray], gap: tuple[int, int], head: Head
) -> tuple[int, int]:
    """From which frame to which the take is looked at, of places observed before and after the gap: from its
    last jump before it to its first one after it, where that leaves an atom. Warns of jumps."""
    base = head.base.config
    need = base.min_frames / base.fps
    before, after = (jumps(places, motion.fps) for places in observed)
    low, high = gap[0] - len(before), gap[1] + len(after)
    speeds = np.zeros(len(motion))
    speeds[low : gap[0]], speeds[gap[1] : high] = before, after
    warn_of_jumps(motion, speeds)
    low += after_jumps(observed[0], motion.fps, need)
    # seen from its end, what follows a gap is what went before it
    return low, high - after_jumps(observed[1][::-1], motion.fps, need)


def _check_sound(bridged: Motion, motion: Motion) -> None:
    arrays = (bridged.root_translation, bridged.local_rotations, bridged.given_positions)
    if any(array is not None and not np.isfinite(array).all() for array in arrays):
        raise InputError(
            "there are unusable numbers outside the gap; `kineme impute FILE --auto` fills them",
            motion.provenance.file or None,
        )


def _between(
    places: np.ndarray, fps: float, made: slice, head: Head, draw: int | None
) -> tuple[np.ndarray, float]:
    """(n, 22, 3) in the gap of places (T, 22, 3), and how far away the nearest recalled moment is."""
    now, then = np.array([made.start - 1]), np.array([made.stop])
    cuts = Cuts(places, fps, np.zeros(1, dtype=np.int64), np.array([len(places) - 1]), now, then)
    times = (np.arange(made.stop - made.start) + 1) / fps
    if draw is None:
        found, channels = head.curves(cuts, times)
    else:
        found, channels = head.curves(cuts, times, 2, draw)
    return found.place.positions(channels[:, -1])[0], float(head.recall_distance(cuts)[0])


def interpolate_between(
    first: Motion,
    second: Motion,
    seconds: float,
    head: Head | str | Path = "a4mer-small",
    *,
    draw: int | None = None,
    lock: bool = True,
) -> Filled:
    """Lead one motion into another over so many `seconds`: the first as it is, a transition, and the second,
    turned and moved so that it goes on where the first leads, at the first's rate and on its skeleton. A rest
    pose that the second begins with is left out.

    Raises InputError as `interpolate`, for a motion shorter than an atom, and where a rig is no body.
    """
    if not np.isfinite(seconds) or seconds <= 0:
        raise InputError(f"a transition of {seconds:g} s has no length; give --seconds above 0")
    head = Head.named(head, "interpolator")
    for motion, which in ((first, "first"), (second, "second")):
        _check_seen(motion, which, head)
    notes: list[str] = []
    name = _name(second, "second")
    if (started := drop_rest_frame(second)) is not second:
        notes.append(f"{name} begins with a rest pose, which was left out")
        second = started
    retargeted = not _same_body(first, second)
    if retargeted:
        check_finite(second)
        notes.append(f"{name} was retargeted to the skeleton of {_name(first, 'first')}")
        second = onto(second, first)
    if second.fps != first.fps:
        second = resample(second, first.fps)
    count = max(1, round(seconds * first.fps))
    at = len(first) + count
    piece = _joined(first, _led_to(first, second, (count + 1) / first.fps), at, retargeted)
    later = tuple(
        replace(s, start=s.start + at / first.fps, end=s.end + at / first.fps) for s in second.labels
    )
    piece = piece.replace(labels=(*first.labels, *later))
    filled = interpolate(piece, len(first) / first.fps, at / first.fps, head, draw=draw, lock=lock)
    return replace(filled, notes=tuple(notes))


def _check_seen(motion: Motion, which: str, head: Head) -> None:
    config = head.base.config
    need = config.min_frames / config.fps
    if motion.duration < need - 1e-6:
        where = motion.provenance.file or None
        said = f"{'' if where else f'the {which} motion '}lasts {motion.duration:.2f} s"
        raise InputError(f"{said}; at least {need:g} s, an atom, must be seen on either side", where)


def _joined(first: Motion, moved: Motion, at: int, retargeted: bool) -> Motion:
    """The first motion, held up to frame `at`, and the second one; a root above the pelvis that stands in the
    second, or was none of its own, is where the first's leads it."""
    if first.local_translations is None and moved.local_translations is not None:
        first = _with_places(first)
    elif moved.local_translations is None and first.local_translations is not None:
        moved = _with_places(moved)
    piece = put_frames(held(first, at - len(first) + len(moved)), moved, slice(0, len(moved)), at)
    rig = rig_of(first)
    chain = joints_above(piece, rig, np.arange(len(piece)) < len(first))
    if not chain or not (retargeted or stands_above(moved, rig)):
        return piece
    pelvis, body = piece.skeleton.index(rig.joints["pelvis"]), retarget(piece, rig).positions
    return put_above(piece, chain, pelvis, body, slice(len(first), len(piece)))


def _with_places(motion: Motion) -> Motion:
    """The same motion, with its bones' places frame by frame."""
    if motion.positions_only:
        return motion
    moves = np.repeat(motion.skeleton.offsets[None], len(motion), axis=0)
    moves[:, 0] = motion.root_translation
    return motion.replace(local_translations=moves)


def _same_body(first: Motion, second: Motion) -> bool:
    same = first.skeleton.names == second.skeleton.names
    same = same and first.skeleton.parents == second.skeleton.parents
    same = same and first.positions_only == second.positions_only
    if not same or first.positions_only:
        return same
    return bool(np.allclose(first.skeleton.offsets[1:], second.skeleton.offsets[1:], atol=_SAME_BODY))


def _name(motion: Motion, which: str) -> str:
    return Path(motion.provenance.file).name if motion.provenance.file else f"the {which} motion"


def _led_to(first: Motion, second: Motion, seconds: float) -> Motion:
    """The second motion, turned about the vertical and moved over the floor to where the first leads: it
    faces the same way, and the pelvis has gone on at the mean of both velocities."""
    ends = [retarget(part).positions for part in (first[-2:], second[:2])]
    facing = [float(facing_angle(places)[k]) for places, k in zip(ends, (-1, 0), strict=True)]
    turned = turn(second, facing[0] - facing[1]).replace(source=None)
    start = retarget(turned[:2]).positions
    speeds = [(places[1, 0] - places[0, 0]) * first.fps for places in (ends[0], start)]
    goal = ends[0][-1, 0] + (speeds[0] + speeds[1]) / 2 * seconds
    shift = (goal - start[0, 0]) * np.array([1, 0, 1], dtype=np.float32)
    given = turned.given_positions
    return turned.replace(
        root_translation=turned.root_translation + shift,
        given_positions=None if given is None else given + shift,
    )
