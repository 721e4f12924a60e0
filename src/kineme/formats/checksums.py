"""Checksums of what kineme writes, so that damage is told by name; and the numbers of formats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kineme.errors import InputError

#: the file in a model's or a corpus's folder that holds them
CHECKSUMS = "checksums.json"
#: by these a folder of ours is known; and where such folders have others in them
_HEADS = ("config.json", "corpus.json", CHECKSUMS)
_INSIDE = ("corpus", "model", "heads/*", "model/heads/*")


def file_record(path: Path) -> dict[str, Any]:
    """Size in bytes and sha256 of a file."""
    with open(path, "rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def records(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`file_record` of those of `names` that are in `folder`, by name."""
    return {name: file_record(folder / name) for name in names if (folder / name).is_file()}


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Writes checksums.json for those of `names` that are in `folder`."""
    content = {"format": 1, "files": records(folder, names)}
    (folder / CHECKSUMS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_checksums(folder: Path) -> dict[str, dict[str, Any]]:
    """The records in checksums.json; none where there is no such file, as in folders of older versions."""
    path = folder / CHECKSUMS
    if not path.is_file():
        return {}
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"is damaged ({error!r}); copy the folder again", path) from None


def kept_files(folder: Path) -> list[Path]:
    """What is read where a model, a corpus, or a folder with these in it (a library, a training's run) is named.

    Those with a checksum, and the settings, cards and checksums beside them. Raises InputError as
    `read_checksums` does.
    """
    found: list[Path] = []
    for place in (folder, *(inner for names in _INSIDE for inner in folder.glob(names))):
        if any((place / head).is_file() for head in _HEADS):
            found += [place / name for name in dict.fromkeys((*read_checksums(place), *_HEADS, "README.md"))]
    return [file for file in found if file.is_file()]


def _checked(files: Any) -> dict[str, dict[str, Any]]:
    for name, record in files.items():
        if not isinstance(record["bytes"], int) or not isinstance(record["sha256"], str) or "/" in name:
            raise ValueError(f"the record of {name!r}")
    return files


def verify(folder: Path, files: Mapping[str, Mapping[str, Any]], restore: str, *, whole: bool) -> None:
    """Raises InputError for the first of `files` that is not what it was; `restore` says what to do then.

    With `whole` contents are read; without, only sizes are compared.
    """
    for name, record in files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"is missing; {restore}", path)
        if path.stat().st_size != record["bytes"]:
            size = path.stat().st_size
            raise InputError(f"is damaged ({size} bytes instead of {record['bytes']}); {restore}", path)
        if whole and file_record(path)["sha256"] != record["sha256"]:
            raise InputError(f"is damaged (its content is not what was written); {restore}", path)


def check_format(head: Mapping[str, Any], what: str, reads: int, oldest: int, again: str, path: Path) -> int:
    """The format number of a folder; InputError where this version cannot read it.

    Parameters
    ----------
    head : its description, with ``format`` and perhaps ``oldest_reader``: the lowest number of a reader that
        understands it. So a later version can raise its number without shutting out this one.
    reads, oldest : the number that this version writes, and the lowest that it still reads.
    again : what to run where it is too old.
    """
    number = head["format"]
    if not isinstance(number, int):
        raise ValueError(f"the format {number!r}")
    if number > reads and not (isinstance(needed := head.get("oldest_reader"), int) and needed <= reads):
        raise InputError(f"is of a newer kineme ({what} format {number}); upgrade kineme to read it", path)
    if number < oldest:
        raise InputError(f"is of an older kineme ({what} format {number}); {again}", path)
    return number
