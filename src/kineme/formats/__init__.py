"""Bytes to `Motion` and back, one file per format, reader and writer side by side."""

from kineme.formats.options import ReadOptions
from kineme.formats.registry import find_files, load, load_all, save

__all__ = ["ReadOptions", "find_files", "load", "load_all", "save"]
