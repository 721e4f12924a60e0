"""MotionCLIP (Tevet et al., ECCV 2022): motion and text in one space, so that a text can be decoded as
motion.

The rival of the paper that is told in words what to do; departures are in README.md. B sequences of T frames,
F features a frame, E numbers of the space, D = width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from kineme.errors import UsageError
from kineme.formats.model_folder import read_model, write_model
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.model import fill_network, frame_counts, frames_to_motions
from kineme.models.compose.network import MotionTransformer
from kineme.models.compose.text import TextEncoder, sentence, text_encoder
from kineme.motion import Motion
from kineme.settings import Settings

FORMAT, KIND = 2, "motionclip"


@dataclass(frozen=True)
class MotionCLIPConfig(Settings, of="MotionCLIP"):
    """Settings of the model. Every field has an effect."""

    compose: ComposeConfig
    """the actions, the frames, the network and its training; what is said of coupling has no effect"""
    encoder: str = ""
    """a text model of transformers, by name or folder; the small encoder where empty"""
    text_weight: float = 0.1
    """weight of the angle between motion and text, beside the reconstruction"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text_weight < 0:
            raise UsageError("text_weight is at least 0")


class Rebuilt(NamedTuple):
    """A pass: where motions lie in the space, (B, E) of length one, and what was decoded of it, (B, T, F)."""

    places: Tensor
    decoded: Tensor


class MotionCLIPNetwork(MotionTransformer):
    """An autoencoder of motion whose latent is a direction in the space of texts.

    space : numbers of a text, E.
    """

    def __init__(self, config: ComposeConfig, space: int):
        super().__init__(config, (1,))
        self.space_out = nn.Linear(config.width, space)
        self.space_in = nn.Linear(space, config.width)

    def forward(self, frames: Tensor, valid: Tensor) -> Rebuilt:
        """Of frames (B, T, F), valid (B, T) bool."""
        places = self.encode(frames, valid)
        return Rebuilt(places, self.decode(places, valid))

    def encode(self, frames: Tensor, valid: Tensor) -> Tensor:
        """(B, E) of motions."""
        first = self.tokens.expand(len(frames), -1, -1)
        return normalize(self.space_out(self.read(first, frames, valid)[:, 0]), dim=-1)

    def decode(self, places: Tensor, valid: Tensor) -> Tensor:
        """(B, T, F) of motions' places or texts' numbers (B, E); only their direction counts."""
        even = normalize(places, dim=-1) * places.shape[-1] ** 0.5  # numbers of a size of about one
        return self.write(self.space_in(even)[:, None], valid)


class MotionCLIP:
    """The trained model. There is one motion a text and length, as nothing is drawn.

    Attributes
    ----------
    config : its settings. network : the weights, in evaluation mode. texts : the encoder. card : of the
        model, a text.
    """

    def __init__(
        self, config: MotionCLIPConfig, network: MotionCLIPNetwork, texts: TextEncoder, card: str = ""
    ):
        self.config, self.texts, self.card = config, texts, card
        self.network = network.eval().requires_grad_(False)

    @classmethod
    def random(cls, config: MotionCLIPConfig, seed: int = 0, *, fetch: bool = True) -> MotionCLIP:
        """A model with random weights. Raises InputError where its text encoder is not there, nor (with `fetch`)
        to be had."""
        texts = text_encoder(config.encoder, config.compose.labels, fetch=fetch)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = MotionCLIPNetwork(config.compose, texts.width)
        return cls(config, network, texts)

    def sample(self, texts: list[str], frames: list[int] | int | None = None, batch: int = 128) -> Tensor:
        """(n, T, F) frames of `texts`, such as ``walk+wave`` or *walk while wave*; zero past `frames` (n).

        frames : how many of each, the model's most where None. Raises UsageError for a text in which the
        small encoder finds no word that it knows, InputError for more frames than it was trained on.
        """
        counts = frame_counts(len(texts), frames, self.config.compose)
        valid = torch.arange(self.config.compose.frames)[None] < torch.tensor(counts)[:, None]
        numbers = self.texts([sentence(text) for text in texts])
        with torch.no_grad():
            parts = zip(numbers.split(batch), valid.split(batch), strict=True)
            return torch.cat([self.network.decode(*part) for part in parts])

    def motions(self, frames: Tensor, counts: list[int] | None = None) -> list[Motion]:
        """Frames (n, T, F) as motions on the standard body, `counts` (n) frames of each."""
        return frames_to_motions(frames, self.config.compose, counts)

    def save(self, folder: str | Path) -> None:
        """Write the model folder, whole or not at all; a text model of transformers is named, not held."""
        arrays = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        write_model(Path(folder), KIND, FORMAT, self.config.to_dict(), arrays, self.card)

    @classmethod
    def load(cls, folder: str | Path) -> MotionCLIP:
        """Read a model folder. Raises InputError that names the file at fault.

        A text model that it names, but nobody fetched, is not fetched: the folder may be a stranger's.
        """
        held = read_model(Path(folder), KIND, FORMAT, oldest=FORMAT)
        config = MotionCLIPConfig.from_file(held.settings, Path(folder) / "config.json")
        model = cls.random(config, fetch=False)
        fill_network(model.network, held.arrays, Path(folder))
        model.card = held.card
        return model
