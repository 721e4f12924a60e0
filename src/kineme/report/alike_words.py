"""Motifs that the same words describe, told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from kineme.report.words import Description

#: from the second on
_NTH = ("another", "a third", "a fourth", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth")


def told_apart(words: Mapping[int, Description]) -> dict[int, Description]:
    """The words of motifs, by number, no two alike: of those that say the same, the one with the lowest number
    keeps its words, others add what moves in them alone, or *another kind*, *a third kind* ..."""
    taken = {said.words for said in words.values()}
    alike: dict[str, list[Description]] = defaultdict(list)
    found = {}
    for number, said in sorted(words.items()):
        before = alike[said.words]
        if before:
            names = (f"{said.words}, {more}" for more in _differences(said, before))
            found[number] = replace(said, words=next(name for name in names if name not in taken))
            taken.add(found[number].words)
        else:
            found[number] = said
        before.append(said)
    return found


def _differences(said: Description, others: Sequence[Description]) -> Iterator[str]:
    """What may be added to the words of one description, to tell it from `others` of the same words."""
    known = {part for other in others for part in other.parts}
    more = [part for part in ("left arm", "right arm", "torso", "head") if part in said.parts]
    more = [part for part in more if part not in known and part not in said.words]
    if said.words.startswith("whole body"):
        more = []
    if "both arms" in said.words:
        more = [part for part in more if "arm" not in part]
    if more[:2] == ["left arm", "right arm"]:
        yield "both arms move too"
    elif more:
        yield f"{more[0]} moves too"
    yield from (f"{nth} kind" for nth in _NTH[len(others) - 1 :])
    yield from (f"kind {number}" for number in count(len(_NTH) + 2))
