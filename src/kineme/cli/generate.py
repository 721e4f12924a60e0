"""Make new motion: samples of a model, as BVH files on the standard body.

With --label the samples are of that class, for models that were trained with --conditional.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kineme.errors import UsageError


@dataclass(frozen=True)
class Args:
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FOLDER")]
    """Folder for the files."""
    model: str | None = None
    """Folder of an HG-VAE model, or its name on the Hugging Face hub; by default the one that comes with
    kineme."""
    label: str | None = None
    """The class to sample."""
    count: int = 8
    """How many."""
    levels: int | None = None
    """Draw that many levels from the top, and take the mean of those below; by default all are drawn."""
    format: Literal["bvh", "npz", "csv"] = "bvh"
    """How to write them: rotations (bvh, npz) or places of joints (csv)."""
    seed: int = 0
    """Seed of the samples."""


def run(args: Args) -> int:
    from kineme.cli.motion_model import load_model
    from kineme.formats import save
    from kineme.tasks.generate import generate

    if args.count < 1:
        raise UsageError(f"--count must be at least 1, not {args.count}")
    model = load_model(args.model)
    if args.levels is not None and not 0 <= args.levels <= len(model.config.levels):
        raise UsageError(f"--levels lies between 0 and {len(model.config.levels)} for this model")
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in args.label or "sample")
    motions = generate(
        model, args.count, args.label, levels=args.levels, seed=args.seed, places=args.format == "csv"
    )
    for number, motion in enumerate(motions):
        save(motion, args.out / f"{name}_{args.seed}_{number:03d}.{args.format}")
    print(f"{len(motions)} motions of {motions[0].duration:.1f} s in {args.out}")
    return 0
