"""A few synthetic takes, and a model with random weights that knows their motifs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.formats import save
from kineme.models.a4mer import PRESETS, A4Mer
from kineme.tasks.discover import standard_positions

CONFIG = replace(PRESETS["tiny"], width=32, latent_layers=1, window_seconds=8.0, clusters=6, batch_size=4)


def small_corpus(folder: Path, takes: int = 3, seconds: float = 14.0, seed: int = 5) -> Corpus:
    """`takes` synthetic takes in a corpus of their own."""
    made = generate(seed, takes, seconds)
    return Corpus.from_motions([take.motion for take in made], folder, [take.name for take in made])


def small_model(corpus: Corpus, seed: int = 0) -> A4Mer:
    """Random weights, with codes, patterns and motifs of `corpus`."""
    model = A4Mer.random(CONFIG, seed)
    return model.with_vocabulary(
        [model.encode_atoms(standard_positions(clip), clip.fps) for clip in corpus], seed
    )


def write_takes(folder: Path, takes: int = 3, seconds: float = 14.0, seed: int = 5) -> list[Path]:
    """Synthetic takes as BVH files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for take in generate(seed, takes, seconds):
        files.append(folder / f"{take.name}.bvh")
        save(take.motion, files[-1])
    return files
