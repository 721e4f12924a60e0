"""NumPy archives from strangers: no pickles, no archive that unpacks to more than it should."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_BYTES


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
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError, NotImplementedError) as error:
        raise InputError(
            f"this .npz cannot be read ({error}); save it again with numpy.savez", path
        ) from None
