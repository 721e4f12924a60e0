"""Every setting of HG-VAE, and its named presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kineme.errors import UsageError
from kineme.settings import Settings, check_least

#: nodes of the root's own motion: height of the pelvis, its velocity sideways and ahead, its turning
ROOT_NODES = 4
#: the canonical joints but the pelvis; written out, since the help of commands is to come without numpy
BODY_JOINTS = (
    "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
#: the joints of the AMASS experiments: SMPL's 4th to 21st
PAPER_JOINTS = BODY_JOINTS[3:]


@dataclass(frozen=True)
class HGVAEConfig(Settings, of="HG-VAE"):
    """Settings of the model and of its training. Every field has an effect."""

    # -- input
    joints: tuple[str, ...] = BODY_JOINTS
    """canonical joints that are modelled: their places relative to the pelvis, heading taken out"""
    root: bool = True
    """also model the pelvis' height, velocity and turning"""
    fps: float = 25.0
    """frames per second that the model sees"""
    frames: int = 50
    """frames of a window"""
    frequencies: int = 0
    """cosine coefficients a node keeps; 0 keeps all"""
    labels: tuple[str, ...] = ()
    """classes that samples can be asked for; none for a model without condition"""

    # -- network
    levels: tuple[tuple[int, int], ...] = ((67, 48), (24, 48), (8, 48), (1, 64))
    """(nodes, features) of each stochastic level, from the bottom to the top"""
    path_features: int = 64
    """features of the decoder's deterministic path"""
    blocks: int = 1
    """graph blocks at each level of the encoder, and at each of the decoder"""
    residual: Literal["rezero", "printed"] = "rezero"
    """A + alpha f(A), or f(A) + alpha A as equation 5 is printed"""
    condition: Literal["top", "every"] = "top"
    """where the class enters, in a model with classes: beside z0 alone, as in the paper, or prior, posterior
    and path of every level"""

    # -- training
    epochs: int = 40
    """passes over the windows"""
    epoch_windows: int = 4800
    """windows of an epoch, drawn by seed; 0 takes every window of the corpus"""
    warmup_epochs: float = 24.0
    """epochs in which the weight of the divergence rises linearly"""
    kl_start: float = 0.001
    """that weight at the start; at the end it is 1"""
    free_bits: float = 0.0
    """nats of divergence that a level has without cost, so that upper levels do not collapse"""
    label_dropout: float = 0.0
    """share of training windows whose class is not told, so that the model also knows motion of no class"""
    class_balance: float = 0.0
    """how evenly classes are drawn: of n windows in proportion to n to the power of 1 minus this; 0 takes
    windows as they come, 1 every class as often"""
    batch_size: int = 32
    """windows a step"""
    learning_rate: float = 4e-3
    """Adam's learning rate"""
    gate_rate: float = 20.0
    """by how much faster ReZero's weights learn: there are few, each starts at 0 and opens a whole branch"""
    decay: bool = True
    """the learning rate falls along a cosine, to a hundredth; otherwise it stays"""
    clip_norm: float = 100.0
    """largest gradient norm"""
    occlusion: float = 0.7
    """share of training windows whose input has features replaced by their mean; they are to be restored"""
    noise_factors: int = 160
    """directions of the windows' and of the noise's correlations that are measured after training, for
    imputation; 0 for none"""
    latent_factors: int = 0
    """directions of every class' latents that are measured after training, for samples of a class; 0 draws
    every latent by itself, as the prior has it"""
    mirror: bool = True
    """half of the windows are seen in a mirror; only for models without classes of one side"""

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.joints) - set(BODY_JOINTS))
        if unknown:
            raise UsageError(
                f"no joint to model is called {', '.join(unknown)}; there are {', '.join(BODY_JOINTS)}"
            )
        if not self.levels or min(min(level) for level in self.levels) < 1:
            raise UsageError("levels is a list of (nodes, features), at least one, from bottom to top")
        if not 0 <= self.frequencies <= self.frames or self.frames < 2 or self.fps <= 0:
            raise UsageError("frequencies lie between 0 (all) and frames, frames is at least 2, fps positive")
        check_least(self, 1, "epochs", "batch_size", "path_features", "blocks")
        shares = (self.occlusion, self.kl_start, self.label_dropout, self.class_balance)
        if not all(0 <= share <= 1 for share in shares):
            raise UsageError("occlusion, kl_start, label_dropout and class_balance lie between 0 and 1")
        if min(self.noise_factors, self.latent_factors) < 0:
            raise UsageError("noise_factors and latent_factors are 0 for none, or more")
        if not 0 <= self.free_bits < float("inf"):
            raise UsageError(f"free_bits is a number of nats, at least 0, not {self.free_bits}")

    @property
    def nodes(self) -> int:
        """Nodes of a window: three a joint, and the root's own."""
        return 3 * len(self.joints) + (ROOT_NODES if self.root else 0)

    @property
    def coefficients(self) -> int:
        """Cosine coefficients of a node."""
        return self.frequencies or self.frames

    @property
    def seconds(self) -> float:
        """Length of a window."""
        return self.frames / self.fps


#: what the paper says where our defaults differ
_PAPER: dict[str, Any] = {
    "joints": PAPER_JOINTS, "root": False, "path_features": 256, "epochs": 5000, "epoch_windows": 0,
    "warmup_epochs": 200.0, "batch_size": 800, "learning_rate": 1e-3, "decay": False, "occlusion": 0.0,
    "mirror": False, "gate_rate": 1.0, "noise_factors": 0,
}  # fmt: skip

#: what our presets change to learn classes; measured in docs/papers/hgvae.md
CONDITIONAL: dict[str, Any] = {
    "condition": "every",
    "label_dropout": 0.1,
    "class_balance": 0.5,
    "latent_factors": 8,
}

PRESETS: dict[str, HGVAEConfig] = {
    "small": HGVAEConfig(),
    "full-body": HGVAEConfig(
        levels=((67, 128), (24, 128), (8, 128), (1, 256)), path_features=256, epochs=400,
        epoch_windows=0, warmup_epochs=40.0, batch_size=256,
    ),
    "paper": HGVAEConfig(levels=((54, 128), (24, 128), (8, 128), (1, 256)), **_PAPER),
    "deep": HGVAEConfig(
        levels=(
            *(((54, 224),) * 5), *(((24, 224),) * 5), *(((8, 224),) * 5), (1, 256),
        ), **_PAPER,
    ),
}  # fmt: skip
