"""The words of a corpus: atom codes, patterns of codes that recur, and the motifs these patterns form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.encoding import Level, segment_borders
from kineme.models.a4mer.settle import settle, take_axes, without_axes
from kineme.symbols import Codebook, Patterns, Ragged, codebook
from kineme.symbols.cover import Cover, cover
from kineme.symbols.dendrogram import merge_tree
from kineme.symbols.mining import mine

#: motif prototypes at most; the dendrogram over them is what the page's slider cuts
PROTOTYPES = 1024
#: atom codes at least, where the atoms allow it
LEAST_CODES = 40


class Pieces(NamedTuple):
    """The M pieces of a clip's cover: borders (M + 1,) in seconds, and tokens (M, D) to compare them by."""

    borders: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, eq=False)
class Reading:
    """A clip in the words of a vocabulary.

    Attributes
    ----------
    borders : (K + 1,) seconds, of its atoms. codes, confidence : (K,), tokens : (K, D), of these.
    covers : its pieces, for each limit that was asked for.
    """

    borders: np.ndarray
    codes: np.ndarray
    confidence: np.ndarray
    tokens: np.ndarray
    covers: tuple[Pieces, ...]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Atom codes and frequent patterns of them.

    Attributes
    ----------
    codes : centres of the atom codes. patterns : frequent contiguous patterns of codes.
    axes : (n, D) directions taken out of the tokens before they are clustered; spread : their deviation.
    """

    codes: Codebook
    patterns: Patterns
    axes: np.ndarray
    spread: float

    def code_tokens(self, level: Level, config: A4MerConfig) -> np.ndarray:
        """The tokens (K, D) of a clip's atoms as they are clustered: see `settle`."""
        return settle(without_axes(chosen(level, config), self.axes), level.frames, self.spread, config)

    def cover(self, codes: list[np.ndarray], **limits) -> Cover:
        """Cover sequences of codes with the fewest patterns; `limits` as in `kineme.symbols.cover.cover`."""
        return cover(Ragged.from_lists(codes), self.patterns, **limits)

    def cover_clip(self, codes: np.ndarray, frames: np.ndarray, fps: float, longest: float | None) -> Cover:
        """Cover a clip's atoms, of codes (K,) and `frames` (K,), by patterns of at most `longest` seconds.

        A single atom may last longer. None or infinity set no limit.
        """
        if longest is None or np.isinf(longest):
            return self.cover([codes])
        return self.cover([codes], durations=frames, max_duration=int(longest * fps + 1e-6))

    def read(self, atoms: Level, duration: float, limits: Iterable[float], config: A4MerConfig) -> Reading:
        """A clip of `duration` seconds in this vocabulary's words; a cover for each limit, in seconds."""
        tokens, fps = self.code_tokens(atoms, config), config.fps
        codes = self.codes.assign(tokens)[0]
        covers = []
        for longest in limits:
            per_piece = self.cover_clip(codes, atoms.frames, fps, longest).length.astype(np.int64)
            frames = np.add.reduceat(atoms.frames, np.cumsum(per_piece) - per_piece)
            borders = segment_borders(frames, fps, duration)
            covers.append(Pieces(borders, motif_tokens(tokens, atoms.frames, per_piece)))
        borders = segment_borders(atoms.frames, fps, duration)
        return Reading(borders, codes, self.codes.confidence(tokens), atoms.h, tuple(covers))

    def motif_lengths(self, codes: list[np.ndarray], **limits) -> list[np.ndarray]:
        """Per sequence of codes (K,) the number of atoms (M,) in each motif of its cover."""
        found = self.cover(codes, **limits)
        return np.split(found.length.astype(np.int64), found.offsets[1:-1])


def chosen(level: Level, config: A4MerConfig) -> np.ndarray:
    """The tokens (K, D) of atoms that codes are made of."""
    return level.z if config.code_token == "encoder" else level.h


def code_count(atoms: int, config: A4MerConfig) -> int:
    """Number of atom codes for a corpus of so many atoms: it grows with them, from LEAST_CODES on.

    A small corpus has fewer, since a code needs some 40 atoms to be more than an accident.
    """
    if config.clusters:
        return min(config.clusters, atoms)
    least = min(LEAST_CODES, max(8, atoms // 40))
    return int(np.clip(round(atoms / config.atoms_per_code), least, 512))


def support_threshold(atoms: int, config: A4MerConfig) -> int:
    """Occurrences that make a pattern in a corpus of so many atoms.

    In a large corpus the rarest patterns straddle the end of one action and the beginning of the next; asking
    for many occurrences breaks long actions into pieces instead.
    """
    return config.min_support or int(np.clip(round(atoms / 3500), 3, 5))


def build_vocabulary(levels: list[Level], config: A4MerConfig, seed: int) -> Vocabulary:
    """Cluster the atoms of a corpus (paper: k-means, 512 clusters) and mine their frequent patterns."""
    tokens = [chosen(level, config) for level in levels]
    axes = take_axes(tokens, [level.frames for level in levels], config)
    plain = [without_axes(x, axes) for x in tokens]
    everything = np.concatenate(plain)
    spread = float(np.sqrt(((everything - everything.mean(0)) ** 2).sum(1).mean()))
    tokens = [settle(x, level.frames, spread, config) for x, level in zip(plain, levels, strict=True)]
    count = code_count(len(everything), config)
    codes = codebook.fit(np.concatenate(tokens), count, seed, starts=2, evenness=config.even_codes)
    sequences = Ragged.from_lists([codes.assign(x)[0] for x in tokens])
    support = support_threshold(len(everything), config)
    patterns = mine(sequences, support, config.max_pattern, codes=len(codes))
    return Vocabulary(codes, patterns, axes, spread)


@dataclass(frozen=True, eq=False)
class MotifTree:
    """Prototypes (P, D) of motifs and the Ward tree (P - 1, 4) over them."""

    prototypes: Codebook
    merges: np.ndarray


def motif_tokens(tokens: np.ndarray, frames: np.ndarray, atoms_per_motif: np.ndarray) -> np.ndarray:
    """What motifs are compared by, (M, D): the frame-weighted mean of their atoms' settled tokens (K, D)."""
    starts = np.cumsum(atoms_per_motif) - atoms_per_motif
    total = np.add.reduceat(tokens * frames[:, None].astype(np.float32), starts, axis=0)
    return (total / np.add.reduceat(frames, starts)[:, None]).astype(np.float32)


def build_motif_tree(tokens: list[np.ndarray], seed: int) -> MotifTree:
    """Prototypes of a corpus' motifs (list of (M, D)) and a tree over them weighted by use.

    Every motif is a prototype while there are no more than PROTOTYPES; then k-means chooses so many.
    """
    everything = np.concatenate(tokens)
    if len(everything) <= PROTOTYPES:
        prototypes = Codebook(np.unique(everything, axis=0))
    else:
        prototypes = codebook.fit(everything, PROTOTYPES, seed, starts=1)
    use = np.bincount(prototypes.assign(everything)[0], minlength=len(prototypes)).astype(float)
    return MotifTree(prototypes, merge_tree(prototypes.centres, np.maximum(use, 1), seed=seed))
