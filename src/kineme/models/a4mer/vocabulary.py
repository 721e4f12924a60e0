"""The words of a corpus: atom codes, patterns of codes that recur, and the motifs these patterns form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.encoding import Level
from kineme.models.a4mer.settle import settle, take_axes, without_axes
from kineme.symbols import Codebook, Patterns, Ragged, codebook
from kineme.symbols.cover import Cover, cover
from kineme.symbols.dendrogram import merge_tree
from kineme.symbols.mining import mine

#: motif prototypes at most; the dendrogram over them is what the page's slider cuts
PROTOTYPES = 256


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

    def motif_lengths(self, codes: list[np.ndarray], **limits) -> list[np.ndarray]:
        """Per sequence of codes (K,) the number of atoms (M,) in each motif of its cover."""
        found = self.cover(codes, **limits)
        return np.split(found.length.astype(np.int64), found.offsets[1:-1])


def chosen(level: Level, config: A4MerConfig) -> np.ndarray:
    """The tokens (K, D) of atoms that codes are made of."""
    return level.z if config.code_token == "encoder" else level.h


def code_count(atoms: int, config: A4MerConfig) -> int:
    """Number of atom codes for a corpus of so many atoms."""
    if config.clusters:
        return min(config.clusters, atoms)
    return int(np.clip(round(atoms / config.atoms_per_code), 8, 512))


def build_vocabulary(levels: list[Level], config: A4MerConfig, seed: int) -> Vocabulary:
    """Cluster the atoms of a corpus (paper: k-means, 512 clusters) and mine their frequent patterns."""
    tokens = [chosen(level, config) for level in levels]
    axes = take_axes(tokens, [level.frames for level in levels], config)
    plain = [without_axes(x, axes) for x in tokens]
    everything = np.concatenate(plain)
    spread = float(np.sqrt(((everything - everything.mean(0)) ** 2).sum(1).mean()))
    tokens = [settle(x, level.frames, spread, config) for x, level in zip(plain, levels, strict=True)]
    codes = codebook.fit(np.concatenate(tokens), code_count(len(everything), config), seed, starts=2)
    sequences = Ragged.from_lists([codes.assign(x)[0] for x in tokens])
    patterns = mine(sequences, config.min_support, config.max_pattern, codes=len(codes))
    return Vocabulary(codes, patterns, axes, spread)


@dataclass(frozen=True, eq=False)
class MotifTree:
    """Prototypes (P, D) of motif tokens without their take axes (n, D), and a Ward tree (P - 1, 4)."""

    prototypes: Codebook
    merges: np.ndarray
    axes: np.ndarray

    def tokens(self, level: Level) -> np.ndarray:
        """The tokens (M, D) of a clip's motifs as they are compared with the prototypes."""
        return without_axes(level.h, self.axes)


def build_motif_tree(levels: list[Level], config: A4MerConfig, seed: int) -> MotifTree:
    """k-means prototypes of the motifs of a corpus, at most PROTOTYPES, and a tree weighted by their use."""
    axes = take_axes([level.h for level in levels], [level.frames for level in levels], config)
    tokens = without_axes(np.concatenate([level.h for level in levels]), axes)
    prototypes = codebook.fit(tokens, min(PROTOTYPES, max(1, len(tokens) // 4)), seed, starts=2)
    use = np.bincount(prototypes.assign(tokens)[0], minlength=len(prototypes)).astype(float)
    return MotifTree(prototypes, merge_tree(prototypes.centres, np.maximum(use, 1), seed=seed), axes)
