"""Train HG-VAE, a generative model of whole motion, on a corpus or on motion files.

The run's folder gets `model/` (to give to `kineme impute`, `anomaly` and `generate` by --model), CSV and
TensorBoard logs, and checkpoints: a run that was stopped or killed goes on when the same command is given
again, and ends with the same weights. Every setting of the model can be changed from its preset.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import (
    RunArgs,
    changed,
    corpus_for_training,
    corpus_of,
    first_process,
    overrides,
    training_command,
)
from kineme.errors import UsageError
from kineme.models.hgvae.config import CONDITIONAL, PRESETS, HGVAEConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(HGVAEConfig)


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: Literal["small", "full-body", "paper", "deep"] = "small"
    """Where the settings start from."""
    conditional: bool = False
    """Learn the labels of the corpus as classes, for `kineme generate --label`. With the presets small and
    full-body the class enters at every level and classes are drawn more evenly, unless settings say otherwise;
    with paper and deep it enters beside z0 alone."""
    calibrate: str | None = None
    """Measure thresholds and intervals on this split of the corpus, such as val; by default on one window in
    ten of the training data's end, which flatters."""
    run: Annotated[RunArgs, tyro.conf.arg(name="")] = field(default_factory=RunArgs)
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains; where it cannot, no corpus is left behind."""
    with corpus_for_training(args.out):
        return _train(args)


def _train(args: Args) -> int:
    """Trains, measures what the tasks need, and says where the model is."""
    from kineme.cli.training import say
    from kineme.report.words import say_duration
    from kineme.tasks.calibrate import calibrate
    from kineme.train.cards import model_card
    from kineme.train.hgvae import bank_of, label_names, train_hgvae

    options = args.run.trainer_options
    given = changed(args.settings)
    config = dataclasses.replace(PRESETS[args.preset], **given)
    whole = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    corpus = whole if args.run.split is None else whole.split(args.run.split)
    if args.conditional:
        labels = label_names(corpus)
        if not labels:
            raise UsageError(
                "--conditional needs a corpus with labels; `kineme ingest --labels` attaches them"
            )
        ours = {} if args.preset in ("paper", "deep") else CONDITIONAL
        config = dataclasses.replace(config, **{**ours, **given, "labels": labels, "mirror": False})
    bank = bank_of(corpus, config)
    card = model_card(
        "HG-VAE",
        "A hierarchical graph-convolutional variational autoencoder of whole motion",
        "`kineme impute`, `kineme anomaly` and `kineme generate --model THIS_FOLDER` or "
        "`kineme.models.hgvae.HGVAE.load(THIS_FOLDER)`",
        config.to_dict(),
        data=[Path(source).resolve().name for source in args.sources],
        seconds=corpus.duration,
        preset=args.preset,
        seed=args.run.seed,
        licence=args.run.data_licence,
        command=training_command("hgvae", args, given, ("conditional", "calibrate")),
        checksum=corpus.checksum,
    )
    say(f"training {args.preset} on {say_duration(corpus.duration)} of motion, {len(bank)} windows")
    model = train_hgvae(
        bank,
        config,
        args.out,
        seed=args.run.seed,
        card=card,
        progress=sys.stderr.isatty(),
        trainer_options=options,
    )
    if first_process():
        held = whole.split(args.calibrate) if args.calibrate else corpus
        where = f"the split {args.calibrate}" if args.calibrate else "the training data itself"
        model.calibration = calibrate(model, bank_of(held, config), where, seed=args.run.seed)
        model.save(args.out / "model")
        say(f"the model: {args.out / 'model'}")
        say(f"use it: kineme anomaly TAKES --model {args.out / 'model'}")
    return 0
