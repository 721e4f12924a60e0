"""The paper's own heads, plainly: from token to token, and from tokens to poses.

Prediction: a causal Transformer says the next atom's token z and how many frames it lasts; a decoder, which
learns from true tokens, turns each into poses. Interpolation: learnable tokens stand where nothing was
observed, see the atoms on both sides, and are decoded. z is the Encoder's token: it has seen its own frames
alone, so no token of a context knows what follows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kineme.corpus.place import CHANNELS
from kineme.models.a4mer.features import FEATURES
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.tokens import Seen
from kineme.nn.decoder import dense_rotary

#: height and 21 joints of a pose in the facing frame; the pelvis' velocity; turning: columns of the features
POSE, SPEED, TURN = slice(0, 64), slice(64, 67), slice(FEATURES - 1, FEATURES)
COLUMNS = 68
#: seconds of a learnable token where nothing was observed: about as long as atoms are
SLOT = 0.6


class Layer(nn.Module):
    """Pre-norm self-attention with rotary time over padded sequences, then feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, times: Tensor, seen: Tensor) -> Tensor:
        """x (B, L, D), times (B, L), seen (B, L, L) bool: who attends to whom."""
        q, k, v = self.qkv(self.norms[0](x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = dense_rotary(q, times), dense_rotary(k, times)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None])
        x = x + self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        return x + self.drop(self.feed(self.norms[1](x)))


def causal(mask: Tensor) -> Tensor:
    """(B, L, L): to what is there and not later; everything sees itself."""
    count = mask.shape[1]
    eye = torch.eye(count, dtype=torch.bool, device=mask.device)
    return (mask[:, None] & torch.ones_like(eye).tril()) | eye


class TokenPredictor(nn.Module):
    """Next token and length, and the decoder from a token to the poses of its frames."""

    mean: Tensor
    std: Tensor
    spread: Tensor

    def __init__(self, config: HeadConfig, token_width: int, longest_atom: int):
        super().__init__()
        self.config, self.longest = config, longest_atom
        width = config.width
        self.enter = nn.Linear(token_width, width)
        self.length = nn.Embedding(longest_atom + 2, width)
        self.layers = nn.ModuleList(Layer(width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.next_token, self.next_length = nn.Linear(width, token_width), nn.Linear(width, longest_atom + 2)
        self.place = nn.Embedding(longest_atom + 2, width)
        self.decode = nn.Sequential(
            nn.Linear(token_width + 2 * width, config.hidden), nn.GELU(),
            nn.Linear(config.hidden, config.hidden), nn.GELU(), nn.Linear(config.hidden, COLUMNS),
        )  # fmt: skip
        self.decode_length = nn.Embedding(longest_atom + 2, width)
        self.register_buffer("mean", torch.zeros(COLUMNS))
        self.register_buffer("std", torch.ones(COLUMNS))
        self.register_buffer("spread", torch.ones(1))  # of a true token about the predicted one

    def following(self, z: Tensor, frames: Tensor, times: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """After each atom (B, L): the next token (B, L, D), and logits of its length (B, L, longest + 2)."""
        x = self.enter(z) + self.length(frames.clamp(max=self.longest + 1))
        seen = causal(mask)
        for layer in self.layers:
            x = layer(x, times, seen)
        x = self.norm(x)
        return self.next_token(x), self.next_length(x)

    def poses(self, z: Tensor, frames: Tensor, place: Tensor) -> Tensor:
        """(..., 68) columns of the frame at `place` (...) of an atom z (..., D) of so many `frames` (...)."""
        frames, place = frames.clamp(max=self.longest + 1), place.clamp(max=self.longest + 1)
        made = self.decode(torch.cat([z, self.decode_length(frames), self.place(place)], dim=-1))
        return made * self.std + self.mean

    def loss(self, atoms: Seen, columns: Tensor, place: Tensor, owner: Tensor) -> tuple[Tensor, Tensor]:
        """Of the next token, its length and the decoder; and the decoder's distance of joints.

        atoms (B, L); columns (B, T, 68) of frames, `place` (B, T) in their atom, `owner` (B, T) its number or
        -1.
        """
        made, lengths = self.following(atoms.z, atoms.frames, atoms.times, atoms.mask)
        known = atoms.mask[:, 1:]
        token = functional.smooth_l1_loss(made[:, :-1][known], atoms.z[:, 1:][known])
        length = functional.cross_entropy(
            lengths[:, :-1][known], atoms.frames[:, 1:][known].clamp(max=self.longest + 1)
        )
        with torch.no_grad():
            now = (made[:, :-1][known] - atoms.z[:, 1:][known]).square().mean().sqrt()
            self.spread.lerp_(now[None], 0.02)
        rows, at = torch.nonzero(owner >= 0, as_tuple=True)
        atom = owner[rows, at]
        poses = self.poses(atoms.z[rows, atom], atoms.frames[rows, atom], place[rows, at])
        apart = poses - columns[rows, at]
        joints = apart[:, 1:64].unflatten(-1, (-1, 3)).square().sum(-1).clamp(min=1e-9).sqrt().mean()
        rest = (apart / self.std)[:, [0, *range(64, COLUMNS)]]
        return token + 0.1 * length + joints + 0.1 * functional.smooth_l1_loss(rest, rest * 0), joints

    def roll_out(
        self,
        atoms: Seen,
        frames: int,
        fps: float,
        temperature: float = 0.0,
        noise: torch.Generator | None = None,
    ) -> Tensor:
        """(B, frames, 68) columns of the frames that follow at `fps`. With a temperature of 0 the
        likeliest length and the expected token are taken at each step."""
        z, lengths, times, mask = atoms.z, atoms.frames, atoms.times, atoms.mask
        count = len(z)
        end = (times + lengths / (2 * fps)).masked_fill(~mask, -1e9).amax(1)  # seconds at which the last ends
        made: list[tuple[Tensor, Tensor, Tensor]] = []
        row = torch.arange(count)
        last = mask.sum(1) - 1
        start = end.clone()
        while bool((end - start < frames / fps).any()):
            token, logits = self.following(z, lengths, times, mask)
            token, logits = token[row, last], logits[row, last].clone()
            logits[:, 0] = -1e9
            if temperature:
                token = token + temperature * self.spread * torch.randn(token.shape, generator=noise)
                long = torch.multinomial((logits / temperature).softmax(-1), 1, generator=noise)[:, 0]
            else:
                long = logits.argmax(-1)
            made.append((token, long, end - start))
            z = torch.cat([z, token[:, None]], 1)
            lengths = torch.cat([lengths, long[:, None]], 1)
            times = torch.cat([times, (end + long / (2 * fps))[:, None]], 1)
            mask = torch.cat([mask, torch.ones(count, 1, dtype=torch.bool)], 1)
            last = torch.full_like(last, z.shape[1] - 1)
            end = end + long / fps
        return self._decoded(made, frames, fps)

    def _decoded(self, made: list[tuple[Tensor, Tensor, Tensor]], frames: int, fps: float) -> Tensor:
        token, long, begin = (torch.stack(part, 1) for part in zip(*made, strict=True))  # (B, A, ...)
        first = (begin * fps).round().long()
        at = torch.arange(frames).expand(len(token), -1)
        owner = (first[:, None] <= at[..., None]).sum(-1) - 1  # (B, frames)
        row = torch.arange(len(token))[:, None]
        return self.poses(token[row, owner], long[row, owner], at - first[row, owner])


class TokenInterpolator(nn.Module):
    """Learnable tokens in the gap, seeing the atoms around it; each decoded to the poses of its time."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: HeadConfig, token_width: int):
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Linear(token_width, width)
        self.hidden = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = nn.ModuleList(Layer(width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.decode = nn.Sequential(
            nn.Linear(width + 9, config.hidden), nn.GELU(),
            nn.Linear(config.hidden, config.hidden), nn.GELU(), nn.Linear(config.hidden, CHANNELS),
        )  # fmt: skip
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("std", torch.ones(CHANNELS))

    def forward(self, atoms: Seen, gap: float, times: Tensor) -> Tensor:
        """(B, T, 66) at `times` (T,) seconds: poses, and the pelvis' departure from the straight way."""
        count, slots = len(atoms.z), max(1, round(gap / SLOT))
        long = gap / slots
        centres = (torch.arange(slots) + 0.5) * long
        x = torch.cat([self.enter(atoms.h), self.hidden.expand(count, slots, -1)], dim=1)
        when = torch.cat([atoms.times, centres.expand(count, -1)], dim=1)
        there = torch.cat([atoms.mask, torch.ones(count, slots, dtype=torch.bool)], dim=1)
        seen = there[:, None].expand(-1, there.shape[1], -1) | torch.eye(there.shape[1], dtype=torch.bool)
        for layer in self.layers:
            x = layer(x, when, seen)
        tokens = self.norm(x[:, -slots:])
        owner = (times / long).floor().long().clamp(0, slots - 1)
        within = (times / long - owner)[:, None] * torch.pi * torch.arange(1, 5)
        phase = torch.cat([within.sin(), within.cos(), torch.full((len(times), 1), long)], dim=1)
        frames = torch.cat([tokens[:, owner], phase.expand(count, -1, -1)], dim=-1)
        return self.decode(frames) * self.std + self.mean
