"""What speaks against each joint of a window: surprise on the whole, one odd number, a jump, a standstill.

A model of two seconds is little surprised by a joint that is held for one of them: no number of it is odd,
only that they are all the same. So the joints' own steps and accelerations are looked at beside the
model's surprise. Every term is measured against what is usual for that joint in sound motion, and the
highest counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from kineme.motion.channels import Channels
    from kineme.tasks.anomaly import Scorer

#: mean surprise of the joint's numbers; its oddest number against its median; logarithm of its largest
#: acceleration; minus the logarithm of its smallest speed over `STILL_SECONDS`
TERMS = ("surprise", "number", "jump", "standstill")
STILL_SECONDS = 0.4
#: mm a frame and mm a frame and frame that count as none: recorded motion trembles by more
STILL_MM, JUMP_MM = 0.02, 0.1
#: windows that are scored at once
BATCH = 128


class Usual(NamedTuple):
    """Of every joint and term (J, K), its median in sound motion, and how far above it the largest lies."""

    middle: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, terms: np.ndarray) -> Usual:
        """From terms (W, J, K) of sound windows."""
        middle = np.median(terms, axis=0)
        return cls(middle, np.maximum(terms.max(0) - middle, 1e-6))

    def joints(self, terms: np.ndarray) -> np.ndarray:
        """(W, J) evidence against each joint, 0 where nothing is above its median; terms (W, J, K).

        About 1 is as much as in the oddest sound window. Surprise counts by its logarithm, as the other
        terms do: all motion of a stranger surprises, and is not to drown what is broken in it.
        """
        above = np.maximum((terms - self.middle) / self.spread, 0.0)
        above[..., :2] = np.log1p(above[..., :2])
        return above.max(2)


def window_terms(windows: np.ndarray, exists: np.ndarray, model: Scorer) -> tuple[np.ndarray, np.ndarray]:
    """Mean surprise (W,) of windows (W, C, frames) in mm, and the terms (W, J, K) of their joints, last
    the root.

    `exists` (W, frames) says which frames count; they come first.
    """
    owners = torch.from_numpy(model.channels.owners)
    count = int(owners.max()) + 1
    scores, mean, odd = [], [], []
    for at in range(0, len(windows), BATCH):
        part = model.normalise(windows[at : at + BATCH])
        valid = torch.from_numpy(exists[at : at + BATCH])[:, None]
        with torch.no_grad():
            surprise = model.surprise(part)
        per_channel = (surprise * valid).sum(2) / valid.sum(2)
        largest = surprise.masked_fill(~valid, -torch.inf).amax(2)
        largest -= surprise.masked_fill(~valid, torch.nan).nanmedian(2).values
        sums = torch.zeros(len(part), count).index_add_(1, owners, per_channel)
        mean.append(sums / torch.bincount(owners, minlength=count))
        most = largest.new_full((len(part), count), -torch.inf)
        odd.append(most.scatter_reduce_(1, owners.expand_as(largest), largest, "amax"))
        scores.append(per_channel.mean(1))
    moves = motion_terms(windows, exists, model.channels, model.fps)
    terms = np.stack([torch.cat(mean).numpy(), torch.cat(odd).numpy(), *np.moveaxis(moves, 2, 0)], axis=2)
    return torch.cat(scores).numpy(), terms


def motion_terms(windows: np.ndarray, exists: np.ndarray, channels: Channels, fps: float) -> np.ndarray:
    """(W, J, 2) jump and standstill of windows (W, C, frames) in mm: terms that need no model; 0 for the
    root."""
    joints = len(channels.joints)
    made = np.zeros((len(windows), joints + channels.root, 2))
    places = windows[:, : 3 * joints].reshape(len(windows), joints, 3, -1).astype(np.float64)
    lengths = exists.sum(1)
    length = max(1, round(STILL_SECONDS * fps))
    for frames in np.unique(lengths).tolist():
        own = np.flatnonzero(lengths == frames)
        if frames < 3:
            continue
        made[own, :joints] = _moves(places[own, ..., :frames], min(length, frames - 1))
    return made


def _moves(places: np.ndarray, length: int) -> np.ndarray:
    """(W, J, 2) of places (W, J, 3, frames); a standstill lasts `length` steps."""
    step = np.diff(places, axis=3)
    sums = np.cumsum(np.linalg.norm(step, axis=2), axis=2)
    sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=2)
    speed = (sums[..., length:] - sums[..., :-length]) / length + STILL_MM
    still = -np.log(speed.min(2))  # not against the other joints': in a leap the trunk would stand still
    jump = np.log(np.linalg.norm(np.diff(step, axis=3), axis=2).max(2) + JUMP_MM)
    return np.stack([jump, still], axis=2)
