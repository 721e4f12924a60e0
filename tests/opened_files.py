"""Which files a piece of code opens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_watched: list[tuple[Path, set[Path]]] = []
_hooked: list[bool] = []


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or not _watched or not isinstance(args[0], str | bytes | os.PathLike):
        return
    path = Path(os.path.abspath(os.fsdecode(args[0])))
    for folder, seen in _watched:
        if path.is_relative_to(folder):
            seen.add(path)


@contextmanager
def opened(folder: Path) -> Iterator[set[Path]]:
    """The files below `folder` that are opened in the block, by whatever part of Python."""
    if not _hooked:
        sys.addaudithook(_note)  # one cannot be taken away again
        _hooked.append(True)
    entry: tuple[Path, set[Path]] = (folder, set())
    _watched.append(entry)
    try:
        yield entry[1]
    finally:
        _watched.remove(entry)
