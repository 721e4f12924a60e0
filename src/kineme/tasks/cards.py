"""What a library knows of its motifs' cards, so that a later run need not find it again: cards.json.

What a motif does in words follows from its examples alone, and which stretches are like it from its first
example and the takes. So words are kept by the examples, and stretches by that example: when takes are
added, only these are looked through.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kineme
from kineme.errors import InputError
from kineme.motion.canonical import PARTS
from kineme.tasks.library import CARDS, open_library
from kineme.tasks.motifs import Occurrence

#: bytes, characters of words, and stretches of a card at most: a library may be a stranger's
_LARGEST, _LONGEST, _MOST = 100_000_000, 400, 100

Said = tuple[str, tuple[str, ...]]  # words, parts of the body
Stretch = tuple[str, float, float, bool, float]  # name of the clip, start, end, mirrored, distance


@dataclass(frozen=True)
class Cards:
    """The cards of a library's motifs.

    Attributes
    ----------
    words : `stretches_key` of a motif's examples -> what they do. alike : that of its first example -> the
        stretches that are nearest to it.
    takes : the keys of the takes that were looked through, by name.
    """

    words: Mapping[str, Said] = field(default_factory=dict)
    alike: Mapping[str, tuple[Stretch, ...]] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As it stands in the file; the takes stand in takes.parquet."""
        content = {"format": 1, "words": dict(self.words), "alike": dict(self.alike)}
        return json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n"


def stretches_key(keys: Sequence[str], stretches: Iterable[Occurrence]) -> str:
    """What stretches of clips with these keys (`known.take_key`) are known by."""
    told = [f"{keys[s.clip]} {s.start!r} {s.end!r}" for s in stretches]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def read_cards(folder: Path, model_checksum: str) -> Cards:
    """The cards of the library in `folder`.

    None where it is not finished, damaged, of another version, or of another model, so that a library whose
    motifs are mined anew is like a new one.
    """
    path = folder / CARDS
    try:
        library = open_library(folder, unfinished=True)
        made_by = (library.version, library.model_checksum)
        if made_by != (kineme.__version__, model_checksum) or not library.has(CARDS):
            return Cards()
        if path.stat().st_size > _LARGEST:
            return Cards()
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != 1:
            return Cards()
        words = {str(key): _said(*said) for key, said in found["words"].items()}
        alike = {str(key): tuple(_stretch(*s) for s in said[:_MOST]) for key, said in found["alike"].items()}
        return Cards(words, alike, dict(zip(library.names, library.keys, strict=True)))
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Cards()


def _said(words: Any, parts: Any) -> Said:
    if not isinstance(words, str) or len(words) > _LONGEST or not set(parts) <= set(PARTS):
        raise ValueError(f"the words {words!r}")
    return words, tuple(parts)


def _stretch(clip: Any, start: Any, end: Any, mirrored: Any, distance: Any) -> Stretch:
    numbers = (float(start), float(end), float(distance))
    sound = all(map(math.isfinite, numbers)) and 0 <= numbers[0] < numbers[1] and numbers[2] >= 0
    if not sound or not isinstance(clip, str) or not isinstance(mirrored, bool):
        raise ValueError(f"the stretch of {clip!r}")
    return clip, numbers[0], numbers[1], mirrored, numbers[2]
