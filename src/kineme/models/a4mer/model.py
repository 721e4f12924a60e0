"""`A4Mer`: a trained network with its vocabulary, as one object and one folder on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.models.a4mer import folder as _folder
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.encoding import Level, encode_atoms, encode_motifs, segment_borders
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.network import A4MerNetwork
from kineme.models.a4mer.segment import atom_lengths
from kineme.models.a4mer.vocabulary import (
    MotifTree,
    Reading,
    Vocabulary,
    build_motif_tree,
    build_vocabulary,
    motif_tokens,
)
from kineme.motion.canonical import JOINTS
from kineme.motion.motion import Motion
from kineme.motion.retarget import retarget, to_standard_body
from kineme.symbols.threads import one_blas_thread


@dataclass(frozen=True, eq=False)
class Encoding:
    """A clip as atoms and motifs, at the model's frame rate.

    Attributes
    ----------
    fps : the model's frame rate. duration : seconds of the clip.
    atoms, motifs : segments and tokens. Motif m holds `atoms_per_motif[m]` atoms.
    codes, code_confidence : (K,) the code of each atom and how clear it is, in [0, 1].
    patterns : (M,) number of the pattern that each motif is an occurrence of.
    motif_tokens : (M, D) what motifs are compared by: their atoms' tokens, settled and averaged.
    prototypes, motif_confidence : (M,) nearest motif prototype and how clear it is; None without
        a motif tree.
    """

    fps: float
    duration: float
    atoms: Level
    motifs: Level
    atoms_per_motif: np.ndarray
    codes: np.ndarray
    code_confidence: np.ndarray
    patterns: np.ndarray
    motif_tokens: np.ndarray
    prototypes: np.ndarray | None
    motif_confidence: np.ndarray | None

    def seconds(self, level: str) -> np.ndarray:
        """(K + 1,) borders in seconds of the segments of `level` ("atoms" or "motifs"): `segment_borders`."""
        segments: Level = getattr(self, level)
        return segment_borders(segments.frames, self.fps, self.duration)


def standard_positions(motion: Motion) -> np.ndarray:
    """World positions (T, 22, 3) of a motion of any humanoid rig on the standard body."""
    canonical = motion if motion.skeleton.names == JOINTS else retarget(motion)
    return to_standard_body(canonical).positions


class A4Mer:
    """Action Atoms and Action Motifs (Kinoshita et al., CVPR 2026).

    Attributes
    ----------
    config : its settings. network : the weights (the moving average of training), in evaluation mode.
    vocabulary : codes and patterns. motif_tree : prototypes of motifs and their dendrogram.
    card : text of the model card. Either of the middle two is None before it is built.
    """

    def __init__(
        self,
        config: A4MerConfig,
        network: A4MerNetwork,
        vocabulary: Vocabulary | None = None,
        motif_tree: MotifTree | None = None,
        card: str = "",
    ):
        self.config, self.network = config, network.eval().requires_grad_(False)
        self.vocabulary, self.motif_tree, self.card = vocabulary, motif_tree, card

    @classmethod
    def random(cls, config: A4MerConfig, seed: int = 0) -> A4Mer:
        """A model with random weights: the control that every table shows."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(config, A4MerNetwork(config))

    # -- from motion to tokens ------------------------------------------------------------------------------

    def encode_atoms(self, positions: np.ndarray, fps: float) -> Level:
        """Atoms of a clip from world positions (T, 22, 3) on the standard body."""
        features, facing = clip_features(positions, fps, self.config.fps)
        return encode_atoms(self.network, features, atom_lengths(facing, self.config))

    def encode(self, motion: Motion) -> Encoding:
        """Atoms, codes and motifs of a motion. The same motion gives the same result, alone or among others.

        Raises InputError for a rig that cannot be mapped, or a model without a vocabulary.
        """
        return self.encode_positions(standard_positions(motion), motion.fps)

    def encode_positions(self, positions: np.ndarray, fps: float) -> Encoding:
        """`encode` from world positions (T, 22, 3) on the standard body."""
        return self.encode_level(self.encode_atoms(positions, fps), len(positions) / fps)

    def encode_level(self, atoms: Level, duration: float, longest: float | None = None) -> Encoding:
        """Codes and motifs of a clip of `duration` seconds from its atoms.

        `longest` : a time scale; no motif of two atoms or more lasts longer than so many seconds.
        """
        with one_blas_thread():
            return self._encode_level(atoms, duration, longest)

    def _encode_level(self, atoms: Level, duration: float, longest: float | None) -> Encoding:
        vocabulary = self._words()
        tokens = vocabulary.code_tokens(atoms, self.config)
        book = vocabulary.codes
        codes, _ = book.assign(tokens)
        cover = vocabulary.cover_clip(codes, atoms.frames, self.config.fps, longest)
        per_motif = cover.length.astype(np.int64)
        motifs = encode_motifs(self.network, atoms, per_motif)
        tree = self.motif_tree
        compared = motif_tokens(tokens, atoms.frames, per_motif)
        return Encoding(
            self.config.fps,
            duration,
            atoms,
            motifs,
            per_motif,
            codes,
            book.confidence(tokens),
            cover.pattern,
            compared,
            None if tree is None else tree.prototypes.assign(compared)[0],
            None if tree is None else tree.prototypes.confidence(compared),
        )

    def read_atoms(self, atoms: Level, duration: float, limits: Iterable[float]) -> Reading:
        """Codes of a clip's atoms, and the pieces of its cover by patterns of at most so many seconds each.

        What `encode_level` finds at the level of motifs, without the tokens of stage 2.
        """
        with one_blas_thread():
            return self._words().read(atoms, duration, limits, self.config)

    def _words(self) -> Vocabulary:
        if self.vocabulary is None:
            raise InputError("this model has no vocabulary yet; with_vocabulary() makes one from a corpus")
        return self.vocabulary

    # -- vocabulary -----------------------------------------------------------------------------------------

    def with_vocabulary(self, atoms: list[Level], seed: int = 0) -> A4Mer:
        """The same weights with codes, patterns and motif prototypes mined from a corpus of encoded clips."""
        vocabulary = build_vocabulary(atoms, self.config, seed)
        readings = [vocabulary.read(level, 0.0, (np.inf,), self.config) for level in atoms]
        tree = build_motif_tree([reading.covers[0].tokens for reading in readings], seed)
        return A4Mer(self.config, self.network, vocabulary, tree, self.card)

    # -- on disk --------------------------------------------------------------------------------------------

    def save(self, folder: str | Path, beside: Mapping[str, str] | None = None) -> None:
        """Write the model folder (safetensors, JSON, Parquet, a card; no pickle), whole or not at all.

        beside : names and texts of further files.
        """
        _folder.save(self, Path(folder), beside)

    @classmethod
    def load(cls, folder: str | Path) -> A4Mer:
        """Read a model folder. Raises InputError that names the file at fault."""
        return cls(*_folder.load(Path(folder)))

    @classmethod
    def from_pretrained(cls, name: str | Path) -> A4Mer:
        """From a folder, by the name of weights that come with the package (``a4mer-small``), or from a
        repository of the Hugging Face hub with that id."""
        return cls.load(_folder.find_model(name))
