"""The occurrences of motifs as clips of their own, out of the files that they were found in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from kineme.corpus.convert import file_digest
from kineme.corpus.gaps import read_motions
from kineme.errors import InputError, UsageError
from kineme.formats import ReadOptions
from kineme.motion import Motion
from kineme.tasks.library import Library


@dataclass(frozen=True)
class Occurrence:
    """A motif in a take.

    Attributes
    ----------
    clip : the take. file, sha256, part : where it lies, what the file was, which motion of it.
    motif : the id.
    start, end : seconds of the file.
    confidence : 0 to 1.
    """

    clip: str
    file: str
    sha256: str
    part: int
    motif: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Cut:
    """An occurrence as a motion of its own; `start`, `end`: of its frames, in seconds of the file."""

    occurrence: Occurrence
    motion: Motion
    start: float
    end: float


def occurrences(library: Library, motifs: Iterable[str], top: int | None = None) -> list[Occurrence]:
    """Where motifs occur in a library's takes, in the order of takes and time.

    Parameters
    ----------
    motifs : ids.
    top : only so many of each motif, the surest ones.

    Raises InputError for an id that no motif has, UsageError for an impossible `top`.
    """
    if top is not None and top < 1:
        raise UsageError(f"top must be at least 1, not {top}")
    wanted = list(dict.fromkeys(motifs))
    known = {motif["id"] for motif in library.motifs}
    if missing := [motif for motif in wanted if motif not in known]:
        raise InputError(
            f"has no motif {missing[0]!r}; `kineme name {shlex.quote(str(library.folder))}` lists them",
            library.folder,
        )
    rows = {clip.name: clip.row for clip in library.corpus}
    found = [
        Occurrence(
            s["clip"], s["file"], rows[s["clip"]].sha256, rows[s["clip"]].part, s["id"], s["start"], s["end"],
            float(s["confidence"]),
        )
        for s in library.segments.to_pylist()
        if s["level"] == "motif" and s["id"] in wanted and s["clip"] in rows
    ]  # fmt: skip
    if top is not None:
        surest = sorted(found, key=lambda one: (-one.confidence, one.file, one.start))
        kept = {id(one) for motif in wanted for one in [o for o in surest if o.motif == motif][:top]}
        found = [one for one in found if id(one) in kept]
    order = {name: number for number, name in enumerate(rows)}
    return sorted(found, key=lambda one: (order[one.clip], one.start, one.motif))


def library_options(library: Library) -> ReadOptions:
    """How the library read its files."""
    try:
        said = json.loads(library.corpus.request or "{}").get("read", {})
        fields = ReadOptions.__dataclass_fields__
        known: dict[str, Any] = {name: said[name] for name in fields if said.get(name) is not None}
        for name in ("skeleton_file", "map"):
            if name in known:
                known[name] = Path(known[name])
        return ReadOptions(**known)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"does not say how its files were read ({error}); index again", library.folder
        ) from None


def cut_out(
    found: Sequence[Occurrence], options: ReadOptions, pad: float = 0.0
) -> Iterator[Cut | tuple[str, InputError]]:
    """The occurrences one after another; a file and what is wrong with it, where it cannot be used.

    Every file is read once, as the library read it. One that is gone, or has other content than the library
    read, is left out: its times would be those of another motion.

    Parameters
    ----------
    found : with those of one file next to each other, as `occurrences` gives them.
    options : how the library read the files (`library_options`).
    pad : seconds before and after, as far as there is motion.
    """
    if not 0 <= pad < 3600:
        raise UsageError(f"pad is seconds before and after, from 0 on, not {pad}")
    for file, group in groupby(found, key=lambda one: one.file):
        members = list(group)
        try:
            motions = _motions(Path(file), members[0].sha256, options)
            for one in members:
                if one.part >= len(motions):
                    raise InputError("the motion is no longer in it", file)
                motion = motions[one.part]
                piece = motion.cut(one.start - pad, one.end + pad)
                start = min(max(round((one.start - pad) * motion.fps), 0), len(motion) - 1) / motion.fps
                yield Cut(one, piece, start, start + piece.duration)
        except InputError as error:
            yield file, error if error.path else InputError(error.message, file, error.line)


def _motions(file: Path, sha256: str, options: ReadOptions) -> list[Motion]:
    try:
        same = file_digest(file) == sha256
    except OSError as error:
        raise InputError(
            f"the file cannot be read any more ({error.strerror}); put it back, or index again", file
        ) from None
    if not same:
        raise InputError("the file has changed since it was indexed; index again", file)
    return read_motions(file, options)[0]
