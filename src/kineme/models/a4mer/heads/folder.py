"""Heads of A4Mer live in its folder: ``<model>/heads/<kind>/`` with weights, settings and a card each.

A head reads the tokens of one set of weights and is worth nothing on another, so it records which. Adding one
replaces that head's folder alone. `A4Mer.save` over a model keeps the heads that fit and drops all others.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from kineme.errors import InputError, UsageError
from kineme.formats.atomic import atomic_folder
from kineme.formats.checksums import CHECKSUMS, check_format, read_checksums, verify, write_checksums
from kineme.formats.model_folder import kind_of

#: kind -> number of its format, raised by one when another reader would misread a head; only that one is read
FORMATS = {"recogniser": 1, "predictor": 2, "interpolator": 1}
FOLDER = "heads"
FILES = ("config.json", "model.safetensors", "README.md")
#: those with a checksum; a card may be edited
CHECKED = FILES[:2]
#: kind -> what it is for, as messages say it
KINDS = {"recogniser": "recognition", "predictor": "prediction", "interpolator": "interpolation"}
#: a stranger's folder may hold anything; a head is a few megabytes
MOST_SETTINGS, MOST_WEIGHTS, MOST_CARD = 1_000_000, 256_000_000, 1_000_000


def head_folder(model_folder: Path, kind: str) -> Path:
    """Where a model keeps its head of that kind. Raises UsageError for an unknown kind."""
    if kind not in KINDS:
        raise UsageError(f"there is no head {kind!r}; there are {', '.join(KINDS)}")
    return Path(model_folder) / FOLDER / kind


def train_command(kind: str) -> str:
    """The command that adds a head of that kind."""
    return f"kineme train {kind} CORPUS --model MODEL -o OUT"


def weights_checksum(model_folder: Path) -> str:
    """sha256 over the values of a model's weights, as float32: the same whatever type they are stored in.

    Raises InputError where there are none, or they are damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(model_folder) / "model.safetensors"
    digest = hashlib.sha256()
    try:
        with safe_open(path, framework="numpy") as file:
            for name in sorted(file.keys()):
                values = np.ascontiguousarray(file.get_tensor(name))
                if values.dtype == np.float16:  # each is a float32, too
                    values = values.astype(np.float32)
                digest.update(f"{name}\0{values.shape}\0{values.dtype.str}\n".encode())
                digest.update(values.tobytes())
    except FileNotFoundError:
        raise InputError("is no model folder: it has no model.safetensors", model_folder) from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"is damaged ({error}); copy the model folder again", path) from None
    return digest.hexdigest()


def has_head(model_folder: str | Path, kind: str) -> bool:
    """Whether the model has a head of that kind; `read_head` says whether it is whole and fits."""
    return (head_folder(Path(model_folder), kind) / "config.json").is_file()


def write_head(
    model_folder: str | Path, kind: str, settings: dict[str, Any], arrays: dict[str, np.ndarray], card: str
) -> Path:
    """Add a head to the model in `model_folder`, in the place of an older one; whole or not at all.

    settings : plain values for JSON. arrays : its weights. card : its README.md. Returns the head's folder.
    Raises InputError where there is no model.
    """
    from safetensors.numpy import save_file

    import kineme

    folder = head_folder(Path(model_folder), kind)
    base = weights_checksum(Path(model_folder))
    with atomic_folder(folder) as work:
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, work / "model.safetensors")
        head = {
            "format": FORMATS[kind],
            "oldest_reader": FORMATS[kind],
            "model": f"a4mer-{kind}",
            "kineme": kineme.__version__,
            "base_weights_sha256": base,
            "settings": settings,
        }
        (work / "config.json").write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")
        (work / "README.md").write_text(card, encoding="utf-8")
        write_checksums(work, CHECKED)
    return folder


def read_head(model_folder: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray], str]:
    """Settings, weights and card of a model's head.

    Raises InputError where the model lacks it (and says what makes one), where it is damaged or of a newer
    kineme, and where it belongs to other weights.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    model_folder = Path(model_folder)
    folder = head_folder(model_folder, kind)
    again = f"make it again with `{train_command(kind)}`"
    path = folder / "config.json"
    if not path.is_file():
        if (model_folder / "config.json").is_file() and (other := kind_of(model_folder)) != "a4mer":
            raise InputError(
                f"is a model of another kind ({other}) and has no heads; name an A4Mer, made by "
                "`kineme train a4mer` or `kineme index`",
                model_folder,
            )
        raise InputError(f"has no head for {KINDS[kind]}; `{train_command(kind)}` makes one", model_folder)
    _bounded(path, MOST_SETTINGS)
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
        check_format(head, kind, FORMATS[kind], FORMATS[kind], again, path)
        settings, base, name = head["settings"], head["base_weights_sha256"], head["model"]
        if not isinstance(settings, dict):
            raise ValueError("no settings")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"is damaged ({error!r}); {again}", path) from None
    if name != f"a4mer-{kind}":
        raise InputError(f"is a head of another kind ({name}); {again}", folder)
    if base != weights_checksum(model_folder):
        raise InputError(f"was trained on the tokens of other weights than this model's; {again}", folder)
    weights, card = folder / "model.safetensors", folder / "README.md"
    _bounded(weights, MOST_WEIGHTS)
    verify(folder, read_checksums(folder), again, whole=True)
    try:
        arrays = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise InputError(f"is missing or damaged ({error}); {again}", weights) from None
    if not all(np.isfinite(a).all() for a in arrays.values() if np.issubdtype(a.dtype, np.floating)):
        raise InputError(f"holds numbers that no training leaves; {again}", weights)
    text = ""
    if card.is_file():
        _bounded(card, MOST_CARD)
        text = card.read_text(encoding="utf-8", errors="replace")
    return settings, arrays, text


def _bounded(path: Path, most: int) -> None:
    if path.is_file() and path.stat().st_size > most:
        raise InputError("is far too long for a part of a head; copy the model folder again", path)


def head_kinds(model_folder: str | Path) -> list[str]:
    """The kinds of head that the model has."""
    return [kind for kind in KINDS if has_head(model_folder, kind)]


def copy_heads(source: str | Path, target: str | Path) -> list[str]:
    """Copy those heads of the model `source` that fit the weights of the model `target`; returns their kinds.

    Heads that `target` has already are replaced, one at a time. A damaged head is left behind.
    """
    source, target = Path(source), Path(target)
    copied: list[str] = []
    if not any(has_head(source, kind) for kind in KINDS):
        return copied
    base = weights_checksum(target)
    for kind in head_kinds(source):
        if _base(head_folder(source, kind)) == base:
            with atomic_folder(head_folder(target, kind)) as work:
                for name in (*FILES, CHECKSUMS):
                    if (head_folder(source, kind) / name).is_file():
                        shutil.copyfile(head_folder(source, kind) / name, work / name)
            copied.append(kind)
    return copied


def _base(folder: Path) -> str | None:
    """Which weights the head in `folder` is of; None where that cannot be told."""
    path = folder / "config.json"
    try:
        _bounded(path, MOST_SETTINGS)
        return json.loads(path.read_text(encoding="utf-8"))["base_weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InputError):
        return None


def check_heads(model_folder: str | Path) -> int:
    """Reads every head of a model; how many of their files have a checksum. InputError as in `read_head`."""
    count = 0
    for kind in head_kinds(model_folder):
        read_head(model_folder, kind)
        count += len(read_checksums(head_folder(Path(model_folder), kind)))
    return count
