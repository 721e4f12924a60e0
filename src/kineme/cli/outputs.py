"""Files that commands write into a folder: where they go, and that nothing is lost there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.formats.tiers import Sheet


def folder_for(folder: Path) -> Path:
    """`folder`, if files can go there. Raises UsageError where it is a file."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder with -o")
    return folder


def check_free(targets: Iterable[Path], overwrite: bool) -> None:
    """Raises UsageError where one of `targets` is there and was not to be replaced."""
    there = [target for target in targets if target.exists()]
    if there and not overwrite:
        others = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}{others} would be replaced; write elsewhere, or add --overwrite")


def write_sheets(
    sheets: Iterable[Sheet], takes: Sequence[str], folder: Path, form: str, *, overwrite: bool
) -> None:
    """Writes a sheet a take as ``.eaf`` or ``.nwb``, named after the `takes`; says what was written."""
    from kineme.formats.atomic import atomic_write
    from kineme.formats.eaf import write_eaf
    from kineme.formats.file_names import safe_stems
    from kineme.formats.nwb import require_nwb, write_nwb

    if form == "nwb":
        require_nwb()
    targets = [folder_for(folder) / f"{stem}.{form}" for stem in safe_stems(takes)]
    check_free(targets, overwrite)
    write = write_nwb if form == "nwb" else write_eaf
    for sheet, target in zip(sheets, targets, strict=True):
        with atomic_write(target) as temporary:
            write(sheet, temporary)
    print(f"{len(targets)} {'file' if len(targets) == 1 else 'files'} in {folder}")


def names_in(library: Path) -> dict[str, str]:
    """Motif id -> the name that the user of the library gave it; none where its page is gone."""
    from kineme.report.names import names_for
    from kineme.report.page import page_motifs
    from kineme.report.serve import PAGE

    page = library / PAGE
    return dict(names_for(page_motifs(page)[0], library).names) if page.is_file() else {}
