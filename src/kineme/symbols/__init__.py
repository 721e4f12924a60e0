"""Integers only: codes of tokens, frequent patterns of codes, covers of code sequences by patterns, trees
of motifs.

`codebook.fit` -> `Codebook.assign` -> `mining.mine` -> `cover.cover`; `dendrogram.merge_tree` ->
`dendrogram.cut`.
"""

from kineme.symbols.codebook import Codebook
from kineme.symbols.cover import Cover
from kineme.symbols.mining import Patterns
from kineme.symbols.ragged import Ragged

__all__ = ["Codebook", "Cover", "Patterns", "Ragged"]
