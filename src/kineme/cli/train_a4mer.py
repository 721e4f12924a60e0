"""Train A4Mer on a corpus or on motion files.

The run's folder gets `model/` (to give to `kineme index --model` and `kineme segment --model`), CSV and
TensorBoard logs, and checkpoints: a run that was stopped or killed goes on when the same command is given
again, and ends with the same weights. Every setting of the model can be changed from its preset.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, get_type_hints

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError
from kineme.models.a4mer.config import PRESETS, A4MerConfig

if TYPE_CHECKING:
    from kineme.corpus import Corpus


def _field_docs(kind: type) -> dict[str, str]:
    """Field -> the string under it."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]  # a class
    docs = {}
    for line, text in zip(body, body[1:], strict=False):
        match line, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = doc
    return docs


def _overrides() -> type:
    """A dataclass with every field of `A4MerConfig`, none of them given."""
    hints, docs = get_type_hints(A4MerConfig), _field_docs(A4MerConfig)
    hint = "(default: the preset's)"
    fields = []
    for name in A4MerConfig.__dataclass_fields__:
        told = tyro.conf.arg(help=docs.get(name, ""), help_behavior_hint=hint)
        fields.append((name, Annotated[Optional[hints[name]], told], None))  # noqa: UP045  # a type at run time
    return dataclasses.make_dataclass("Settings", fields, frozen=True)


if TYPE_CHECKING:
    Settings = Any
else:
    Settings = _overrides()


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: Literal["tiny", "small", "base", "paper"] = "small"
    """Where the settings start from."""
    split: str | None = None
    """Train on this split of the corpus only, such as train."""
    seed: int = 0
    """Seed of weights, windows, masks and clustering."""
    data_licence: str = "not stated"
    """Licence of the training data, for the model card."""
    devices: int = 1
    """How many devices (or processes, on a CPU) share every batch."""
    accelerator: str = "auto"
    """cpu, gpu, mps or auto."""
    precision: str = "32-true"
    """32-true, bf16-mixed or another of the Trainer's."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.cli.training import say, train
    from kineme.train.plan import Plan, model_card

    if not args.sources:
        raise UsageError("name a corpus or the motion files to train on")
    if args.devices < 1:
        raise UsageError(f"--devices must be at least 1, not {args.devices}")
    changed = {name: value for name, value in vars(args.settings).items() if value is not None}
    plan = Plan(args.preset, dataclasses.replace(PRESETS[args.preset], **changed))
    corpus = _corpus(args)
    names = [Path(source).resolve().name for source in args.sources]
    card = model_card(
        names,
        corpus.duration,
        plan,
        args.seed,
        licence=args.data_licence,
        command=_command(args, changed),
        checksum=corpus.checksum,
    )
    options = {"devices": args.devices, "accelerator": args.accelerator, "precision": args.precision}
    train(corpus, plan, args.out, args.seed, card, options)
    if _first_process():
        say(f"the model: {args.out / 'model'}")
        say(f"use it: kineme index TAKES -o LIBRARY --model {args.out / 'model'}")
    return 0


def _corpus(args: Args) -> Corpus:
    """The corpus or library that is named, or one made of the files in the run's folder."""
    from kineme.cli.ingest import print_report
    from kineme.corpus import Corpus
    from kineme.tasks.library import CORPUS, is_library

    place = args.out / CORPUS
    source = args.sources[0]
    if len(args.sources) == 1 and is_library(source):
        corpus = Corpus.open(source / CORPUS)
    elif len(args.sources) == 1 and (source / "corpus.json").is_file():
        corpus = Corpus.open(source)
    elif not _first_process():  # the first one has read the files
        corpus = Corpus.open(place)
    else:
        options = args.reading.options(None, None)
        corpus = Corpus.build(
            args.sources, place, jobs=args.jobs, progress=sys.stderr.isatty(), options=options
        )
        print_report(corpus)
    return corpus if args.split is None else corpus.split(args.split)


def _first_process() -> bool:
    """False in the further processes that the Trainer starts, by calling this command again."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _command(args: Args, changed: dict[str, Any]) -> str:
    """The command that makes this model, without folders of this machine."""
    words = ["kineme", "train", "a4mer", *(Path(s).resolve().name for s in args.sources), "-o", args.out.name]
    words += ["--preset", args.preset, "--seed", str(args.seed)]
    for name in ("split", "devices", "precision"):
        if getattr(args, name) != Args.__dataclass_fields__[name].default:
            words += [f"--{name}", str(getattr(args, name))]
    for name, value in changed.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
