"""Names for files that are made from names which others gave."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: bytes of a name that are kept; many file systems allow 255 with the suffix
LONGEST = 150
#: names that Windows keeps for devices
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def safe_stem(text: str, longest: int = LONGEST) -> str:
    """`text` as the stem of a file's name on any system: letters, digits, ``. _ -``, and never empty.

    Everything else becomes ``_``, also separators, so that a name cannot lead out of its folder. At most
    `longest` bytes of UTF-8.
    """
    plain = unicodedata.normalize("NFC", text)
    stem = re.sub(r"[^\w.\-]+", "_", plain).strip("._ ")
    stem = stem.encode("utf-8", "ignore")[:longest].decode("utf-8", "ignore").rstrip("._ ")
    return f"_{stem}" if stem.split(".")[0].lower() in _DEVICES else stem or "take"


def safe_stems(texts: Iterable[str]) -> list[str]:
    """`safe_stem` of each, all different even where upper and lower case are the same; in the same order."""
    taken: set[str] = set()
    stems = []
    for text in texts:
        stem, number = safe_stem(text), 2
        free = stem
        while free.casefold() in taken:
            free = f"{stem}_{number}"
            number += 1
        taken.add(free.casefold())
        stems.append(free)
    return stems
