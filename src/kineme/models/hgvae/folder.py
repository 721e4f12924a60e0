"""HG-VAE's model folder: weights and statistics as safetensors, settings as JSON, a card. Never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kineme.errors import InputError
from kineme.formats.atomic import atomic_folder
from kineme.formats.checksums import read_checksums, verify, write_checksums
from kineme.models.hgvae.config import HGVAEConfig

if TYPE_CHECKING:
    from kineme.models.hgvae.model import HGVAE
    from kineme.nn.noise import FactorNoise

#: raised by one when an older reader would misread a folder
FORMAT = 3
KIND = "hgvae"
FILES = ("config.json", "model.safetensors", "README.md")
#: those with a checksum; a card may be edited
CHECKED = FILES[:2]
#: of a model, each with `factors` and `variance`; the second came with format 2
NOISES = ("noise", "gaussian")
_RESTORE = "copy or download the model again, or train it again with the command in its README.md"
#: a settings file is a few kilobytes; a stranger's folder may hold anything
MOST_BYTES = 1_000_000


def save(model: HGVAE, folder: Path) -> None:
    """Write the folder beside its place, then move it there; an older model at that place is replaced."""
    from safetensors.numpy import save_file

    import kineme

    if folder.exists() and not (folder / "config.json").exists() and any(folder.iterdir()):
        raise InputError("is a folder with other things in it; name a new folder for the model", folder)
    with atomic_folder(folder) as work:
        state = {k: v.cpu().numpy().copy() for k, v in model.network.state_dict().items()}
        arrays = {"statistics.mean": model.mean, "statistics.deviation": model.deviation}
        for name in NOISES:
            if (noise := getattr(model, name)) is not None:
                factors, variance = (part.contiguous().numpy() for part in noise)
                arrays |= {f"{name}.factors": factors.astype(np.float16), f"{name}.variance": variance}
        if model.latents is not None:
            arrays |= _stacked(model.latents)
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
        write_checksums(work, CHECKED)


def load(folder: Path) -> HGVAE:
    """The model in a folder; InputError names the file that is missing, damaged, of another kind or too
    new."""
    import torch

    from kineme.models.hgvae.model import HGVAE, Calibration
    from kineme.models.hgvae.network import HGVAENetwork

    config, values = _settings(folder)
    path = folder / "model.safetensors"
    arrays = _arrays(path)
    own = ("statistics.", "latents.", *(f"{name}." for name in NOISES))
    held = {name: arrays.pop(name) for name in list(arrays) if name.startswith(own)}
    network = HGVAENetwork(config)
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    size = config.nodes * config.frames
    sizes = {"statistics.mean": (config.nodes,), "statistics.deviation": (config.nodes,)}
    for name in NOISES:
        if f"{name}.factors" in held:
            factors = held[f"{name}.factors"] = held[f"{name}.factors"].astype(np.float32)
            sizes |= {f"{name}.factors": (*factors.shape[:1], size), f"{name}.variance": (size,)}
    if "latents.factors" in held:
        factors = held["latents.factors"] = held["latents.factors"].astype(np.float32)
        classes, size = len(config.labels), sum(nodes * features for nodes, features in config.levels)
        sizes |= {
            "latents.factors": (classes, *factors.shape[1:2], size),
            "latents.variance": (classes, size),
        }
    if {k: v.shape for k, v in arrays.items()} != shapes or {k: v.shape for k, v in held.items()} != sizes:
        raise InputError("does not fit the settings in config.json; the folder mixes two models", path)
    positive = [v for k, v in held.items() if k.endswith((".variance", ".deviation"))]
    if not all(np.isfinite(v).all() for v in (*arrays.values(), *held.values())) or any(
        (v <= 0).any() for v in positive
    ):
        raise InputError("holds numbers that no training leaves; copy the model folder again", path)
    network.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
    try:
        calibration = Calibration.from_dict(values) if (values := values.get("calibration")) else None
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"has a damaged calibration ({error})", folder / "config.json") from None
    if calibration is not None and len(calibration.joints) != len(config.joints) + config.root:
        raise InputError("has a calibration of another number of joints", folder / "config.json")
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
    noise, gaussian = (_noise(held, name) for name in NOISES)
    mean, deviation = held["statistics.mean"], held["statistics.deviation"]
    verify(folder, read_checksums(folder), _RESTORE, whole=True)
    latents = _unstacked(held)
    return HGVAE(config, network, mean, deviation, noise, gaussian, calibration, text, latents)


def _stacked(latents: tuple[FactorNoise, ...]) -> dict[str, np.ndarray]:
    """Of all classes (C, R, D) and (C, D); a class with fewer factors has some of zero."""
    most = max((len(one.factors) for one in latents), default=0)
    padded = [np.pad(one.factors.numpy(), ((0, most - len(one.factors)), (0, 0))) for one in latents]
    return {
        "latents.factors": np.stack(padded).astype(np.float16),
        "latents.variance": np.stack([one.variance.numpy() for one in latents]),
    }


def _unstacked(held: dict[str, np.ndarray]) -> tuple[FactorNoise, ...] | None:
    import torch

    from kineme.nn.noise import FactorNoise

    if "latents.factors" not in held:
        return None
    pairs = zip(held["latents.factors"], held["latents.variance"], strict=True)
    return tuple(FactorNoise(*(torch.from_numpy(part) for part in pair)) for pair in pairs)


def _noise(held: dict[str, np.ndarray], name: str) -> FactorNoise | None:
    import torch

    from kineme.nn.noise import FactorNoise

    if f"{name}.factors" not in held:
        return None
    return FactorNoise(*(torch.from_numpy(held[f"{name}.{part}"]) for part in ("factors", "variance")))


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
        raise InputError(
            f"is a model of another kind ({kind}); name a folder made by `kineme train hgvae`", folder
        )
    if not isinstance(number, int) or number > FORMAT:
        raise InputError(f"was written by a newer kineme (format {number}); upgrade kineme to read it", path)
    return HGVAEConfig.from_file(settings, path), values


def _arrays(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"is missing or damaged ({error}); copy the model folder again", path) from error
