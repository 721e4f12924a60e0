"""Train HG-VAE, a generative model of whole motion, on a corpus or on motion files.

The run's folder gets `model/` (to give to `kineme impute`, `anomaly` and `generate` by --model), CSV and
TensorBoard logs, and checkpoints: a run that was stopped or killed goes on when the same command is given
again, and ends with the same weights. Every setting of the model can be changed from its preset.
"""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import changed, corpus_of, first_process, overrides
from kineme.cli.training import TrainArgs, card_of, config_of, keeps_tidy, say, say_made
from kineme.errors import UsageError
from kineme.models.hgvae.config import CONDITIONAL, PRESETS, HGVAEConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(HGVAEConfig)


@dataclass(frozen=True)
class Args(TrainArgs):
    preset: Literal["small", "full-body", "paper", "deep"] = "small"
    conditional: bool = False
    """Learn the labels of the corpus as classes, for `kineme generate --label`. With the presets small and
    full-body the class enters at every level and classes are drawn more evenly, unless settings say otherwise;
    with paper and deep it enters beside z0 alone."""
    calibrate: str | None = None
    """Measure thresholds and intervals on this split of the corpus, such as val; by default on the training
    data itself, which flatters."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


@keeps_tidy
def run(args: Args) -> int:
    """Trains, measures what the tasks need, and says where the model is."""
    from kineme.report.words import say_duration
    from kineme.tasks.calibrate import calibrate, check_enough
    from kineme.train.hgvae import bank_of, label_names, train_hgvae

    how, config = args.how, config_of(args, PRESETS)
    whole = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    corpus = whole if args.run.split is None else whole.split(args.run.split)
    if args.conditional:
        labels = label_names(corpus)
        if not labels:
            raise UsageError(
                "--conditional needs a corpus with labels; `kineme ingest --labels` attaches them"
            )
        ours = {} if args.preset in ("paper", "deep") else CONDITIONAL
        ours = {**ours, **changed(args.settings)}
        config = dataclasses.replace(config, **{**ours, "labels": labels, "mirror": False})
    bank = bank_of(corpus, config)
    held = bank if args.calibrate is None else bank_of(whole.split(args.calibrate), config)
    where = "the training data itself" if args.calibrate is None else f"the split {args.calibrate}"
    check_enough(held, where)  # before time is spent on training
    card = card_of(
        args,
        "hgvae",
        "HG-VAE",
        "A hierarchical graph-convolutional variational autoencoder of whole motion",
        "`kineme impute`, `kineme anomaly` and `kineme generate --model THIS_FOLDER` or "
        "`kineme.models.hgvae.HGVAE.load(THIS_FOLDER)`",
        config,
        corpus,
        own=("conditional", "calibrate"),
    )
    say(f"training {args.preset} on {say_duration(corpus.duration)} of motion, {len(bank)} windows")
    model = train_hgvae(bank, config, args.out, card=card, **how)
    if first_process():
        model.calibration = calibrate(model, held, where, seed=args.run.seed)
        model.save(args.out / "model")
    say_made(args.out / "model", f"kineme anomaly TAKES --model {shlex.quote(str(args.out / 'model'))}")
    return 0
