"""Settings of the heads; apart from their networks, so that the help of commands needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from kineme.errors import UsageError

Levels = Literal["atoms", "motifs", "both"]


@dataclass(frozen=True)
class RecogniserConfig:
    """Settings of the head and of its training. Every field has an effect."""

    levels: Levels = "both"
    """which tokens it reads"""
    share: float = 0.5
    """share of the answer that the classifier of frames gives; the rest is the Transformer layer's"""
    poses: bool = True
    """whether the classifier of frames also reads how poses and velocities vary around a frame"""
    penalty: float = 1e-4
    """how far the classifier of frames keeps its weights small"""
    copies: int = 4
    """further copies of every labelled take, each in another tempo, posture and amplitude, to learn from"""
    width: int = 64
    """features inside"""
    heads: int = 4
    """attention heads"""
    feed_ratio: float = 2.0
    """width of the feed-forward layer over `width`"""
    dropout: float = 0.3
    """share of features that are hidden in training"""
    noise: float = 0.3
    """deviation of the noise on standardised tokens in training"""
    steps: int = 200
    """training steps"""
    batch_size: int = 8
    """stretches of takes a step"""
    seconds: float = 30.0
    """length of a stretch"""
    learning_rate: float = 2e-3
    """peak learning rate"""
    weight_decay: float = 0.1
    """AdamW's weight decay"""
    smoothing: float = 0.1
    """label smoothing: the share of every target that is spread over all classes"""

    def __post_init__(self) -> None:
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise UsageError(f"width {self.width} must be an even multiple of heads {self.heads}")
        if self.levels not in ("atoms", "motifs", "both"):
            raise UsageError(f"levels must be atoms, motifs or both, not {self.levels}")
        if not 0 <= self.share <= 1:
            raise UsageError(f"share must lie between 0 and 1, not {self.share:g}")
        if self.penalty <= 0 or self.copies < 0:
            raise UsageError("penalty must be above 0, and copies not below it")
        if not (0 <= self.dropout < 1 and 0 <= self.smoothing < 1):
            raise UsageError("dropout and smoothing must lie between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RecogniserConfig:
        """From plain values; an unknown key raises UsageError."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise UsageError(f"unknown setting of a recogniser {', '.join(unknown)}")
        return cls(**values)
