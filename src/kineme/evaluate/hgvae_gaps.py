"""The protocol **hgvae-gaps**: joints hidden over stretches of time, as real damage is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.corpus.occlusion import joint_gaps
from kineme.evaluate.fillers import Filler, Learned, all_fillers, spread_of
from kineme.evaluate.hgvae_imputation import squared_error
from kineme.evaluate.motion_folds import QUICK_WINDOWS, TEST_WINDOWS, MotionFold
from kineme.evaluate.motion_runs import measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.models.hgvae.model import HGVAE

JOINTS = (1, 3, 6, 12)
SECONDS = (0.1, 0.5, 1.0, 2.0)
RIVALS = ("mean", "linear", "PCHIP", "conditional PCA")
#: what an interval is meant to hold
LEVEL = 0.9

TABLES = {
    **{
        f"MSE, mm², {n} joint{'s' * (n > 1)} hidden": tuple(
            Column(f"mse_{n}_{s:g}", f"{s:g} s", digits=0) for s in SECONDS
        )
        for n in JOINTS
    },
    "90% intervals, 3 joints hidden: coverage in percent": tuple(
        Column(f"coverage_{s:g}", f"{s:g} s", factor=100, digits=1) for s in SECONDS
    ),
    "90% intervals: width, mm": tuple(Column(f"width_{s:g}", f"{s:g} s", digits=0) for s in SECONDS),
    "90% intervals: interval score, mm (lower is better)": tuple(
        Column(f"interval_score_{s:g}", f"{s:g} s", digits=0) for s in SECONDS
    ),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config, folder, models, folds, protocol = setting(request, "hgvae-gaps")
    fillers = {filler.name: filler for filler in all_fillers(config)}
    count = QUICK_WINDOWS if request.quick else TEST_WINDOWS
    rows = {name: _measure(fillers[name], count) for name in request.methods or tuple(fillers)}
    values = measure_rows(rows, folds, request, folder, models, "evaluate/hgvae_*.py", say)
    metrics = [f"mse_{n}_{s:g}" for n in (3, 6) for s in SECONDS[1:]]
    # lower is better here: the rival comes first, so that "better" speaks of HG-VAE
    return outcome(protocol, folds, values, [(rival, "HG-VAE", m) for m in metrics for rival in RIVALS])


def hidden_joints(
    fold: MotionFold, windows: np.ndarray, joints: int, seconds: float, fps: float, seed: int
) -> np.ndarray:
    """(n, C, frames) bool: so many joints over so many seconds of every window."""
    places = 3 * len(fold.train.channels.joints)
    missing = np.zeros(windows.shape, dtype=bool)
    rng = np.random.default_rng([seed, 14, joints, round(seconds * 1000)])
    length = max(1, round(seconds * fps))
    missing[:, :places] = joint_gaps(
        rng, (len(windows), places, windows.shape[2]), min(joints, places // 3), length
    )
    return missing


def interval_score(truth: np.ndarray, low: np.ndarray, high: np.ndarray, level: float = LEVEL) -> float:
    """Mean of width + 2 / (1 - level) times what lies outside (Gneiting and Raftery 2007, eq. 43)."""
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return float((high - low + 2 / (1 - level) * outside).mean())


def _measure(filler: Filler, count: int):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        windows, fill = fold.test_windows(count, seed), filler.fit(fold, seed, models)
        found = {}
        for joints in JOINTS:
            for seconds in SECONDS:
                missing = hidden_joints(fold, windows, joints, seconds, 25.0, seed)
                error = squared_error(fill(windows, missing), windows, missing)
                found[f"mse_{joints}_{seconds:g}"] = error
        spread = _spread(filler, fold, seed, models)
        if spread is not None:
            found |= _intervals(fill, spread, fold, count, seed)
        return found

    return measure


Spread = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _spread(filler: Filler, fold: MotionFold, seed: int, models: Path) -> Spread | None:
    """Standard deviations in mm of the missing entries of filled windows, from a filler that has any."""
    import torch

    from kineme.evaluate.fillers import ConditionalPCA

    if isinstance(filler, Learned) and filler.kind == "HG-VAE" and filler.how == "best":
        model = filler.model(fold, seed, models)
        assert isinstance(model, HGVAE)
        return lambda filled, missing: spread_of(model, filled.astype(np.float32), missing, seed)
    if isinstance(filler, ConditionalPCA):
        gaussian, mean, deviation = filler.gaussian(fold, seed)

        def spread(filled: np.ndarray, missing: np.ndarray) -> np.ndarray:
            made = []
            for at in range(0, len(filled), 50):
                part = torch.from_numpy(
                    ((filled[at : at + 50] - mean[:, None]) / deviation[:, None]).astype(np.float32)
                )
                _, variance = gaussian.condition(
                    part.flatten(1), torch.from_numpy(~missing[at : at + 50]).flatten(1)
                )
                made.append(variance.view_as(part).sqrt().numpy() * deviation[:, None])
            return np.concatenate(made)

        return spread
    return None


def _intervals(fill, spread: Spread, fold: MotionFold, count: int, seed: int) -> dict[str, float]:
    """Widths are chosen on val windows; coverage, width and score are those of test windows."""
    found = {}
    whole = fold.val.only(fold.val.lengths == fold.val.frames)
    order = np.random.default_rng([seed, 15]).permutation(len(whole))[:count]
    for seconds in SECONDS:
        factor = 0.0
        for windows, final in ((whole.take(order).windows, False), (fold.test_windows(count, seed), True)):
            missing = hidden_joints(fold, windows, 3, seconds, 25.0, seed + 1000 * (not final))
            filled = fill(windows, missing)
            wide = spread(filled, missing)[missing]
            truth, at = windows[missing], filled[missing]
            if not final:
                factor = float(np.quantile(np.abs(truth - at) / np.maximum(wide, 1e-9), LEVEL))
                continue
            low, high = at - factor * wide, at + factor * wide
            found[f"coverage_{seconds:g}"] = float(((truth >= low) & (truth <= high)).mean())
            found[f"width_{seconds:g}"] = float((high - low).mean())
            found[f"interval_score_{seconds:g}"] = interval_score(truth, low, high)
    return found
