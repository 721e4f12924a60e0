"""Every setting of A4Mer, and its named presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kineme.errors import UsageError
from kineme.settings import Settings, check_heads


@dataclass(frozen=True)
class A4MerConfig(Settings, of="A4Mer"):
    """Settings of the model, its segmentation, its vocabulary and its training. Every field has an effect."""

    # -- input
    fps: float = 5.0
    """frames per second that the model sees"""
    window_seconds: float = 30.0
    """length of a training window and of an encoding window"""

    # -- atoms
    segmentation: Literal["variable", "frame", "clip"] = "variable"
    """variable: kinematic cuts; frame: one segment a frame; clip: fixed segments of clip_frames"""
    clip_frames: int = 3
    """frames of a fixed segment where segmentation is 'clip'"""
    departure: float = 0.06
    """metres by which joints must leave their linear extrapolation before a new atom starts (tau)"""
    min_frames: int = 2
    """shortest atom"""
    max_frames: int = 12
    """longest atom"""

    # -- network
    width: int = 128
    """features of a token"""
    heads: int = 4
    """attention heads"""
    encoder_layers: int = 2
    """layers of the Encoder of each stage"""
    latent_layers: int = 3
    """layers of the LatentFormer of each stage"""
    predictor_layers: int = 2
    """layers of the predictor of each stage"""
    feed_ratio: float = 2.0
    """width of feed-forward layers over token width"""
    attention: Literal["segment", "sequence"] = "segment"
    """whom an item attends to in the Encoder: its segment (the paper) or its whole sequence (ablation)"""
    motif_pool: Literal["max", "mean"] = "mean"
    """what a motif's token starts from: max (the paper, and always for atoms) or mean of its atoms' tokens"""
    motif_start: Literal["pool", "random"] = "pool"
    """stage 2 begins as its pool alone, or from random weights"""

    # -- objective
    objective: Literal["decomposed", "no_alpha", "local", "equal", "plain"] = "decomposed"
    """global/local decomposition (the paper) or one of its ablations; 'plain' is JEPA without it"""
    alpha: float = 0.05
    """weight of the global term"""
    target: Literal["latent", "input", "both"] = "input"
    """predict latent tokens of the moving average (JEPA), the segment's mean input (BERT-style), or both"""
    mask_ratio: float = 0.5
    """share of segments that are masked"""
    mask_block: int = 4
    """mean number of neighbouring atoms masked together"""
    ema_start: float = 0.99
    """decay of the target's moving average at the start"""
    ema_end: float = 0.999
    """... and at the end"""

    # -- vocabulary and motifs
    clusters: int = 0
    """number of atom codes; 0 grows it with the corpus: atoms / atoms_per_code"""
    atoms_per_code: int = 180
    """atoms of the corpus per code where clusters is 0 (but some 40 codes at least)"""
    even_codes: float = 0.5
    """0: every atom counts the same when codes are chosen; up to 1: what is rare gets codes of its own"""
    code_token: Literal["encoder", "context"] = "context"
    """which token is clustered: the Encoder's z or the LatentFormer's h"""
    take_axes: int = 2
    """directions that tell long takes apart, removed before clustering"""
    settle_seconds: float = 0.8
    """time constant in which tokens of one action are pulled together before clustering; 0 turns it off"""
    settle_width: float = 0.6
    """how alike tokens must be for that, in deviations of the corpus' tokens"""
    settle_rounds: int = 3
    """how often they are pulled together"""
    min_support: int = 0
    """occurrences that make a pattern; 0 grows it with the corpus, from 3 to 5"""
    max_pattern: int = 32
    """atoms in a pattern at most"""

    # -- training
    steps: int = 2500
    """steps of stage 1"""
    joint_steps: int = 150
    """steps of joint training of both stages"""
    batch_size: int = 16
    """windows a step"""
    learning_rate: float = 1e-3
    """peak learning rate"""
    weight_decay: float = 0.05
    """AdamW's weight decay"""
    warmup: float = 0.06
    """share of the steps in which the learning rate rises; it falls along a cosine after"""
    clip_norm: float = 1.0
    """largest gradient norm"""
    augment: float = 0.4
    """strength of augmentation (mirror, tempo, amplitude, posture); 0 turns it off"""
    two_views: bool = True
    """the target sees the window in another posture and amplitude, so that tokens drop who moves"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_heads(self.width, self.heads)
        if not 1 <= self.min_frames <= self.max_frames:
            raise UsageError("min_frames must lie between 1 and max_frames")
        if not 0 < self.mask_ratio < 1:
            raise UsageError("mask_ratio must lie between 0 and 1")
        if self.fps <= 0 or self.window_seconds * self.fps < 2 * self.max_frames:
            raise UsageError("window_seconds must hold at least two of the longest atoms")

    @property
    def window_frames(self) -> int:
        """Frames of a training window."""
        return round(self.fps * self.window_seconds)


#: what the paper says where our defaults differ
_PAPER: dict[str, Any] = {
    "clusters": 512, "even_codes": 0.0, "take_axes": 0, "settle_seconds": 0.0, "target": "latent",
    "augment": 0.0, "two_views": False,
    "motif_pool": "max", "motif_start": "random", "min_support": 5, "max_pattern": 8, "batch_size": 64,
}  # fmt: skip

PRESETS: dict[str, A4MerConfig] = {
    # half an hour of motion: its few, coarse codes recur by accident, so patterns need more occurrences
    "tiny": A4MerConfig(
        width=64, encoder_layers=1, latent_layers=2, steps=900, joint_steps=100,
        settle_seconds=0.6, min_support=12,
    ),
    "small": A4MerConfig(steps=4000),
    "base": A4MerConfig(
        width=384, heads=6, encoder_layers=4, latent_layers=8, predictor_layers=4, feed_ratio=4.0,
        steps=50_000, joint_steps=5_000, batch_size=256, learning_rate=5e-4,
    ),
    "paper": A4MerConfig(
        width=256, heads=8, encoder_layers=4, latent_layers=6, predictor_layers=3, feed_ratio=4.0,
        steps=20_000, joint_steps=10_000, **_PAPER,
    ),
    "small-paper": A4MerConfig(steps=2000, **{**_PAPER, "clusters": 0, "batch_size": 16}),
}  # fmt: skip
