"""Moments: what was observed around a stretch of time that was not, as networks that go on or fill see it.

Networks see `RATE` poses a second on the standard body, in the heading of the frame beside the stretch; what
they make is read at any times. Between two ends the frame of reference moves and turns from one to the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kineme.corpus.place import CHANNELS, RELATIVE, Place
from kineme.nn.curves import ahead_blend, ahead_waves, gap_blend, gap_waves

#: poses a second that a network sees
RATE = 10.0
#: seconds over which a velocity is taken, beside a seam and of the frames far from it
_STEP = 1 / 30
#: numbers about a gap
ABOUT = 7


class Cuts(NamedTuple):
    """Where the unobserved stretches of B moments lie in frames (N, 22, 3) of takes laid end to end.

    Attributes
    ----------
    positions : (N, 22, 3) world, on the standard body. fps : their rate.
    first, last : (B,) int64, the first and last frame of each moment's take.
    now : (B,) the last observed frame. then : (B,) the first frame observed again; None: nothing is.
    """

    positions: np.ndarray
    fps: float
    first: np.ndarray
    last: np.ndarray
    now: np.ndarray
    then: np.ndarray | None = None

    @property
    def gap(self) -> float:
        """Seconds between `now` and `then`: one value for all."""
        assert self.then is not None
        return float((self.then[0] - self.now[0]) / self.fps)

    def poses(self, frame: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """(B, T, 22, 3) so many `seconds` (T,) after `frame` (B,), linear between frames, held at the ends
        of a take."""
        index = frame[:, None] + np.asarray(seconds)[None] * self.fps
        index = np.clip(index, self.first[:, None], self.last[:, None])
        low = np.floor(index + 1e-6).astype(np.int64)
        high = np.minimum(low + 1, self.last[:, None])
        share = np.clip(index - low, 0, 1).astype(np.float32)[..., None, None]
        here = self.positions[low]
        return here if not share.any() else here * (1 - share) + self.positions[high] * share

    def step(self) -> float:
        """Seconds over which a velocity beside a seam is taken."""
        return max(_STEP, 1 / self.fps)


class Moments(NamedTuple):
    """What networks see of B moments, and what they are to say.

    Attributes
    ----------
    near : (B, sides, N, 66) poses beside the stretch, in their end's frame of reference, from near to far.
    about : (B, 7), or (B, 0) where nothing is known but the past: length of the gap, way and turn across it.
    place : frame of reference of the unobserved poses. times : (T,) theirs, seconds after `now`.
    ends : (B, 2 or 4, 66) poses beside the stretch, then velocities a second. blend : (T, 2 or 4, 66) how much
        of each is in the base. waves : (T, K), see `nn.curves`.
    """

    near: np.ndarray
    about: np.ndarray
    place: Place
    times: np.ndarray
    ends: np.ndarray
    blend: np.ndarray
    waves: np.ndarray

    @property
    def base(self) -> np.ndarray:
        """(B, T, 66) what follows of the ends alone."""
        return np.einsum("tec,bec->btc", self.blend, self.ends)


def moments(cuts: Cuts, times: np.ndarray, near: int, waves: int, longest: float) -> Moments:
    """The moments of `cuts`, to be filled at `times` (T,) seconds after the last observed frame.

    near : poses a side. waves : how many; over `longest` seconds where nothing is observed again.
    """
    back = -np.arange(near) / RATE
    start = Place.of(cuts.poses(cuts.now, np.zeros(1))[:, 0])
    past = start.channels(cuts.poses(cuts.now, back))
    step = cuts.step()
    before = np.array([-step, 0.0])
    if cuts.then is None:
        last = start.channels(cuts.poses(cuts.now, before))
        ends = np.stack([last[:, 1], (last[:, 1] - last[:, 0]) / step], axis=1)
        about = np.zeros((len(past), 0), dtype=np.float32)
        made = ahead_waves(times, longest, waves)
        return Moments(past[:, None], about, start, times, ends, _blend(times), made)
    gap = cuts.gap
    stop = Place.of(cuts.poses(cuts.then, np.zeros(1))[:, 0])
    future = stop.channels(cuts.poses(cuts.then, -back))
    first = start.towards(stop, before / gap).channels(cuts.poses(cuts.now, before))
    last = start.towards(stop, 1 - before / gap).channels(cuts.poses(cuts.then, -before))
    slopes = (first[:, 1] - first[:, 0]) / step, (last[:, 0] - last[:, 1]) / step
    ends = np.stack([first[:, 1], last[:, 1], *slopes], axis=1)
    place = start.towards(stop, times / gap)
    near_both = np.stack([past, future], axis=1)
    about, made = _about(start, stop, gap), gap_waves(times, gap, waves)
    return Moments(near_both, about, place, times, ends, _blend(times, gap), made)


def _about(start: Place, stop: Place, gap: float) -> np.ndarray:
    """(B, 7): length of the gap, way across it as seen from the start (left, ahead), its length a second,
    sine and cosine of the turn, one over the length of the gap."""
    turn = (stop.angle - start.angle)[:, 0]
    way = start.channels(np.repeat(stop.origin[:, :, None], 22, axis=2))[:, 0, -3:]
    long = np.linalg.norm(way, axis=1) / gap
    lengths = np.full(len(turn), gap)
    rows = [lengths / 2 - 1, way[:, 0], way[:, 2], long, np.sin(turn), np.cos(turn), 0.5 / lengths]
    return np.stack(rows, axis=1).astype(np.float32)


def truth(cuts: Cuts, made: Moments) -> np.ndarray:
    """(B, T, 66) what really happened, in the moments' frame of reference."""
    return made.place.channels(cuts.poses(cuts.now, made.times))


def history(cuts: Cuts, seconds: float, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of the observed (B, L, 132): poses and velocities in the start's frame of reference; times (L,)
    in seconds after `now`; (B, L) bool, which exist. After a gap as long as before it."""
    start = Place.of(cuts.poses(cuts.now, np.zeros(1))[:, 0])
    back = -np.arange(round(seconds * rate) + 1) / rate
    sides = [(cuts.now, back, back, -1.0)]
    if cuts.then is not None:
        sides.append((cuts.then, -back, cuts.gap - back, 1.0))
    rows = []
    for frame, offsets, times, away in sides:
        here = start.channels(cuts.poses(frame, offsets))
        beyond = start.channels(cuts.poses(frame, offsets + away * _STEP))
        speed = (beyond - here) * (away / _STEP)
        index = frame[:, None] + offsets[None] * cuts.fps
        known = (index >= cuts.first[:, None] - 1e-6) & (index <= cuts.last[:, None] + 1e-6)
        rows.append((np.concatenate([here, speed * 0.2], axis=-1), times, known))
    items, times, known = zip(*rows, strict=True)
    return np.concatenate(items, 1), np.concatenate(times).astype(np.float32), np.concatenate(known, 1)


def whole_times(cuts: Cuts, longest: float) -> np.ndarray:
    """Times (T,) over the whole stretch, `RATE` a second: up to `longest` seconds ahead, or inside a gap."""
    if cuts.then is not None:
        return inner_times(cuts.gap)
    return (np.arange(round(longest * RATE)) + 1) / RATE


def _blend(times: np.ndarray, gap: float | None = None) -> np.ndarray:
    """(T, E, 66): how much of each end is in the base."""
    if gap is not None:
        return np.repeat(gap_blend(times, gap)[..., None], CHANNELS, axis=-1)
    joints, way = (ahead_blend(times, leaving)[..., None] for leaving in (False, True))
    return np.concatenate([joints.repeat(RELATIVE, -1), way.repeat(CHANNELS - RELATIVE, -1)], axis=-1)


def lift_over(cuts: Cuts, waves: int, longest: float) -> np.ndarray:
    """(K, E, 66): weights of waves that come nearest to each end's part in the base, over the whole stretch."""
    times = whole_times(cuts, longest)
    if cuts.then is None:
        parts = _blend(times), ahead_waves(times, longest, waves)
    else:
        parts = _blend(times, cuts.gap), gap_waves(times, cuts.gap, waves)
    return np.einsum("kt,tec->kec", np.linalg.pinv(parts[1]), parts[0]).astype(np.float32)


def inner_times(gap: float, rate: float = RATE) -> np.ndarray:
    """Times (T,) strictly inside a gap, `rate` a second."""
    count = max(1, round(gap * rate) - 1)
    return (np.arange(count) + 1) * (gap / (count + 1))
