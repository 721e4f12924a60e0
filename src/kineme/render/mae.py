"""Masked autoencoders that fill in pictures (He et al., 2022), through transformers' ViTMAE. Extra `mae`.

`load_mae` takes ``mae-small``, which comes with kineme, a folder that `kineme train mae` wrote, a folder in
transformers' own layout, or a name on the Hugging Face hub such as ``facebook/vit-mae-large``. The public
weights stand under CC BY-NC 4.0 in their authors' repository: they are named by the user, and never part of
kineme.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.errors import InputError
from kineme.formats.hub import hub_options, reason
from kineme.formats.model_folder import read_model, write_model
from kineme.render.mae_config import MAEConfig
from kineme.render.mae_folder import INSTEAD, KIND, check_mae

FORMAT = 1
#: what is taken off a grey picture, and by what it is divided: an empty patch is zero, and a body stands out
_GREY = ((1.0,), (0.2,))
#: mean and deviation of the colours that the public weights were trained on
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def vit_mae() -> tuple[Any, Any]:
    """transformers' ViTMAEConfig and ViTMAEForPreTraining. Raises InputError where it is not installed."""
    try:
        from transformers import ViTMAEConfig, ViTMAEForPreTraining  # type: ignore[import-not-found]
    except ImportError:
        raise InputError('masked autoencoders need an extra: pip install "kineme[mae]"') from None
    return ViTMAEConfig, ViTMAEForPreTraining


class MaskedAutoencoder(nn.Module):
    """A ViTMAE on grey pictures in [0, 1]; the patches that are seen are chosen, not drawn.

    Attributes
    ----------
    model : transformers' ViTMAEForPreTraining. size, patch : of its pictures, in pixels.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: Any, mean: tuple[float, ...], deviation: tuple[float, ...]):
        super().__init__()
        self.model = model
        self.size, self.patch = int(model.config.image_size), int(model.config.patch_size)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], persistent=False)

    def forward(self, pictures: Tensor, kept: Tensor) -> Tensor:
        """What the decoder says of all patches, as pictures (T, size, size), from those `kept` (T, P)
        bool."""
        count = int(kept[0].sum())
        if not bool((kept.sum(1) == count).all()):
            raise ValueError("every picture must keep as many patches")
        # transformers keeps the patches with the least noise, as many as its ratio says; half of one is added
        # against its rounding
        self.model.config.mask_ratio = 1 - (count + 0.5) / kept.shape[1]
        colours = (pictures[:, None] - self.mean) / self.deviation
        out = self.model(colours, noise=(~kept).to(pictures.dtype))
        decoded = self.model.unpatchify(out.logits) * self.deviation + self.mean
        return decoded.mean(1)

    def fill(self, pictures: Tensor, kept: Tensor) -> Tensor:
        """Pictures (T, size, size) of which the patches `kept` (T, P) stay and the others are made up."""
        side = self.size // self.patch
        seen = kept.view(-1, side, side).repeat_interleave(self.patch, 1).repeat_interleave(self.patch, 2)
        return torch.where(seen, pictures, self(pictures, kept))


def small_mae(config: MAEConfig, seed: int = 0) -> MaskedAutoencoder:
    """An untrained autoencoder of one channel."""
    kind, model = vit_mae()
    settings = kind(
        image_size=config.size,
        patch_size=config.patch,
        num_channels=1,
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        decoder_hidden_size=config.decoder_width,
        decoder_num_hidden_layers=config.decoder_layers,
        decoder_num_attention_heads=config.heads,
        decoder_intermediate_size=4 * config.decoder_width,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = model(settings)
        _begin(made, config.size // config.patch)
    return MaskedAutoencoder(made, *_GREY)


def _begin(model: Any, side: int) -> None:
    """Positions, tokens and weights as in the paper: transformers leaves the first two at zero in a model that
    it does not load, and without positions nothing can be filled in; its small weights learn the mean picture
    and no more for thousands of steps."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight.data.flatten(1))
    positions = {model.vit.embeddings: "position_embeddings", model.decoder: "decoder_pos_embed"}
    with torch.no_grad():
        for holder, name in positions.items():
            table = getattr(holder, name)
            table.zero_()[0, 1:] = _grid_positions(side, table.shape[2])
        for token in (model.vit.embeddings.cls_token, model.decoder.mask_token):
            token.normal_(std=0.02)


def _grid_positions(side: int, width: int) -> Tensor:
    """(side * side, width): sines and cosines of the row, then of the column, of each patch."""
    rate = 10_000.0 ** (-torch.arange(width // 4) / (width // 4))
    angle = torch.arange(side)[:, None] * rate  # (side, width / 4)
    waves = torch.cat([angle.sin(), angle.cos()], dim=1)
    rows, columns = waves[:, None].expand(-1, side, -1), waves[None].expand(side, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def save_mae(mae: MaskedAutoencoder, config: MAEConfig, folder: Path, card: str) -> None:
    """Write an autoencoder of ours, in half precision: the folder stays below 6 MB."""
    arrays = {name: value.cpu().numpy().astype(np.float16) for name, value in mae.model.state_dict().items()}
    write_model(folder, KIND, FORMAT, config.to_dict(), arrays, card)


def load_mae(name: str | Path) -> MaskedAutoencoder:
    """The package's autoencoder (mae-small), the one in a folder, ours or transformers', or of a name on the
    hub; frozen.

    Raises InputError where there is none, saying what can be done.
    """
    folder, kind = check_mae(name)
    if kind == KIND:
        return _own(folder).eval().requires_grad_(False)
    _, model = vit_mae()
    try:
        with hub_options(name) as options:
            held = model.from_pretrained(
                str(folder if folder.exists() else name), use_safetensors=True, **options
            )
    except (OSError, ValueError, ImportError) as error:
        why = f"no masked autoencoder can be had from {name} ({reason(error)})"
        raise InputError(f"{why}; {INSTEAD}") from None
    if held.config.num_channels != 3:
        raise InputError(f"the autoencoder {name} does not look at colour pictures of three channels")
    return MaskedAutoencoder(held, *_IMAGENET).eval().requires_grad_(False)


def _own(folder: Path) -> MaskedAutoencoder:
    held = read_model(folder, KIND, FORMAT)
    mae = small_mae(MAEConfig.from_file(held.settings, folder / "config.json"))
    wanted = {name: tuple(value.shape) for name, value in mae.model.state_dict().items()}
    if wanted != {name: array.shape for name, array in held.arrays.items()}:
        raise InputError(
            "does not fit the settings in config.json; the folder mixes two models",
            folder / "model.safetensors",
        )
    arrays = {name: torch.from_numpy(array.astype(np.float32)) for name, array in held.arrays.items()}
    mae.model.load_state_dict(arrays)
    return mae
