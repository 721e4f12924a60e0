"""A bidirectional GRU over the frames (Cho et al., 2014, arXiv 1406.1078): the usual first answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence


class GRURecogniser(nn.Module):
    """Features of frames to a class a frame; every sequence of a batch is read from both of its ends."""

    def __init__(self, inputs: int, classes: int, width: int = 128, layers: int = 1, dropout: float = 0.3):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.gru = nn.GRU(
            inputs,
            width,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.out = nn.Linear(2 * width, classes)

    def forward(self, items: Tensor, frames: Tensor, counts: list[int]) -> Tensor:
        """Logits (N, classes) of frames (N, inputs) in sequences of `counts` frames, one after the other.

        `frames` is what every recogniser is given, an item's length: here each is one.
        """
        padded = pad_sequence(list(self.drop(items).split(counts)), batch_first=True)
        packed = nn.utils.rnn.pack_padded_sequence(
            padded, torch.tensor(counts), batch_first=True, enforce_sorted=False
        )
        made, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        flat = torch.cat([row[:count] for row, count in zip(made, counts, strict=True)])
        return self.out(self.drop(flat))
