"""`HGVAE`: a trained network with the statistics of its data, as one object and one folder on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from kineme.errors import InputError, did_you_mean
from kineme.formats.hub import model_folder
from kineme.models.hgvae import folder as _folder
from kineme.models.hgvae import objective
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.hgvae.network import HGVAENetwork
from kineme.motion.channels import Channels
from kineme.nn.gaussian import Gaussian, total
from kineme.nn.noise import FactorNoise

#: what is maximised by an imputation: log p(x | z) + log p(z) at the posterior's mean, or log p(z) alone
Score = Literal["joint", "latent"]


@dataclass(frozen=True)
class Calibration:
    """Thresholds and widths measured on motion that was not trained on.

    Attributes
    ----------
    false_alarms : share of sound windows (and of sound joints' windows) above their threshold.
    window, joints : thresholds of the score of a window, and of each joint (in the model's order; last the
        root's where it is modelled).
    interval : standard deviations to either side that hold 90 % of the true places, in gaps that last
        `interval_seconds`.
    measured_on : what motion.
    usual, usual_spread : (J, K) of each joint's terms of evidence, their median and how far above it the
    odd one
        lies (`tasks.evidence`); empty in models of before, whose `joints` are thresholds of mean surprise.
    """

    false_alarms: float
    window: float
    joints: tuple[float, ...]
    interval: tuple[float, ...]
    interval_seconds: tuple[float, ...]
    measured_on: str
    usual: tuple[tuple[float, ...], ...] = ()
    usual_spread: tuple[tuple[float, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """From plain values; TypeError or ValueError for others than its own."""
        values = dict(values)
        for name in ("joints", "interval", "interval_seconds"):
            values[name] = tuple(float(v) for v in values[name])
        for name in ("usual", "usual_spread"):
            values[name] = tuple(tuple(float(v) for v in row) for row in values.get(name, ()))
            if len({len(row) for row in values[name]}) > 1 or len(values[name]) not in (
                0,
                len(values["joints"]),
            ):
                raise ValueError(f"{name} is no table of the joints")
        return cls(**values)


class HGVAE:
    """Hierarchical graph-convolutional variational autoencoder of windows of motion.

    Attributes
    ----------
    config : its settings. network : the weights, in evaluation mode.
    mean, deviation : (C,) of the training data's channels, millimetres.
    noise : what the likelihood's mean leaves of a window, with its correlations; None before it is measured.
    gaussian : second moments of the training data's windows, from which what is missing is guessed before
    there
        is a latent; None before they are measured. Both are not the paper's: see README.md.
    latents : of every class, how its windows' latents vary about their priors, and together; None draws each by
        itself. Not the paper's either.
    calibration : thresholds of `kineme anomaly` and widths of `kineme impute`; None before they are measured.
    card : text of the model card.
    """

    def __init__(
        self,
        config: HGVAEConfig,
        network: HGVAENetwork,
        mean: np.ndarray,
        deviation: np.ndarray,
        noise: FactorNoise | None = None,
        gaussian: FactorNoise | None = None,
        calibration: Calibration | None = None,
        card: str = "",
        latents: tuple[FactorNoise, ...] | None = None,
    ):
        self.config, self.network = config, network.eval().requires_grad_(False)
        self.mean = np.asarray(mean, dtype=np.float32)
        self.deviation = np.asarray(deviation, dtype=np.float32)
        self.noise, self.gaussian, self.latents = noise, gaussian, latents
        self.calibration, self.card = calibration, card

    @classmethod
    def random(
        cls,
        config: HGVAEConfig,
        mean: np.ndarray | None = None,
        deviation: np.ndarray | None = None,
        seed: int = 0,
    ) -> HGVAE:
        """A model with random weights: the control that every table shows."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = HGVAENetwork(config)
        mean = np.zeros(config.nodes) if mean is None else mean
        return cls(config, network, mean, np.ones(config.nodes) if deviation is None else deviation)

    @property
    def channels(self) -> Channels:
        """What the nodes are."""
        return Channels(self.config.joints, self.config.root)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.network.parameters())

    @property
    def scale(self) -> Tensor:
        """(C, 1) millimetres a normalised unit stands for."""
        return torch.from_numpy(self.deviation)[:, None]

    def normalise(self, windows: np.ndarray) -> Tensor:
        """Windows (B, C, frames) in millimetres, as the network sees them."""
        return torch.from_numpy((windows - self.mean[:, None]) / self.deviation[:, None])

    def denormalise(self, windows: Tensor) -> np.ndarray:
        """The inverse of `normalise`."""
        return windows.detach().cpu().numpy() * self.deviation[:, None] + self.mean[:, None]

    def score(self, windows: Tensor, kind: Score = "joint") -> Tensor:
        """(B,) log-density of normalised windows with their latents at the means of their posteriors.

        ``joint`` is log p(x | z) + log p(z); the former by `noise` where the model has it. ``latent`` is what
        the paper's experiments call log p(z | x). Differentiable in the windows.
        """
        made = self.network(windows, sample=False)
        latent = objective.latent_log_density(made)
        if kind == "latent":
            return latent
        if self.noise is None:
            return latent + total(made.likelihood.log_density(windows), 0)
        return latent + self.noise.log_density((windows - made.likelihood.mean).flatten(1))

    def surprise(self, windows: Tensor) -> Tensor:
        """(B, C, frames): minus log p(x | z) of every number, and its share of the divergence, in nats.

        With `noise`, a number's density is the one given all other numbers of its window, which finds what
        does not fit its surroundings however well the model can copy it.
        """
        made = self.network(windows, sample=False)
        divergence = objective.elbo(windows, made).divergence / windows[0].numel()
        if self.noise is None:
            return divergence[:, None, None] - made.likelihood.log_density(windows)
        rest = self.noise.leave_one_out((windows - made.likelihood.mean).flatten(1))
        return divergence[:, None, None] - rest.view_as(windows)

    def reconstruct(self, windows: Tensor, generator: torch.Generator | None = None) -> Gaussian:
        """p(x | z), (B, C, frames), of the mean of the posterior, or of a sample where a generator is
        given."""
        return self.network(windows, sample=generator is not None, generator=generator).likelihood

    def expect(self, windows: Tensor, missing: Tensor, generator: torch.Generator | None = None) -> Gaussian:
        """The entries of windows (B, C, frames) given z and those that are not `missing`.

        Without `noise` the known entries say nothing beyond z, and this is `reconstruct`.
        """
        made = self.reconstruct(windows, generator)
        if self.noise is None:
            return made
        residual = (windows - made.mean).flatten(1)
        mean, variance = self.noise.condition(residual, ~missing.flatten(1))
        return Gaussian(made.mean + mean.view_as(windows), variance.log().view_as(windows))

    def guess(self, windows: Tensor, missing: Tensor) -> Tensor:
        """Windows whose `missing` entries are the mean of `gaussian` given the others; 0 without it."""
        if self.gaussian is None:
            return windows.masked_fill(missing, 0.0)
        mean, _ = self.gaussian.condition(windows.flatten(1), ~missing.flatten(1))
        return torch.where(missing, mean.view_as(windows), windows)

    def misfit(self, windows: Tensor, missing: Tensor) -> Tensor:
        """(B,) by how many of its usual deviations the known entries of windows are off, 1 at least.

        Above 1 for people and moves unlike the training data: what is filled in errs by as much more there.
        """
        made = self.reconstruct(windows)
        variance = made.log_variance.exp()
        if self.noise is not None:
            variance = (self.noise.factors.square().sum(0) + self.noise.variance).view_as(windows[0])
        square = ((windows - made.mean).square() / variance).masked_fill(missing, 0.0).sum((1, 2))
        return (square / (~missing).sum((1, 2)).clamp(min=1)).sqrt().clamp(min=1.0)

    def measure_noise(self, windows: Tensor, factors: int, batch: int = 256) -> None:
        """Measure `noise` and `gaussian` on whole windows (n, C, frames) of the training data."""
        with torch.no_grad():
            rest = [part - self.reconstruct(part).mean for part in windows.split(batch)]
        self.noise = FactorNoise.fit(torch.cat(rest).flatten(1), factors)
        self.gaussian = FactorNoise.fit(windows.flatten(1), factors)

    def measure_latents(self, windows: Tensor, labels: Tensor, factors: int, seed: int = 0) -> None:
        """Measure `latents` on whole windows (n, C, frames) of classes (n,): an aggregate posterior of each class.

        A prior of independent latents does not know which go together, and their noise cancels out (ex-post
        density estimation: Ghosh et al. 2020, section 4). Classes of less than six windows keep the prior.
        """
        generator, found = torch.Generator().manual_seed(seed), []
        for label in range(len(self.config.labels)):
            own = windows[labels == label]
            if (count := min(factors, len(own) // 3)) < 2:
                size = sum(nodes * features for nodes, features in self.config.levels)
                found.append(FactorNoise(torch.zeros(0, size), torch.ones(size)))
                continue
            with torch.no_grad():
                made = self.network(own, torch.full((len(own),), label), generator=generator)
            found.append(FactorNoise.fit(objective.standardised(made), count))
        self.latents = tuple(found)

    @property
    def fps(self) -> float:
        """Frames per second of a window."""
        return self.config.fps

    @property
    def frames(self) -> int:
        """Frames of a window."""
        return self.config.frames

    def interval(self, seconds: float) -> float:
        """Standard deviations to either side that hold 90 % in gaps of so many seconds; 1.64 uncalibrated."""
        if self.calibration is None:
            return 1.645
        return float(np.interp(seconds, self.calibration.interval_seconds, self.calibration.interval))

    def label_number(self, label: str) -> int:
        """The class called `label`. Raises InputError with the labels that the model knows."""
        known = self.config.labels
        if not known:
            raise InputError(f"this model was trained without classes, so it knows no label {label!r}")
        if label not in known:
            raise InputError(f"this model knows no label {label!r}; {did_you_mean(label, known, 'it knows')}")
        return known.index(label)

    def sample(
        self, count: int, label: str | None = None, *, levels: int | None = None, seed: int = 0
    ) -> np.ndarray:
        """Channels (count, frames, C) in millimetres of windows drawn from the prior.

        levels : draw that many levels from the top, and take the mean of those below (Figure 6).
        Raises InputError for a label that the model does not know.
        """
        generator, labels, latents = torch.Generator().manual_seed(seed), None, None
        if label is not None:
            number = self.label_number(label)
            labels = torch.full((count,), number)
            latents = self.latents[number].draw(count, generator) if self.latents is not None else None
        with torch.no_grad():
            made = self.network.generate(count, labels, sampled=levels, generator=generator, latents=latents)
        return self.denormalise(made.likelihood.mean).transpose(0, 2, 1)

    def save(self, folder: str | Path) -> None:
        """Write the model folder (safetensors, JSON, a card; no pickle), whole or not at all."""
        _folder.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> HGVAE:
        """Read a model folder. Raises InputError that names the file at fault."""
        return _folder.load(Path(folder))

    @classmethod
    def from_pretrained(cls, name: str | Path) -> HGVAE:
        """From a folder, or else from a repository of the Hugging Face hub with that id.

        Raises InputError where there is neither, or where the folder holds another kind of model.
        """
        return cls.load(model_folder(name, _folder.FILES, "`kineme train hgvae` writes one"))
