"""The types that everything else stands on."""

from kineme.motion.canonical import SMPL22
from kineme.motion.motion import Motion, Provenance, Segment
from kineme.motion.skeleton import Skeleton

__all__ = ["SMPL22", "Motion", "Provenance", "Segment", "Skeleton"]
