"""The names that a user gives to motifs: checked, and kept in the library's `names.json`."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kineme.errors import InputError
from kineme.formats.atomic import atomic_write

FILE = "names.json"
LONGEST = 80
_FORMAT = 1
_LARGEST = 4_000_000  # bytes; a library has thousands of motifs at most


@dataclass(frozen=True)
class Names:
    """Motif id -> name, and the fingerprint of the library (`Payload.fingerprint`) that the ids belong to."""

    library: str
    names: Mapping[str, str] = field(default_factory=dict)

    def with_name(self, motif: str, name: str) -> Names:
        """A copy in which `motif` is called `name`; an empty name takes the name away."""
        rest = {k: v for k, v in self.names.items() if k != motif}
        name = clean_name(name)
        return Names(self.library, {**rest, motif: name} if name else rest)


def same_names(names: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Each name that several motifs have, with their ids, in the order of the names."""
    by_name: dict[str, list[str]] = {}
    for motif, name in names.items():
        by_name.setdefault(name, []).append(motif)
    return sorted((name, motifs) for name, motifs in by_name.items() if len(motifs) > 1)


def clean_name(name: str) -> str:
    """The name in one line without control characters or outer spaces; InputError if it is too long."""
    spaced = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in name).split())
    if len(spaced) > LONGEST:
        raise InputError(f"a name has at most {LONGEST} characters; this one has {len(spaced)}")
    return spaced


def read_names(path: Path) -> Names:
    """The names in a file that `write_names` or the page made; InputError if it is anything else."""
    if path.stat().st_size > _LARGEST:
        raise InputError("is too large to be a file of names", path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # ValueError: also bytes that are no UTF-8
        raise InputError("is not the JSON that the page's 'Download names' writes", path) from None
    names = data.get("names") if isinstance(data, dict) else None
    if not isinstance(names, dict) or not all(isinstance(v, str) for v in names.values()):
        raise InputError("has no table of names; the page's 'Download names' button writes such a file", path)
    if data.get("format") != _FORMAT:
        raise InputError(f"is of format {data.get('format')!r}; this kineme reads format {_FORMAT}", path)
    try:
        cleaned = {motif: clean_name(name) for motif, name in names.items()}
    except InputError as error:
        raise InputError(error.message, path) from None
    return Names(str(data.get("library", "")), {m: n for m, n in cleaned.items() if n})


def write_names(names: Names, path: Path) -> None:
    """Writes the names, in one step: never half a file."""
    content = {"format": _FORMAT, "library": names.library, "names": dict(sorted(names.names.items()))}
    with atomic_write(path) as temporary:
        Path(temporary).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def names_for(library: str, folder: Path) -> Names:
    """The names kept in a library's folder; none where there is no file or it is about other motifs."""
    path = folder / FILE
    if not path.exists():
        return Names(library)
    names = read_names(path)
    return names if names.library == library else Names(library)


def check_known(names: Mapping[str, str], motifs: Collection[str], path: Path | None = None) -> None:
    """Raises InputError if a name is for a motif that the library does not have."""
    unknown = sorted(set(names) - set(motifs))
    if unknown:
        few = ", ".join(unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        raise InputError(f"this library has no motif {few}; `kineme name LIB` lists its motifs", path)
