"""Texts as numbers, for the model that is told what to do in words.

The default knows the words of the actions' own names and needs nothing. Any text model of transformers (extra
`text`) can stand in its place, by a name on the Hugging Face hub or a folder, such as
``openai/clip-vit-large-patch14``. Public weights are named by the user, and never part of kineme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from kineme.errors import InputError, UsageError
from kineme.formats.hub import hub_options, reason
from kineme.models.compose.config import PLUS

_DEFAULT = "without a name, a small encoder is taken that needs no download"
#: longest text that is read, in tokens: CLIP's
_MOST_TOKENS = 77


class TextEncoder(Protocol):
    """What gives texts as numbers, whose directions tell what is alike. As in MotionCLIP it is not trained:
    one that learns with the motion soon gives all texts one direction, which is what aligns best.

    Attributes
    ----------
    width : numbers of a text.
    """

    width: int

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(n, width) of n texts."""
        ...


def sentence(text: str) -> str:
    """The words of `text`; ``walk+wave-left-hand`` is *walk while wave left hand*, as the paper puts it."""
    return " while ".join(" ".join(_words(part)) for part in text.split(PLUS))


def text_encoder(name: str, labels: Sequence[str], *, fetch: bool = True) -> TextEncoder:
    """Of transformers' model `name`; the small one of the actions `labels` where it is empty.

    fetch : from the hub, where it is not on this machine; not where the name comes out of a stranger's file.
    Raises InputError where transformers or the model is not there.
    """
    return TransformersText(name, fetch=fetch) if name else LabelWords(labels)


class LabelWords:
    """The words of the known actions, their parts of three letters, and which word follows which.

    What occurs in no name of an action says nothing here: neither does *while*. So a text of two actions lies
    between both, and *walking* near *walk*.
    """

    def __init__(self, labels: Sequence[str]):
        self.labels = tuple(labels)
        known = sorted({piece for label in labels for piece, _ in _pieces(label)})
        self._columns = {piece: column for column, piece in enumerate(known)}
        self.width = len(known)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(n, width), rows of length one. UsageError for a text that has no part of a known action."""
        found = torch.zeros(len(texts), self.width)
        for row, text in enumerate(texts):
            for piece, weight in _pieces(text):
                if piece in self._columns:
                    found[row, self._columns[piece]] += weight
            if not found[row].any():
                raise UsageError(f"{text!r} has no word of an action; there are {', '.join(self.labels)}")
        return normalize(found, dim=1)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _pieces(text: str) -> Iterator[tuple[str, float]]:
    """What a text is made of, and what each part counts: a word as much as all of its letters, or as its
    place."""
    words = _words(text)
    for word in words:
        yield word, 1.0
        marked = f"<{word}>"
        triples = [marked[k : k + 3] for k in range(len(marked) - 2)]
        for triple in triples:
            yield f"~{triple}", 1 / len(triples)
    for one, other in zip(words, words[1:], strict=False):
        yield f"{one} {other}", 1.0


class TransformersText:
    """A text model of transformers, frozen: CLIP's embedding of a text, or another model's mean over tokens.

    Raises InputError where transformers is not installed, or no such model is to be had.
    """

    def __init__(self, name: str, *, fetch: bool = True):
        kinds = _transformers()
        folder = Path(name)
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise InputError(f"is no text model; {_DEFAULT}", folder)
        try:
            with hub_options(name, fetch=fetch) as options:
                config = kinds.AutoConfig.from_pretrained(name, **options)
                self._clip = config.model_type in ("clip", "clip_text_model")
                kind = kinds.CLIPTextModelWithProjection if self._clip else kinds.AutoModel
                model = kind.from_pretrained(name, use_safetensors=True, **options)
                self._tokens = kinds.AutoTokenizer.from_pretrained(name, **options)
        except Exception as error:  # a stranger's folder; transformers' own errors are of many kinds
            if not fetch and not folder.is_dir():
                raise InputError(
                    f"texts are read by {name}, which is not on this machine ({reason(error)}); if you trust it, "
                    f"fetch it with `hf download {name}`"
                ) from None
            raise InputError(f"no text model can be had from {name} ({reason(error)}); {_DEFAULT}") from None
        self._model = model.eval().requires_grad_(False)
        self.width = int(config.projection_dim if self._clip else config.hidden_size)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(n, width)."""
        if not texts:
            return torch.zeros(0, self.width)
        most = min(_MOST_TOKENS, int(self._tokens.model_max_length))
        read = self._tokens(list(texts), padding=True, truncation=True, max_length=most, return_tensors="pt")
        seen = {name: read[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            out = self._model(**seen)
        if self._clip:
            return out.text_embeds.float()
        mask = seen["attention_mask"][..., None]
        return ((out.last_hidden_state * mask).sum(1) / mask.sum(1)).float()


def _transformers() -> Any:
    try:
        import transformers  # type: ignore[import-not-found]
    except ImportError:
        raise InputError('text encoders need an extra: pip install "kineme[text]"') from None
    return transformers
