"""Many motions on disk: ingest with a report, memory-mapped frames, labels, splits, windows."""

from kineme.corpus.store import Clip, Corpus
from kineme.corpus.windows import Window

__all__ = ["Clip", "Corpus", "Window"]
