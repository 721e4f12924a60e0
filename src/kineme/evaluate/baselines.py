"""What learned representations must beat: frames, principal components, cuts without content, raw mining.

All of them read what A4Mer reads (`models.a4mer.features`), standardised by the training frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kineme.evaluate.probes import Standardiser
from kineme.evaluate.representation import Fold, Level, Mined, View
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.segment import atom_lengths, fixed_cuts
from kineme.motion import Motion
from kineme.motion.retarget import to_standard_body
from kineme.symbols import Ragged, codebook, cover, mining

CONFIG = A4MerConfig()
FPS = CONFIG.fps
#: the paper's mean motif is 10.6 frames at 5 fps
FIXED_SECONDS = 2.0
CLIP_SECONDS = 1.0
COMPONENTS = 64


def model_input(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """A4Mer's input frames (T, 131) of a motion at 5 fps, and its facing poses (T, 22, 3)."""
    return clip_features(to_standard_body(motion).positions, motion.fps, FPS)


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
        *(f"models/a4mer/{name}.py" for name in ("config", "features", "segment")),
    )

    def state(self, fold: Fold, seed: int) -> str:
        """Nothing but code and corpus."""
        return ""


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

    def view(self, motion: Motion) -> View:
        features = self.standard(model_input(motion)[0])
        lengths = self.lengths(len(features), np.random.default_rng([self.seed, len(features)]))
        segments = Mined(np.arange(len(lengths)), lengths, np.ones_like(lengths))
        return View(FPS, (Level("segment", pool(features, lengths), lengths),), segments)


@dataclass(frozen=True)
class RawMining(_Baseline):
    """A4Mer's chain without learning: the same atoms, but an atom's token is the mean of its input frames.

    Atoms -> codebook -> frequent patterns -> cover; a motif's token is again the mean of its frames.
    """

    name: str = "raw codes + mining"
    config: A4MerConfig = field(default=CONFIG)

    def fit(self, fold: Fold, seed: int) -> _RawMining:
        """Codebook and patterns of the training motions."""
        config, standard = self.config, _standardiser(fold.training_motions)
        atoms = [_raw_atoms(motion, standard, config) for motion in fold.training_motions]
        tokens = np.concatenate([level.tokens for level in atoms])
        codes = config.clusters or max(2, round(len(tokens) / config.atoms_per_code))
        book = codebook.fit(tokens, codes, seed)
        sequences = Ragged.from_lengths(book.assign(tokens)[0], [len(level.tokens) for level in atoms])
        patterns = mining.mine(sequences, config.min_support, config.max_pattern, len(book))
        return _RawMining(standard, config, book, patterns)


@dataclass(frozen=True, eq=False)
class _RawMining:
    standard: Standardiser
    config: A4MerConfig
    book: codebook.Codebook
    patterns: mining.Patterns

    def view(self, motion: Motion) -> View:
        atoms = _raw_atoms(motion, self.standard, self.config)
        codes = self.book.assign(atoms.tokens)[0]
        pieces = cover.cover(Ragged.from_lists([codes]), self.patterns)
        lengths = np.add.reduceat(atoms.lengths, pieces.start)
        features = self.standard(model_input(motion)[0])
        motifs = Level("motif", pool(features, lengths), lengths)
        return View(FPS, (atoms, motifs), Mined(pieces.pattern, lengths, pieces.length))


def _raw_atoms(motion: Motion, standard: Standardiser, config: A4MerConfig) -> Level:
    features, poses = model_input(motion)
    lengths = atom_lengths(poses, config)
    return Level("atom", pool(standard(features), lengths), lengths)


BASELINES = (
    Frames(),
    PrincipalComponents(),
    Cuts("fixed cuts of 2 s", _every),
    Cuts("random cuts", _anywhere),
    RawMining(),
)
