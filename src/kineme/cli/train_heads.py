"""What `kineme train predictor` and `kineme train interpolator` share."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import DataArgs, changed, corpus_of, overrides, training_command

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.models.a4mer.heads.config import HeadConfig

    Settings = Any
else:
    from kineme.models.a4mer.heads.config import HeadConfig

    Settings = overrides(HeadConfig)

#: moments that a head learns from at most, before they are mirrored
MOMENTS = 8000


@dataclass(frozen=True)
class Args:
    """What `kineme train predictor` and `kineme train interpolator` are told."""

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="OUT")]
    """Folder for the model with its head; the model's own to add the head to it."""
    model: str = "a4mer-small"
    """A model's folder, a library, a model of the package or of the Hugging Face hub."""
    preset: Literal["small", "compact", "paper"] = "small"
    """Where the settings start from; compact is a tenth as large, and made for people who are not in the
    training data."""
    overwrite: bool = False
    """Replace the model that is in that folder, or its head of this kind."""
    run: Annotated[DataArgs, tyro.conf.arg(name="")] = field(default_factory=DataArgs)
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def train(args: Args, kind: Literal["predictor", "interpolator"]) -> int:
    """Trains a head, puts it into a copy of the model, and says where that is."""
    import tempfile

    from kineme.cli.index import model_folder
    from kineme.cli.train_recogniser import check_out, save_with_model
    from kineme.cli.training import say
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.bank import build_bank
    from kineme.models.a4mer.heads.config import PRESETS
    from kineme.report.words import say_duration
    from kineme.tasks.discover import standard_positions
    from kineme.train.a4mer import TakeBank
    from kineme.train.heads import train_head

    given = changed(args.settings)
    config = dataclasses.replace(PRESETS[args.preset], **given)
    source = model_folder(args.model)
    model = A4Mer.load(source)
    check_out(args.out, source, kind, args.overwrite)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus = corpus_of(args.sources, Path(folder), args.reading, args.run.jobs, kept=False)
        corpus = corpus if args.run.split is None else corpus.split(args.run.split)
        takes = TakeBank([standard_positions(clip) for clip in corpus], corpus.fps)
        stride = max(0.2, takes.seconds / MOMENTS)
        people = [clip.subject or str(Path(clip.source).parent) for clip in corpus]
        bank = build_bank(model.network, [(takes, stride)], config, kind, people)
        say(
            f"{say_duration(takes.seconds)} of motion, {bank.library.size} moments with those that a mirror "
            f"shows; {config.steps} steps"
        )
        head = train_head(
            model, bank, config, kind, Path(folder) / "run", seed=args.run.seed,
            card=_card(args, kind, corpus, given), progress=sys.stderr.isatty(),
        )  # fmt: skip
    save_with_model(head.save, source, args.out)
    verb = {"predictor": "predict", "interpolator": "interpolate"}[kind]
    say(f"the model: {args.out}")
    say(f"use it: kineme {verb} TAKE --model {shlex.quote(str(args.out))} ...")
    return 0


def _card(args: Args, kind: str, corpus: Corpus, given: dict[str, Any]) -> str:
    """The head's README.md."""
    names = [Path(source).resolve().name for source in args.sources]
    command = training_command(kind, args, given, ("model",))
    what = {
        "predictor": "A predictor: how motion goes on (`kineme predict`)",
        "interpolator": "An interpolator: gaps of whole frames filled (`kineme interpolate`)",
    }[kind]
    return (
        f"# {what}\n\nA head of A4Mer, trained on {corpus.duration / 60:.1f} minutes of {', '.join(names)} "
        f"(corpus sha256 {corpus.checksum}).\n\nLicence of that data: {args.run.data_licence}. The head keeps "
        "moments of it, to recall what followed: who passes the head on passes on parts of that motion.\n\n"
        f"Made by\n\n```\n{command}\n```\n"
    )
