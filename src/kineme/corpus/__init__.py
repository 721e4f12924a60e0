"""Many motions on disk: ingest with a report, memory-mapped frames, labels, splits, windows."""
