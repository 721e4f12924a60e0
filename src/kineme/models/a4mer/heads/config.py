"""Every setting of the heads that go on and that fill gaps, and their named presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kineme.errors import UsageError
from kineme.settings import Settings, check_heads


@dataclass(frozen=True)
class HeadConfig(Settings, of="head"):
    """Settings of a predictor or an interpolator. Every field has an effect."""

    route: Literal["curves", "tokens"] = "curves"
    """curves: from the latest poses, the atoms and what is recalled by them; tokens: the paper's, from
    token to token to pose"""
    context_seconds: float = 10.0
    """seconds before the stretch, and after it, whose atoms are seen"""
    longest: float = 4.0
    """seconds of the longest stretch"""
    near: int = 20
    """poses beside the stretch, ten a second, that are seen as they are"""
    waves: int = 24
    """waves that a curve is made of"""
    recalled: int = 48
    """moments of the training data that are recalled by their atoms; 0: none"""
    library: int = 0
    """moments that are kept with the head; 0: all"""
    rank: int = 0
    """numbers that a kept moment is told by (principal components); 0: all of it"""
    strangers: float = 0.0
    """share of the training moments that recall nothing of their own person: a head of few people then trusts
    what it recalls less, where it is asked about others"""
    posture: float = 0.0
    """deviations by which the poses seen in training stand otherwise than they did, so that movement counts
    more than posture; curves only"""
    direct: float = 1.0
    """share of what the latest poses alone say of joints that is left in use after training: less than 1 for
    people who are not in the training data, of whom it says little; curves only"""
    hidden: int = 128
    """width of the MLP over the latest poses"""
    width: int = 96
    """width of the attention to atoms, and of the token heads"""
    layers: int = 0
    """layers of either"""
    heads: int = 4
    """attention heads"""
    dropout: float = 0.1
    """share of features dropped in training"""
    root_weight: float = 0.2
    """weight of the pelvis' way beside that of the joints around it"""
    steps: int = 400
    """training steps"""
    batch_size: int = 32
    """moments a step"""
    learning_rate: float = 3e-3
    """peak learning rate"""
    weight_decay: float = 0.05
    """AdamW's weight decay"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_heads(self.width, self.heads)
        if self.longest <= 0 or self.context_seconds < 1 or self.near < 2 or self.waves < 1:
            raise UsageError("longest, context_seconds, near and waves are too small for a head")
        if not 0 <= self.strangers <= 1 or not 0 <= self.direct <= 1 or self.posture < 0:
            raise UsageError("strangers and direct lie between 0 and 1, posture is not negative")
        if self.steps < 1 or self.batch_size < 1 or (self.route == "tokens" and self.layers < 1):
            raise UsageError("steps, batch_size and the layers of token heads must be at least 1")


PRESETS: dict[str, HeadConfig] = {
    "small": HeadConfig(),
    # some two megabytes, for people who are not in the training data: what comes with the package
    "compact": HeadConfig(hidden=96, library=4000, rank=48, strangers=0.5, posture=0.5, direct=0.5),
    "paper": HeadConfig(route="tokens", width=128, layers=2, recalled=0, learning_rate=1e-3),
}
