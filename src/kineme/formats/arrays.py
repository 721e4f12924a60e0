"""NumPy files from strangers: no pickles, nothing that unpacks to more than it should."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_BYTES

#: what numpy and zipfile raise over damaged bytes (its header is parsed as Python source)
_DAMAGED = (
    *(ValueError, TypeError, OverflowError, SyntaxError, tokenize.TokenError, RecursionError),
    *(OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)


def open_npy(path: Path) -> np.ndarray:
    """The array of an ``.npy``, memory-mapped; raises InputError where it is damaged or holds objects."""
    try:
        return np.load(path, allow_pickle=False, mmap_mode="r")
    except _DAMAGED as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"this is no plain .npy array ({reason}); save it again with numpy.save", path
        ) from None


def open_npz(path: Path, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` by name: those in `wanted` read, the others present as empty arrays.

    Raises InputError where the archive is damaged, where a wanted array is a pickled object, or where it
    would take more than 2 GB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
            if sum(sizes.get(name, 0) for name in wanted) > MAX_BYTES:
                raise InputError("its arrays take more than 2 GB; cut it into shorter takes", path)
            arrays: dict[str, np.ndarray] = {name: np.empty(0) for name in sizes}
            for name in wanted:
                if name in sizes:
                    with archive.open(f"{name}.npy") as member:
                        arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
            return arrays
    except _DAMAGED as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"this .npz cannot be read ({reason}); save it again with numpy.savez", path
        ) from None
