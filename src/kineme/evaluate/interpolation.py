"""The protocol **interpolation**: gaps of 0.5 to 4 s, all joints missing, filled from both sides.

MPJPE is of the joints around the pelvis over all frames of the gap. L2P, L2Q and NPSS are those of the LAFAN1
benchmark, at 30 frames a second: global places normalised by training moments, global quaternions, and the
power spectra of the quaternions. What makes places alone gets its rotations as `kineme interpolate` makes
them: joints turn from the slerp between both ends as little as they must.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kineme.corpus.place import RELATIVE
from kineme.evaluate.forecast_folds import ForecastFolds
from kineme.evaluate.forecasters import Fill, Retrieval, Simple, in_parts, learned_rows
from kineme.evaluate.motion_metrics import l2p, l2q, mpjpe, npss
from kineme.evaluate.prediction import measured_rows, outcome_of, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.models.a4mer.heads.bank import LEAST, cuts_of, only
from kineme.models.a4mer.heads.config import PRESETS
from kineme.motion import Motion
from kineme.motion.canonical import SMPL22
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rotations import matrix_to_quaternion, slerp
from kineme.nn.moments import Cuts, Moments, moments, truth
from kineme.tasks.restore import fit_rotations

GAPS = (0.5, 1.0, 2.0, 4.0)
#: moments on which L2P, L2Q and NPSS are measured, of each corpus and gap; and their frames a second
ROTATED, FPS = 100, 30.0
_KINDS = {"mpjpe": ("MPJPE, mm", 1), "l2p": ("L2P", 3), "l2q": ("L2Q", 3), "npss": ("NPSS", 4)}
TABLES = {
    words: tuple(Column(f"{kind}_{gap:g}", f"{gap:g} s", digits=digits) for gap in GAPS)
    for kind, (words, digits) in _KINDS.items()
}
RIVALS = (
    "nearest", "linear + slerp", "cubic", "k-NN retrieval", "direct MLP", "direct Transformer",
    "direct MLP, recalled poses", "direct MLP, trained longer", "direct Transformer, trained longer",
    "A4Mer, paper's head", "A4Mer, random weights",
)  # fmt: skip


@dataclass(frozen=True)
class Slerp:
    """Local rotations along the shortest arc, the root straight on: places by forward kinematics."""

    name: str = "linear + slerp"

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """Nothing but the test takes' rotations."""

        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made = moments(cuts, times, 2, 1, 4.0)
            root, local = slerped(folds, cuts, times)
            flat = local.reshape(-1, *local.shape[2:])
            places, _ = forward_kinematics(SMPL22, flat, root.reshape(-1, 3))
            return made, made.place.channels(places.reshape(*local.shape[:2], -1, 3))

        return fill


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    models, preset, steps = setting(request)
    rows = [
        Simple("nearest", "nearest"),
        Slerp(),
        Simple("cubic", "cubic"),
        Retrieval("interpolator", PRESETS["small"]),
        *learned_rows("interpolator", models, preset, steps),
    ]
    code = ("evaluate/interpolation.py", "evaluate/prediction.py", "tasks/restore.py")
    folder, folds, values = measured_rows("interpolation", request, rows, measure, code, say)
    metrics = [f"{kind}_{gap:g}" for kind in ("mpjpe", "l2p", "l2q") for gap in GAPS]
    return outcome_of(folder.name, folds, values, [(rival, "A4Mer", m) for m in metrics for rival in RIVALS])


def measure(fill: Fill, folds: ForecastFolds, corpus: str) -> dict[str, float]:
    """All metrics of a row on a corpus."""
    found = {}
    for gap in GAPS:
        cuts, _ = folds.cuts(corpus, gap, LEAST)
        count = round(cuts.gap * FPS) - 1
        times = (np.arange(count) + 1) / FPS
        made, channels = in_parts(fill, cuts, times)
        true = truth(cuts, made)
        around, real = (c[..., :RELATIVE].reshape(*c.shape[:2], -1, 3) * 1000 for c in (channels, true))
        found[f"mpjpe_{gap:g}"] = mpjpe(around, real)
        few = np.sort(np.random.default_rng(17).permutation(len(cuts.now))[:ROTATED])
        found |= _rotated(folds, only(cuts, few), times, channels[few], f"{gap:g}")
    return found


def _rotated(
    folds: ForecastFolds, cuts: Cuts, times: np.ndarray, channels: np.ndarray, name: str
) -> dict[str, float]:
    """L2P, L2Q and NPSS of channels (B, T, 66)."""
    made = moments(cuts, times, 2, 1, 4.0)
    places = made.place.positions(channels)
    true = cuts.poses(cuts.now, times)
    frames = cuts.now[:, None] + np.round(times * cuts.fps).astype(int)
    right = _turns(folds, cuts)[1][frames]
    turned = _fitted(folds, cuts, times, places)
    mean, std = _scales(folds, round(cuts.gap, 3))
    start = moments(cuts._replace(then=None), times[:1], 2, 1, 4.0).place
    seen = [start.channels(p) for p in (places, true)]  # from where the body stood, as it faced
    absolute = [_absolute(c) for c in seen]
    quaternions = [matrix_to_quaternion(r).astype(np.float64) for r in (turned, right)]
    flat = [_unrolled(q).reshape(*q.shape[:2], -1) for q in quaternions]
    return {
        f"l2p_{name}": l2p(absolute[0], absolute[1], mean, std),
        f"l2q_{name}": l2q(quaternions[0], quaternions[1]),
        f"npss_{name}": npss(flat[0], flat[1]),
    }


def _absolute(channels: np.ndarray) -> np.ndarray:
    """(B, T, 22, 3) metres of channels (B, T, 66), the pelvis first."""
    root = channels[..., None, RELATIVE:]
    around = channels[..., :RELATIVE].reshape(*channels.shape[:2], -1, 3)
    return np.concatenate([root, around + root], axis=2)


def _unrolled(quaternions: np.ndarray) -> np.ndarray:
    """Quaternions (B, T, J, 4) of which each is the nearer to the one before, and the first has w > 0."""
    flips = np.where((quaternions[:, 1:] * quaternions[:, :-1]).sum(-1) < 0, -1.0, 1.0)
    first = np.where(quaternions[:, :1, :, 3] < 0, -1.0, 1.0)
    return quaternions * np.cumprod(np.concatenate([first, flips], axis=1), axis=1)[..., None]


@cache
def _corpus_turns(folds: ForecastFolds, corpus: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Local and global rotations (N, 22, 3, 3) and root places (N, 3) of test takes on the standard body."""
    bodies = [to_standard_body(retarget(take.motion)) for take in folds.tested[corpus][1]]
    columns = zip(*((b.local_rotations, b.global_rotations, b.root_translation) for b in bodies), strict=True)
    local, world, root = (np.concatenate(column) for column in columns)
    return local, world, root


def _turns(folds: ForecastFolds, cuts: Cuts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    (name,) = [n for n, (takes, _) in folds.tested.items() if takes.positions is cuts.positions]
    return _corpus_turns(folds, name)


def slerped(folds: ForecastFolds, cuts: Cuts, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root places (B, T, 3) and local rotations (B, T, 22, 3, 3) between the two ends."""
    local, _, root = _turns(folds, cuts)
    assert cuts.then is not None
    share = (times / cuts.gap).astype(np.float32)
    shape = (len(cuts.now), len(times), 22, 3, 3)
    ends = [np.broadcast_to(local[frame][:, None], shape) for frame in (cuts.now, cuts.then)]
    weights = np.broadcast_to(share[None, :, None], shape[:3])
    way = root[cuts.now][:, None] * (1 - share[:, None]) + root[cuts.then][:, None] * share[:, None]
    return way, slerp(np.ascontiguousarray(ends[0]), np.ascontiguousarray(ends[1]), weights)


def _fitted(folds: ForecastFolds, cuts: Cuts, times: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Global rotations (B, T, 22, 3, 3) of places (B, T, 22, 3), turned as little as need be from the
    slerp."""
    root, local = slerped(folds, cuts, times)
    start = Motion(SMPL22, FPS, root.reshape(-1, 3), local.reshape(-1, 22, 3, 3))
    goal = places.reshape(-1, 22, 3)
    # bones are turned, not stretched: the goal is seen from where the slerp has the pelvis
    goal = goal - goal[:, :1] + start.positions[:, :1]
    turned = fit_rotations(start, goal, np.ones(goal.shape[:2], dtype=bool))
    return turned.reshape(*places.shape[:2], 22, 3, 3)


@cache
def _scales(folds: ForecastFolds, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (22, 3) of places in training gaps, from where the body stood."""
    rows = []
    for takes, _ in folds.sources:
        cuts = cuts_of(takes, 10.0, LEAST, gap, LEAST)
        times = (np.arange(max(1, round(gap * 10) - 1)) + 1) / 10
        start = moments(cuts._replace(then=None), times[:1], 2, 1, 4.0).place
        rows.append(_absolute(start.channels(cuts.poses(cuts.now, times))).reshape(-1, 22, 3))
    together = np.concatenate(rows)
    return together.mean(0), np.maximum(together.std(0), 1e-3)
