"""Model folders by name: one on this machine, one of the package, or a repository of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kineme.errors import InputError

#: models that come with the package, a folder each
SHIPPED = Path(__file__).resolve().parents[1] / "weights"


def shipped_folder(name: str | Path) -> Path | None:
    """The folder of the package's weights of that name, unless something else here is called so."""
    path = Path(name)
    plain = str(name).isprintable() and len(path.parts) == 1 and not path.exists()
    return SHIPPED / path if plain and (SHIPPED / path / "config.json").is_file() else None


def model_folder(name: str | Path, files: Sequence[str], makers: str) -> Path:
    """The folder `name`, the package's weights of that name, or else the `files` of the hub's repository with
    that id, fetched.

    makers : which commands write such a folder, for the InputError where there is neither.
    """
    path = Path(name)
    if path.exists():
        return path
    shipped = shipped_folder(name)
    if shipped is not None:
        return shipped
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), allow_patterns=list(files)))
    except (OSError, ValueError) as error:  # what the hub's client raises, network and names alike
        raise InputError(
            "is no model folder here, and no model of that name could be fetched from the Hugging Face hub; "
            f"give the path of a model folder ({makers})",
            name,
        ) from error
