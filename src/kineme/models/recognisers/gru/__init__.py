"""A bidirectional GRU over the frames (Cho et al., 2014, arXiv 1406.1078): the usual first answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence


class GRURecogniser(nn.Module):
    """Features of frames to a class a frame; every sequence of a batch is read from both of its ends."""

    def __init__(self, inputs: int, classes: int, width: int = 128, dropout: float = 0.3):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        # two of one direction, not one of two: what fills up short sequences then comes last in both
        self.onward = nn.GRU(inputs, width, batch_first=True)
        self.backward = nn.GRU(inputs, width, batch_first=True)
        self.out = nn.Linear(2 * width, classes)

    def forward(self, items: Tensor, frames: Tensor, counts: list[int]) -> Tensor:
        """Logits (N, classes) of frames (N, inputs) in sequences of `counts` frames, one after the other.

        `frames` is what every recogniser is given, an item's length: here each is one.
        """
        parts = self.drop(items).split(counts)
        onward = self.onward(pad_sequence(list(parts), batch_first=True))[0]
        backward = self.backward(pad_sequence([part.flip(0) for part in parts], batch_first=True))[0]
        both = [
            torch.cat([a[:count], b[:count].flip(0)], dim=1)
            for a, b, count in zip(onward, backward, counts, strict=True)
        ]
        return self.out(self.drop(torch.cat(both)))
