"""Settings of a small masked autoencoder of our own and of its training, and its named presets."""

from __future__ import annotations

from dataclasses import dataclass

from kineme.errors import UsageError
from kineme.settings import Settings, check_least


@dataclass(frozen=True)
class MAEConfig(Settings, of="autoencoder"):
    """Settings of the autoencoder and of its training. Every field has an effect."""

    # -- network (transformers' ViTMAE)
    size: int = 224
    """height and width of a picture in pixels"""
    patch: int = 16
    """height and width of a patch"""
    width: int = 192
    """features of a token in the encoder"""
    layers: int = 4
    """layers of the encoder"""
    heads: int = 4
    """heads of attention, of encoder and decoder"""
    decoder_width: int = 128
    """features of a token in the decoder"""
    decoder_layers: int = 2
    """layers of the decoder"""

    # -- training
    share: float = 1 / 3
    """share of the patches that are seen"""
    attended: float = 0.5
    """share of pictures whose patches are those near a few joints, as in refinement; the others' are
    random"""
    points: int = 7000
    """points on the body"""
    steps: int = 3000
    """optimiser steps"""
    batch_size: int = 16
    """pictures a step"""
    learning_rate: float = 5e-4
    """AdamW's, at its highest; it rises over a twentieth of the steps and falls along a cosine"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "size", "patch", "heads", "layers", "decoder_layers", "batch_size", "steps")
        if self.size % self.patch:
            raise UsageError(f"size is a multiple of patch, and {self.size} is none of {self.patch}")
        if self.width % (4 * self.heads) or self.decoder_width % (4 * self.heads):
            raise UsageError(
                f"width and decoder_width are multiples of four times the heads ({4 * self.heads})"
            )
        if not (0 < self.share < 1 and 0 <= self.attended <= 1):
            raise UsageError("share lies between 0 and 1, attended, too")


PRESETS: dict[str, MAEConfig] = {"small": MAEConfig()}
