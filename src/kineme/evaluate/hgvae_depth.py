"""The protocol **hgvae-depth** (Table 1): the same network with fewer and fewer of its levels stochastic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from kineme.evaluate.motion_folds import QUICK_WINDOWS, TEST_WINDOWS, MotionFold
from kineme.evaluate.motion_runs import QUICK_CONFIG, measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import kept
from kineme.evaluate.tables import Column
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.hgvae.model import HGVAE
from kineme.models.hgvae.objective import elbo

DEPTHS = (1, 2, 4, 8, 16)
SAMPLES = 8

TABLES = {
    "held-out windows, nats in units of the training data's deviations": (
        Column("parameters", "parameters", factor=1e-6, digits=3),
        Column("log_likelihood", "E log p(x | z)", digits=0),
        Column("divergence", "KL", digits=1),
        Column("bound", "their difference", digits=0),
        Column("mse", "MSE", digits=4),
        Column("mse_mm2", "MSE, mm²", digits=0),
    ),
}


def depth_config(quick: bool) -> HGVAEConfig:
    """Sixteen levels, small enough to train fifteen times: 600 steps, a few features, one block a level."""
    if quick:
        return replace(QUICK_CONFIG, levels=((67, 4),) * 4 + ((12, 4),) * 4 + ((4, 4),) * 4 + ((1, 8),) * 4)
    return HGVAEConfig(
        levels=(*(((67, 8),) * 4), *(((24, 8),) * 4), *(((8, 8),) * 4), *(((1, 16),) * 4)),
        path_features=16, epochs=4, epoch_windows=4800, warmup_epochs=2.4, occlusion=0.0, noise_factors=0,
    )  # fmt: skip


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before; 16 - n top levels are off in the row of depth n."""
    _, folder, models, folds, protocol = setting(request, "hgvae-depth")
    config = depth_config(request.quick)
    count = QUICK_WINDOWS if request.quick else TEST_WINDOWS
    rows = {row_name(depth): _measure(config, depth, count) for depth in DEPTHS}
    chosen = {name: row for name, row in rows.items() if not request.methods or name in request.methods}
    values = measure_rows(chosen, folds, request, folder, models, "evaluate/hgvae_depth.py", say)
    names = [row_name(depth) for depth in DEPTHS]
    return outcome(protocol, folds, values, [(b, a, "bound") for a, b in zip(names, names[1:], strict=False)])


def row_name(depth: int) -> str:
    """A depth, and which levels are off: z_0 is the top one."""
    off = 16 - depth
    return f"{depth} of 16 levels" + (f" (z0 to z{off - 1} off)" if off else "")


def _measure(config: HGVAEConfig, depth: int, count: int):
    off = len(config.levels) - depth

    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        from kineme.train.hgvae import train_hgvae

        run_folder = models / fold.training / f"depth{depth}-{config.epochs * config.epoch_windows}-{seed}"
        model = kept(HGVAE.load, run_folder, config)
        if model is None:
            model = train_hgvae(fold.train, config, run_folder, seed=seed, off=off, progress=False)
        return measure_bound(model, fold.test_windows(count, seed), off, seed)

    return measure


def measure_bound(model: HGVAE, windows: np.ndarray, off: int, seed: int) -> dict[str, float]:
    """The bound and its parts on windows (n, C, frames) in mm, by samples of the posterior."""
    whole, generator = model.normalise(windows), torch.Generator().manual_seed(seed)
    parts = []
    with torch.no_grad():
        for _ in range(SAMPLES):
            made = model.network(whole, off=off, generator=generator)
            bound = elbo(whole, made, off=off)
            error = (made.likelihood.mean - whole).square()
            parts.append(
                [
                    bound.log_likelihood.mean(),
                    bound.divergence.mean(),
                    error.mean(),
                    (error * model.scale**2).mean(),
                ]
            )
    fit, divergence, mse, millimetres = torch.tensor(parts).mean(0).tolist()
    return {
        "parameters": float(model.parameters),
        "log_likelihood": fit,
        "divergence": divergence,
        "bound": fit - divergence,
        "mse": mse,
        "mse_mm2": millimetres,
    }
