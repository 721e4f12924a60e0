"""Finding the model that a verb works with, and what verbs that read one file at a time share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kineme.errors import InputError

if TYPE_CHECKING:
    from kineme.formats import ReadOptions
    from kineme.models.hgvae import HGVAE
    from kineme.motion import Motion

#: the weights that come with the package
SHIPPED = "hgvae-small"


def load_model(name: str | None) -> HGVAE:
    """The model of a folder, a library or the Hugging Face hub, or the one that comes with the package."""
    from kineme.models.hgvae import HGVAE

    name = SHIPPED if name is None else name
    return HGVAE.from_pretrained(library_model(name, ("hgvae",)) or name)


def library_model(name: str, kinds: tuple[str, ...]) -> Path | None:
    """The model inside the library `name`; None where `name` is no library.

    Raises InputError where that model is of none of the `kinds` that are asked for, or the library is not
    finished.
    """
    from kineme.formats.model_folder import kind_of
    from kineme.tasks.library import MODEL, is_library, part_of

    if not is_library(Path(name)):
        return None
    kind = kind_of(place := part_of(Path(name), MODEL))
    if kind not in kinds:
        makers = " or ".join(f"`kineme train {one}`" for one in kinds)
        raise InputError(
            f"is a library, and the model in it is of another kind ({kind}); name a folder made by {makers}",
            name,
        )
    return place


def read_one(path: Path, options: ReadOptions) -> Motion:
    """The single motion of a file. Raises InputError where it holds several."""
    from kineme.formats import load_all

    motions = load_all(path, options)
    if len(motions) != 1:
        raise InputError(
            f"holds {len(motions)} motions; write them to a file each with `kineme convert`", path
        )
    return motions[0]
