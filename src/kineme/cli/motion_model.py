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
    """The model of a folder or of the Hugging Face hub, or the one that comes with the package."""
    from kineme.models.hgvae import HGVAE

    return HGVAE.from_pretrained(SHIPPED if name is None else name)


def read_one(path: Path, options: ReadOptions) -> Motion:
    """The single motion of a file. Raises InputError where it holds several."""
    from kineme.formats import load_all

    motions = load_all(path, options)
    if len(motions) != 1:
        raise InputError(
            f"holds {len(motions)} motions; write them to a file each with `kineme convert`", path
        )
    return motions[0]
