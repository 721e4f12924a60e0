"""A library of moments in little room: principal components in half precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from kineme.errors import InputError
from kineme.nn.recall import Library

_PREFIX = "library."
_PARTS = ("keys", "ends", "about", "weights")


def pack_library(library: Library, rank: int) -> dict[str, np.ndarray]:
    """Arrays of a library; each part of a moment as `rank` principal components where that is shorter."""
    arrays: dict[str, np.ndarray] = {}
    for name in _PARTS:
        part = getattr(library, name).float().numpy()
        flat = part.reshape(len(part), -1)
        arrays[f"{_PREFIX}{name}.shape"] = np.array(part.shape[1:], dtype=np.int64)
        if not rank or rank >= min(flat.shape):
            arrays[_PREFIX + name] = flat.astype(np.float16)
            continue
        mean = flat.mean(0)
        _, _, axes = np.linalg.svd(flat - mean, full_matrices=False)
        arrays[f"{_PREFIX}{name}.mean"] = mean.astype(np.float16)
        arrays[f"{_PREFIX}{name}.axes"] = axes[:rank].astype(np.float16)
        arrays[_PREFIX + name] = ((flat - mean) @ axes[:rank].T).astype(np.float16)
    return arrays


def unpack_library(
    arrays: dict[str, np.ndarray], folder: Path
) -> tuple[Library | None, dict[str, np.ndarray]]:
    """The library in the arrays of a head, if there is one, and the arrays that are not of it."""
    rest = {name: a for name, a in arrays.items() if not name.startswith(_PREFIX)}
    if len(rest) == len(arrays):
        return None, rest
    try:
        found = [_part(arrays, name) for name in _PARTS]
        owner = np.zeros(len(found[0]), dtype=np.int64)
        if any(len(part) != len(owner) for part in found) or not len(owner):
            raise ValueError("its parts are of different lengths")
    except (KeyError, ValueError) as error:
        raise InputError(f"is damaged: what it recalls is not whole ({error})", folder) from None
    keys, ends, about, weights = (torch.from_numpy(part) for part in found)
    return Library(keys, ends, about, weights, torch.from_numpy(owner)), rest


def _part(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    flat = arrays[_PREFIX + name].astype(np.float32)
    if f"{_PREFIX}{name}.axes" in arrays:
        flat = flat @ arrays[f"{_PREFIX}{name}.axes"].astype(np.float32)
        flat = flat + arrays[f"{_PREFIX}{name}.mean"].astype(np.float32)
    return flat.reshape(len(flat), *arrays[f"{_PREFIX}{name}.shape"].tolist())
