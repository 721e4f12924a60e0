"""Options made of a dataclass of settings: each can be changed from its preset, and says in help what it
is."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, get_type_hints

import tyro

from kineme.cli.help_text import field_docs
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.cli.reading import ReadingArgs
    from kineme.corpus import Corpus

#: where a run that was begun has its latest state
LAST = Path("checkpoints", "last.ckpt")


@dataclass(frozen=True)
class DataArgs:
    """What every `kineme train` verb can be told of its data, beside its model's own settings."""

    split: str | None = None
    """Train on this split of the corpus only, such as train."""
    seed: int = 0
    """Seed of weights, windows and everything else that is drawn."""
    data_licence: str = "not stated"
    """Licence of the training data, for the model card."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""


@dataclass(frozen=True)
class RunArgs(DataArgs):
    """The same, and what Lightning's Trainer is told, for runs that may take long."""

    devices: int = 1
    """How many devices (or processes, on a CPU) share every batch."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """What computes; auto takes a GPU where there is one."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true", "64-true"] = "32-true"
    """Of the numbers: mixed ones keep the weights in 32 bits."""

    @property
    def trainer_options(self) -> dict[str, Any]:
        """For Lightning's Trainer. Raises UsageError for an impossible number of devices."""
        if self.devices < 1:
            raise UsageError(f"--devices must be at least 1, not {self.devices}")
        return {"devices": self.devices, "accelerator": self.accelerator, "precision": self.precision}


def overrides(config: type) -> type:
    """A dataclass with every field of a dataclass of settings, none of them given."""
    hints, docs = get_type_hints(config), field_docs(config)
    hint = "(default: the preset's)"
    fields = []
    for name in config.__dataclass_fields__:  # type: ignore[attr-defined]
        told = tyro.conf.arg(help=" ".join(docs.get(name, "").split()), help_behavior_hint=hint)
        fields.append((name, Annotated[Optional[hints[name]], told], None))  # noqa: UP045  # a type at run time
    return dataclasses.make_dataclass("Settings", fields, frozen=True)


def changed(settings: Any) -> dict[str, Any]:
    """The settings that were given."""
    return {name: value for name, value in vars(settings).items() if value is not None}


def first_process() -> bool:
    """False in the further processes that the Trainer starts, by calling this command again."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def corpus_of(
    sources: tuple[Path, ...],
    out: Path,
    reading: ReadingArgs,
    jobs: int | None,
    labels: tuple[str, ...] = (),
    kept: bool = True,
) -> Corpus:
    """The corpus or library that is named, or one made of the files, with `labels`, in the run's folder `out`.

    kept : whether `out` stays when the command has ended. Raises UsageError where nothing is named, or a run in
    `out` that would be gone on with has other takes: its corpus then stays as it is.
    """
    import sys

    from kineme.cli.ingest import print_report
    from kineme.cli.outputs import folder_for
    from kineme.corpus import Corpus
    from kineme.tasks.library import CORPUS, is_library, part_of

    if not sources:
        raise UsageError("name a corpus or the motion files to train on")
    place, source = folder_for(out) / CORPUS, sources[0]
    if len(sources) == 1 and is_library(source):
        corpus = Corpus.open(part_of(source, CORPUS))
    elif len(sources) == 1 and (source / "corpus.json").is_file():
        corpus = Corpus.open(source)
    elif not first_process():  # the first one has read the files
        corpus = Corpus.open(place)
    else:
        how = {"jobs": jobs, "labels": labels, "progress": sys.stderr.isatty(), "options": reading.options()}
        if (out / LAST).is_file() and (place / "corpus.json").is_file():
            corpus = _same_takes(sources, place, how)
        else:
            corpus = Corpus.build(sources, place, **how)
        print_report(corpus, kept=kept)
    return corpus


def _same_takes(sources: tuple[Path, ...], place: Path, how: dict[str, Any]) -> Corpus:
    """The corpus in `place`, of a run that was begun. Raises UsageError where `sources` hold other takes."""
    from kineme.corpus import Corpus

    staged = place.with_name(f".next-{place.name}")
    try:
        now = Corpus.build(sources, place, into=staged, **how).checksum
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    corpus = Corpus.open(place)
    if corpus.checksum != now:
        raise UsageError(f"the run in {place.parent} has other takes; name a new folder with -o")
    return corpus


@contextmanager
def corpus_for_training(out: Path) -> Iterator[None]:
    """A corpus that is made in the run's folder `out` in this block goes again where an error, such as too
    little motion, ends it before there is anything else. After Ctrl-C and where the disk was full it stays, or as
    much as was read of it: the same command goes on from there."""
    from kineme.tasks.library import CORPUS

    place, was, had = out / CORPUS, out.exists(), (out / CORPUS).exists()
    try:
        yield
    except OSError:
        raise
    except Exception:
        if first_process() and not had and out.is_dir():
            if {entry.name for entry in out.iterdir()} == {CORPUS}:
                shutil.rmtree(place)
            if not was and not any(out.iterdir()):
                out.rmdir()
        raise


def training_command(model: str, args: Any, given: dict[str, Any], own: tuple[str, ...] = ()) -> str:
    """The command that makes a model, without folders of this machine.

    args : of a `train` verb, with `sources`, `out`, `preset` and `run`; given : settings that it was told;
    own : options of this verb that shape the model, too.
    """
    words = ["kineme", "train", model, *(Path(s).resolve().name for s in args.sources), "-o", args.out.name]
    words += ["--preset", args.preset] if hasattr(args, "preset") else []
    words += ["--seed", str(args.run.seed)]
    for holder, names in ((args.run, ("split", "devices", "precision")), (args, own)):
        for name in (name for name in names if hasattr(holder, name)):
            value = getattr(holder, name)
            if name == "model":  # by name, whatever folder it lies in
                words += ["--model", Path(value).name]
            elif value != type(holder).__dataclass_fields__[name].default:
                words += [f"--{name.replace('_', '-')}", *([] if value is True else _words(value))]
    for name, value in given.items():
        words += [f"--{name.replace('_', '-')}", *_words(value)]
    return shlex.join(words)


def _words(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return [word for part in value for word in _words(part)]
    return [str(value)]
