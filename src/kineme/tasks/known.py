"""What a library knows of its takes already, so that adding some costs what is new.

What was found in a clip follows from its frames, the model and the settings alone (`discover`). So a library
that was made by the same model, with the same settings and by the same version holds the tracks of every clip
that it still has: rows of segments.parquet and tokens.npy, told apart by the keys in takes.parquet.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import kineme
from kineme.corpus import Clip
from kineme.errors import InputError
from kineme.tasks.discover import ClipReader, ClipTracks
from kineme.tasks.library import NO_SCALE, Library, Settings, open_library
from kineme.tasks.search_index import clip_key
from kineme.tasks.track import Track


def take_key(clip: Clip) -> str:
    """What a clip's tracks follow from, but for model and settings: 32 hex digits and where it starts."""
    return f"{clip_key(clip)} {clip.source_start!r}"


def motion_key(key: str) -> str:
    """The part of a `take_key` that is the clip's `clip_key`."""
    return key.partition(" ")[0]


def known_tracks(
    folder: Path, settings: Settings, model_checksum: str, reader: ClipReader
) -> dict[str, ClipTracks]:
    """`take_key` -> what the library in `folder` holds of that clip.

    Nothing where there is no finished library of this model, these settings and this version, or where one
    of its tables is damaged: then all is found anew.
    """
    try:
        library = open_library(folder, unfinished=True)
        made_by = (library.settings, library.model_checksum, library.version)
        if made_by != (settings, model_checksum, kineme.__version__):
            return {}
        return _tracks(library, reader)
    except (InputError, OSError):
        return {}


def _tracks(library: Library, reader: ClipReader) -> dict[str, ClipTracks]:
    keys, rows, tokens = library.keys, library.segments, np.array(library.tokens)
    columns = {name: rows[name].to_numpy() for name in ("scale", "start", "end", "number", "confidence")}
    clip = rows["clip"].combine_chunks().indices.to_numpy()
    scales = (NO_SCALE, *reader.steps)
    place = np.searchsorted(scales, columns["scale"])
    # A track's rows stand together: scale after scale, and in each of them clip after clip.
    track = place * len(keys) + clip
    first = np.flatnonzero(np.diff(track, prepend=-1))
    whole = len(tokens) == len(rows) and np.array_equal(track[first], np.arange(len(scales) * len(keys)))
    if not whole or not _sound(columns, first, tokens, scales, reader):
        return {}
    found = []
    for a, b in zip(first.tolist(), [*first[1:].tolist(), len(rows)], strict=True):
        borders = np.append(columns["start"][a:b], columns["end"][b - 1])
        kind = np.int32 if len(found) < len(keys) else np.int64
        number = columns["number"][a:b].astype(kind)
        found.append(Track(borders, number, columns["confidence"][a:b], tokens[a:b]))
    return {
        key: ClipTracks(found[k], tuple(found[k + len(keys) * s] for s in range(1, len(scales))))
        for k, key in enumerate(keys)
    }


def _sound(
    columns: dict[str, np.ndarray],
    first: np.ndarray,
    tokens: np.ndarray,
    scales: tuple[float, ...],
    reader: ClipReader,
) -> bool:
    """Whether rows are what `discover` may have found: a library may be a stranger's."""
    start, end, number = columns["start"], columns["end"], columns["number"]
    follows = np.ones(len(start), dtype=bool)
    follows[first] = False
    motif = columns["scale"] > NO_SCALE
    return bool(
        np.isin(columns["scale"], scales).all()
        and np.isfinite(tokens).all()
        and np.isfinite(start).all()
        and (start < end).all()
        and np.array_equal(start[follows], end[np.flatnonzero(follows) - 1])
        and ((columns["confidence"] >= 0) & (columns["confidence"] <= 1)).all()
        and np.isin(number[motif], reader.numbers).all()
        and (number >= 0).all()
    )
