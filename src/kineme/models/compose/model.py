"""`Composer`: the trained model of coupled actions, as one object and one folder on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kineme.errors import InputError
from kineme.formats.model_folder import read_model, write_model
from kineme.models.compose.batch import PairBank, split_frames
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.network import ComposeNetwork
from kineme.models.compose.prior import fit_prior
from kineme.motion import SMPL22, Motion
from kineme.motion.rotations import sixd_to_matrix
from kineme.nn.gaussian import Gaussian

FORMAT, KIND = 3, "compose"


class Composer:
    """A conditional variational autoencoder of two actions at once.

    Attributes
    ----------
    config : its settings. network : the weights, in evaluation mode. card : text of the model card.
    """

    def __init__(self, config: ComposeConfig, network: ComposeNetwork, card: str = ""):
        self.config, self.card = config, card
        self.network = network.eval().requires_grad_(False)

    @classmethod
    def random(cls, config: ComposeConfig, seed: int = 0) -> Composer:
        """A model with random weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = ComposeNetwork(config)
        return cls(config, network)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.network.parameters())

    def actions(self, texts: list[str], rates: Tensor | None = None) -> Tensor:
        """(n, K) of texts such as ``walk+wave``; `rates` (n,) are those of the first action, one half if
        None.

        Raises UsageError for an action that the model does not know.
        """
        found = torch.zeros(len(texts), len(self.config.labels))
        for row, text in enumerate(texts):
            numbers = self.config.numbers(text)
            shares = (
                (1.0,)
                if len(numbers) == 1
                else (rate := float(rates[row]) if rates is not None else 0.5, 1 - rate)
            )
            for number, share in zip(numbers, shares, strict=True):
                found[row, number] += share
        return found

    def sample(
        self, texts: list[str], frames: list[int] | int | None = None, seed: int = 0, batch: int = 128
    ) -> Tensor:
        """(n, T, F) frames of new sequences of `texts`, z from the prior; padded by zeros past `frames` (n).

        frames : how many of each, the model's most where None. Raises UsageError for an action that the model
        does not know, InputError for more frames than it was trained on.
        """
        most, counts = self.config.frames, frame_counts(len(texts), frames, self.config)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(texts), self.config.width, generator=generator)
        valid = torch.arange(most)[None] < torch.tensor(counts)[:, None]
        actions = self.actions(texts)
        latents = self.network.latents(noise, actions)
        with torch.no_grad():
            parts = zip(latents.split(batch), valid.split(batch), actions.split(batch), strict=True)
            return torch.cat([self.network.decode(*part) for part in parts])

    def fit_prior(self, bank: PairBank, rng: np.random.Generator, count: int = 1024, batch: int = 64) -> None:
        """Draw latents from where those of `count` sequences of `bank` lie, or of four a feature of the latent
        if that is more."""
        drawn = [bank.draw(batch, rng) for _ in range(-(-max(count, 4 * self.config.width) // batch))]
        with torch.no_grad():
            seen = [self.network.encode(pairs.frames, pairs.valid, pairs.actions) for pairs in drawn]
        posterior = Gaussian(*(torch.cat(each) for each in zip(*seen, strict=True)))
        self.network.set_prior(fit_prior(posterior, torch.cat([pairs.actions for pairs in drawn])))

    def with_normal_prior(self) -> Composer:
        """The same model, whose latents are drawn from N(0, I)."""
        other = Composer.random(self.config)
        own = {k: v for k, v in self.network.state_dict().items() if not k.startswith("prior_")}
        other.network.load_state_dict(own, strict=False)
        return other

    def motions(self, frames: Tensor, counts: list[int] | None = None) -> list[Motion]:
        """Frames (n, T, F) as motions on the standard body, `counts` (n) frames of each."""
        return frames_to_motions(frames, self.config, counts)

    def save(self, folder: str | Path) -> None:
        """Write the model folder, whole or not at all."""
        arrays = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        write_model(Path(folder), KIND, FORMAT, self.config.to_dict(), arrays, self.card)

    @classmethod
    def load(cls, folder: str | Path) -> Composer:
        """Read a model folder. Raises InputError that names the file at fault."""
        held = read_model(Path(folder), KIND, FORMAT, oldest=FORMAT)
        config = ComposeConfig.from_file(held.settings, Path(folder) / "config.json")
        network = ComposeNetwork(config)
        fill_network(network, held.arrays, Path(folder))
        return cls(config, network, held.card)


def frame_counts(count: int, frames: list[int] | int | None, config: ComposeConfig) -> list[int]:
    """Frames of each of `count` sequences, the most where None. InputError for more than a model makes."""
    most = config.frames
    counts = frames if isinstance(frames, list) else [most if frames is None else frames] * count
    if counts and not 1 <= min(counts) <= max(counts) <= most:
        raise InputError(f"this model makes 1 to {most} frames at {config.fps:g} per second")
    return counts


def frames_to_motions(frames: Tensor, config: ComposeConfig, counts: list[int] | None = None) -> list[Motion]:
    """Frames (n, T, F) as motions on the standard body, `counts` (n) frames of each."""
    sixd, root = split_frames(frames)
    found = []
    for row in range(len(frames)):
        stop = counts[row] if counts is not None else frames.shape[1]
        rotations = sixd_to_matrix(np.asarray(sixd[row, :stop].numpy(), np.float32))
        found.append(Motion(SMPL22, config.fps, root[row, :stop].numpy(), rotations))
    return found


def fill_network(network: nn.Module, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
    """The weights of a model's `folder`. InputError where they are of other settings."""
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if shapes != {name: array.shape for name, array in arrays.items()}:
        raise InputError(
            "does not fit the settings in config.json; the folder mixes two models",
            folder / "model.safetensors",
        )
    network.load_state_dict({name: torch.from_numpy(a.astype(np.float32)) for name, a in arrays.items()})
