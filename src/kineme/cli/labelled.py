"""What trainings on labels look at before they read a take: whether there can be labels at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kineme.errors import InputError, UsageError

#: formats that hold motion alone
WITHOUT_LABELS = (".bvh", ".amc", ".asf", ".c3d", ".trc", ".glb", ".fbx")


def need_labels(sources: Sequence[Path], labels: Sequence[str] | None = ()) -> set[str] | None:
    """The labels that label files give to sources that have none themselves; None where only the takes tell.

    labels : files of them; None where the command takes none, but a labelled corpus alone.
    Raises InputError for files of formats without labels where there is no label file either, and for a label
    file that cannot be understood; UsageError for one beside a corpus, which has its labels.
    """
    from kineme.corpus.labels import read_labels
    from kineme.formats import find_files
    from kineme.tasks.library import is_library

    if len(sources) == 1 and (is_library(sources[0]) or (sources[0] / "corpus.json").is_file()):
        if labels:
            raise UsageError(
                f"--labels goes with motion files, and {sources[0]} is a corpus, which has its labels since "
                "`kineme ingest --labels`; leave the option out, or make the corpus again"
            )
        return None
    read = read_labels(labels or ())
    files = find_files(sources)
    if not files or not all(file.suffix.lower() in WITHOUT_LABELS for file in files):
        return None
    if not read:
        here = "" if labels is None else "give a label file with --labels, or "
        raise InputError(
            f"classes are learnt from labels, and motion files have none; {here}make a corpus with `kineme ingest "
            "TAKES --labels LABELS.csv -o CORPUS`, and name that",
            sources[0],
        )
    if any(note.pattern is not None for note in read):
        return None
    return {one.segment.label for note in read for notes in note.notes.values() for one in notes}
