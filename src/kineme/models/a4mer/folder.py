"""A4Mer's model folder: weights and arrays as safetensors, settings as JSON, patterns as Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kineme.errors import InputError
from kineme.formats.atomic import atomic_folder
from kineme.formats.checksums import CHECKSUMS, check_format, read_checksums, verify, write_checksums
from kineme.formats.hub import model_folder
from kineme.formats.model_folder import no_model
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.heads.folder import FOLDER as HEADS
from kineme.models.a4mer.heads.folder import copy_heads
from kineme.models.a4mer.network import A4MerNetwork
from kineme.models.a4mer.vocabulary import MotifTree, Vocabulary
from kineme.symbols import Codebook, Patterns, Ragged

if TYPE_CHECKING:
    from kineme.models.a4mer.model import A4Mer

#: raised by one when an older reader would misread a folder
FORMAT, OLDEST = 1, 1
FILES = (
    "config.json", "model.safetensors", "codebook.safetensors", "patterns.parquet", "motifs.safetensors",
    "README.md",
)  # fmt: skip
#: what is fetched from a hub: these, their checksums, and heads
PATTERNS = (*FILES, CHECKSUMS, f"{HEADS}/*/*")
#: those with a checksum; a card may be edited
CHECKED = tuple(name for name in FILES if name != "README.md")
_RESTORE = "copy or download the model again, or train it again with the command in its README.md"


def save(model: A4Mer, folder: Path, beside: Mapping[str, str] | None = None) -> None:
    """Write the folder beside its place, then move it there; an older model at that place is replaced.

    beside : names and texts of further files. They have no checksum: who copies a model leaves them behind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    import kineme

    if folder.exists() and not (folder / "config.json").exists() and any(folder.iterdir()):
        raise InputError("is a folder with other things in it; name a new folder for the model", folder)
    with atomic_folder(folder) as work:
        state = {k: np.ascontiguousarray(v.cpu().numpy()) for k, v in model.network.state_dict().items()}
        _save(state, work / "model.safetensors")
        settings = {
            "format": FORMAT,
            "oldest_reader": 1,
            "model": "a4mer",
            "kineme": kineme.__version__,
            "settings": model.config.to_dict(),
        }
        (work / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
        (work / "README.md").write_text(model.card or "# A4Mer\n\nNo card was written for this model.\n")
        if model.vocabulary is not None:
            found = model.vocabulary
            extra = {"axes": np.ascontiguousarray(found.axes), "spread": np.array([found.spread])}
            _save({**found.codes.to_arrays(), **extra}, work / "codebook.safetensors")
            patterns = model.vocabulary.patterns
            table = pa.table(
                {
                    "codes": pa.LargeListArray.from_arrays(patterns.codes.offsets, patterns.codes.values),
                    "support": patterns.support,
                }
            )
            pq.write_table(table, work / "patterns.parquet")
        if model.motif_tree is not None:
            tree = model.motif_tree
            arrays = {
                **tree.prototypes.to_arrays(),
                "merges": tree.merges,
            }
            _save(arrays, work / "motifs.safetensors")
        for name, text in (beside or {}).items():
            (work / name).write_text(text, encoding="utf-8")
        write_checksums(work, CHECKED)
        copy_heads(folder, work)  # those of the same weights; a head of others would say nonsense


def _save(arrays: dict[str, np.ndarray], path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(arrays, path)
    except SafetensorError as error:  # a full disk, in its own words
        raise InputError(
            f"could not be written ({error}); make room, and run the same command again", path
        ) from None


def find_model(name: str | Path) -> Path:
    """The folder of a model: `name` where there is such a folder, weights of the package, or of a hub.

    Raises InputError where none of them knows the name.
    """
    return model_folder(name, PATTERNS, "`kineme train a4mer` and `kineme index` write one")


def load(folder: Path) -> tuple[A4MerConfig, A4MerNetwork, Vocabulary | None, MotifTree | None, str]:
    """The parts of a model folder; InputError names the file that is missing, damaged or too new."""
    config = _config(folder)
    network = A4MerNetwork(config)
    state = network.state_dict()
    arrays = _arrays(folder / "model.safetensors")
    shapes = {k: tuple(v.shape) for k, v in state.items()}
    if {k: v.shape for k, v in arrays.items()} != shapes:
        raise InputError(
            "does not fit the settings in config.json; the folder mixes two models",
            folder / "model.safetensors",
        )
    import torch

    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in arrays.items()})
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
    vocabulary = tree = None
    if (folder / "codebook.safetensors").exists():
        path = folder / "codebook.safetensors"
        codes = Codebook.from_arrays(_arrays(path), path)
        patterns = _patterns(folder / "patterns.parquet")
        vocabulary = Vocabulary(codes, patterns, _array(path, "axes"), float(_array(path, "spread")[0]))
    if (folder / "motifs.safetensors").exists():
        path = folder / "motifs.safetensors"
        prototypes = Codebook.from_arrays(_arrays(path), path)
        tree = MotifTree(prototypes, _array(path, "merges"))
    verify(folder, read_checksums(folder), _RESTORE, whole=True)
    return config, network, vocabulary, tree, text


def _config(folder: Path) -> A4MerConfig:
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text())
        check_format(values, "model", FORMAT, OLDEST, "train it again", path)
        settings = values["settings"]
    except FileNotFoundError:
        raise no_model(folder) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"cannot be read ({error}); copy the model folder again", path) from error
    return A4MerConfig.from_file(settings, path)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"is missing or damaged ({error}); copy the model folder again", path) from error


def _array(path: Path, name: str) -> np.ndarray:
    arrays = _arrays(path)
    if name not in arrays:
        raise InputError(f"lacks {name!r}; copy the model folder again", path)
    return arrays[name]


def _patterns(path: Path) -> Patterns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        lists = table["codes"].combine_chunks()
        offsets = np.asarray(lists.offsets, dtype=np.int64)
        values = np.asarray(lists.values, dtype=np.int32)
        return Patterns(Ragged(values, offsets), np.asarray(table["support"], dtype=np.int64))
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise InputError(f"is missing or damaged ({error}); copy the model folder again", path) from error
