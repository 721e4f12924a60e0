"""A model's folder: weights as safetensors, settings as JSON, a card, checksums. Never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kineme.errors import InputError
from kineme.formats.atomic import atomic_folder
from kineme.formats.checksums import check_format, read_checksums, verify, write_checksums

#: those with a checksum; a card may be edited
CHECKED = ("config.json", "model.safetensors")
_RESTORE = "copy or download the model again, or train it again with the command in its README.md"
#: a settings file is a few kilobytes; a stranger's folder may hold anything
MOST_BYTES = 1_000_000


class Held(NamedTuple):
    """What a folder holds: plain settings, arrays by name, and the text of its card."""

    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]
    card: str


def of_run(folder: Path) -> Path:
    """The model in the folder of a training's run, which has it in `model/`; any other folder as it is."""
    inside = folder / "model"
    lies_in_it = not (folder / CHECKED[0]).is_file() and (inside / CHECKED[0]).is_file()
    return inside if lies_in_it else folder


def no_model(folder: Path) -> InputError:
    """What to say of a folder without settings."""
    inside = of_run(folder)
    meant = f"; did you mean {inside}?" if inside != folder else ""
    if (folder / "checkpoints").is_dir() and not meant:
        meant = ", as its training has not ended; give that command again, which goes on from there"
    return InputError(f"is no model folder: it has no {CHECKED[0]}{meant}", folder)


def kind_of(folder: Path) -> str:
    """Which kind of model a folder holds, such as ``hgvae``. Raises InputError where it holds none."""
    return str(_head(folder)["model"])


def write_model(
    folder: Path, kind: str, number: int, settings: Mapping[str, Any], arrays: Mapping[str, Any], card: str
) -> None:
    """Writes the folder beside its place, then moves it there; an older model at that place is replaced.

    kind, number : of the model, and of its format: raised when an older reader would misread a folder.
    """
    from safetensors.numpy import save_file

    import kineme

    if folder.exists() and not (folder / "config.json").exists() and any(folder.iterdir()):
        raise InputError("is a folder with other things in it; name a new folder for the model", folder)
    head = {"format": number, "model": kind, "kineme": kineme.__version__, "settings": dict(settings)}
    with atomic_folder(folder) as work:
        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, work / CHECKED[1])
        (work / CHECKED[0]).write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")
        (work / "README.md").write_text(card or f"# {kind}\n\nNo card was written.\n", encoding="utf-8")
        write_checksums(work, CHECKED)


def read_model(folder: Path, kind: str, number: int, oldest: int = 1) -> Held:
    """What `write_model` wrote; InputError names the file that is missing, damaged, too new, older than the
    format `oldest` or of another kind."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    head, path = _head(folder), folder / CHECKED[0]
    if head["model"] != kind:
        raise InputError(
            f"is a model of another kind ({head['model']}); name a folder made by `kineme train {kind}`",
            folder,
        )
    try:
        check_format(head, "model", number, oldest, "train it again", path)
    except ValueError as error:
        raise InputError(f"cannot be read ({error}); {_RESTORE}", path) from None
    verify(folder, read_checksums(folder), _RESTORE, whole=True)
    weights = folder / CHECKED[1]
    try:
        arrays = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise InputError(f"is missing or damaged ({error}); {_RESTORE}", weights) from error
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise InputError(f"holds numbers that no training leaves; {_RESTORE}", weights)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    return Held(head["settings"], arrays, text)


def _head(folder: Path) -> dict[str, Any]:
    path = folder / CHECKED[0]
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is far too long for a model's settings", path)
        head = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(head["settings"], dict) or not isinstance(head["model"], str):
            raise ValueError("settings or kind are none")
        head["format"]  # noqa: B018  # is looked up
    except (FileNotFoundError, NotADirectoryError):
        raise no_model(folder) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"cannot be read ({error}); {_RESTORE}", path) from error
    return head
