"""Make new motion: samples of a model, as files on the standard body.

With --label the samples are of that class, for HG-VAE models that were trained with --conditional. With
--labels walk+wave they are of two actions at once, for models of `kineme train compose`, also of pairs that
the model never saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import put, warn
from kineme.cli.durations import seconds_in
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.motion import Motion


#: of a model of either kind, to be fetched from a hub
FILES = ("config.json", "model.safetensors", "README.md", "checksums.json")


@dataclass(frozen=True)
class Args:
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FOLDER")]
    """Folder for the files."""
    model: str | None = None
    """Folder of an HG-VAE or compose model, a library with one in it, or its name on the Hugging Face hub; by
    default hgvae-small, which comes with kineme."""
    label: str | None = None
    """The class to sample of an HG-VAE."""
    labels: str | None = None
    """The actions to do at once, of a compose model: walk+wave, or one alone."""
    seconds: str | None = None
    """How long the motions of a compose model last: 2, 0.5s, 800ms; by default as long as it can."""
    count: int = 8
    """How many."""
    depth: int | None = None
    """Levels of an HG-VAE's hierarchy that are drawn, from the top, the most abstract one; those below are at
    their means. By default all are drawn."""
    format: Literal["bvh", "npz", "glb", "csv"] = "bvh"
    """How to write them: rotations (bvh, npz, glb) or places of joints (csv)."""
    seed: int = 0
    """Seed of the samples."""
    overwrite: bool = False
    """Replace files that are there already."""


def run(args: Args) -> int:
    from kineme.cli.motion_model import SHIPPED, library_model
    from kineme.cli.outputs import check_free, folder_for
    from kineme.formats import save
    from kineme.formats.file_names import safe_stem
    from kineme.formats.hub import model_folder
    from kineme.formats.model_folder import kind_of

    if args.count < 1:
        raise UsageError(f"--count must be at least 1, not {args.count}")
    stem = safe_stem(_once(args.labels or "") or args.label or "sample")
    files = [f"{stem}_{args.seed}_{number:03d}.{args.format}" for number in range(args.count)]
    targets = [folder_for(args.out) / file for file in files]
    name = args.model or SHIPPED
    check_free(targets, args.overwrite, [name])
    place = library_model(name, ("hgvae", "compose")) or model_folder(
        name, FILES, "`kineme train hgvae` or `kineme train compose` writes one"
    )
    motions = _composed(args, place) if kind_of(place) == "compose" else _sampled(args, place)
    for motion, target in zip(motions, targets, strict=True):
        save(motion, target)
    put(f"{len(motions)} motions of {motions[0].duration:.1f} s in {args.out}")
    return 0


def _once(labels: str) -> str:
    """`walk` of `walk+walk`, which is made as one action: the files are called what they hold."""
    first, second = labels[: len(labels) // 2], labels[len(labels) // 2 + 1 :]
    return first if labels == f"{first}+{second}" and first == second else labels


def _composed(args: Args, place: Path) -> list[Motion]:
    from kineme.models.compose import Composer
    from kineme.tasks.generate import generate_composed

    model = Composer.load(place)
    if args.labels is None or args.label is not None or args.depth is not None:
        raise UsageError(
            f"a compose model takes --labels with one action or two of {', '.join(model.config.labels)}"
        )
    numbers = model.config.numbers(args.labels)
    if len(numbers) == 2 and numbers[0] == numbers[1]:
        name = model.config.labels[numbers[0]]
        warn(f"{args.labels} is one action, so it is made as {name} alone is")
    seconds = None if args.seconds is None else seconds_in(args.seconds)
    return generate_composed(model, args.labels, args.count, seconds, args.seed)


def _sampled(args: Args, place: Path) -> list[Motion]:
    from kineme.models.hgvae import HGVAE
    from kineme.tasks.generate import generate

    if args.labels is not None or args.seconds is not None:
        raise UsageError(
            "--labels and --seconds are for a model of `kineme train compose`; name it by --model"
        )
    model = HGVAE.load(place)
    if args.depth is not None and not 0 <= args.depth <= len(model.config.levels):
        raise UsageError(f"--depth lies between 0 and {len(model.config.levels)} for this model")
    return generate(
        model, args.count, args.label, levels=args.depth, seed=args.seed, places=args.format == "csv"
    )
