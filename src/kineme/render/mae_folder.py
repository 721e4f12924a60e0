"""What may be named as a masked autoencoder, told before anything heavy is imported."""

from __future__ import annotations

import json
from pathlib import Path

from kineme.errors import InputError
from kineme.formats.hub import check_name, shipped_folder
from kineme.formats.model_folder import of_run

#: the autoencoder of the package
SMALL = "mae-small"
#: what `config.json` calls the model, and what that of transformers does
KIND, _THEIRS = "mae", "vit_mae"
#: what can be named
INSTEAD = f"{SMALL} comes with kineme and needs no download, and `kineme train mae` makes one of your own"


def check_mae(name: str | Path) -> tuple[Path, str]:
    """The folder of a masked autoencoder, and what kind of model its settings say it is: `KIND`, that of
    transformers, or none where it is no folder here. Nothing heavy is imported.

    Raises InputError for a folder of another kind, and for what cannot be a name.
    """
    check_name(name, "masked autoencoder", INSTEAD)
    folder = shipped_folder(name) or of_run(Path(name))
    kind = _kind(folder)
    if folder.exists() and kind not in (
        KIND,
        _THEIRS,
    ):  # transformers would fill any other with random weights
        raise InputError(f"there is no masked autoencoder in it; {INSTEAD}", folder)
    return folder, kind


def _kind(folder: Path) -> str:
    """Which kind of model a folder holds, by our settings or by transformers'; empty where neither says."""
    try:
        held = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(held.get("model") or held.get("model_type") or "")
    except (OSError, ValueError, AttributeError):
        return ""
