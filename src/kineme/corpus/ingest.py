"""Files to a corpus: in parallel, resumable, with a word about every file.

The work is cut into shards. Ingesting a shard is a pure function from a list of files to a small corpus
folder; merging gathers clips from any number of folders in the order of the files, so that neither the number
of processes nor an interruption changes the result. Finished shards lie in a hidden folder beside the output
until the corpus is whole; a corpus that is built over its old self takes unchanged files from there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kineme.corpus.convert import to_clip
from kineme.corpus.gaps import without_gaps
from kineme.corpus.label_checks import check_named, warn_of_labels
from kineme.corpus.labels import Annotations, as_groups, read_labels, read_splits
from kineme.corpus.shards import ingest_files, request_of, unchanged, usable_pieces
from kineme.corpus.store import Corpus
from kineme.corpus.tables import ClipData, ReportRow, check_target, write_corpus
from kineme.errors import InputError, UsageError
from kineme.formats import ReadOptions, find_files
from kineme.formats.atomic import clean_up
from kineme.formats.lock import folder_lock
from kineme.formats.registry import nothing_found
from kineme.motion import Motion, Segment


def build(
    sources: str | Path | Iterable[str | Path],
    out: Path,
    *,
    fps: float = 30.0,
    jobs: int | None = None,
    labels: Any = None,
    split: Any = None,
    group: str | Mapping[str, str] | None = None,
    progress: bool = True,
    options: ReadOptions | None = None,
    into: Path | None = None,
) -> Corpus:
    """Ingests motion files into a corpus folder.

    Parameters
    ----------
    sources : files, and folders that are searched at any depth.
    out : the corpus folder; it appears whole when everything is done, or replaces an older corpus.
    fps : frame rate of the corpus; every motion is resampled by time.
    jobs : processes; by default one a core, and none but this one for a few files.
    labels : see `kineme.corpus.labels.read_labels`; split : see `read_splits`.
    group : the label column that holds clips together, or a mapping from clip to group.
    progress : whether to show a progress bar.
    options : overrides for what the readers guess.
    into : where to write the corpus instead, beside `out`, for who puts it in its place later; what stands at
        `out` is taken over as far as it is unchanged, and stays.

    Returns the corpus. A file that cannot be used is left out and stands in `Corpus.report` with the reason.
    The same call after an interruption, or over an older result, reads only what is new or has changed.
    With several processes a script needs ``if __name__ == "__main__":`` around its work, as always in Python.

    Raises InputError if there is no file, or none can be used; UsageError for impossible options.
    """
    if not 0 < fps <= 1000:
        raise UsageError(f"a corpus at {fps} frames per second is not possible; common rates are 20 to 120")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs must be at least 1, not {jobs}")
    out = Path(os.path.abspath(out))
    sources = [sources] if isinstance(sources, str | Path) else list(sources)
    with folder_lock(out, "kineme ingest"):
        clean_up(out.parent, out.name)
        options = options or ReadOptions()
        return _build(sources, out, into or out, fps, jobs, labels, split, group, progress, options)


def _build(
    sources: Sequence[str | Path],
    out: Path,
    into: Path,
    fps: float,
    jobs: int | None,
    labels: Any,
    split: Any,
    group: str | Mapping[str, str] | None,
    progress: bool,
    options: ReadOptions,
) -> Corpus:
    check_target(out)
    named, parts = read_labels(labels), read_splits(split)
    group_column, groups = as_groups(group)
    found = dict.fromkeys(Path(os.path.abspath(file)) for file in find_files(sources))
    files = [file for file in found if not file.is_relative_to(out)]
    if not files:
        raise nothing_found(Path(sources[0])) if sources else InputError("there is no motion file in it")

    check_named(named, parts, files)  # before they are read, which may take hours
    request, work = request_of(fps, options), out.parent / f".{out.name}.ingest"
    done = unchanged(files, usable_pieces((out, into), work, request))
    # What was rejected once is tried again: an ASF may have been put beside its AMC since.
    todo = [file for file in files if str(file) not in done or done[str(file)][1].status == "rejected"]
    ingest_files(todo, work, fps, options, jobs, progress)
    for file in map(str, todo):
        done.pop(file, None)
    done |= unchanged(todo, usable_pieces((), work, request))
    pieces = [done.get(str(file), ([], _changed(file))) for file in files]
    report = [row for _, row in pieces]
    clips = _named([clip for found, _ in pieces for clip in found], sources)
    if not clips:
        shutil.rmtree(work, ignore_errors=True)
        others = f" (none of the {len(files)} files can be used)" if len(files) > 1 else ""
        raise InputError(report[0].reason + others, files[0])
    check_named(named, parts, [clip.row.file for clip in clips])
    warn_of_labels(named, clips, fps)
    clips = [_annotate(clip, [*named, parts, groups], group_column, fps) for clip in clips]
    write_corpus(into, clips, report, fps, request)
    shutil.rmtree(work, ignore_errors=True)
    return Corpus.open(into)


def from_motions(
    motions: Iterable[Motion],
    out: Path,
    names: Iterable[str] | None = None,
    *,
    fps: float | None = None,
    subjects: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
) -> Corpus:
    """A corpus of motions in memory, with their labels; retargeted where they are not canonical.

    Parameters
    ----------
    names : one for each motion, all different; numbered if not given.
    fps : frame rate of the corpus; that of the first motion if not given.
    subjects, groups, splits : one for each motion.

    Raises InputError for a motion that cannot be used, UsageError where names and motions do not fit.
    """
    clips: list[ClipData] = []
    for number, motion in enumerate(motions):
        fps = motion.fps if fps is None else fps
        try:
            motion, _ = without_gaps(motion)
            clips.append(to_clip(motion, fps, motion.provenance.file or f"motion {number}"))
        except InputError as error:
            raise InputError(error.message, error.path or f"motion {number}") from None
    if not clips or fps is None:
        raise UsageError("there are no motions to make a corpus of")
    columns = {"name": names, "subject": subjects, "group": groups, "split": splits}
    given = {key: list(map(str, values)) for key, values in columns.items() if values is not None}
    given.setdefault("name", [f"clip_{number:04d}" for number in range(len(clips))])
    for key, values in given.items():
        if len(values) != len(clips):
            raise UsageError(f"there are {len(clips)} motions, but {len(values)} values of {key}")
    repeated = [name for name, count in Counter(given["name"]).items() if count > 1]
    if repeated:
        raise UsageError(f"every motion needs a name of its own; {repeated[0]!r} is there more than once")
    for number, clip in enumerate(clips):
        chosen = {key: values[number] for key, values in given.items()}
        clips[number] = replace(clip, row=replace(clip.row, **chosen))
    report = [ReportRow(clip.row.name, "taken", "", 1, clip.row.frames) for clip in clips]
    out = Path(os.path.abspath(out))
    write_corpus(out, clips, report, fps)
    return Corpus.open(out)


def _changed(file: Path) -> ReportRow:
    reason = "the file changed or went away while it was read; run the same command again"
    return ReportRow(str(file), "rejected", reason, 0, 0)


def _named(clips: Sequence[ClipData], sources: Sequence[str | Path]) -> list[ClipData]:
    """Clips with unique names: the file's stem, as much of its path as that takes, and the part's number."""
    roots = [Path(os.path.abspath(source)) for source in sources]
    parents = [root if root.is_dir() else root.parent for root in roots]
    parts = Counter(clip.row.file for clip in clips)
    names: dict[str, str] = {}
    left = list(parts)
    for spell in (_stem, _inside, _inside_with_suffix, _below, _below_with_suffix, _whole):
        spelled = {file: spell(Path(file), parents) for file in left}
        count = Counter(spelled.values())
        names |= {file: name for file, name in spelled.items() if count[name] == 1}
        left = [file for file in left if file not in names]
    return [
        replace(
            c,
            row=replace(c.row, name=names[c.row.file] + (f"#{c.row.part}" if parts[c.row.file] > 1 else "")),
        )
        for c in clips
    ]


def _stem(file: Path, parents: Sequence[Path]) -> str:
    return file.stem


def _inside_with_suffix(file: Path, parents: Sequence[Path]) -> str:
    parent = next((p for p in parents if file.is_relative_to(p)), file.parent)
    return file.relative_to(parent).as_posix()


def _inside(file: Path, parents: Sequence[Path]) -> str:
    return Path(_inside_with_suffix(file, parents)).with_suffix("").as_posix()


def _below_with_suffix(file: Path, parents: Sequence[Path]) -> str:
    """Below the folder that holds all sources: of files of one name that were given one by one."""
    try:
        return file.relative_to(os.path.commonpath(parents)).as_posix()
    except ValueError:  # on several drives
        return _whole(file, parents)


def _below(file: Path, parents: Sequence[Path]) -> str:
    return Path(_below_with_suffix(file, parents)).with_suffix("").as_posix()


def _whole(file: Path, parents: Sequence[Path]) -> str:
    return file.as_posix()


def _annotate(clip: ClipData, notes: Sequence[Annotations], group_column: str, fps: float) -> ClipData:
    """The clip with what label and split files say about it, in its own seconds."""
    row, duration = clip.row, clip.row.frames / fps
    labels, columns = list(clip.labels[: row.own_labels]), {}
    for note in notes:
        found, said = note.of(row.file, row.source_fps, row.source_start + duration)
        columns |= said
        shifted = (_shifted(segment, row.source_start) for segment in found)
        given = set(labels)  # a line that is there twice is one label
        labels += [s for s in dict.fromkeys(shifted) if s is not None and s not in given]
    subject, split = columns.pop("subject", ""), columns.pop("split", "")
    group = columns.pop(group_column, "") or (subject if group_column == "subject" else "")
    meta = json.dumps(columns, ensure_ascii=False, sort_keys=True)
    return replace(
        clip, row=replace(row, subject=subject, split=split, group=group, meta=meta), labels=tuple(labels)
    )


def _shifted(segment: Segment, seconds: float) -> Segment | None:
    """The segment so many seconds earlier, without what lies before 0."""
    start, end = max(segment.start - seconds, 0.0), segment.end - seconds
    return replace(segment, start=start, end=end) if end > start else None
