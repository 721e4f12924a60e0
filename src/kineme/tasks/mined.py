"""From which takes a library's motifs were mined, and when new takes are a reason to mine anew.

It stands beside the model, in ``model/mined.json``, and is written with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "mined.json"
#: takes that are new or changed since motifs were mined, as a share of what they were mined from, above
#: which they are mined anew
SHARE = 0.2
#: bytes; a key has some 40
_LARGEST = 100_000_000


@dataclass(frozen=True)
class Mined:
    """What a library's model came from.

    Attributes
    ----------
    weights : where its weights come from, in words. given : checksum of the model that was named, or "".
    own : whether its motifs are those of the library's takes, to be mined anew as it grows.
    seed : of the clustering. kineme : the version that mined.
    frames, keys : of the takes that they were mined from (`known.take_key`); none where they came along.
    """

    weights: str
    given: str = ""
    own: bool = False
    seed: int = 0
    kineme: str = ""
    frames: int = 0
    keys: tuple[str, ...] = ()

    def text(self) -> str:
        """As it stands in the file."""
        return json.dumps({"format": 1, **asdict(self)}, indent=0) + "\n"

    def new_share(self, takes: Iterable[tuple[str, int]]) -> float:
        """How much of a library of takes (key, frames) is new, as a share of what was mined from."""
        known = set(self.keys)
        fresh = sum(frames for key, frames in takes if key not in known)
        return fresh / max(self.frames, 1)


def read_mined(folder: Path) -> Mined | None:
    """What stands beside the model in `folder`; None where that is nothing, or nothing that can be read."""
    path = folder / FILE
    try:
        if path.stat().st_size > _LARGEST:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("format") != 1:
            return None
        made = Mined(**{**found, "keys": tuple(map(str, found["keys"]))})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    kinds = {"weights": str, "given": str, "own": bool, "seed": int, "kineme": str, "frames": int}
    return made if all(type(getattr(made, name)) is kind for name, kind in kinds.items()) else None
