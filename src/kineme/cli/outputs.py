"""Files that commands write: where they can go, and that nothing is lost there. All is looked at beforehand.

One rule for every command: what an earlier run wrote under a name that the user gave is replaced only with
--overwrite. What a command keeps up to date by itself is its own: a corpus, a library with the pages that are
named by kineme in it, the folder of a training run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kineme.cli.console import put
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.formats import ReadOptions
    from kineme.formats.tiers import Sheet
    from kineme.tasks.library import Library


def folder_for(folder: Path) -> Path:
    """`folder`, if files can go there, though it may have to be made. Raises UsageError where they cannot."""
    above = folder
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise UsageError(f"{above} is a file; name a folder with -o")
    try:  # permissions do not tell: file systems have reasons of their own
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise UsageError(
            f"nothing can be written in {above} ({error.strerror}); name another place with -o"
        ) from None
    return folder


@dataclass(frozen=True)
class Inputs:
    """What a command reads. Which files these are is looked up once, and only where one could be written over.

    Attributes
    ----------
    sources : motion files; libraries, corpora and models. A model's name that is no folder here is none of them.
    options : how the motion files are read.
    """

    sources: Iterable[str | Path]
    options: ReadOptions | None = None

    def _files(self) -> Iterator[Path]:
        """Every file that is read, with those that its format reads beside it."""
        from kineme.formats.checksums import kept_files
        from kineme.formats.registry import files_read
        from kineme.tasks.library import is_library, library_files

        for source in map(Path, self.sources):
            if not source.is_dir():
                yield from files_read(source, self.options)
            else:
                yield from library_files(source) if is_library(source) else kept_files(source)

    @cached_property
    def identities(self) -> frozenset[tuple[int, int]]:
        """Of all files that are read, as `_identity` has them."""
        return frozenset(_identity(file) for file in self._files() if file.exists())


def library_inputs(library: Library, takes: Corpus) -> list[Path]:
    """What is read where a library and the files of its `takes` are: these, and what they were read with."""
    from kineme.tasks.cut import library_options

    options = library_options(library)
    named = [file for file in (options.skeleton_file, options.map) if file is not None]
    return [library.folder, *sources_of(takes), *named]


def check_free(targets: Iterable[Path], overwrite: bool, inputs: Inputs | Iterable[str | Path] = ()) -> None:
    """That `targets` can be written, and that nothing is lost: to be called before the work begins.

    inputs : what is read, of which no file is ever written over. Raises UsageError where a target is one of
    them, is there and was not to be replaced, is named twice, or lies where nothing can be written.
    """
    targets = list(targets)
    for folder in dict.fromkeys(target.parent for target in targets):
        folder_for(folder)
    if len({target.resolve() for target in targets}) < len(targets):
        twice = next(t for k, t in enumerate(targets) if t.resolve() in {o.resolve() for o in targets[:k]})
        raise UsageError(f"{twice} would be written twice; give each output a name of its own")
    there = [target for target in targets if target.exists()]
    if not there:
        return
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs)
    for target in there:
        if _identity(target) in inputs.identities:
            raise UsageError(f"{target} is an input and would be lost; name another output")
        if not target.is_file():
            what = "a folder; name a file" if target.is_dir() else "no ordinary file; name another one"
            raise UsageError(f"{target} is {what} with -o")
    if not overwrite:
        others = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}{others} would be replaced; write elsewhere, or add --overwrite")


def _identity(file: Path) -> tuple[int, int]:
    """The same for all names of one file, links among them."""
    held = file.stat()
    return held.st_dev, held.st_ino


def check_ending(file: Path) -> None:
    """Raises InputError where no motion can be written under the ending of `file`."""
    from kineme.formats.registry import writers_of

    writers_of(file)


def check_page(file: Path | None) -> None:
    """Raises UsageError where a page is asked for under a name that no browser takes for one."""
    if file is not None and file.suffix.lower() != ".html":
        raise UsageError(f"--page writes .html, and {file.name} is none")


def sources_of(takes: Corpus) -> list[Path]:
    """The files that takes were read from."""
    return [Path(clip.source) for clip in takes]


def sheet_files(takes: Corpus, folder: Path, form: str, *, overwrite: bool) -> list[Path]:
    """A file of the format `form` for each of the `takes`, named after it.

    Raises UsageError where one cannot be written, as `check_free` says, or the format needs an extra.
    """
    from kineme.formats.file_names import safe_stems
    from kineme.formats.nwb import require_nwb

    if form == "nwb":
        require_nwb()
    targets = [folder_for(folder) / f"{stem}.{form}" for stem in safe_stems(takes.names)]
    check_free(targets, overwrite, sources_of(takes))
    return targets


def write_sheets(sheets: Iterable[Sheet], targets: Sequence[Path], folder: Path, form: str) -> None:
    """Writes a sheet to each of the `targets` (`sheet_files`) in `folder`; says how many there are."""
    from kineme.formats.atomic import atomic_write
    from kineme.formats.eaf import write_eaf
    from kineme.formats.nwb import write_nwb

    write = write_nwb if form == "nwb" else write_eaf
    for sheet, target in zip(sheets, targets, strict=True):
        with atomic_write(target) as temporary:
            write(sheet, temporary)
    put(f"{len(targets)} {'file' if len(targets) == 1 else 'files'} in {folder}")


def names_in(library: Path) -> dict[str, str]:
    """Motif id -> the name that the user of the library gave it; none where the page that they are about is
    gone."""
    from kineme.report.names import FILE, names_for
    from kineme.report.page import page_motifs
    from kineme.report.serve import PAGE

    page = library / PAGE
    if not (library / FILE).is_file() or not page.is_file():  # a page has megabytes to be read
        return {}
    return dict(names_for(page_motifs(page)[0], library).names)
