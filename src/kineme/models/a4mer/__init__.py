"""A4Mer: Action Atoms and Action Motifs (CVPR 2026). See README.md beside this file."""

from kineme.models.a4mer.config import PRESETS, A4MerConfig
from kineme.models.a4mer.model import A4Mer, Encoding

__all__ = ["PRESETS", "A4Mer", "A4MerConfig", "Encoding"]
