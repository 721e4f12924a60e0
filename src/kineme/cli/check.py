"""Whether every file of a library, a corpus or a model is what kineme wrote there.

Names the first file that is damaged and says how to restore it (exit code 2). Folders of versions without
checksums are opened, and that is all that can be said of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from kineme.cli.console import put
from kineme.errors import InputError, UsageError


@dataclass(frozen=True)
class Args:
    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Libraries, corpora or models."""


def run(args: Args) -> int:
    """Checks each folder, and says how many files are whole."""
    if not args.folders:
        raise UsageError("name a library, a corpus or a model to check")
    for folder in args.folders:
        kind, count = check_folder(folder)
        told = f"{count} files are whole" if count else "it opens; it is of a version that kept no checksums"
        put(f"{folder}: a {kind}, {told}")
    return 0


def check_folder(folder: Path) -> tuple[str, int]:
    """What kind of folder it is, and how many of its files have a checksum and fit it."""
    from kineme.corpus import Corpus
    from kineme.corpus.store import RESTORE
    from kineme.formats.checksums import read_checksums, verify
    from kineme.formats.model_folder import of_run
    from kineme.tasks.library import check_library, is_library

    if is_library(folder):
        return "library", check_library(folder)
    folder = of_run(folder)
    files = read_checksums(folder)
    if (folder / "corpus.json").is_file():
        verify(folder, files, RESTORE, whole=True)
        Corpus.open(folder)
        return "corpus", len(files)
    if (folder / "config.json").is_file():
        return "model", len(files) + _load_model(folder)
    raise InputError(
        "is no library, corpus or model (it has no library.json, corpus.json or config.json)", folder
    )


def _load_model(folder: Path) -> int:
    """Opens a model of whatever kind; of one that cannot tell its kind, A4Mer's reader says what is wrong.

    Returns how many files of its heads have a checksum.
    """
    import json

    from kineme.formats.model_folder import read_model
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.folder import check_heads
    from kineme.models.compose import Composer
    from kineme.models.hgvae import HGVAE

    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        kind = None
    if kind == "mae":  # its network needs an extra; its files do not
        read_model(folder, "mae", 1)
        return 0
    loaders = {"hgvae": HGVAE.load, "compose": Composer.load}
    if kind in loaders:
        loaders[kind](folder)
        return 0
    A4Mer.load(folder)
    return check_heads(folder)
