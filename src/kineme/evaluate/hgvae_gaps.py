"""The protocol **hgvae-gaps**: joints hidden over stretches of time, as real damage is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.corpus.occlusion import joint_gaps
from kineme.evaluate.fillers import Fill, Filler, Learned, Simple, all_fillers, spread_of
from kineme.evaluate.hgvae_imputation import squared_error
from kineme.evaluate.motion_folds import QUICK_WINDOWS, TEST_WINDOWS, MotionFold
from kineme.evaluate.motion_runs import TABLE_CONFIG, measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.strangers import stranger_windows
from kineme.evaluate.tables import Column
from kineme.models.hgvae.model import HGVAE
from kineme.tasks.joins import join_windows

JOINTS = (1, 3, 6, 12)
SECONDS = (0.1, 0.5, 1.0, 2.0)
RIVALS = ("mean", "linear", "PCHIP", "conditional PCA")
#: what an interval is meant to hold
LEVEL = 0.9
FPS = 25.0

#: what intervals are calibrated on: val takes of the people trained on, or people of another data set
CALIBRATED = {"val": "held-out takes", "strangers": "strangers"}
TABLES = {
    **{
        f"MSE, mm², {n} joint{'s' * (n > 1)} hidden": tuple(
            Column(f"mse_{n}_{s:g}", f"{s:g} s", digits=0) for s in SECONDS
        )
        for n in JOINTS
    },
    **{
        f"MSE, mm², {n} joint{'s' * (n > 1)} hidden, joined to their neighbours in time": tuple(
            Column(f"joined_{n}_{s:g}", f"{s:g} s", digits=0) for s in SECONDS
        )
        for n in JOINTS
    },
    **{
        f"90% intervals, 3 joints hidden, joined, calibrated on {on}: {heading}": tuple(
            Column(f"{metric}_{key}_{s:g}", f"{s:g} s", factor=factor, digits=digits) for s in SECONDS
        )
        for key, on in CALIBRATED.items()
        for metric, heading, factor, digits in (
            ("coverage", "coverage in percent", 100, 1),
            ("width", "width, mm", 1, 0),
            ("interval_score", "interval score, mm (lower is better)", 1, 0),
        )
    },
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config, folder, models, folds, protocol = setting(request, "hgvae-gaps")
    fillers = {filler.name: filler for filler in all_fillers(config)}
    count = QUICK_WINDOWS if request.quick else TEST_WINDOWS
    rows = {name: _measure(fillers[name], count, request.quick) for name in request.methods or tuple(fillers)}
    values = measure_rows(rows, folds, request, folder, models, "evaluate/hgvae_*.py", say)
    metrics = [f"{kind}_{n}_{s:g}" for kind in ("mse", "joined") for n in (3, 6) for s in SECONDS]
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


def _measure(filler: Filler, count: int, quick: bool):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        windows, fill = fold.test_windows(count, seed), filler.fit(fold, seed, models)
        found = {}
        for joints in JOINTS:
            for seconds in SECONDS:
                missing = hidden_joints(fold, windows, joints, seconds, FPS, seed)
                filled = fill(windows, missing)
                found[f"mse_{joints}_{seconds:g}"] = squared_error(filled, windows, missing)
                if not isinstance(filler, Simple):  # those go through their neighbours anyway
                    joined = join_windows(filled, missing, FPS)
                    found[f"joined_{joints}_{seconds:g}"] = squared_error(joined, windows, missing)
        spread = _spread(filler, fold, seed, models)
        if spread is not None:

            def joined_fill(windows: np.ndarray, missing: np.ndarray) -> np.ndarray:
                return join_windows(fill(windows, missing), missing, FPS)

            found |= _intervals(joined_fill, spread, fold, count, seed, quick)
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


def _intervals(
    fill: Fill, spread: Spread, fold: MotionFold, count: int, seed: int, quick: bool
) -> dict[str, float]:
    """Factors of the deviations are chosen on windows of `CALIBRATED`; what is found is of test windows."""

    def draw(windows: np.ndarray) -> np.ndarray:
        return windows[np.random.default_rng([seed, 15]).permutation(len(windows))[:count]]

    val = fold.val.only(fold.val.lengths == fold.val.frames).all().windows
    others = val if quick else stranger_windows(TABLE_CONFIG)
    found, test = {}, fold.test_windows(count, seed)
    for seconds in SECONDS:

        def filled(
            windows: np.ndarray, number: int, seconds: float = seconds
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            """Truth, estimate and deviation of what is hidden."""
            missing = hidden_joints(fold, windows, 3, seconds, FPS, seed + 1000 * number)
            made = fill(windows, missing)
            return windows[missing], made[missing], np.maximum(spread(made, missing)[missing], 1e-9)

        truth, at, wide = filled(test, 0)
        for number, (key, windows) in enumerate(
            {"val": draw(val), "strangers": draw(others)}.items(), start=1
        ):
            own, own_at, own_wide = filled(windows, number)
            factor = float(np.quantile(np.abs(own - own_at) / own_wide, LEVEL))
            low, high = at - factor * wide, at + factor * wide
            found[f"coverage_{key}_{seconds:g}"] = float(((truth >= low) & (truth <= high)).mean())
            found[f"width_{key}_{seconds:g}"] = float((high - low).mean())
            found[f"interval_score_{key}_{seconds:g}"] = interval_score(truth, low, high)
    return found
