"""The protocol **hgvae-imputation** (Figures 4, 7 and 8): scattered features hidden, from one to all of
them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.corpus.occlusion import random_features
from kineme.evaluate.fillers import Filler, Learned, all_fillers, mean_fill
from kineme.evaluate.motion_folds import QUICK_WINDOWS, TEST_WINDOWS, MotionFold
from kineme.evaluate.motion_runs import measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.models.hgvae.model import HGVAE

#: share of the features of joints that are hidden; 0 stands for one single feature
SHARES = (0.0, 0.005, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


def _label(share: float) -> str:
    return "one" if share == 0 else f"{share * 100:g}%"


TABLES = {
    "change of the MSE against mean imputation, percent": tuple(
        Column(f"change_{_label(s)}", _label(s), digits=1) for s in SHARES
    ),
    "MSE of missing entries, mm²": tuple(Column(f"mse_{_label(s)}", _label(s), digits=0) for s in SHARES),
    "log p(z | x) by HG-VAE: hidden [true]": tuple(
        Column(f"latent_{_label(s)}", _label(s), digits=0, beside="latent_true") for s in SHARES
    ),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config, folder, models, folds, protocol = setting(request, "hgvae-imputation")
    fillers = {filler.name: filler for filler in all_fillers(config)}
    chosen = request.methods or tuple(fillers)
    count = QUICK_WINDOWS if request.quick else TEST_WINDOWS
    rows = {name: _measure(fillers[name], count) for name in chosen}
    code = "evaluate/hgvae_imputation.py"
    values = measure_rows(rows, folds, request, folder, models, code, say)
    metrics = [f"change_{_label(s)}" for s in (0.05, 0.5)]
    rivals = ("HM-VAE", "VAE", "HG-VAE, random weights", "conditional PCA", "linear")
    return outcome(protocol, folds, values, [("HG-VAE", rival, m) for m in metrics for rival in rivals])


def hidden_features(fold: MotionFold, windows: np.ndarray, share: float, seed: int) -> np.ndarray:
    """(n, C, frames) bool: so many of the features of joints; the root's own are never hidden."""
    places = 3 * len(fold.train.channels.joints)
    missing = np.zeros(windows.shape, dtype=bool)
    rng = np.random.default_rng([seed, 13, round(share * 10_000)])
    missing[:, :places] = random_features(rng, (len(windows), places, windows.shape[2]), share)
    return missing


def squared_error(filled: np.ndarray, truth: np.ndarray, missing: np.ndarray) -> float:
    """Mean square of the error over missing entries, mm²."""
    return float(np.square(filled - truth, dtype=np.float64)[missing].mean())


def _measure(filler: Filler, count: int):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        windows, fill, mean = fold.test_windows(count, seed), filler.fit(fold, seed, models), mean_fill(fold)
        found = {}
        for share in SHARES:
            missing = hidden_features(fold, windows, share, seed)
            error = squared_error(fill(windows, missing), windows, missing)
            base = squared_error(mean(windows, missing), windows, missing)
            found[f"mse_{_label(share)}"] = error
            found[f"change_{_label(share)}"] = 100 * (error - base) / base
        if isinstance(filler, Learned) and filler.kind == "HG-VAE" and filler.how == "best":
            model = filler.model(fold, seed, models)
            assert isinstance(model, HGVAE)
            found["latent_true"] = _latent(model, windows)
            for share in SHARES:
                hidden = mean(windows, hidden_features(fold, windows, share, seed))
                found[f"latent_{_label(share)}"] = _latent(model, hidden)
        return found

    return measure


def _latent(model: HGVAE, windows: np.ndarray) -> float:
    import torch

    with torch.no_grad():
        return float(model.score(model.normalise(windows.astype(np.float32)), "latent").mean())
