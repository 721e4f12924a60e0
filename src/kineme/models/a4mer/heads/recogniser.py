"""A head for recognition: a class for every frame, by one Transformer layer over a take's tokens (paper), by a
classifier of frames in closed form (`frames`), or by both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kineme.errors import InputError, UsageError
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.features import FEATURES, clip_features
from kineme.models.a4mer.heads.folder import head_folder, read_head, train_command, write_head
from kineme.models.a4mer.heads.frames import FrameClassifier, from_arrays, to_arrays
from kineme.models.a4mer.heads.settings import Levels, RecogniserConfig
from kineme.models.a4mer.model import A4Mer
from kineme.models.a4mer.settle import without_axes
from kineme.nn.attention import TransformerBlock
from kineme.nn.packing import Layout

KIND = "recogniser"
#: the lengths of tokens in seconds are fed beside them up to this many
LONGEST_SECONDS = 4.0
#: settings of heads that were made before they had them
BEFORE: dict[str, Any] = {"share": 0.0, "poses": False, "copies": 0}
#: how the arrays of the classifier of frames are told from the layer's
_FRAMES = "frames."


class TokenRow(NamedTuple):
    """A take as a row of tokens: tokens (K, D), and the model frames (K,) that each stands for."""

    tokens: np.ndarray
    frames: np.ndarray


def token_row(model: A4Mer, positions: np.ndarray, fps: float, levels: Levels) -> TokenRow:
    """The tokens of world positions (T, 22, 3) on the standard body at the levels that a head reads.

    An atom's token is without the directions that tell takes apart, a motif's is what motifs are compared by:
    both are free of who moves, as far as the vocabulary knows (`settle`). With ``both``, an atom's token and
    that of the motif that holds it stand side by side. Raises InputError for a model without a vocabulary.
    """
    found = model.encode_positions(positions, fps)
    assert model.vocabulary is not None
    atoms = without_axes(found.atoms.h, model.vocabulary.axes)
    if levels == "atoms":
        return TokenRow(atoms, found.atoms.frames)
    if levels == "motifs":
        return TokenRow(found.motif_tokens, found.motifs.frames)
    holding = np.repeat(found.motif_tokens, found.atoms_per_motif, axis=0)
    return TokenRow(np.concatenate([atoms, holding], axis=1), found.atoms.frames)


class RecogniserNetwork(nn.Module):
    """Standardised tokens through one Transformer layer; a linear classifier of the tokens runs beside it.

    With few labels the linear part carries the decision, with many the layer adds what context knows.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, inputs: int, classes: int, config: RecogniserConfig, fps: float):
        super().__init__()
        self.fps, self.noise = fps, config.noise
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.drop = nn.Dropout(config.dropout)
        self.embed = nn.Linear(inputs + 1, config.width)
        self.block = TransformerBlock(config.width, config.heads, config.feed_ratio)
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, classes)
        self.plain = nn.Linear(inputs, classes)
        nn.init.zeros_(self.plain.weight)
        nn.init.zeros_(self.plain.bias)

    def standardise(self, tokens: np.ndarray) -> None:
        """Take mean and deviation of the tokens (N, D) that stand for the corpus; no labels are needed."""
        self.mean.copy_(torch.from_numpy(tokens.mean(0)))
        self.scale.copy_(torch.from_numpy(np.maximum(tokens.std(0), 1e-4)))

    def forward(self, items: Tensor, frames: Tensor, counts: list[int]) -> Tensor:
        """Logits (N, classes) of tokens (N, inputs) of `frames` (N,) model frames each.

        The tokens of sequence b are the next counts[b].
        """
        x = (items - self.mean) / self.scale
        if self.training:
            x = x + self.noise * torch.randn_like(x)
        x = self.drop(x)
        seconds = (frames / self.fps).clamp(max=LONGEST_SECONDS)
        ends = [torch.cumsum(part, 0) for part in (frames / self.fps).split(counts)]
        times = torch.cat(ends) - frames / (2 * self.fps)
        y = self.embed(torch.cat([x, seconds[:, None]], dim=1))
        y = self.block(y, times, Layout.of(np.array(counts)).to(items.device))
        return self.out(self.drop(self.norm(y))) + self.plain(x)


class HeadParts(NamedTuple):
    """The two parts of a head, and the `share` of the answer that is the classifier's.

    network : the Transformer layer; None where the share is 1. frames : the classifier of frames; None where
    it is 0.
    """

    network: RecogniserNetwork | None
    frames: FrameClassifier | None
    share: float

    @torch.inference_mode()
    def scores(self, row: TokenRow, poses: np.ndarray | None) -> np.ndarray:
        """Probabilities (T', classes) of the frames of a row: the parts' mean, by their shares.

        poses (T', P) : of every frame; None where the classifier does not read them.
        """
        found = []
        if self.network is not None:
            self.network.eval()
            frames = torch.from_numpy(row.frames).float()
            logits = self.network(torch.from_numpy(row.tokens), frames, [len(row.frames)])
            likely = np.repeat(logits.softmax(1).numpy(), row.frames, axis=0)
            found.append((1 - self.share) * likely)
        if self.frames is not None:
            tokens = np.repeat(row.tokens, row.frames, axis=0)
            found.append(self.share * self.frames.scores(tokens, poses))
        return sum(found[1:], start=found[0])


@dataclass(frozen=True, eq=False)
class Recogniser:
    """An A4Mer with a head that names classes.

    Attributes
    ----------
    model : whose tokens it reads. config : settings of the head. classes : names, in the order of scores.
    parts : what was learnt. card : text of its README.md.
    """

    model: A4Mer
    config: RecogniserConfig
    classes: tuple[str, ...]
    parts: HeadParts
    card: str = ""

    @property
    def fps(self) -> float:
        """Frames per second of the scores."""
        return self.model.config.fps

    def scores(self, positions: np.ndarray, fps: float) -> np.ndarray:
        """Probabilities (T', classes) of each model frame of world positions (T, 22, 3), standard body."""
        row = token_row(self.model, positions, fps, self.config.levels)
        poses = clip_features(positions, fps, self.fps)[0] if self.config.poses else None
        return self.parts.scores(row, poses)

    def save(self, model_folder: str | Path) -> None:
        """Write the head into the folder of its model."""
        state: dict[str, np.ndarray] = {}
        if self.parts.network is not None:
            state |= {k: v.cpu().numpy() for k, v in self.parts.network.state_dict().items()}
        if self.parts.frames is not None:
            state |= {_FRAMES + k: v for k, v in to_arrays(self.parts.frames).items()}
        settings = {
            "classes": list(self.classes),
            "vocabulary_sha256": words_checksum(self.model),
            "settings": self.config.to_dict(),
        }
        write_head(model_folder, KIND, settings, state, self.card or "# A recogniser\n")

    @classmethod
    def load(cls, model_folder: str | Path) -> Recogniser:
        """The model in a folder with its head. InputError as in `read_head`, or where it does not fit."""
        settings, arrays, card = read_head(model_folder, KIND)
        model, folder = A4Mer.load(model_folder), head_folder(Path(model_folder), KIND)
        try:
            config = RecogniserConfig.from_dict(BEFORE | settings["settings"])
            classes = tuple(str(name) for name in settings["classes"])
            words = settings["vocabulary_sha256"]
            parts = _parts(arrays, model.config, config, len(classes))
        except (KeyError, TypeError, ValueError, RuntimeError, UsageError) as error:
            raise InputError(f"does not fit its model ({error}); train it again", folder) from None
        if words != words_checksum(model):
            raise InputError(
                "was trained with another vocabulary than this model's (--mine makes a new one); train it "
                f"again with `{train_command(KIND)}`",
                folder,
            )
        return cls(model, config, classes, parts, card)


def _parts(
    arrays: dict[str, np.ndarray], model: A4MerConfig, config: RecogniserConfig, classes: int
) -> HeadParts:
    """The parts that have a share, from the arrays of a head's folder."""
    inputs, network, frames = inputs_of(model, config.levels), None, None
    if config.share < 1:
        network = RecogniserNetwork(inputs, classes, config, model.fps)
        own = {k: torch.from_numpy(v.copy()) for k, v in arrays.items() if not k.startswith(_FRAMES)}
        network.load_state_dict(own)
        network.eval().requires_grad_(False)
    if config.share > 0:
        others = {k.removeprefix(_FRAMES): v for k, v in arrays.items() if k.startswith(_FRAMES)}
        frames = from_arrays(others, model.fps, inputs, FEATURES if config.poses else 0, classes)
    return HeadParts(network, frames, config.share)


def words_checksum(model: A4Mer) -> str:
    """sha256 over the part of a model's vocabulary that its tokens depend on."""
    words = model.vocabulary
    if words is None:
        return ""
    digest = hashlib.sha256()
    for part in (words.axes, words.spread, words.codes.centres, words.patterns.codes.values):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(np.ascontiguousarray(words.patterns.codes.offsets).tobytes())
    return digest.hexdigest()


def inputs_of(config: A4MerConfig, levels: Levels) -> int:
    """Numbers of a token of these levels."""
    return config.width * (2 if levels == "both" else 1)
