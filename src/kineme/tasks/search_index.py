"""What a library keeps so that it can be searched: poses of every clip, in shards that are only ever added.

====================  ===================================================================================
``manifest.json``     format number, checksum of the corpus, the shards, and which clip lies where
``NAME.poses.npy``    (N, 40) int16: `poses.poses` of the shard's clips, one after another
``NAME.coarse.npy``   (16, C) int16: every second pose of each clip, hands, feet, head and height only
====================  ===================================================================================

A shard's name and content follow from its clips' frames alone. Clips that come later go to new shards; the
manifest, a small file, is written anew and says which clips of the shards the library has now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.errors import InputError
from kineme.formats.atomic import atomic_write, clean_up
from kineme.tasks.discover import standard_positions
from kineme.tasks.poses import COARSE_COLUMNS, COARSE_STRIDE, COLUMNS, FPS, poses, quantise, restore

#: raised by one when an older reader would misread an index
FORMAT = 1
FOLDER, MANIFEST = "search", "manifest.json"
#: clips of a shard at most
SHARD_CLIPS = 256


@dataclass(frozen=True, eq=False)
class Shard:
    """Poses of some clips.

    Attributes
    ----------
    keys : what each clip is recognised by. counts : poses of each.
    rows : (N, 40) int16. coarse : (16, C) int16.
    """

    keys: tuple[str, ...]
    counts: tuple[int, ...]
    rows: np.ndarray
    coarse: np.ndarray

    @property
    def name(self) -> str:
        """Follows from the clips."""
        return "shard-" + hashlib.sha256("\n".join((str(FORMAT), *self.keys)).encode()).hexdigest()[:16]

    @classmethod
    def of(cls, clips: Iterable[Clip]) -> Shard:
        """A pure function of the clips' frames."""
        keys, rows = [], []
        for clip in clips:
            keys.append(clip_key(clip))
            rows.append(quantise(poses(standard_positions(clip), clip.fps)))
        return cls.from_rows(keys, rows)

    @classmethod
    def from_rows(cls, keys: Sequence[str], rows: Sequence[np.ndarray]) -> Shard:
        """From the quantised poses (N, 40) of each clip."""
        coarse = np.concatenate([r[::COARSE_STRIDE, COARSE_COLUMNS].T for r in rows], axis=1)
        counts = tuple(map(len, rows))
        return cls(tuple(keys), counts, np.concatenate(rows), np.ascontiguousarray(coarse))


def clip_key(clip: Clip) -> str:
    """What a clip's poses follow from, as 32 hex digits."""
    digest = hashlib.sha256(repr((clip.fps, clip.row.offsets)).encode())
    digest.update(np.ascontiguousarray(clip.values).tobytes())
    return digest.hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class PoseIndex:
    """The poses of C clips, ready to be searched.

    Attributes
    ----------
    rows : for each clip its poses (N, 40) int16; memory maps where they come from disk.
    coarse : (17, R) float32: the coarse poses of all clips one after another, in metres, and their squares.
    starts : (C + 1,) the first coarse pose of each clip.
    """

    rows: tuple[np.ndarray, ...]
    coarse: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], coarse: Sequence[np.ndarray] | None = None) -> PoseIndex:
        """From each clip's quantised poses (N, 40), and its coarse ones (16, n) where they are at hand."""
        if coarse is None:
            coarse = [r[::COARSE_STRIDE, COARSE_COLUMNS].T for r in rows]
        starts = np.concatenate([[0], np.cumsum([part.shape[1] for part in coarse], dtype=np.int64)])
        whole = np.empty((len(COARSE_COLUMNS) + 1, int(starts[-1])), dtype=np.float32)
        for start, part in zip(starts[:-1], coarse, strict=True):
            whole[:-1, start : start + part.shape[1]] = restore(part)
        np.einsum("cn,cn->n", whole[:-1], whole[:-1], out=whole[-1])
        return cls(tuple(rows), whole, starts)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def left(self) -> np.ndarray:
        """(R,) int32: how many coarse poses of its clip come after each."""
        ends = np.repeat(self.starts[1:], np.diff(self.starts))
        return (ends - 1 - np.arange(self.starts[-1])).astype(np.int32)

    @cached_property
    def left_byte(self) -> np.ndarray:
        """(R,) uint8: the same, 255 for all above: a quarter of the memory to read."""
        return np.minimum(self.left, 255).astype(np.uint8)

    @cached_property
    def longest(self) -> float:
        """Seconds of the longest clip, as far as its poses reach."""
        return max((len(rows) - 1 for rows in self.rows), default=0) / FPS

    def clip_at(self, row: np.ndarray) -> np.ndarray:
        """Number of the clip that holds each coarse pose."""
        return np.searchsorted(self.starts, row, side="right") - 1


def update_index(
    folder: Path,
    corpus: Corpus,
    progress: Callable[[int], None] | None = None,
    *,
    anew: bool = False,
    keys: Sequence[str] | None = None,
) -> int:
    """Brings the index in `folder` up to date with the corpus; returns the number of clips that were added.

    Shards that are there stay as they are (unless the index is made `anew`, which packs them); those of which
    the corpus has no clip any more are removed. `keys` : of the clips (`clip_key`), where they are at hand.
    Raises InputError where the folder holds an index of a later format.
    """
    old = _read_manifest(folder) if (folder / MANIFEST).is_file() and not anew else None
    known: dict[str, tuple[str, int]] = {}
    counts: dict[str, list[list[Any]]] = {}
    for shard in (old or {}).get("shards", []):
        if all((folder / f"{shard['name']}.{kind}.npy").is_file() for kind in ("poses", "coarse")):
            counts[shard["name"]] = shard["clips"]
            known |= {key: (shard["name"], place) for place, (key, _) in enumerate(shard["clips"])}
    keys = [clip_key(clip) for clip in corpus] if keys is None else keys
    fresh = {key: number for number, key in enumerate(keys) if key not in known}
    folder.mkdir(parents=True, exist_ok=True)
    clean_up(folder)  # what a killed process left; living ones keep theirs
    for numbers in _chunks(list(fresh.values()), SHARD_CLIPS):
        shard = Shard.of(corpus[number] for number in numbers)
        _write_array(folder / f"{shard.name}.poses.npy", shard.rows)
        _write_array(folder / f"{shard.name}.coarse.npy", shard.coarse)
        counts[shard.name] = [[key, count] for key, count in zip(shard.keys, shard.counts, strict=True)]
        known |= {key: (shard.name, place) for place, key in enumerate(shard.keys)}
        if progress is not None:
            progress(len(numbers))
    used = {known[key][0] for key in keys}
    manifest = {
        "format": FORMAT,
        "corpus_sha256": corpus.checksum,
        "shards": [{"name": name, "clips": clips} for name, clips in counts.items() if name in used],
        "clips": [known[key] for key in keys],
    }
    with atomic_write(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, separators=(",", ":")) + "\n", encoding="utf-8")
    for file in folder.glob("shard-*.npy"):
        if file.name.split(".")[0] not in used:
            file.unlink()
    return len(fresh)


def is_current(folder: Path, corpus_checksum: str) -> bool:
    """Whether there is an index of this corpus. Raises InputError where it is of a later format."""
    return (folder / MANIFEST).is_file() and _read_manifest(folder)["corpus_sha256"] == corpus_checksum


def open_index(folder: Path) -> PoseIndex:
    """The index in `folder`, clips in the order of the corpus. Raises InputError where it is damaged."""
    manifest = _read_manifest(folder)
    placed: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for shard in manifest["shards"]:
        placed[shard["name"]] = list(_parts(folder, shard["name"], [int(n) for _, n in shard["clips"]]))
    try:
        found = [placed[name][place] for name, place in manifest["clips"]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise _damaged(folder / MANIFEST) from None
    return PoseIndex.of([rows for rows, _ in found], [coarse for _, coarse in found])


def _parts(folder: Path, name: str, counts: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each clip's poses and coarse poses, of a shard whose clips have so many poses."""
    rows = _map_array(folder / f"{name}.poses.npy")
    coarse = _map_array(folder / f"{name}.coarse.npy")
    short = [-(-n // COARSE_STRIDE) for n in counts]
    fits = rows.shape == (sum(counts), COLUMNS) and coarse.shape == (len(COARSE_COLUMNS), sum(short))
    if not fits or min(counts, default=1) < 1:
        raise _damaged(folder / f"{name}.poses.npy")
    row = column = 0
    for count, few in zip(counts, short, strict=True):
        yield rows[row : row + count], coarse[:, column : column + few]
        row, column = row + count, column + few


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        number = manifest["format"]
        if number != FORMAT:
            raise InputError(
                f"is of format {number!r}; this kineme reads format {FORMAT}. Remove the folder, "
                "and the index is made anew",
                path,
            )
        if not isinstance(manifest["corpus_sha256"], str) or not isinstance(manifest["clips"], list):
            raise TypeError
        for shard in manifest["shards"]:
            if not shard["name"].replace("-", "").isalnum():  # names become paths
                raise ValueError(shard["name"])
            shard["clips"] = [[str(key), int(count)] for key, count in shard["clips"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(path) from None
    return manifest


def _damaged(path: Path) -> InputError:
    return InputError("is damaged; remove the folder of it, and the search index is made anew", path)


def _map_array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise _damaged(path) from None
    if array.dtype != np.int16 or array.ndim != 2:
        raise _damaged(path)
    return array


def _write_array(path: Path, array: np.ndarray) -> None:
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array)


def _chunks(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
