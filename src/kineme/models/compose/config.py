"""Every setting of the model of coupled actions, and its named presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kineme.errors import UsageError, did_you_mean
from kineme.settings import Settings, check_heads, check_least

#: what stands between the actions of a pair, as in walk+wave
PLUS = "+"
#: actions that a sentence lists, at most
_LISTED = 30


@dataclass(frozen=True)
class ComposeConfig(Settings, of="compose"):
    """Settings of the model and of its training. Every field has an effect."""

    # -- input
    labels: tuple[str, ...] = ()
    """the actions that are known; those of the corpus where none are given"""
    fps: float = 20.0
    """frames per second that the model sees"""
    frames: int = 60
    """longest sequence in frames"""
    joints: Literal[22, 24] = 22
    """joints of the body; 24 is SMPL with two hands, which keep their rest pose"""

    # -- coupling
    division: Literal["sides", "four"] = "sides"
    """parts of the body: sides tells the arms apart, four does not"""
    masks: bool = True
    """couple by the energies of body parts; otherwise all parts count alike"""
    rates: Literal["gaussian", "uniform", "half"] = "gaussian"
    """how the mixing rate is drawn; half is always one half"""
    deviation: float = 0.1
    """standard deviation of a gaussian mixing rate"""
    root: Literal["legs", "mask"] = "legs"
    """the pelvis' rotation: whole from the action that gives the legs, or mixed by the masks like the rest"""
    pairs: tuple[str, ...] = ()
    """pairs of actions to learn, such as walk+wave; every pair of two actions where none are given"""
    cuts: Literal["first", "drawn"] = "first"
    """where a sequence is cut that is too long for its pair or the model: from its start, as if it were a clip of
    that length, or anywhere. Drawn cuts show all of it, at every phase, which takes many times as long to learn"""
    singles: float = 0.0
    """share of a batch that are single actions, uncoupled"""

    # -- network
    width: int = 128
    """features of a token"""
    layers: int = 3
    """layers of the encoder, and of the decoder"""
    heads: int = 4
    """heads of attention"""
    feed: int = 256
    """features inside a feed-forward layer"""
    dropout: float = 0.0
    """share of features dropped in training"""
    way: Literal["steps", "places"] = "steps"
    """how the network sees the root: velocities over the floor, and its height; or places, as the frames have it"""
    posterior: Literal["linear", "tokens"] = "linear"
    """what the latent is read off: a linear layer on each distribution token, with a small variance at first, or
    the tokens themselves, as ACTOR does; those are normalised, and may stay the same for every sequence"""

    prior: Literal["fitted", "normal"] = "fitted"
    """what latents are drawn from after training: a Gaussian fitted to those of the training sequences, or N(0, I);
    the divergence is from N(0, I) either way"""

    # -- training
    kl_weight: float = 3e-4
    """weight of the divergence, summed over the latent's features, against the mean square of
    reconstruction"""
    kl_rise: tuple[float, float] = (0.5, 0.9)
    """shares of the steps between which that weight rises from zero: a latent that costs before it is of use
    stays empty"""
    root_weight: float = 0.3
    """weight of the mean square of the root as the network sees it, beside that of rotations"""
    joints_weight: float = 1.0
    """weight of the mean square of joint places in metres, beside that of rotations"""
    refine_weight: float = 0.03
    """weight of the decoupling refinement loss, a mean over pixels, where training is given a masked
    autoencoder"""
    refine_rise: tuple[float, float] = (0.6, 0.7)
    """shares of the steps between which that weight rises from zero: pictures say little of poses that are far
    off"""
    refine_pictures: int = 4
    """frames of a step that are rendered for it"""
    refine_share: float = 1 / 6
    """share of a picture's patches that are kept"""
    refine_joints: Literal["own", "all"] = "own"
    """where these patches are: at the joints that the coupled action has from the action, or at all that the
    action moves, as in the paper"""
    steps: int = 2500
    """optimiser steps"""
    batch_size: int = 32
    """coupled sequences a step"""
    learning_rate: float = 3e-3
    """AdamW's"""
    decay: bool = True
    """the learning rate rises over a twentieth of the steps and falls along a cosine; otherwise it stays"""
    clip_norm: float = 1.0
    """largest gradient norm"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "layers", "heads", "feed", "batch_size", "steps", "refine_pictures")
        check_least(self, 2, "frames")
        check_heads(self.width, self.heads)
        shares = (self.dropout, self.refine_share, self.singles)
        if min(shares) < 0 or max(shares) > 1 or self.fps <= 0 or self.deviation < 0:
            raise UsageError("dropout, refine_share and singles lie between 0 and 1; fps is positive")
        for first, whole in (self.kl_rise, self.refine_rise):
            if not 0 <= first <= whole <= 1:
                raise UsageError(
                    "kl_rise and refine_rise are two shares of the steps, the first not above the second"
                )
        for pair in self.pairs if self.labels else ():
            self.numbers(pair)

    def numbers(self, text: str) -> tuple[int, ...]:
        """The actions in `walk+wave` by number; an action's own name may hold a plus.

        UsageError for one that is not known, or for other than one or two.
        """
        names = self._known(text) or [name.strip() for name in text.split(PLUS)]
        if len(names) not in (1, 2):
            raise UsageError(f"{text!r} is not one action or two, such as {PLUS.join(self.labels[:2])}")
        for name in names:
            if name not in self.labels:
                more = f" and {len(self.labels) - _LISTED} more" if len(self.labels) > _LISTED else ""
                there = f"it knows {', '.join(self.labels[:_LISTED])}{more}"
                advice = " ".join(filter(None, (did_you_mean(name, self.labels), there)))
                raise UsageError(f"this model knows no action {name!r}; {advice}")
        return tuple(self.labels.index(name) for name in names)

    def _known(self, text: str) -> list[str]:
        """One or two known actions that `text` names, wherever a plus stands; none where it names none."""
        pieces = text.split(PLUS)
        cuts = [(PLUS.join(pieces[:k]), PLUS.join(pieces[k:])) for k in range(1, len(pieces))]
        for names in ((text,), *cuts):
            found = [name if name in self.labels else name.strip() for name in names]
            if all(name in self.labels for name in found):
                return found
        return []

    @property
    def features(self) -> int:
        """Numbers of a frame: 6D rotations of the joints, and the root's place."""
        return 6 * self.joints + 3


PRESETS: dict[str, ComposeConfig] = {
    "small": ComposeConfig(),
    # the paper's 1e-2 weighs a sum over pixels, of 224 x 224;
    # its 1e-5 is of ACTOR's divergence, summed over the batch: 800 times as much of a mean over it
    "paper": ComposeConfig(
        joints=24, root="mask", width=256, layers=8, feed=1024, dropout=0.1, way="places", posterior="tokens",
        kl_weight=8e-3, kl_rise=(0.0, 0.0), root_weight=3 / 144, joints_weight=0.0, prior="normal",
        refine_rise=(0.0, 0.0), refine_share=1 / 3, refine_joints="all",
        steps=15_000, batch_size=800, learning_rate=1e-4, decay=False,
        refine_pictures=60, refine_weight=1e-2 * 224**2,
    ),
}  # fmt: skip
