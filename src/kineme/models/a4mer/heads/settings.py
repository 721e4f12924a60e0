"""Settings of the heads; apart from their networks, so that the help of commands needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kineme.errors import UsageError
from kineme.settings import Settings, check_heads

Levels = Literal["atoms", "motifs", "both"]


@dataclass(frozen=True)
class RecogniserConfig(Settings, of="recogniser"):
    """Settings of the head and of its training. Every field has an effect."""

    levels: Levels = "both"
    """which tokens it reads"""
    share: float = 0.5
    """share of the answer that the classifier of frames gives; the rest is the Transformer layer's"""
    poses: bool = True
    """whether the classifier of frames also reads how poses and velocities vary around a frame"""
    penalty: float = 1e-4
    """how far the classifier of frames keeps its weights of tokens small"""
    pose_penalty: float = 3e-3
    """how far it keeps its weights of how poses vary small"""
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
        super().__post_init__()
        check_heads(self.width, self.heads)
        if not 0 <= self.share <= 1:
            raise UsageError(f"share must lie between 0 and 1, not {self.share:g}")
        if min(self.penalty, self.pose_penalty) <= 0 or self.copies < 0:
            raise UsageError("penalty and pose_penalty must be above 0, and copies not below it")
        if not (0 <= self.dropout < 1 and 0 <= self.smoothing < 1):
            raise UsageError("dropout and smoothing must lie between 0 and 1")
