"""HG-VAE with random weights at a size for tests, and motion to go with it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from kineme.corpus.bank import WindowBank
from kineme.corpus.synthetic import generate
from kineme.models.hgvae import HGVAE, PRESETS, HGVAEConfig
from kineme.motion import Motion
from kineme.tasks.calibrate import calibrate

CONFIG: HGVAEConfig = replace(
    PRESETS["small"], frames=20, levels=((67, 6), (1, 8)), path_features=8, epochs=2, epoch_windows=16,
    batch_size=8, warmup_epochs=1.0, noise_factors=16,
)  # fmt: skip


@lru_cache(maxsize=4)
def takes(count: int = 3, seconds: float = 6.0, seed: int = 5) -> tuple[Motion, ...]:
    """Synthetic takes."""
    return tuple(take.motion for take in generate(seed, count, seconds))


@lru_cache(maxsize=4)
def small_bank(stride: int = 5) -> WindowBank:
    """Their windows."""
    model = HGVAE.random(CONFIG)
    return WindowBank.of(takes(), model.channels, CONFIG.frames, CONFIG.fps, stride=stride)


@lru_cache(maxsize=4)
def small_hgvae(calibrated: bool = True, labels: tuple[str, ...] = ()) -> HGVAE:
    """Random weights with the statistics, the noise and the thresholds of the takes."""
    bank = small_bank()
    model = HGVAE.random(replace(CONFIG, labels=labels), *bank.statistics())
    windows = model.normalise(bank.all().windows)
    model.measure_noise(windows, CONFIG.noise_factors)
    if calibrated:
        model.calibration = calibrate(model, bank, "these very takes", windows=16)
    return model
