"""What learned representations must beat: frames, principal components, cuts without content, raw mining.

All of them read what A4Mer reads (`models.a4mer.features`), standardised by the training frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kineme.evaluate.encoders import Tokens
from kineme.evaluate.probes import Standardiser
from kineme.evaluate.representation import Fold, Level, Mined, View
from kineme.models.a4mer import encoding
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.model import Encoding, standard_positions
from kineme.models.a4mer.segment import atom_lengths, fixed_cuts
from kineme.models.a4mer.vocabulary import (
    MotifTree,
    Reading,
    Vocabulary,
    build_motif_tree,
    build_vocabulary,
    motif_tokens,
)
from kineme.motion import Motion

CONFIG = A4MerConfig()
FPS = CONFIG.fps
#: the paper's mean motif is 10.6 frames at 5 fps
FIXED_SECONDS = 2.0
CLIP_SECONDS = 1.0
COMPONENTS = 64


def model_input(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """A4Mer's input frames (T, 131) of a motion at 5 fps, and its facing poses (T, 22, 3)."""
    return clip_features(standard_positions(motion), motion.fps, FPS)


def pool(features: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Means (M, D) of features (T, D) over segments of the given lengths (M,), which sum to T."""
    starts = np.cumsum(lengths) - lengths
    return (np.add.reduceat(features, starts, axis=0) / lengths[:, None]).astype(np.float32)


def _standardiser(motions: Sequence[Motion]) -> Standardiser:
    return Standardiser.of(np.concatenate([model_input(motion)[0] for motion in motions]))


class _Baseline:
    """What all baselines depend on."""

    code = (
        "evaluate/baselines.py",
        "evaluate/encoders.py",
        "tasks/*.py",
        *(f"models/a4mer/{name}.py" for name in ("config", "features", "segment", "settle", "vocabulary")),
    )

    def state(self, fold: Fold, seed: int) -> str:
        """Nothing but code and corpus."""
        return ""

    def fitted_on(self, fold: Fold) -> str:
        """The fold's training."""
        return fold.training


@dataclass(frozen=True)
class Frames(_Baseline):
    """Every frame by itself: pose and velocity."""

    name: str = "k-means on frames"

    def fit(self, fold: Fold, seed: int) -> _Frames:
        """Standardise; nothing else is learned."""
        return _Frames(_standardiser(fold.training_motions))


@dataclass(frozen=True, eq=False)
class _Frames:
    standard: Standardiser

    def view(self, motion: Motion) -> View:
        tokens = self.standard(model_input(motion)[0])
        return View(FPS, (Level("frame", tokens, np.ones(len(tokens), np.int64)),))

    def mined(self, motion: Motion) -> None:
        return None


@dataclass(frozen=True)
class PrincipalComponents(_Baseline):
    """Principal components of fixed one-second clips."""

    name: str = "PCA on 1 s clips"

    def fit(self, fold: Fold, seed: int) -> _PrincipalComponents:
        """Standardise, then principal components of the training clips (exact, so no seed enters)."""
        from sklearn.decomposition import PCA

        standard = _standardiser(fold.training_motions)
        clips = np.concatenate([_clips(standard(model_input(m)[0]))[0] for m in fold.training_motions])
        pca = PCA(min(COMPONENTS, *clips.shape), svd_solver="covariance_eigh").fit(clips)
        return _PrincipalComponents(standard, pca.mean_, pca.components_)


@dataclass(frozen=True, eq=False)
class _PrincipalComponents:
    standard: Standardiser
    mean: np.ndarray
    components: np.ndarray  # (C, D)

    def view(self, motion: Motion) -> View:
        clips, lengths = _clips(self.standard(model_input(motion)[0]))
        scores = (clips - self.mean) @ self.components.T
        return View(FPS, (Level("clip", scores.astype(np.float32), lengths),))

    def mined(self, motion: Motion) -> None:
        return None


def _clips(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fixed clips (M, frames * D) of features (T, D) and their lengths; the last repeats its last frame."""
    size = round(CLIP_SECONDS * FPS)
    lengths = fixed_cuts(len(features), size)
    padded = np.concatenate([features, np.repeat(features[-1:], -len(features) % size, axis=0)])
    return padded.reshape(len(lengths), -1), lengths


def _every(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of cuts at equal distances."""
    return fixed_cuts(frames, round(FIXED_SECONDS * FPS))


def _anywhere(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of as many cuts at random frames."""
    count = len(_every(frames, rng)) - 1
    cuts = np.sort(rng.choice(np.arange(1, frames), size=count, replace=False))
    return np.diff(cuts, prepend=0, append=frames)


@dataclass(frozen=True)
class Cuts(_Baseline):
    """Cuts that look at nothing; a segment's token is the mean of its frames."""

    name: str
    lengths: Callable[[int, np.random.Generator], np.ndarray]

    def fit(self, fold: Fold, seed: int) -> _Cuts:
        """Standardise; nothing else is learned."""
        return _Cuts(_standardiser(fold.training_motions), self.lengths, seed)


@dataclass(frozen=True, eq=False)
class _Cuts:
    standard: Standardiser
    lengths: Callable[[int, np.random.Generator], np.ndarray]
    seed: int

    def _cut(self, frames: int) -> np.ndarray:
        return self.lengths(frames, np.random.default_rng([self.seed, frames]))

    def view(self, motion: Motion) -> View:
        features = self.standard(model_input(motion)[0])
        lengths = self._cut(len(features))
        return View(FPS, (Level("segment", pool(features, lengths), lengths),))

    def mined(self, motion: Motion) -> Mined:
        lengths = self._cut(len(model_input(motion)[0]))
        return Mined(np.arange(len(lengths)), lengths, lengths, np.ones_like(lengths))


@dataclass(frozen=True)
class RawMining(_Baseline):
    """A4Mer's whole chain without learning: an atom's token is the mean of its input frames.

    The same atoms, settling, codebook, patterns, cover, motif tree and rules of writing; a motif's token is
    again the mean of its frames.
    """

    name: str = "raw codes + mining"
    config: A4MerConfig = field(default=CONFIG)

    def fit(self, fold: Fold, seed: int) -> Tokens:
        """Codebook, patterns and motif tree of the training motions."""
        model = RawModel(self.config, _standardiser(fold.training_motions))
        levels = [model.encode_atoms(standard_positions(m), m.fps) for m in fold.training_motions]
        model = replace(model, vocabulary=build_vocabulary(levels, self.config, seed))
        motifs = [model.encode_level(level, 0.0).motif_tokens for level in levels]
        return Tokens(replace(model, motif_tree=build_motif_tree(motifs, seed)))


@dataclass(eq=False)
class RawModel:
    """What `A4Mer` is to `kineme.discover`, with means of standardised input frames for tokens."""

    config: A4MerConfig
    standard: Standardiser
    vocabulary: Vocabulary | None = None
    motif_tree: MotifTree | None = None

    def encode_atoms(self, positions: np.ndarray, fps: float) -> encoding.Level:
        """Atoms of world positions (T, 22, 3) on the standard body."""
        features, poses = clip_features(positions, fps, self.config.fps)
        lengths = atom_lengths(poses, self.config)
        tokens = pool(self.standard(features), lengths)
        return encoding.Level(lengths, tokens, tokens)

    def encode_level(self, atoms: encoding.Level, duration: float, longest: float | None = None) -> Encoding:
        """Codes and motifs from atoms, motifs no longer than `longest` seconds."""
        assert self.vocabulary is not None
        settled = self.vocabulary.code_tokens(atoms, self.config)
        codes = self.vocabulary.codes.assign(settled)[0]
        found = self.vocabulary.cover_clip(codes, atoms.frames, self.config.fps, longest)
        frames = np.add.reduceat(atoms.frames, found.start)
        tokens = np.add.reduceat(atoms.h * atoms.frames[:, None], found.start) / frames[:, None]
        motifs = encoding.Level(frames, tokens.astype(np.float32), tokens.astype(np.float32))
        clear, per_motif = np.ones(len(codes), np.float32), found.length.astype(np.int64)
        compared = motif_tokens(settled, atoms.frames, per_motif)
        return Encoding(
            self.config.fps,
            duration,
            atoms,
            motifs,
            per_motif,
            codes,
            clear,
            found.pattern,
            compared,
            None,
            None,
        )

    def read_atoms(self, atoms: encoding.Level, duration: float, limits: Iterable[float]) -> Reading:
        """Codes of atoms, and the pieces of covers by patterns of at most so many seconds each."""
        assert self.vocabulary is not None
        return self.vocabulary.read(atoms, duration, limits, self.config)

    def encode(self, motion: Motion) -> Encoding:
        """Atoms, codes and motifs of a motion."""
        return self.encode_level(self.encode_atoms(standard_positions(motion), motion.fps), motion.duration)


BASELINES = (
    Frames(),
    PrincipalComponents(),
    Cuts("fixed cuts of 2 s", _every),
    Cuts("random cuts", _anywhere),
    RawMining(),
)
