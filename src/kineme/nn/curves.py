"""Smooth curves over an unobserved stretch of time that leave what was observed in value and velocity.

A curve is a base, a blend of the poses and velocities at its ends, plus a weighted sum of waves. Waves are
zero where they meet observed motion, and so is their slope: whatever the weights, there is no seam. They
are made orthonormal over the stretch, so that weights are of one size. Everything can be evaluated at any
time, whatever the frame rate.
"""

from __future__ import annotations

import numpy as np

#: seconds in which the velocity at a seam dies away
EASE = 0.15
#: highest frequency of a wave in Hz, and points on which waves are made orthonormal
HIGHEST, _GRID = 3.0, 128


def ease(times: np.ndarray) -> np.ndarray:
    """A move that begins with slope 1 at time 0 and comes to rest after `EASE` seconds: (T,)."""
    return EASE * (1 - np.exp(-np.asarray(times, dtype=np.float64) / EASE))


def sway(times: np.ndarray) -> np.ndarray:
    """A move that begins with slope 1 at time 0, and comes back to where it began: (T,)."""
    times = np.asarray(times, dtype=np.float64)
    return times * np.exp(-times / EASE)


def bump(times: np.ndarray, gap: float) -> np.ndarray:
    """Slope 1 at time 0, value 0 at both ends, slope 0 at `gap` seconds: (T,)."""
    return sway(times) * (1 - np.asarray(times, dtype=np.float64) / gap) ** 2


def ahead_waves(times: np.ndarray, seconds: float, count: int) -> np.ndarray:
    """(T, count) waves after time 0 over a stretch of `seconds`: quarter-wave sines less their slope at 0.

    Those above `HIGHEST` Hz are zero.
    """
    rates = np.pi * (np.arange(count) + 0.5) / seconds
    return _orthonormal(
        lambda t: np.sin(t[:, None] * rates) - rates * ease(t)[:, None],
        times, seconds, int((rates <= 2 * np.pi * HIGHEST).sum()),
    )  # fmt: skip


def gap_waves(times: np.ndarray, gap: float, count: int) -> np.ndarray:
    """(T, count) waves over a gap of `gap` seconds: sines less their slopes at both ends.

    Those above `HIGHEST` Hz are zero; one remains in any gap.
    """
    order = np.arange(count) + 1
    rates = np.pi * order / gap

    def waves(t: np.ndarray) -> np.ndarray:
        ends = bump(t, gap)[:, None] - (-1.0) ** order * bump(gap - t, gap)[:, None]
        return np.sin(t[:, None] * rates) - rates * ends

    return _orthonormal(waves, times, gap, max(1, int((rates <= 2 * np.pi * HIGHEST).sum())))


def _orthonormal(waves, times: np.ndarray, seconds: float, kept: int) -> np.ndarray:
    """Combinations of the first `kept` waves whose mean product over the stretch is 0, and square 1."""
    grid = (np.arange(_GRID) + 0.5) / _GRID * seconds
    whole = waves(grid)
    _, mix = np.linalg.qr(whole[:, :kept] / np.sqrt(_GRID))
    mix *= np.sign(np.diag(mix))[:, None]
    made = np.zeros((len(times), whole.shape[1]))
    made[:, :kept] = np.linalg.solve(mix.T, waves(np.asarray(times, dtype=np.float64))[:, :kept].T).T
    return made.astype(np.float32)


def ahead_blend(times: np.ndarray, leaving: bool) -> np.ndarray:
    """(T, 2): how much of the last pose and of its velocity a second is in the base.

    leaving : comes to rest further on, as the body's way does; else back at the last pose, which is the best
    guess of joints where nothing is known.
    """
    move = ease(times) if leaving else sway(times)
    return np.stack([np.ones(len(times)), move], axis=1).astype(np.float32)


def gap_blend(times: np.ndarray, gap: float) -> np.ndarray:
    """(T, 4): how much of the poses before and after a gap, and of the velocities there, is in the base: the
    straight way between the poses, bent so that it takes up the velocity at either end."""
    times = np.asarray(times, dtype=np.float64)
    first, last = bump(times, gap), -bump(gap - times, gap)
    share = times / gap
    straight = (first + last) / gap  # the velocity of the straight way is taken out at both ends
    return np.stack([1 - share + straight, share - straight, first, last], axis=1).astype(np.float32)
