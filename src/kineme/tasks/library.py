"""A library: the folder that `kineme index` writes.

====================  ===================================================================================
``library.json``      format number, settings, checksums of corpus, model and tables; written last. While
                      a run puts its results in place it says that the library is not finished
``corpus/``           the takes (`kineme.corpus`)
``model/``            the model that found the motifs (`kineme.models.a4mer.folder`)
``segments.parquet``  one row a segment: clip, file, level, scale, start, end, id, number, confidence
``tokens.npy``        (N, D) float32, memory-mapped: the token of each row of segments.parquet
``motifs.parquet``    one row a motif and scale: id, words, count, mean_seconds, examples, similar
``takes.parquet``     one row a clip: its name, and the key by which a later run knows it (`kineme.tasks.known`)
``cards.json``        what motifs do and what is like them, for a later run (`kineme.tasks.cards`)
``search/``           poses of all clips, to be searched (`kineme.tasks.search_index`)
``names.json``        the names that its user gave to motifs
``report.html``       the page; ``anomaly.html`` beside it where `kineme anomaly` was asked
``searches/``         pages of `kineme search --open`
====================  ===================================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kineme
from kineme.corpus import Clip, Corpus
from kineme.errors import InputError, UsageError
from kineme.formats.atomic import atomic_write
from kineme.formats.checksums import check_format, kept_files, read_checksums, records, verify
from kineme.formats.lock import LOCK_INSIDE
from kineme.tasks.discover import Discovery

if TYPE_CHECKING:
    import pyarrow as pa

#: raised by one when an older reader would misread a library; the lowest that is still read
FORMAT, OLDEST = 1, 1
#: what to do where a file of a library is damaged
_SAME = "run the same `kineme index` again, it goes on from there"
RESTORE = "run the same `kineme index` again, it makes the file anew"
HEAD, SEGMENTS, TOKENS, MOTIFS = "library.json", "segments.parquet", "tokens.npy", "motifs.parquet"
TAKES, CARDS = "takes.parquet", "cards.json"
CORPUS, MODEL = "corpus", "model"
#: time scale of an atom in the table: it has none
NO_SCALE = 0.0


@dataclass(frozen=True)
class Settings:
    """How a library's motifs were asked for; `kineme segment` asks for the same.

    Attributes
    ----------
    timescale, shortest : seconds, as in `discover`. scales : all time scales, seconds.
    motifs : how many to tell apart; None as many as fit the model.
    """

    timescale: float
    shortest: float
    scales: tuple[float, ...]
    motifs: int | None = None


@dataclass(frozen=True)
class Library:
    """An opened library.

    Attributes
    ----------
    settings : as above. model_checksum, corpus_checksum : of what the segments were made from.
    files : size and sha256 of the tables by name; empty in libraries of older versions.
    version : of the kineme that made it; empty where it was an older one.
    """

    folder: Path
    settings: Settings
    model_checksum: str
    corpus_checksum: str
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    version: str = ""

    @property
    def corpus(self) -> Corpus:
        """The takes. Raises InputError where they are damaged, or not those that the tables are about."""
        corpus = Corpus.open(self.folder / CORPUS)
        self.check_takes(corpus.names)
        return corpus

    def check_takes(self, names: Sequence[str]) -> None:
        """Raises InputError where the tables are about other takes than these `names`, as far as they say."""
        if TAKES in self.files and self.names != list(names):
            raise _between_two_runs(self.folder)

    @property
    def segments(self) -> pa.Table:
        """segments.parquet. Raises InputError where it is damaged or of another run than library.json."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / SEGMENTS
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"is missing or damaged ({error}); run `kineme index` again", path) from None
        if (table.schema.metadata or {}).get(b"kineme_run") != _run(self).encode():
            raise InputError("is of another run than library.json; run `kineme index` again", path)
        self._verify(SEGMENTS)
        return table

    def _verify(self, name: str, *, whole: bool = True) -> None:
        verify(self.folder, {k: v for k, v in self.files.items() if k == name}, RESTORE, whole=whole)

    @property
    def motifs(self) -> list[dict[str, Any]]:
        """The rows of motifs.parquet. Raises InputError where it is missing or damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / MOTIFS
        try:
            return pq.read_table(path).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"is missing or damaged ({error}); run `kineme index` again", path) from None

    def has(self, name: str) -> bool:
        """Whether there is such a file and it is what was written. Raises InputError where it is damaged."""
        self._verify(name)
        return name in self.files

    @property
    def keys(self) -> list[str]:
        """The key of each clip, in the order of `segments`. Raises InputError where there are none."""
        return self._takes["key"].to_pylist()

    @property
    def names(self) -> list[str]:
        """The name of each clip, in the order of `keys`. Raises InputError as they do."""
        return self._takes["clip"].to_pylist()

    @cached_property
    def _takes(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / TAKES
        try:
            table = pq.read_table(path)
            if (
                TAKES not in self.files
                or (table.schema.metadata or {}).get(b"kineme_run") != _run(self).encode()
            ):
                raise InputError("is of another run than library.json; run `kineme index` again", path)
            self._verify(TAKES)
            return table.select(["clip", "key"])
        except (OSError, KeyError, pa.ArrowException) as error:
            raise InputError(f"is missing or damaged ({error}); run `kineme index` again", path) from None

    @property
    def tokens(self) -> np.ndarray:
        """(N, D) float32, a memory map: the token of each row of `segments`."""
        path = self.folder / TOKENS
        self._verify(TOKENS, whole=False)  # it is mapped, not read
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"is missing or damaged ({error}); run `kineme index` again", path) from None


def check_library(folder: Path) -> int:
    """Reads every file of a library, its corpus and its model; how many have a checksum, which all must fit.

    Raises InputError that names the damaged file and says how to restore it, or that says that the takes are
    not those that the tables were made from.
    """
    from kineme.corpus.store import RESTORE as CORPUS_RESTORE
    from kineme.models.a4mer.heads.folder import check_heads

    library = open_library(folder)
    verify(folder, library.files, RESTORE, whole=True)
    corpus, model = read_checksums(folder / CORPUS), read_checksums(folder / MODEL)
    verify(folder / CORPUS, corpus, CORPUS_RESTORE, whole=True)
    verify(
        folder / MODEL, model, "run `kineme index` again with --train, or with --model and a copy", whole=True
    )
    if library.corpus.checksum != library.corpus_checksum:
        raise _between_two_runs(folder)
    return len(library.files) + len(corpus) + len(model) + check_heads(folder / MODEL)


def library_files(folder: Path) -> list[Path]:
    """What is read where the library `folder` is named, its takes, model, search index and page among it.

    Other pages and tables that somebody put there are not among them.
    """
    from kineme.tasks import mined, search_index

    own = (HEAD, SEGMENTS, TOKENS, MOTIFS, TAKES, CARDS, "names.json", "report.html", f"{MODEL}/{mined.FILE}")
    return [
        *(folder / name for name in own),
        *(folder / search_index.FOLDER).glob("*"),
        *kept_files(folder),
    ]


def is_library(folder: Path) -> bool:
    """Whether `folder` is a library, finished or not."""
    return (folder / HEAD).is_file()


def open_library(folder: str | Path, *, unfinished: bool = False) -> Library:
    """The library in `folder`. Raises InputError where it is none, newer, damaged or unfinished.

    unfinished : take one, too, of which a run was stopped while it put its results in place. What it says is
        then of the run before, and each of its files may be of either: only for who looks at checksums.
    """
    folder = Path(folder)
    path = folder / HEAD
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
        again = "run the same `kineme index` again, the names of its motifs stay"
        check_format(head, "library", FORMAT, OLDEST, again, folder)
        if not head["finished"] and not unfinished:
            raise _unfinished(folder)
        asked = {**head["settings"], "scales": tuple(head["settings"]["scales"])}
        sums = (str(head["model_sha256"]), str(head["corpus_sha256"]))
        made_by = str(head.get("kineme", ""))
        return Library(folder, Settings(**asked), *sums, dict(head.get("files", {})), made_by)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("is no library (it has no library.json); `kineme index` makes one", folder) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"is damaged ({error!r}); run `kineme index` again", path) from None


def part_of(folder: Path, name: str) -> Path:
    """The corpus or model in the library `folder`, which may be damaged elsewhere.

    Raises InputError where a run that makes or changes the library was stopped.
    """
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        if head["finished"] is False:
            raise _unfinished(folder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return folder / name


def _unfinished(folder: Path) -> InputError:
    said = "is not finished: a `kineme index` that makes or changes it was stopped, or is still at it"
    return InputError(f"{said}; {_SAME}", folder)


def _between_two_runs(folder: Path) -> InputError:
    """Of what a stopped run of an older version, or a corpus that was exchanged, leaves behind."""
    said = "has other takes than its tables: a `kineme index` was stopped while it changed it"
    return InputError(f"{said}; {_SAME}", folder)


def motif_words(library: Library) -> dict[str, str]:
    """Motif id -> what it does, in words. Raises InputError where motifs.parquet is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = library.folder / MOTIFS
    try:
        table = pq.read_table(path, columns=["id", "words"])
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"is missing or damaged ({error}); run `kineme index` again", path) from None
    return dict(zip(table["id"].to_pylist(), table["words"].to_pylist(), strict=True))


def begin_library(folder: Path) -> bool:
    """Claims `folder` for a library that is being made; False where there is one, which stays as it is.

    Raises UsageError where the folder holds other things.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the library")
    if is_library(folder):
        return False
    if folder.is_dir() and any(entry.name != LOCK_INSIDE for entry in folder.iterdir()):
        raise UsageError(f"{folder} holds other things than a library; name a new folder with -o")
    folder.mkdir(parents=True, exist_ok=True)
    _write_head(folder, {"format": FORMAT, "finished": False})
    return True


def abandon_library(folder: Path) -> None:
    """Takes back `begin_library`, as far as nothing else has been put there."""
    (folder / HEAD).unlink(missing_ok=True)
    if not any(folder.iterdir()):  # the lock may be in it
        folder.rmdir()


def write_results(
    folder: Path,
    corpus: Corpus,
    found: Discovery,
    settings: Settings,
    model_checksum: str,
    words: Mapping[str, str],
    keys: Sequence[str] = (),
    cards: str = "",
    others: Sequence[AbstractContextManager[Any]] = (),
) -> Library:
    """Writes segments, tokens, motifs, takes and cards, then library.json.

    words : motif id -> what it does. keys : of each clip (`known.take_key`); without them a later run finds
    everything anew. cards : the text of cards.json. others : what else goes to its place (corpus, model, page)
    when these blocks end, the last one first; all of it is entered before anything is put in place.

    Nothing of the library changes before everything is written; from then on until the last file is in its
    place it is not finished, and `open_library` says so.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    library = Library(folder, settings, model_checksum, corpus.checksum, version=kineme.__version__)
    run = {"kineme_run": _run(library)}
    table, tokens = segment_table(corpus, found)
    with ExitStack() as stack:  # written one after the other, put in place together
        with open(stack.enter_context(atomic_write(folder / TOKENS)), "wb") as file:
            np.save(file, tokens)
        pq.write_table(_motif_table(corpus, found, words), stack.enter_context(atomic_write(folder / MOTIFS)))
        if keys:
            takes = pa.table({"clip": list(corpus.names), "key": list(keys)})
            takes = takes.replace_schema_metadata(run)
            pq.write_table(takes, stack.enter_context(atomic_write(folder / TAKES)))
            stack.enter_context(atomic_write(folder / CARDS)).write_text(cards, encoding="utf-8")
        table = table.replace_schema_metadata(run)
        pq.write_table(table, stack.enter_context(atomic_write(folder / SEGMENTS)))
        for other in others:
            stack.enter_context(other)
        _unfinish(folder)
    head = {
        "format": FORMAT,
        "oldest_reader": 1,
        "kineme": kineme.__version__,
        "finished": True,
        "settings": asdict(settings),
        "model_sha256": model_checksum,
        "corpus_sha256": library.corpus_checksum,
        "files": records(folder, (SEGMENTS, TOKENS, MOTIFS, *((TAKES, CARDS) if keys else ()))),
    }
    _write_head(folder, head)
    return replace(library, files=head["files"])


def _unfinish(folder: Path) -> None:
    """Has library.json say that files of the library are being replaced; the rest of it stays."""
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        if head["finished"]:
            _write_head(folder, {**head, "finished": False})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # none, or a damaged one: it says so
        return


def _write_head(folder: Path, head: Mapping[str, Any]) -> None:
    with atomic_write(folder / HEAD) as temporary:
        temporary.write_text(json.dumps(head, indent=1) + "\n", encoding="utf-8")


def _run(library: Library) -> str:
    """What the segments follow from."""
    said = json.dumps([asdict(library.settings), library.model_checksum, library.corpus_checksum])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def folder_checksum(folder: Path, files: Iterable[str]) -> str:
    """sha256 over those of `files` that are in `folder`."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if (folder / name).is_file():
            digest.update(f"{name}\0{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def scale_name(seconds: float) -> str:
    """``0.5 s``, ``4 s``."""
    return f"{seconds:g} s"


def motif_id(number: int, seconds: float, found: Discovery) -> str:
    """A motif's id: its number, at other scales than the default after the scale's name (``1 s/12``)."""
    return f"{number}" if seconds == found.scale.seconds else f"{scale_name(seconds)}/{number}"


def segment_table(clips: Iterable[Clip], found: Discovery) -> tuple[pa.Table, np.ndarray]:
    """All segments as a table, atoms first, then scale by scale, and their tokens (N, D)."""
    import pyarrow as pa

    clips = list(clips)
    names = pa.array([clip.name for clip in clips], pa.string())
    files = pa.array([clip.source for clip in clips], pa.string())
    parts, tokens = [], []
    tracks = [("atom", NO_SCALE, found.atoms), *(("motif", s.seconds, s.tracks) for s in found.scales)]
    for level, seconds, of_clips in tracks:
        clip = pa.array(np.repeat(np.arange(len(of_clips)), [len(t) for t in of_clips]), pa.int32())
        number = np.concatenate([t.ids for t in of_clips])
        spell = {
            n: str(n) if level == "atom" else motif_id(n, seconds, found) for n in np.unique(number).tolist()
        }
        columns = {
            "clip": pa.DictionaryArray.from_arrays(clip, names),
            "file": pa.DictionaryArray.from_arrays(clip, files),
            "level": pa.array([level] * len(number), pa.string()).dictionary_encode(),
            "scale": pa.array(np.full(len(number), seconds)),
            "start": pa.array(np.concatenate([t.borders[:-1] for t in of_clips])),
            "end": pa.array(np.concatenate([t.borders[1:] for t in of_clips])),
            "id": pa.array([spell[n] for n in number.tolist()], pa.string()),
            "number": pa.array(number, pa.int32()),
            "confidence": pa.array(np.concatenate([t.confidence for t in of_clips]), pa.float32()),
        }
        parts.append(pa.table(columns))
        tokens += [t.tokens for t in of_clips]
    return pa.concat_tables(parts).unify_dictionaries(), np.concatenate(tokens)


def _motif_table(clips: Sequence[Clip] | Corpus, found: Discovery, words: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    names = [clip.name for clip in clips]
    rows = []
    for scale in found.scales:
        for motif in scale.motifs:
            name = motif_id(motif.number, scale.seconds, found)
            rows.append(
                {
                    "id": name,
                    "scale": scale.seconds,
                    "number": motif.number,
                    "words": words.get(name, ""),
                    "count": motif.count,
                    "mean_seconds": motif.mean_seconds,
                    "examples": [
                        {"clip": names[e.clip], "start": e.start, "end": e.end} for e in motif.examples
                    ],
                    "similar": [motif_id(n, scale.seconds, found) for n in motif.similar],
                }
            )
    return pa.Table.from_pylist(rows)
