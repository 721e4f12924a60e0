"""HG-VAE's model folder: weights and statistics as safetensors, settings as JSON, a card. Never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kineme.errors import InputError, KinemeError
from kineme.formats.atomic import atomic_folder
from kineme.models.hgvae.config import HGVAEConfig

if TYPE_CHECKING:
    from kineme.models.hgvae.model import HGVAE

#: raised by one when an older reader would misread a folder
FORMAT = 1
KIND = "hgvae"
FILES = ("config.json", "model.safetensors", "README.md")
#: a settings file is a few kilobytes; a stranger's folder may hold anything
MOST_BYTES = 1_000_000


def save(model: HGVAE, folder: Path) -> None:
    """Write the folder beside its place, then move it there; an older model at that place is replaced."""
    from safetensors.numpy import save_file

    import kineme

    if folder.exists() and not (folder / "config.json").exists() and any(folder.iterdir()):
        raise InputError("is a folder with other things in it; name a new folder for the model", folder)
    with atomic_folder(folder) as work:
        state = {k: np.ascontiguousarray(v.cpu().numpy()) for k, v in model.network.state_dict().items()}
        arrays = {"statistics.mean": model.mean, "statistics.deviation": model.deviation}
        save_file({**state, **arrays}, work / "model.safetensors")
        settings = {
            "format": FORMAT,
            "model": KIND,
            "kineme": kineme.__version__,
            "settings": model.config.to_dict(),
            "calibration": model.calibration.to_dict() if model.calibration else None,
        }
        (work / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        card = model.card or "# HG-VAE\n\nNo card was written for this model.\n"
        (work / "README.md").write_text(card, encoding="utf-8")


def load(folder: Path) -> HGVAE:
    """The model in a folder; InputError names the file that is missing, damaged, of another kind or too new."""
    import torch

    from kineme.models.hgvae.model import HGVAE, Calibration
    from kineme.models.hgvae.network import HGVAENetwork

    config, values = _settings(folder)
    path = folder / "model.safetensors"
    arrays = _arrays(path)
    mean, deviation = (arrays.pop(f"statistics.{name}", None) for name in ("mean", "deviation"))
    network = HGVAENetwork(config)
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    fits = {k: v.shape for k, v in arrays.items()} == shapes
    if not fits or any(s is None or s.shape != (config.nodes,) for s in (mean, deviation)):
        raise InputError("does not fit the settings in config.json; the folder mixes two models", path)
    assert mean is not None and deviation is not None
    if not all(np.isfinite(v).all() for v in (*arrays.values(), mean, deviation)) or (deviation <= 0).any():
        raise InputError("holds numbers that no training leaves; copy the model folder again", path)
    network.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
    try:
        calibration = Calibration.from_dict(values) if (values := values.get("calibration")) else None
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"has a damaged calibration ({error})", folder / "config.json") from None
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
    return HGVAE(config, network, mean, deviation, calibration, text)


def _settings(folder: Path) -> tuple[HGVAEConfig, dict[str, Any]]:
    path = folder / "config.json"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is far too long for a model's settings", path)
        values = json.loads(path.read_text(encoding="utf-8"))
        number, settings, kind = values["format"], values["settings"], values["model"]
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("is no model folder: it has no config.json", folder) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot be read ({error}); copy the model folder again", path) from error
    if kind != KIND:
        raise InputError(f"is a model of another kind ({kind}); name a folder made by `kineme train hgvae`", folder)
    if not isinstance(number, int) or number > FORMAT:
        raise InputError(f"was written by a newer kineme (format {number}); upgrade kineme to read it", path)
    try:
        return HGVAEConfig.from_dict(settings), values
    except (KinemeError, TypeError, ValueError, AttributeError) as error:
        raise InputError(str(error), path) from error


def _arrays(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"is missing or damaged ({error}); copy the model folder again", path) from error
