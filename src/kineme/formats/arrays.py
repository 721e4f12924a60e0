"""NumPy files from strangers: no pickles, nothing that unpacks to more than it should.

The header of an array is a claim. It is believed only as far as the bytes that follow it go.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_BYTES

#: what numpy and zipfile raise over damaged bytes (its header is parsed as Python source)
_DAMAGED = (
    *(ValueError, TypeError, OverflowError, SyntaxError, tokenize.TokenError, RecursionError),
    *(OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    struct.error,
)
#: most bytes of an archive's directory, some 40,000 members
_MAX_DIRECTORY = 4 * 1024**2
#: an archive that unpacks to more than this many times its size is a bomb, unless it is small
_MAX_RATIO, _SMALL = 200, 64 * 1024**2


def open_npy(path: Path) -> np.ndarray:
    """The array of an ``.npy``, memory-mapped; raises InputError where it is damaged or holds objects."""
    try:
        with open(path, "rb") as file:
            shape, _, dtype = _header(file)
            if dtype.hasobject:
                raise ValueError("it holds Python objects, which would have to be unpickled")
            if prod(shape) * dtype.itemsize > os.path.getsize(path) - file.tell():
                raise ValueError("it is cut off")
        if 0 in shape:  # nothing can be mapped
            return np.empty(shape, dtype)
        return np.lib.format.open_memmap(path, mode="r")
    except _DAMAGED as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"this is no plain .npy array ({reason}); save it again with numpy.save", path
        ) from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and dtype of the array that begins here."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"an .npy of the version {version}")


def open_npz(path: Path, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` by name: those in `wanted` read, the others present as empty arrays.

    Members are found by name and never written anywhere, so a path in a name leads nowhere. Raises InputError
    where the archive is damaged or unpacks to much more than its size, or a wanted array is a pickled object.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            chosen = {name: members[name] for name in wanted if name in members}
            _check_sizes(sum(info.file_size for info in chosen.values()), path)
            arrays: dict[str, np.ndarray] = {name: np.empty(0) for name in members}
            for name, info in chosen.items():
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError("it is compressed in a way that NumPy does not use")
                with archive.open(info) as member:
                    arrays[name] = _read_member(member, info.file_size)
            return arrays
    except _DAMAGED as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"this .npz cannot be read ({reason}); save it again with numpy.savez", path
        ) from None


def _check_sizes(unpacked: int, path: Path) -> None:
    if unpacked > MAX_BYTES:
        raise InputError("its arrays take more than 2 GB; cut it into shorter takes", path)
    packed = max(1, os.path.getsize(path))
    if unpacked > _SMALL and unpacked > _MAX_RATIO * packed:
        raise InputError(
            f"it unpacks to {unpacked // packed} times its size, which no motion does; save it again", path
        )


def _check_directory(path: Path) -> None:
    """Refuses an archive whose list of members alone would fill the memory."""
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 2**16 - 22))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise ValueError("it is no zip archive, or cut off")
        entries, directory = struct.unpack_from("<HI", tail, at + 10)
        wide = tail.rfind(b"PK\x06\x06", 0, at)  # the record of archives past 4 GB
        if wide >= 0 and len(tail) >= wide + 48:
            entries, directory = struct.unpack_from("<QQ", tail, wide + 32)
    if directory > _MAX_DIRECTORY:
        raise ValueError(f"it says to have {entries} members")


def _read_member(member: IO[bytes], size: int) -> np.ndarray:
    shape, fortran, dtype = _header(member)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which would have to be unpickled")
    count = prod(shape)
    if count * dtype.itemsize > size:
        raise ValueError(f"an array of the shape {shape} is longer than its content")
    data = member.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize or dtype.itemsize == 0:
        raise ValueError("an array is cut off")
    return check_text(np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C"))


def check_text(array: np.ndarray) -> np.ndarray:
    """The array; ValueError where it holds characters that there are not, which break Python's own text."""
    if array.dtype.kind == "U" and array.size:
        codes = np.ascontiguousarray(array).reshape(-1).view(array.dtype.byteorder + "u4")
        if int(codes.max()) > sys.maxunicode:
            raise ValueError("its text has a character that there is not")
    return array
