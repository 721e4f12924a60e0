"""Ways to fill what is missing of windows, learned and not: rows of the tables of imputation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from torch import Tensor, nn

from kineme.evaluate.motion_folds import MotionFold
from kineme.evaluate.runs import kept
from kineme.models.hgvae.config import PRESETS, HGVAEConfig
from kineme.models.hgvae.model import HGVAE
from kineme.models.hmvae import HMVAEConfig, HMVAENetwork
from kineme.models.vae import VAEConfig, VAENetwork
from kineme.nn.gaussian import Gaussian, Pass, total
from kineme.nn.noise import FactorNoise
from kineme.tasks.ascent import BEST, PAPER_ASCENT, fill_windows, missing_spread

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]
#: windows filled at once
BATCH = 64
#: draws from the posterior for an interval
SAMPLES = 4
#: principal directions of the conditional Gaussian: more did better than 64; others were not tried
DIRECTIONS = 200
#: the last that was fitted: folds of one training share it
_gaussians: dict[tuple, tuple[FactorNoise, np.ndarray, np.ndarray]] = {}
_random: dict[tuple, HGVAE] = {}


class Filler(Protocol):
    """A row: fitted to a fold, it fills windows (n, C, frames) in mm where `missing` is true."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def fit(self, fold: MotionFold, seed: int, models: Path) -> Fill:
        """The fitted filler; trained models are kept in the folder `models`."""
        ...


def mean_fill(fold: MotionFold) -> Fill:
    """The train mean."""
    mean = fold.train.statistics()[0][:, None]
    return lambda windows, missing: np.where(missing, mean, windows)


def in_time(windows: np.ndarray, missing: np.ndarray, mean: np.ndarray, smooth: bool) -> np.ndarray:
    """Between sound neighbours in time, linearly or by PCHIP, held at the ends; the mean where there is
    none."""
    filled = np.where(missing, mean[:, None], windows)
    frames = np.arange(windows.shape[2])
    for window, channel in np.argwhere(missing.any(2)):
        bad = missing[window, channel]
        good = np.flatnonzero(~bad)
        if not len(good):
            continue
        known = windows[window, channel, good]
        if smooth and len(good) > 1:
            at = np.clip(frames[bad], good[0], good[-1])
            filled[window, channel, bad] = PchipInterpolator(good, known)(at)
        else:
            filled[window, channel, bad] = np.interp(frames[bad], good, known)
    return filled


@dataclass(frozen=True)
class Simple:
    """Mean, linear in time, or PCHIP."""

    name: str

    def fit(self, fold: MotionFold, seed: int, models: Path) -> Fill:
        """Nothing to learn but the mean."""
        if self.name == "mean":
            return mean_fill(fold)
        mean, smooth = fold.train.statistics()[0], self.name == "PCHIP"
        return lambda windows, missing: in_time(windows, missing, mean, smooth)


@dataclass(frozen=True)
class ConditionalPCA:
    """The Gaussian of probabilistic PCA over whole windows, conditioned on what is known."""

    directions: int = DIRECTIONS

    @property
    def name(self) -> str:
        """As in the table."""
        return "conditional PCA"

    def gaussian(
        self, fold: MotionFold, seed: int, most: int = 4000
    ) -> tuple[FactorNoise, np.ndarray, np.ndarray]:
        """Fitted to normalised windows of the training takes; with their mean and deviation."""
        key = (self, fold.training, fold.checksum, seed, most)
        if key not in _gaussians:
            mean, deviation = fold.train.statistics()
            whole = fold.train.only(fold.train.lengths == fold.train.frames)
            order = np.random.default_rng([seed, 12]).permutation(len(whole))[:most]
            windows = (whole.take(order).windows - mean[:, None]) / deviation[:, None]
            fitted = FactorNoise.fit(torch.from_numpy(windows).flatten(1), self.directions)
            _gaussians.clear()
            _gaussians[key] = (fitted, mean, deviation)
        return _gaussians[key]

    def fit(self, fold: MotionFold, seed: int, models: Path) -> Fill:
        """Principal directions of training windows."""
        gaussian, mean, deviation = self.gaussian(fold, seed)

        def fill(windows: np.ndarray, missing: np.ndarray) -> np.ndarray:
            found = []
            for at in range(0, len(windows), BATCH):
                part = torch.from_numpy((windows[at : at + BATCH] - mean[:, None]) / deviation[:, None])
                known = torch.from_numpy(~missing[at : at + BATCH]).flatten(1)
                found.append(gaussian.condition(part.flatten(1), known)[0].view_as(part).numpy())
            made = np.concatenate(found) * deviation[:, None] + mean[:, None]
            return np.where(missing, made, windows)

        return fill


class Baseline:
    """A VAE of windows with the statistics of its data, as `tasks.ascent.Density`."""

    def __init__(self, network: nn.Module, mean: np.ndarray, deviation: np.ndarray):
        self.network = network.eval().requires_grad_(False)
        self.mean, self.deviation = mean[:, None], deviation[:, None]

    @property
    def scale(self) -> Tensor:
        """(C, 1) millimetres a unit stands for."""
        return torch.from_numpy(self.deviation)

    def normalise(self, windows: np.ndarray) -> Tensor:
        """As the network sees them."""
        return torch.from_numpy((windows - self.mean) / self.deviation)

    def denormalise(self, windows: Tensor) -> np.ndarray:
        """The inverse."""
        return windows.numpy() * self.deviation + self.mean

    def guess(self, windows: Tensor, missing: Tensor) -> Tensor:
        """The train mean."""
        return windows.masked_fill(missing, 0.0)

    def score(self, windows: Tensor) -> Tensor:
        """log p(x | z) + log p(z) at the posterior's mean."""
        made = self.network(windows, sample=False)
        return latent_log_density(made) + total(made.likelihood.log_density(windows), 0)

    def misfit(self, windows: Tensor, missing: Tensor) -> Tensor:
        """Not looked at."""
        return torch.ones(len(windows))

    def expect(self, windows: Tensor, missing: Tensor, generator: torch.Generator | None = None) -> Gaussian:
        """p(x | z)."""
        return self.network(windows, sample=generator is not None, generator=generator).likelihood


def latent_log_density(made: Pass) -> Tensor:
    """log p of the posterior means under the priors, (B,)."""
    found = []
    for level in made.levels:
        assert level.posterior is not None
        mean = level.posterior.mean
        prior = level.prior or Gaussian(torch.zeros_like(mean), torch.zeros_like(mean))
        found.append(total(prior.log_density(mean), 1))
    return torch.stack(found).sum(0)


@dataclass(frozen=True)
class Learned:
    """A model with latents, trained on the fold, and how it is asked.

    Attributes
    ----------
    kind : ``HG-VAE``, ``HM-VAE`` or ``VAE``. how : ``best`` (rounds and ascent on log p(x, z)), ``latent``
        (the
        paper's 10 steps of 1 mm on log p(z | x) from the mean) or ``random`` (weights as before training).
    config : of HG-VAE; the baselines train on as many windows.
    """

    kind: str
    how: str = "best"
    config: HGVAEConfig = PRESETS["small"]
    tag: str = ""

    @property
    def name(self) -> str:
        """As in the table."""
        how = {"plain": ", without noise", "latent": ", paper's ascent", "random": ", random weights"}
        return self.kind + how.get(self.how, "")

    def model(self, fold: MotionFold, seed: int, models: Path) -> HGVAE | Baseline:
        """The trained model: read from `models`, or trained there now. UsageError where one of other settings
        is there."""
        run = models / fold.training / f"{self.kind.lower()}{self.tag}-{seed}"
        if self.kind == "HG-VAE":
            from kineme.train.hgvae import measure_noise, train_hgvae

            if self.how == "random":
                key = (self.config, fold.training, fold.checksum, seed)
                if key not in _random:
                    _random.clear()
                    model = HGVAE.random(self.config, *fold.train.statistics(), seed=seed)
                    measure_noise(model, fold.train, seed, 1500)
                    _random[key] = model
                return _random[key]
            model = kept(HGVAE.load, run, self.config)
            if model is None:
                model = train_hgvae(fold.train, self.config, run, seed=seed, progress=False)
            if self.how == "plain":
                model.noise = model.gaussian = None
            return model
        from kineme.train.baselines import train_vae
        from kineme.train.hgvae import schedule_of

        schedule = schedule_of(self.config)
        network, weight, warmup = self._network(fold, seed)
        options = {"kl_weight": weight, "warmup_epochs": warmup, "occlusion": self.config.occlusion}
        schedule = replace(schedule, learning_rate=1e-3, gate_rate=1.0)
        train_vae(network, fold.train, schedule, run, seed=seed, **options)
        return Baseline(network, *fold.train.statistics())

    def _network(self, fold: MotionFold, seed: int) -> tuple[nn.Module, float, float]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if self.kind == "VAE":
                config = self.config
                small = config.path_features < PRESETS["paper"].path_features
                widths = (500, 250, 125, 60) if small else (2000, 1000, 500, 100)
                return VAENetwork(VAEConfig(config.nodes, config.frames, widths)), 1.0, config.warmup_epochs
            config = self.config
            made = HMVAEConfig(config.joints, config.root, config.frames, config.path_features)
            return HMVAENetwork(made), made.kl_weight, 0.0

    def fit(self, fold: MotionFold, seed: int, models: Path) -> Fill:
        """Train, or read what was trained."""
        model = self.model(fold, seed, models)

        def fill(windows: np.ndarray, missing: np.ndarray) -> np.ndarray:
            return np.concatenate(
                [
                    fill_with(model, windows[at : at + BATCH], missing[at : at + BATCH], self.how)
                    for at in range(0, len(windows), BATCH)
                ]
            )

        return fill


def fill_with(model: HGVAE | Baseline, windows: np.ndarray, missing: np.ndarray, how: str) -> np.ndarray:
    """Windows in mm with the missing entries filled; the others are the very same."""
    gone, values = torch.from_numpy(missing), model.normalise(windows)
    if how == "latent" and isinstance(model, HGVAE):
        score, ascent = (lambda x: model.score(x, "latent")), PAPER_ASCENT
    else:
        # without a guess to start from it takes some rounds to get there
        score, ascent = (
            None,
            BEST if getattr(model, "gaussian", None) is not None else BEST._replace(rounds=3),
        )
    filled = fill_windows(model, values, gone, ascent, score).windows
    return np.where(missing, model.denormalise(filled), windows)


def spread_of(model: HGVAE, filled: np.ndarray, missing: np.ndarray, seed: int) -> np.ndarray:
    """Standard deviations in mm of what is missing."""
    wide = missing_spread(model, model.normalise(filled), torch.from_numpy(missing), SAMPLES, seed)
    return (wide * model.scale).numpy()


def all_fillers(config: HGVAEConfig) -> list[Filler]:
    """The rows of the tables."""
    learned = [Learned("HG-VAE", how, config) for how in ("best", "plain", "latent", "random")]
    others = [Learned(kind, "best", config) for kind in ("HM-VAE", "VAE")]
    return [*learned, *others, ConditionalPCA(), Simple("PCHIP"), Simple("linear"), Simple("mean")]
