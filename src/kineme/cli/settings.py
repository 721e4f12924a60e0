"""Options made of a dataclass of settings: each can be changed from its preset, and says in help what it
is."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_type_hints

import tyro

if TYPE_CHECKING:
    from kineme.cli.reading import ReadingArgs
    from kineme.corpus import Corpus


def field_docs(kind: type) -> dict[str, str]:
    """Field -> the string under it."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]  # a class
    docs = {}
    for line, text in zip(body, body[1:], strict=False):
        match line, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = doc
    return docs


def overrides(config: type) -> type:
    """A dataclass with every field of a dataclass of settings, none of them given."""
    hints, docs = get_type_hints(config), field_docs(config)
    hint = "(default: the preset's)"
    fields = []
    for name in config.__dataclass_fields__:  # type: ignore[attr-defined]
        told = tyro.conf.arg(help=docs.get(name, ""), help_behavior_hint=hint)
        fields.append((name, Annotated[Optional[hints[name]], told], None))  # noqa: UP045  # a type at run time
    return dataclasses.make_dataclass("Settings", fields, frozen=True)


def changed(settings: Any) -> dict[str, Any]:
    """The settings that were given."""
    return {name: value for name, value in vars(settings).items() if value is not None}


def first_process() -> bool:
    """False in the further processes that the Trainer starts, by calling this command again."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def corpus_of(
    sources: tuple[Path, ...], out: Path, reading: ReadingArgs, jobs: int | None, split: str | None
) -> Corpus:
    """The corpus or library that is named, or one made of the files in the run's folder `out`."""
    import sys

    from kineme.cli.ingest import print_report
    from kineme.corpus import Corpus
    from kineme.tasks.library import CORPUS, is_library

    place, source = out / CORPUS, sources[0]
    if len(sources) == 1 and is_library(source):
        corpus = Corpus.open(source / CORPUS)
    elif len(sources) == 1 and (source / "corpus.json").is_file():
        corpus = Corpus.open(source)
    elif not first_process():  # the first one has read the files
        corpus = Corpus.open(place)
    else:
        options = reading.options()
        corpus = Corpus.build(sources, place, jobs=jobs, progress=sys.stderr.isatty(), options=options)
        print_report(corpus)
    return corpus if split is None else corpus.split(split)


def training_command(model: str, args: Any, given: dict[str, Any]) -> str:
    """The command that makes a model, without folders of this machine; `args` are those of a `train` verb."""
    words = ["kineme", "train", model, *(Path(s).resolve().name for s in args.sources), "-o", args.out.name]
    words += ["--preset", args.preset, "--seed", str(args.seed)]
    for name in ("split", "labels", "devices", "precision"):
        if name in type(args).__dataclass_fields__:
            value = getattr(args, name)
            if value != type(args).__dataclass_fields__[name].default:
                words += [
                    f"--{name}",
                    *(str(value).split() if not isinstance(value, tuple) else map(str, value)),
                ]
    for name, value in given.items():
        words += [f"--{name.replace('_', '-')}", *_words(value)]
    return shlex.join(words)


def _words(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return [word for part in value for word in _words(part)]
    return [str(value)]
