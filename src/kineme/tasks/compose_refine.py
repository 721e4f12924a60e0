"""Refinement of a composition of two clips by the loss that refines a model: no training, gradients to the
pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kineme.models.compose.batch import Pairs, frames_of, split_frames
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.refine import Refinement
from kineme.motion import Motion
from kineme.motion.retarget import to_standard_body
from kineme.motion.rotations import sixd_to_matrix
from kineme.nn.repeatable import repeatable

#: seconds between the knots of what is added to the rotations; the frames at the knots are looked at
_KNOT = 0.25
#: frames that are looked at, at most; of a longer motion the knots are further apart
MOST = 16
#: of these, how many are rendered at once
_AT_ONCE = 8
#: is told how many looks are done, how many there are at most, and how many frames are looked at
Progress = Callable[[int, int, int], None]
#: a mean over pixels has gradients so small that the first step of L-BFGS would be none
_SCALE = 1e4


@dataclass(frozen=True)
class Descent:
    """How a composition is refined.

    Attributes
    ----------
    steps : of L-BFGS. hold : weight of the mean square of what is added to the 6D rotations.
    """

    steps: int = 20
    hold: float = 1.0


@repeatable()
def refine(
    coupled: Motion,
    sources: tuple[Motion, Motion],
    energies: tuple[np.ndarray, np.ndarray],
    share: np.ndarray,
    refinement: Refinement,
    descent: Descent = Descent(),  # noqa: B008  # frozen
    progress: Progress | None = None,
) -> tuple[Motion, float, float]:
    """The canonical motion with rotations that show both actions better to the autoencoder.

    What is added to each joint's rotation is piecewise linear in time, a knot every quarter of a second or
    `MOST` in all, so that nothing jitters; the pelvis stays. Returns the motion, and the loss of eq. 7 (14)
    before and after, on the same frames; the motion as it was where nothing lowers the loss.

    sources : both clips, of one length. energies : (22,) of each. share : (22,) what a joint has of the first.
    """
    count = len(coupled)
    own, one, other = (_frames(motion) for motion in (coupled, *sources))
    pairs = Pairs(
        own[None],
        torch.ones(1, count, dtype=torch.bool),
        torch.zeros(1, 1),
        torch.stack([one, other])[:, None],
        torch.from_numpy(np.stack(energies).astype(np.float32))[:, None],
        torch.from_numpy(share.astype(np.float32))[None],
        torch.ones(1),
    )
    knots = min(MOST, count, max(2, round(coupled.duration / _KNOT) + 1))
    hats, at = _hats(count, knots), np.unique(np.round(np.linspace(0, count - 1, knots)).astype(int))
    chosen = [(0, int(frame)) for frame in at]
    added = torch.zeros(knots, 22, 6, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [added], max_iter=descent.steps, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    looks, done = descent.steps * 5 // 4, 0  # L-BFGS's own limit
    report = progress or (lambda *_: None)
    report(0, looks, len(chosen))

    def closure() -> Tensor:
        nonlocal done
        optimiser.zero_grad()
        held = _SCALE * descent.hold * added.square().mean()
        held.backward()
        total = held.detach()
        for part in _batches(chosen):
            loss = _SCALE * len(part) / len(chosen) * refinement(_moved(own, hats, added)[None], pairs, part)
            loss.backward()
            total = total + loss.detach()
        done = min(done + 1, looks)
        report(done, looks, len(chosen))
        return total

    def loss_of(frames: Tensor) -> float:
        parts = _batches(chosen)
        return sum(len(p) / len(chosen) * float(refinement(frames[None], pairs, p)) for p in parts)

    optimiser.step(closure)  # type: ignore[arg-type]  # torch's own hint is float
    with torch.no_grad():
        made = _moved(own, hats, added)
        before, after = loss_of(own), loss_of(made)
    report(looks, looks, len(chosen))
    if not after < before:
        return coupled, before, before
    rotations = sixd_to_matrix(split_frames(made)[0].numpy())
    assert coupled.local_rotations is not None
    rotations[:, 0] = coupled.local_rotations[:, 0]
    return coupled.replace(local_rotations=rotations.astype(np.float32), source=None), before, after


def _batches(chosen: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    return [chosen[k : k + _AT_ONCE] for k in range(0, len(chosen), _AT_ONCE)]


def _frames(motion: Motion) -> Tensor:
    """(T, F) on the standard body."""
    standard = to_standard_body(motion)
    assert standard.local_rotations is not None
    return frames_of(standard.local_rotations, standard.root_translation, ComposeConfig())


def _hats(count: int, knots: int) -> Tensor:
    """(T, knots): each frame's share of the knots around it."""
    at = np.linspace(0, knots - 1, count)
    apart = np.abs(at[:, None] - np.arange(knots)[None])
    return torch.from_numpy(np.clip(1 - apart, 0, None).astype(np.float32))


def _moved(frames: Tensor, hats: Tensor, added: Tensor) -> Tensor:
    """Frames (T, F) with rotations that were added to, the pelvis' left alone."""
    shift = torch.einsum("tk,kjc->tjc", hats, added)
    shift = torch.cat([torch.zeros_like(shift[:, :1]), shift[:, 1:]], dim=1)
    return torch.cat([frames[:, :-3] + shift.flatten(1), frames[:, -3:]], dim=1)
